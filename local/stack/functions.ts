/** The edge functions, each in its own process of the real Deno runtime. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readdirSync, type WriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalError } from './errors.ts';
import { endProcess, guardProcess } from './guard.ts';

/** The project's own functions. */
export const FUNCTIONS = fileURLToPath(new URL('../../supabase/functions', import.meta.url));

const START_PATIENCE_MS = 60_000;
/** Wait before the restart after a crash: doubled at each failed start, up to the last. */
const RESTART_DELAY_MS = { first: 200, last: 5_000 };
const SHOWN_LINES = 30;

export type FunctionsOptions = {
  /** Folder of functions; each folder in it with an `index.ts` is one. */
  folder?: string;
  /** Those of the folder that are started. Default: all. */
  names?: string[];
  /** Base of the gateway, for example http://127.0.0.1:54321: SUPABASE_URL in the functions. */
  apiUrl: string;
  secretKey: string;
  publishableKey: string;
  /** More environment for every function; names must not begin with SUPABASE_. */
  env?: Record<string, string>;
  /** Hosts (host or host:port) that functions may reach beside the gateway. */
  allowNet?: string[];
  /** `<name>.log` of each function is written here. */
  logFolder: string;
};

export type RunningFunctions = {
  names: string[];
  /** The port of a function that is ready, 'starting' for one that is not, undefined if unknown. */
  find(name: string): number | 'starting' | undefined;
  /** Ends the process of a function with SIGKILL; it is started again as after any crash. */
  kill(name: string): void;
  stop(): Promise<void>;
};

/**
 * Starts every function and waits until all listen. Only what a function needs is allowed: the
 * gateway (and `allowNet`) and its environment variables. Packages come from the repository's
 * node_modules, in exactly the versions that its deno.json pins; nothing is downloaded.
 *
 * @throws LocalError function_failed with the last lines of its log, binary_missing
 */
export async function startFunctions(options: FunctionsOptions): Promise<RunningFunctions> {
  const folder = options.folder ?? FUNCTIONS;
  mkdirSync(options.logFolder, { recursive: true });
  const functions = new Map(
    (options.names ?? functionNames(folder)).map((name) => [
      name,
      new EdgeFunction(name, folder, options),
    ]),
  );
  const stop = async () => {
    await Promise.all([...functions.values()].map((one) => one.stop()));
  };
  try {
    await Promise.all([...functions.values()].map((one) => one.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    names: [...functions.keys()],
    find: (name) => {
      const one = functions.get(name);
      return one && (one.port ?? 'starting');
    },
    kill: (name) => functions.get(name)?.kill(),
    stop,
  };
}

/** The folders with an `index.ts`, in alphabetical order; `_shared` has none. */
export function functionNames(folder = FUNCTIONS): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith('_') && existsSync(join(folder, name, 'index.ts')))
    .sort();
}

/**
 * Path of the Deno executable itself: the package's launcher would not pass a signal on.
 *
 * @throws LocalError binary_missing
 */
export function denoBinary(): string {
  const require = createRequire(import.meta.url);
  const libc = process.platform === 'linux' ? '-glibc' : '';
  const candidates = ['deno', `@deno/${process.platform}-${process.arch}${libc}`];
  for (const name of candidates) {
    try {
      const path = join(dirname(require.resolve(`${name}/package.json`)), 'deno');
      if (existsSync(path)) return path;
    } catch {
      // Not installed under this name: the other one may be.
    }
  }
  throw new LocalError(
    'binary_missing',
    'The Deno runtime is not installed. Run "npm ci" in the repository, without --omit=optional.',
  );
}

class EdgeFunction {
  /** Set while the function listens. */
  port: number | undefined;
  private readonly name: string;
  private readonly folder: string;
  private readonly options: FunctionsOptions;
  private readonly log: WriteStream;
  private readonly lastLines: string[] = [];
  private process: ChildProcess | undefined;
  private restart: NodeJS.Timeout | undefined;
  private failedStarts = 0;
  private stopped = false;

  constructor(name: string, folder: string, options: FunctionsOptions) {
    this.name = name;
    this.folder = folder;
    this.options = options;
    this.log = createWriteStream(join(options.logFolder, `${name}.log`), { flags: 'a' });
  }

  /** Resolves when the function listens; throws if its process ends before. */
  async start(): Promise<void> {
    const child = this.spawn();
    this.process = child;
    guardProcess(child);
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string) => reject(this.failure(reason));
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        fail(`did not listen within ${START_PATIENCE_MS / 1000} s`);
      }, START_PATIENCE_MS);
      child.once('error', (error) => fail(error.message));
      this.readOutput(child, (port) => {
        clearTimeout(timer);
        this.port = port;
        this.failedStarts = 0;
        resolve();
      });
      // 'close' comes after the last line of output, 'exit' may come before.
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        const wasReady = this.port !== undefined;
        this.port = undefined;
        fail(`ended with ${signal ?? code}`);
        if (wasReady) this.restartLater();
      });
    });
  }

  kill(): void {
    this.process?.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.restart);
    if (this.process) await endProcess(this.process, 'SIGTERM');
    this.log.end();
  }

  private restartLater(): void {
    if (this.stopped) return;
    const delay = Math.min(RESTART_DELAY_MS.first * 2 ** this.failedStarts, RESTART_DELAY_MS.last);
    this.failedStarts += 1;
    this.restart = setTimeout(() => {
      this.start().catch((error: Error) => {
        this.write(error.message);
        this.restartLater();
      });
    }, delay);
  }

  private spawn(): ChildProcess {
    const { apiUrl, secretKey, publishableKey, env = {}, allowNet = [] } = this.options;
    const own = {
      ...env,
      SUPABASE_URL: apiUrl,
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    };
    const home = join(this.folder, this.name);
    const { PATH = '', HOME = '', DENO_DIR } = process.env;
    return spawn(
      denoBinary(),
      [
        'serve',
        '--host=127.0.0.1',
        '--port=0',
        '--no-prompt',
        '--no-lock',
        '--cached-only',
        '--node-modules-dir=manual',
        `--config=${join(home, 'deno.json')}`,
        `--allow-net=${[new URL(apiUrl).host, ...allowNet].join(',')}`,
        `--allow-env=${Object.keys(own).join(',')}`,
        // Libraries ask for variables that may be there; on a hosted project they are just unset.
        '--ignore-env',
        join(home, 'index.ts'),
      ],
      {
        cwd: home,
        stdio: ['ignore', 'pipe', 'pipe'],
        // Its own process group: a Ctrl-C in the terminal must not end it before its callers.
        detached: true,
        env: { PATH, HOME, NO_COLOR: '1', ...(DENO_DIR ? { DENO_DIR } : {}), ...own },
      },
    );
  }

  private readOutput(child: ChildProcess, onListening: (port: number) => void): void {
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream?.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const port = /^deno serve: Listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
          if (port && this.port === undefined) onListening(Number(port));
          else this.write(line);
        }
      });
      stream?.on('end', () => rest && this.write(rest));
    }
  }

  private write(line: string): void {
    this.lastLines.push(line);
    if (this.lastLines.length > SHOWN_LINES) this.lastLines.shift();
    if (this.log.writable) this.log.write(`${line}\n`);
  }

  private failure(reason: string): LocalError {
    const said = this.lastLines.length > 0 ? this.lastLines.join('\n') : '(nothing)';
    return new LocalError(
      'function_failed',
      `Edge function ${this.name} ${reason}. Correct ${join(this.folder, this.name)} and start ` +
        `again. Its last words:\n${said}`,
    );
  }
}
