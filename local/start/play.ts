/**
 * Plays an account's fortnight on a virtual clock. The bot asks for a decision, posts, and tracks
 * the post; the schedules fire; the Lambda's own handler reads pages. Nothing here writes a number.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { lambdaReplySchema } from '../../shared/contracts/environment.ts';
import type { DimensionValues } from '../../shared/contracts/identifiers.ts';
import { healthReplySchema } from '../../shared/contracts/job.ts';
import { recommendReplySchema } from '../../shared/contracts/recommend.ts';
import { trackPostReplySchema } from '../../shared/contracts/track-post.ts';
import { mulberry32, type Rng } from '../../shared/learning/random.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { LocalError } from '../stack/errors.ts';
import type { Sent } from '../stack/http-queue.ts';
import type { Stack } from '../stack/stack.ts';
import { type Audience, type Fate, VOCABULARY } from './audience.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** When the bot posts, in minutes after midnight UTC: each within half an hour of these. */
const POSTING_MINUTES = [8 * 60 + 30, 12 * 60 + 30, 16 * 60 + 30, 20 * 60];

/** What happens to some of the posts, so that a run shows more than the plain case. */
const FATES: Record<number, Fate> = {
  5: { trouble: { variant: 'script-shell', untilMinutes: 31 } },
  9: { deletedAfterHours: 20 },
  14: { trouble: { variant: 'server-error', untilMinutes: 33 } },
};

/** How the Lambda is invoked, in the process or out of it. */
export type Invoke = (event: { now: string }) => Promise<unknown>;

export type PlayOptions = {
  stack: Stack;
  audience: Audience;
  invoke: Invoke;
  handle: string;
  seed: number;
  startsAt: Date;
  days: number;
  onProgress: (progress: Progress) => void;
};

type Progress = { now: Date; day: number; days: number; posts: number; reads: number };

/**
 * @throws LocalError bot_refused when a call of the bot is not answered with success, job_failed
 *   when a scheduled job could not be fired or its function answered with an error; health may say
 *   that not all is well
 */
export async function play(options: PlayOptions): Promise<void> {
  const { stack, audience, startsAt, days } = options;
  const rng = mulberry32(options.seed);
  const end = startsAt.getTime() + days * DAY_MS;
  const postTimes = planPosts(startsAt, days, rng);
  const total = { posts: 0, reads: 0 };

  await watch(stack, false);
  await stack.sql`select public.register_x_account(${options.handle}, ${stack.sql.json(VOCABULARY)}, ${startsAt})`;
  for (;;) {
    const post = postTimes[0];
    const due = await nextDue(stack);
    const next = Math.min(post ?? Number.POSITIVE_INFINITY, due);
    if (next > end) break;

    const now = new Date(next);
    await fireSchedules(stack, now);
    audience.advance(now);
    if (post === next) {
      postTimes.shift();
      total.posts += 1;
      await publish(options, now, total.posts);
    }
    if (due === next) {
      const reply = lambdaReplySchema.parse(await options.invoke({ now: now.toISOString() }));
      total.reads += reply.metrics_rows;
    }
    const day = Math.min(days, Math.floor((next - startsAt.getTime()) / DAY_MS) + 1);
    options.onProgress({ now, day, days, ...total });
  }
  await fireSchedules(stack, new Date(end));
  await watch(stack, true);
}

/** The watch runs in SQL, by the clock on the wall: to it a fortnight on the virtual one is long ago. */
async function watch({ sql }: Stack, active: boolean): Promise<void> {
  await sql`
    select cron.alter_job(jobid, active := ${active}) from cron.job where jobname = 'postloop-watch'`;
}

/** The posts between the start and the end, in order, each at a whole minute. */
function planPosts(startsAt: Date, days: number, rng: Rng): number[] {
  const start = startsAt.getTime();
  const midnight = Math.floor(start / DAY_MS) * DAY_MS;
  return Array.from({ length: days + 1 }, (_, day) =>
    POSTING_MINUTES.map((minute) => {
      const shift = Math.floor(rng() * 60) - 30;
      return midnight + day * DAY_MS + (minute + shift) * MINUTE_MS;
    }),
  )
    .flat()
    .filter((at) => at > start && at <= start + days * DAY_MS);
}

