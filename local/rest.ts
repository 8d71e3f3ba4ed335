/** The REST layer: `@supabase/lite` over the local Postgres, which supabase-js talks to. */
import { createWriteStream } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** Which role each API key acts as. A key that is not here is refused with 401. */
export type ApiKeys = Record<string, { type: 'publishable' | 'secret'; role: string }>;

export type Rest = {
  /** Serves paths that begin with `/rest/v1/` on 127.0.0.1. */
  port: number;
  stop(): Promise<void>;
};

/**
 * Serves a database over HTTP. `adminUrl` is the superuser's: lite reads the catalogue through the
 * same connection that it switches to the key's role for each request.
 *
 * @param logFile where lite's console goes
 */
export async function startRest(options: {
  adminUrl: string;
  keys: ApiKeys;
  logFile: string;
}): Promise<Rest> {
  const worker = new Worker(new URL('./rest-worker.ts', import.meta.url), {
    workerData: { adminUrl: options.adminUrl, keys: options.keys },
    stdout: true,
    stderr: true,
  });
  const log = createWriteStream(options.logFile, { flags: 'a' });
  worker.stdout.pipe(log, { end: false });
  worker.stderr.pipe(log, { end: false });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', (message: { port: number }) => resolve(message.port));
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`The REST layer ended with code ${code}.`)));
  });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  return {
    port,
    stop: async () => {
      worker.postMessage('stop');
      const timer = setTimeout(() => worker.terminate(), 5_000);
      await ended;
      clearTimeout(timer);
      log.end();
    },
  };
}
