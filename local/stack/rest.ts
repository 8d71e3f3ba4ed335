/** The REST layer: `@supabase/lite` over the local Postgres, which supabase-js talks to. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** Which role each API key acts as. A key that is not here is refused with 401. */
export type ApiKeys = Record<string, { type: 'publishable' | 'secret'; role: string }>;

export type Rest = {
  /** Serves paths that begin with `/rest/v1/` on 127.0.0.1; 'starting' after Postgres has crashed. */
  readonly port: number | 'starting';
  stop(): Promise<void>;
};

const START_AGAIN_MS = 200;
const STOP_PATIENCE_MS = 5_000;

export type RestOptions = {
  adminUrl: string;
  keys: ApiKeys;
  /** Where lite's console goes. */
  logFile: string;
};

/**
 * Serves a database over HTTP. `adminUrl` is the superuser's: lite reads the catalogue through the
 * same connection that it switches to the key's role for each request. When Postgres has gone, it is
 * started again until it finds it.
 *
 * @throws Error when it cannot be started the first time
 */
export async function startRest(options: RestOptions): Promise<Rest> {
  const log = createWriteStream(options.logFile, { flags: 'a' });
  let isStopping = false;
  let serving = await startThread(options, log);
  let port: number | 'starting' = serving.port;

  const watch = async (): Promise<void> => {
    await serving.ended;
    while (!isStopping) {
      port = 'starting';
      await sleep(START_AGAIN_MS);
      const next = await startThread(options, log).catch(() => undefined);
      if (!next) continue;
      if (isStopping) void next.worker.terminate();
      serving = next;
      port = next.port;
      await next.ended;
    }
  };
  const watching = watch();

  return {
    get port() {
      return port;
    },
    stop: async () => {
      isStopping = true;
      serving.worker.postMessage('stop');
      const timer = setTimeout(() => serving.worker.terminate(), STOP_PATIENCE_MS);
      await watching;
      clearTimeout(timer);
      log.end();
    },
  };
}

type Thread = { worker: Worker; port: number; ended: Promise<void> };

async function startThread({ adminUrl, keys }: RestOptions, log: WriteStream): Promise<Thread> {
  const worker = new Worker(new URL('./rest-worker.ts', import.meta.url), {
    workerData: { adminUrl, keys },
    stdout: true,
    stderr: true,
  });
  worker.stdout.pipe(log, { end: false });
  worker.stderr.pipe(log, { end: false });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', (message: { port: number }) => resolve(message.port));
    // Stays after the start: an unheard error of the thread would end this process.
    worker.on('error', reject);
    worker.once('exit', (code) => reject(new Error(`The REST layer ended with code ${code}.`)));
  });
  return { worker, port, ended };
}
