/** The folder that Postgres keeps its data in: made, checked and healed before a start. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from './errors.ts';
import type { Binaries, RunAs } from './postgres-binaries.ts';

/** The major version of the embedded binaries; a data folder of another one cannot be read. */
const POSTGRES_MAJOR = '17';
/** A server whose parent has just been killed is given this long to end, in milliseconds. */
const ORPHAN_PATIENCE_MS = 10_000;

/** The superuser, as on a hosted project; `postgres` is an ordinary, mighty role there. */
export const SUPERUSER = 'supabase_admin';

/**
 * Leaves `folder` ready for a server: created if it is missing or empty, checked otherwise. The
 * left-over `postmaster.pid` of a dead server and a creation cut short are removed; anything else
 * that is wrong is an error, because it may hold data that somebody wants.
 *
 * @throws LocalError data_folder_in_use, data_folder_incompatible, data_folder_incomplete,
 *   data_folder_owner, postgres_failed
 */
export async function prepareDataFolder(
  folder: string,
  binaries: Binaries,
  user: RunAs,
): Promise<void> {
  refuseForeign(folder);
  removeUnfinished(folder);
  if (!existsSync(folder) || readdirSync(folder).length === 0) {
    await create(folder, binaries, user);
    return;
  }
  const version = readText(join(folder, 'PG_VERSION'))?.trim();
  const complete = version !== undefined && existsSync(join(folder, 'global', 'pg_control'));
  if (!complete) {
    throw new LocalError(
      'data_folder_incomplete',
      `${folder} is not a complete Postgres data folder. ${remove(folder)}`,
    );
  }
  if (version !== POSTGRES_MAJOR) {
    throw new LocalError(
      'data_folder_incompatible',
      `${folder} was written by Postgres ${version}, this is Postgres ${POSTGRES_MAJOR}. ` +
        remove(folder),
    );
  }
  takeOwnership(folder, user);
  await clearLock(folder);
}

const remove = (folder: string) =>
  `If you do not need what is in it, remove it: rm -rf '${folder}'. Else give another folder.`;

const unfinishedName = (folder: string, pid: number) => `${folder}.incoming-${pid}`;

/** Removes what an interrupted initdb left; the folder of one that still runs is kept. */
function removeUnfinished(folder: string): void {
  const parent = dirname(folder);
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    const pid = Number(/\.incoming-(\d+)$/.exec(name)?.[1]);
    if (path !== unfinishedName(folder, pid) || isAlive(pid)) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

/** initdb into a folder beside, then renamed: the data folder is there completely or not at all. */
async function create(folder: string, binaries: Binaries, user: RunAs): Promise<void> {
  const incoming = unfinishedName(folder, process.pid);
  mkdirSync(incoming, { recursive: true, mode: 0o700 });
  if (user.uid !== undefined && user.gid !== undefined) chownSync(incoming, user.uid, user.gid);
  const child = spawn(
    binaries.initdb,
    [
      `--pgdata=${incoming}`,
      `--username=${SUPERUSER}`,
      '--auth=trust',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-sync',
      '--no-instructions',
    ],
    { ...user, cwd: dirname(incoming), env: { PATH: process.env.PATH ?? '', TZ: 'UTC' } },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? undefined : output.trim()));
  });
  if (failure !== undefined) {
    rmSync(incoming, { recursive: true, force: true });
    throw new LocalError('postgres_failed', `initdb could not create ${folder}: ${failure}`);
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(incoming, folder);
}

/** An ordinary user cannot use another user's folder; root can. */
function refuseForeign(folder: string): void {
  const uid = process.getuid?.();
  if (uid === 0 || !existsSync(folder)) return;
  const owner = statSync(folder).uid;
  if (uid === undefined || owner === uid) return;
  throw new LocalError(
    'data_folder_owner',
    `${folder} belongs to another user (uid ${owner}): a run as root, perhaps. ` +
      `Run: sudo rm -rf '${folder}', or give another folder.`,
  );
}

/** Postgres insists on owning its folder with mode 0700. */
function takeOwnership(folder: string, user: RunAs): void {
  if (user.uid !== undefined && statSync(folder).uid !== user.uid) {
    spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, folder]);
  }
  if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
}

async function clearLock(folder: string): Promise<void> {
  const lock = join(folder, 'postmaster.pid');
  const deadline = Date.now() + ORPHAN_PATIENCE_MS;
  for (;;) {
    const pid = Number(readText(lock)?.split('\n')[0]);
    const server = pid ? serverOf(pid, folder) : undefined;
    if (!server) break;
    // A server whose starter is gone is being ended by its watcher; any other is in use.
    if (server.parent !== 1 || Date.now() > deadline) {
      throw new LocalError(
        'data_folder_in_use',
        `Another Postgres (process ${pid}) already runs on ${folder}. Stop the other run first ` +
          `(kill -INT ${pid} ends a forgotten one), or give another folder.`,
      );
    }
    await sleep(100);
  }
  rmSync(lock, { force: true });
}

/** The live Postgres on this folder with this process number, which another program may have now. */
function serverOf(pid: number, folder: string): { parent: number } | undefined {
  if (!isAlive(pid)) return undefined;
  const ps = spawnSync('ps', ['-ww', '-o', 'ppid=,command=', '-p', String(pid)], {
    encoding: 'utf8',
  });
  const command = readText(`/proc/${pid}/cmdline`) ?? ps.stdout ?? '';
  if (!command.includes('postgres') || !command.includes(folder)) return undefined;
  const status = /^PPid:\s*(\d+)/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1];
  return { parent: Number(status ?? Number.parseInt(ps.stdout ?? '', 10)) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
