/** Lambda ends a process with SIGTERM: what runs is released and recorded, the browser closed. */
import { closeBrowser } from './browser/browser.ts';

/** Lambda's shutdown phase is over after 2 seconds at most; past this the process ends anyway. */
const SHUTDOWN_PATIENCE_MS = 1_500;

let isEnding = false;
let running: Promise<unknown> | undefined;

/** Whether this process has been told to end: nothing new is begun. */
export const isShuttingDown = (): boolean => isEnding;

/** Runs one invocation, so that a shutdown can wait for it. */
export async function untilShutdown<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = work();
  running = result;
  return result;
}

/**
 * Closes cleanly on SIGTERM, in Lambda only: elsewhere the signal is its program's own.
 * @param patienceMs after which the process ends, whatever is still under way
 */
export function closeOnSigterm(patienceMs = SHUTDOWN_PATIENCE_MS): void {
  if (!process.env.AWS_LAMBDA_FUNCTION_NAME) return;
  process.once('SIGTERM', () => {
    isEnding = true;
    const patience = new Promise((resolve) => setTimeout(resolve, patienceMs));
    const closed = closeBrowser().then(() => running?.catch(() => {}));
    void Promise.race([closed, patience]).then(() => process.exit(0));
  });
}
