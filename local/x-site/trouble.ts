/** Trouble of the whole site, for every reader and every address. */
import { type Answer, limitHeaders } from './variants.ts';

export type Trouble =
  /** Connections are closed without an answer. */
  | { kind: 'cut' }
  /** Every address answers 503. */
  | { kind: 'server-error' }
  /** Every call answers 429 and names that moment; the pages themselves are served. */
  | { kind: 'rate-limited'; until: Date }
  /** Every response takes that much longer, in milliseconds. */
  | { kind: 'slow'; latencyMs: number };

/** What X allows in a window. Only the headers name it: nothing is left of it. */
const CALLS_PER_WINDOW = 50;

/** The answer of an address in trouble, and what it counts as; null when it answers as usual. */
export function troubledAnswer(
  trouble: Trouble,
  address: string,
): { kind: string; answer: Answer } | null {
  const operation = /\/i\/api\/graphql\/[^/]+\/(\w+)/.exec(address)?.[1];
  const kind = operation ?? 'page';
  if (trouble.kind === 'server-error') {
    const headers = { 'content-type': 'text/plain' };
    return { kind, answer: { status: 503, headers, body: 'Over capacity' } };
  }
  if (trouble.kind === 'rate-limited' && operation !== undefined) {
    const reset = Math.ceil(trouble.until.getTime() / 1000);
    const headers = limitHeaders(CALLS_PER_WINDOW, 0, reset);
    return { kind, answer: { status: 429, headers, body: 'Rate limit exceeded\n' } };
  }
  return null;
}
