/** Starts the process that reads, and watches the memory of its browsers. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardFolder, guardProcess } from '../local/stack/guard.ts';
import { treeMemory } from '../scraper-lambda/src/browser/browser-memory.ts';
import type { Request, Response, Tasks } from './scraper-worker.ts';

const LOOK_EVERY_MS = 200;

type Timed<Result> = { result: Result; ms: number };

export type Reader = {
  run<Name extends keyof Tasks>(
    name: Name,
    ...input: Parameters<Tasks[Name]>
  ): Promise<Timed<Awaited<ReturnType<Tasks[Name]>>>>;
  /** The most memory that its browsers held at once during `work`, in MB. */
  peakDuring(work: () => Promise<unknown>): Promise<number>;
  /** How many browsers it has running. */
  browsers(): Promise<number>;
  stop(): Promise<void>;
};

/**
 * A process of its own with an empty temporary folder, so that Chromium is not yet unpacked.
 * @param environment more variables, as the Lambda has them
 */
export function startReader(environment: Record<string, string> = {}): Reader {
  const folder = mkdtempSync(join(tmpdir(), 'postloop-bench-'));
  const keepFolder = guardFolder(folder);
  const log = openSync(join(folder, 'reader.log'), 'a');
  const child = fork(new URL('./scraper-worker.ts', import.meta.url), {
    env: { ...process.env, ...environment, TMPDIR: folder },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  guardProcess(child);
  const ended = once(child, 'exit');

  async function children(): Promise<number[]> {
    const text = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  }

  async function browserMemory(): Promise<number> {
    const sizes = await Promise.all((await children()).map(treeMemory));
    return sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20;
  }

  return {
    async run(name, ...input) {
      child.send({ name, input } satisfies Request);
      const gone = ended.then(() => ({ error: 'The process that reads has ended.' }));
      const answered = once(child, 'message').then(([response]) => response as Response);
      const response: Response = await Promise.race([answered, gone]);
      if ('error' in response) {
        const tail = await readFile(join(folder, 'reader.log'), 'utf8').catch(() => '');
        throw new Error(`${name}: ${response.error}\n${tail.slice(-2_000)}`);
      }
      return response as Timed<never>;
    },
    async peakDuring(work) {
      let peak = 0;
      let isOver = false;
      const watching = (async () => {
        while (!isOver) {
          peak = Math.max(peak, await browserMemory());
          await sleep(LOOK_EVERY_MS);
        }
      })();
      try {
        await work();
      } finally {
        isOver = true;
        await watching;
      }
      return peak;
    },
    browsers: async () => (await children()).length,
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
      rmSync(folder, { recursive: true, force: true });
      keepFolder();
    },
  };
}
