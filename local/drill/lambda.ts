/**
 * What AWS does with the Lambda: a sandbox for each invocation at a time, kept warm for the next
 * one, each a process with a browser and a temporary folder of its own.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { prepareChromium } from '../../scraper-lambda/src/browser/chromium.ts';
import type { LambdaReply } from '../../shared/contracts/environment.ts';
import { guardProcess } from '../stack/guard.ts';
import { killFamily } from '../stack/processes.ts';
import type { Request, Response } from './lambda-worker.ts';

/**
 * How long an invocation lasts. Twelve seconds of it are kept for recording, so that there is time
 * for one page that is given up after its fifteen: on AWS it lasts 120, and a drill need not wait.
 */
const INVOCATION_MS = 28_000;
/** AWS ends an invocation that goes on; here a moment later, as this machine is busier. */
const OVERTIME_MS = 5_000;

type Invocation =
  | { outcome: 'answered'; reply: LambdaReply }
  | { outcome: 'failed' | 'killed'; reason: string };

export type Lambda = {
  /** One invocation in a sandbox that is free, or in a new one. */
  invoke(now: Date): Promise<Invocation>;
  /** Ends one sandbox, one that works if there is one, with SIGKILL: its process and its browser. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

type Sandbox = {
  child: ChildProcess;
  ended: Promise<null>;
  folder: string;
  isBusy: boolean;
  isKilled: boolean;
};

/**
 * @param folder for logs, profiles and what else the sandboxes leave behind
 * @param environment what the Lambda has on AWS
 */
export function createLambda(folder: string, environment: Record<string, string>): Lambda {
  const sandboxes = new Set<Sandbox>();
  let started = 0;
  // Unpacked once; each sandbox finds it in its own temporary folder.
  const chromium = prepareChromium(process.env.CHROMIUM_PATH).then(({ executablePath }) =>
    dirname(executablePath),
  );

  async function start(): Promise<Sandbox> {
    started += 1;
    const home = join(folder, `sandbox-${started}`);
    mkdirSync(home);
    const unpacked = await chromium;
    symlinkSync(unpacked, join(home, basename(unpacked)));
    const log = openSync(join(folder, 'lambda.log'), 'a');
    const child = fork(new URL('./lambda-worker.ts', import.meta.url), {
      env: { ...process.env, AWS_LAMBDA_LOG_LEVEL: 'WARN', ...environment, TMPDIR: home },
      stdio: ['ignore', log, log, 'ipc'],
      // Its own process group: a Ctrl-C in the terminal must not end it before its callers.
      detached: true,
    });
    closeSync(log);
    guardProcess(child);
    // A message to a process that has just been killed; its invocation is told by the exit.
    child.on('error', () => {});
    const ended = once(child, 'exit').then(() => {
      sandboxes.delete(sandbox);
      rmSync(home, { recursive: true, force: true });
      return null;
    });
    const sandbox: Sandbox = { child, ended, folder: home, isBusy: false, isKilled: false };
    sandboxes.add(sandbox);
    return sandbox;
  }

  async function kill(sandbox: Sandbox): Promise<void> {
    sandbox.isKilled = true;
    const { child, folder: home } = sandbox;
    if (child.pid !== undefined) await killFamily(child.pid);
    rmSync(home, { recursive: true, force: true });
  }

  return {
    async invoke(now) {
      const free = [...sandboxes].find((one) => !one.isBusy && !one.isKilled);
      if (free) free.isBusy = true;
      const sandbox = free ?? (await start());
      sandbox.isBusy = true;
      const timer = setTimeout(() => void kill(sandbox), INVOCATION_MS + OVERTIME_MS);
      const response = await Promise.race([ask(sandbox, now), sandbox.ended]);
      clearTimeout(timer);
      sandbox.isBusy = false;
      if (response === null) return { outcome: 'killed', reason: 'the process has ended' };
      return 'reply' in response
        ? { outcome: 'answered', reply: response.reply }
        : { outcome: 'failed', reason: response.error };
    },
    async kill() {
      const living = [...sandboxes].filter(({ isKilled }) => !isKilled);
      const chosen = living.find(({ isBusy }) => isBusy) ?? living[0];
      if (chosen) await kill(chosen);
    },
    async stop() {
      const all = [...sandboxes];
      for (const { child } of all) if (child.connected) child.disconnect();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}

function ask({ child }: Sandbox, now: Date): Promise<Response> {
  return new Promise((resolve) => {
    child.removeAllListeners('message');
    child.once('message', (response) => resolve(response as Response));
    const request: Request = { now: now.toISOString(), lastsMs: INVOCATION_MS };
    // One that has just been killed is told by its end.
    if (child.connected) child.send(request, () => {});
  });
}
