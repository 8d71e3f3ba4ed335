/** What the drill asks of the pipeline, and whether the asker was answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import { recommendReplySchema } from '../../shared/contracts/recommend.ts';
import { trackPostReplySchema } from '../../shared/contracts/track-post.ts';
import { LocalError } from '../stack/errors.ts';
import type { Stack } from '../stack/stack.ts';
import type { PlannedPost } from './plan.ts';

/** One call of a job or of a function, from the caller's side. Times are the machine's, in ms. */
export type Call = {
  name: string;
  from: number;
  until: number;
  /** Why it did not succeed, as far as the caller knows; null when it did. */
  problem: string | null;
  body?: unknown;
};

/** A caller gives up after so long, in milliseconds. */
const CALL_PATIENCE_MS = 15_000;
/** A bot that is not answered asks again so much later, and gives up in the end. */
const AGAIN_AFTER_MS = 250;
const BOT_PATIENCE_MS = 60_000;

/**
 * A red invariant makes health answer 503; that is its answer, not its failure. A 503 of the gateway
 * looks the same from here, and then it is the missing run that tells.
 */
export const isProblem = (name: string, status: number) =>
  status >= 300 && !(name === 'health' && status === 503);

/** Calls a function as pg_net and a bot do. Never throws for what is not answered well. */
export async function callOnce(stack: Stack, name: string, body: object): Promise<Call> {
  const from = Date.now();
  try {
    const response = await fetch(`${stack.apiUrl}/functions/v1/${name}`, {
      method: 'POST',
      headers: { apikey: stack.secretKey, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_PATIENCE_MS),
    });
    const text = await response.text();
    const { status } = response;
    if (status >= 400 && status < 500) {
      throw new LocalError('bot_refused', `${name} answered ${status}: ${text}`);
    }
    const problem = isProblem(name, status) ? `${status} ${text}` : null;
    return { name, from, until: Date.now(), problem, body: problem ?? JSON.parse(text) };
  } catch (error) {
    if (error instanceof LocalError) throw error;
    return { name, from, until: Date.now(), problem: (error as Error).message };
  }
}

/** Asks, writes, posts and tracks; what is not answered is asked again, word for word. */
export async function publish(
  stack: Stack,
  post: PlannedPost,
  now: Date,
  note: (call: Call) => void,
): Promise<void> {
  const at = now.toISOString();
  const { kind } = post;
  const asked = { account: post.handle, kind, now: at };
  const { decisions } = recommendReplySchema.parse(await insist(stack, 'recommend', asked, note));
  const tracked = {
    post_id: post.id,
    decision_id: decisions[0]?.decision_id,
    posted_at: post.postedAt.toISOString(),
    dimensions: post.dimensions,
    kind,
    now: at,
  };
  trackPostReplySchema.parse(await insist(stack, 'track-post', tracked, note));
}

async function insist(stack: Stack, name: string, body: object, note: (call: Call) => void) {
  const deadline = Date.now() + BOT_PATIENCE_MS;
  for (;;) {
    const call = await callOnce(stack, name, body);
    note(call);
    if (call.problem === null) return call.body;
    if (Date.now() > deadline) {
      throw new LocalError('bot_refused', `${name} did not answer in a minute: ${call.problem}`);
    }
    await sleep(AGAIN_AFTER_MS);
  }
}