/** When the next read is due, at the next whole minute: the Lambda starts once a minute. */
async function nextDue({ sql }: Stack): Promise<number> {
  const [row] = await sql<{ due: Date | null }[]>`
    select least(
      (select min(next_attempt_at) from public.metric_collections where state in ('waiting', 'leased')),
      (select min(next_attempt_at) from public.follower_collections)) as due`;
  if (!row?.due) return Number.POSITIVE_INFINITY;
  return Math.ceil(row.due.getTime() / MINUTE_MS) * MINUTE_MS;
}

async function fireSchedules(stack: Stack, now: Date): Promise<void> {
  const { runs, sent } = await stack.scheduler.tick(now);
  const failedRun = runs.find((run) => run.status === 'failed');
  if (failedRun) {
    throw new LocalError(
      'job_failed',
      `${failedRun.jobname} could not be fired: ${failedRun.message}`,
    );
  }
  for (const call of sent) {
    if (call.status === 200 || (await isRedHealth(stack, call))) continue;
    throw new LocalError(
      'job_failed',
      `${call.url} answered ${call.status ?? call.error}; see its log in ${stack.logFolder}.`,
    );
  }
}

/**
 * Whether a call is one of health that told a state, though not a green one: on the virtual clock
 * the Lambda starts only when something is due, so health finds it late.
 */
async function isRedHealth({ sql }: Stack, call: Sent): Promise<boolean> {
  if (call.status !== 503 || !call.url.endsWith('/health')) return false;
  const [answer] = await sql<{ reply: unknown }[]>`
    select content::jsonb as reply from net._http_response where id = ${call.id}`;
  return healthReplySchema.safeParse(answer?.reply).success;
}

/** What a bot does: ask, write, post, track. */
async function publish(options: PlayOptions, now: Date, ordinal: number): Promise<void> {
  const { decisions } = recommendReplySchema.parse(
    await callFunction(options.stack, 'recommend', {
      account: options.handle,
      now: now.toISOString(),
    }),
  );
  const [decision] = decisions;
  if (!decision) throw new LocalError('bot_refused', 'recommend answered no decision.');
  const id = snowflakeId(now, ordinal);
  options.audience.publish(id, decision.dimensions satisfies DimensionValues, FATES[ordinal]);
  trackPostReplySchema.parse(
    await callFunction(options.stack, 'track-post', {
      post_id: id,
      decision_id: decision.decision_id,
      now: now.toISOString(),
    }),
  );
}

/**
 * Calls an edge function as a bot does, over HTTP with the secret key.
 *
 * @throws LocalError bot_refused with the function's own message
 */
export async function callFunction(stack: Stack, name: string, body: object): Promise<unknown> {
  const response = await fetch(`${stack.apiUrl}/functions/v1/${name}`, {
    method: 'POST',
    headers: { apikey: stack.secretKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const reply: unknown = await response.json();
  if (!response.ok) {
    throw new LocalError(
      'bot_refused',
      `${name} answered ${response.status}: ${JSON.stringify(reply)}`,
    );
  }
  return reply;
}

/** Goes on by the wall clock: the Lambda once a minute, the schedules as they fall due. */
export async function serve(
  options: Pick<PlayOptions, 'stack' | 'audience' | 'invoke'> & {
    signal: AbortSignal;
    onError: (error: Error) => void;
  },
): Promise<void> {
  options.stack.scheduler.start({ onError: options.onError });
  while (!options.signal.aborted) {
    const now = new Date();
    options.audience.advance(now);
    await options.invoke({ now: now.toISOString() }).catch(options.onError);
    await sleep(MINUTE_MS, undefined, { signal: options.signal }).catch(() => {});
  }
}
