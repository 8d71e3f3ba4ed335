/**
 * Keeps the promise "no process is left behind": every process that the local stack starts is
 * registered with one small watcher (`guard.sh`), which ends what is still running once this
 * process is gone. A normal stop ends and drops each process itself; the watcher then has nothing
 * to do.
 */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** A process has this long to end by itself before it is killed, in milliseconds. */
const STOP_PATIENCE_MS = 8_000;
/** npm passes a Ctrl-C on to its script, which got it from the terminal already. */
const SAME_SIGNAL_MS = 500;

type Watcher = ChildProcessByStdio<Writable, null, null>;
let watcher: Watcher | undefined;
let isDismissed = false;

function tell(line: string): void {
  if (isDismissed) return;
  if (!watcher) {
    // Detached: a Ctrl-C in the terminal reaches this process's group, and must not end the watcher.
    watcher = spawn('sh', [fileURLToPath(new URL('./guard.sh', import.meta.url))], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    watcher.unref();
    watcher.stdin.on('error', () => {});
    (watcher.stdin as Writable & { unref?: () => void }).unref?.();
  }
  watcher.stdin.write(`${line}\n`);
}

/** Has `child` ended with `signal` if this process disappears; dropped when the child exits. */
export function guardProcess(child: ChildProcess, signal: 'INT' | 'TERM' = 'TERM'): void {
  const { pid } = child;
  if (pid === undefined) return;
  tell(`add ${signal} ${pid}`);
  child.once('exit', () => tell(`drop ${pid}`));
}

/** Has `folder` removed if this process disappears; the returned function takes that back. */
export function guardFolder(folder: string): () => void {
  tell(`folder ${folder}`);
  return () => tell(`keep ${folder}`);
}

/**
 * Ends a child with `signal` and waits for it; kills it after 8 seconds. A child that has already
 * gone is fine.
 */
export async function endProcess(child: ChildProcess, signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
  child.kill(signal);
  await exited;
  clearTimeout(timer);
}

/** Lets the watcher go and waits until it has: it ends what is still registered with it. */
async function dismissWatcher(): Promise<void> {
  isDismissed = true;
  const dismissed = watcher;
  if (!dismissed || dismissed.exitCode !== null || dismissed.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => dismissed.once('exit', () => resolve()));
  // Nothing else may keep this process until then.
  dismissed.ref();
  dismissed.stdin.end();
  await gone;
}

/**
 * Runs `stop` at the first Ctrl-C, SIGTERM or SIGHUP and exits with 130, 143 or 129, with nothing
 * left behind, the watcher included; a second signal, half a second later or more, exits at once,
 * and the watcher ends what is left.
 */
export function stopOnSignals(stop: () => Promise<void>): void {
  let first: number | undefined;
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      if (first !== undefined) {
        if (Date.now() - first > SAME_SIGNAL_MS) process.exit(code);
        return;
      }
      first = Date.now();
      stop()
        .catch((error: unknown) => console.error(error instanceof Error ? error.message : error))
        .then(dismissWatcher)
        .finally(() => process.exit(code));
    });
  }
}
