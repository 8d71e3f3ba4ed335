/** Posts on their way round the loop, and what `loop_steps` says of each step. */
import type postgres from 'postgres';
import { type LoopStep, loopStepSchema, type StepName } from '../../shared/contracts/job.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import {
  claim,
  followersFound,
  found,
  hourly,
  hours,
  json,
  only,
  record,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from './scenario.ts';

export async function loopSteps(sql: postgres.Sql, now: Date): Promise<LoopStep[]> {
  const { reply } = only(await sql`select public.loop_steps(${now}) as reply`);
  return loopStepSchema.array().parse(reply);
}

export async function loopStep(sql: postgres.Sql, name: StepName, now: Date): Promise<LoopStep> {
  return only((await loopSteps(sql, now)).filter(({ step }) => step === name));
}

/** The account's own post of T0, tracked at once. */
export const POST = snowflakeId(T0);
export const track = (sql: postgres.Sql) => trackPost(sql, { dimensions: { tone: 'dry' } });

/** Decisions that recommend drew at a moment, and that nobody has posted. */
export async function draw(
  sql: postgres.Sql,
  accountId: number,
  count: number,
  now = T0,
): Promise<string[]> {
  const drawn = Array.from({ length: count }, (_, n) => ({
    decision_id: `${+now}-${n}`,
    kind: 'single',
    assigned: { tone: 'dry' },
    policy: 'uniform',
    propensity: 0.5,
    slate: [{ tone: 'dry' }],
    chosen: 0,
    rng_seed: n,
    prompted: true,
    control_share: 0,
  }));
  await sql`select public.store_decisions(${accountId}, ${json(sql, drawn)}, ${now})`;
  return drawn.map((one) => one.decision_id);
}

/** Posts that the scraper saw on the timeline and that no bot told of. */
export async function discover(
  sql: postgres.Sql,
  accountId: number,
  times: Date[],
  now: Date,
): Promise<void> {
  const posts = times.map((time, n) => ({
    account_id: accountId,
    post_id: snowflakeId(time, n),
    posted_at: time.toISOString(),
    kind: 'single',
  }));
  await sql`select postloop.discover_posts(${json(sql, posts)}, ${now})`;
}

/** A scraper run at a moment in which everything due comes to one outcome. */
export async function scrape(
  sql: postgres.Sql,
  accountId: number,
  now: Date,
  outcome = 'found',
  followers = 100,
): Promise<void> {
  const { run_id, reads, followers: due } = await claim(sql, now);
  await record(
    sql,
    run_id,
    {
      reads: reads.map((read: { post_id: string; phase: string }) =>
        outcome === 'found'
          ? found(read.post_id, read.phase, now, { impressions: 500, likes: 5 })
          : { post_id: read.post_id, phase: read.phase, outcome },
      ),
      followers: due.map(() => followersFound(accountId, now, followers)),
    },
    now,
  );
}

/** A post that was read at 2 h and at 48 h, among hourly follower counts until `until`. */
export async function finish(
  sql: postgres.Sql,
  accountId: number,
  until = hours(60),
): Promise<void> {
  await track(sql);
  await storeRead(sql, POST, '2h', hours(2), { impressions: 400, likes: 4 });
  const later = { impressions: 900, likes: 9, retweets: 1, replies: 0, bookmarks: 2 };
  await storeRead(sql, POST, '48h', hours(48), later);
  const counted = (+until - +hours(-2)) / 3_600_000 + 1;
  const growth = Array.from({ length: counted }, (_, n) => 1000 + 3 * n);
  await storeFollowers(sql, accountId, hourly(hours(-2), growth));
}
