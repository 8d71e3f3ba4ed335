/** One sandbox of the Lambda: its own handler in a process of its own, invoked by messages. */
import { closeBrowser } from '../../scraper-lambda/src/browser/browser.ts';
import { handler } from '../../scraper-lambda/src/handler.ts';
import type { LambdaReply } from '../../shared/contracts/environment.ts';

export type Request = { now: string; lastsMs: number };
export type Response = { reply: LambdaReply } | { error: string };

process.on('message', ({ now, lastsMs }: Request) => {
  const endsAt = Date.now() + lastsMs;
  handler({ now }, { getRemainingTimeInMillis: () => endsAt - Date.now() })
    .then((reply): Response => ({ reply }))
    .catch((error: Error): Response => ({ error: error.message }))
    .then((response) => process.send?.(response));
});
process.on('disconnect', () => {
  void closeBrowser().finally(() => process.exit());
});
