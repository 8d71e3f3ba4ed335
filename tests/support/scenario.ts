/** The steps of the pipeline in one line each, for tests that need posts with reads and counts. */
import type postgres from 'postgres';
import type { PostReadResult, RecordBatch } from '../../shared/contracts/read.ts';
import { changedAlarms, learnAccount } from '../../shared/learning/learn.ts';
import {
  type LearningStatistics,
  learningStatisticsSchema,
} from '../../shared/learning/statistics.ts';
import { snowflakeId } from '../../shared/snowflake.ts';

export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** The moment from which the tests count. */
export const T0 = new Date('2026-03-01T12:00:00Z');
export const hours = (n: number, from = T0) => new Date(from.getTime() + n * HOUR_MS);
export const minutes = (n: number, from = T0) => new Date(from.getTime() + n * MINUTE_MS);

export const VOCABULARY: Record<string, string[]> = {
  topic: ['pricing', 'hiring'],
  tone: ['dry', 'warm'],
};

/** The only row of a result. */
export function only<T>(rows: readonly T[]): T {
  if (rows.length !== 1) throw new Error(`Expected one row, got ${rows.length}.`);
  return rows[0] as T;
}

/** A jsonb parameter. */
export const json = (sql: postgres.Sql, value: unknown) => sql.json(value as postgres.JSONValue);

/** Empties every table that tests write, and leaves what the migrations filled. */
export async function reset(sql: postgres.Sql): Promise<void> {
  await sql`delete from public.x_accounts`;
  await sql`delete from public.pipeline_runs`;
}

export async function registerAccount(
  sql: postgres.Sql,
  handle = 'somebot',
  values: Record<string, string[]> = VOCABULARY,
  now = T0,
): Promise<number> {
  const { reply } = only(
    await sql`select public.register_x_account(${handle}, ${json(sql, values)}, ${now}) as reply`,
  );
  return reply.account_id;
}

export type TrackOptions = {
  postId?: string;
  postedAt?: Date;
  now?: Date;
  account?: string;
  decisionId?: string;
  kind?: string;
  dimensions?: Record<string, string>;
  viralScore?: number;
};

/** What `track_post` answers. The post is somebot's, of T0, tracked at once, unless said otherwise. */
export async function trackPost(sql: postgres.Sql, options: TrackOptions = {}) {
  const { postedAt = T0, decisionId = null, kind = null, viralScore = null } = options;
  const { postId = snowflakeId(postedAt), now = postedAt, dimensions } = options;
  const account = options.account ?? (decisionId === null ? 'somebot' : null);
  const { reply } = only(
    await sql`
      select public.track_post(${postId}, ${postedAt}, ${now}, ${decisionId}, ${account}, ${kind},
        ${dimensions ? json(sql, dimensions) : null}, ${viralScore}) as reply`,
  );
  return reply;
}

export async function claim(sql: postgres.Sql, now: Date, limit = 40, leaseSeconds = 180) {
  const { reply } = only(
    await sql`select public.claim_reads(${now}, ${limit}, ${leaseSeconds}) as reply`,
  );
  return reply;
}

export async function record(
  sql: postgres.Sql,
  runId: string,
  batch: Partial<Record<keyof RecordBatch, unknown[]>>,
  now: Date,
) {
  const { reply } = only(
    await sql`
      select public.record_reads(${runId}, ${json(sql, { reads: [], followers: [], ...batch })}, ${now})
        as reply`,
  );
  return reply;
}

export type Counts = {
  likes?: number | null;
  retweets?: number | null;
  replies?: number | null;
  quotes?: number | null;
  bookmarks?: number | null;
  impressions?: number | null;
  profile_clicks?: number | null;
};

const UNREAD = {
  likes: null,
  retweets: null,
  replies: null,
  quotes: null,
  bookmarks: null,
  impressions: null,
  profile_clicks: null,
};

/** A read that was accepted, as the scraper hands it over; counts not given were not read. */
export function found(postId: string, phase: string, at: Date, counts: Counts): PostReadResult {
  return {
    post_id: postId,
    phase,
    outcome: 'found',
    read: {
      captured_at: at.toISOString(),
      source: 'graphql',
      quality: 'exact',
      metrics: { ...UNREAD, ...counts },
    },
  };
}

/** A follower count, as the scraper hands it over. */
export const followersFound = (accountId: number, at: Date, followers: number, exact = true) => ({
  account_id: accountId,
  outcome: 'found',
  snapshot: { captured_at: at.toISOString(), followers, is_exact: exact, source: 'graphql' },
});

/** Stores an accepted read without the scraper: for tests of what comes after it. */
export async function storeRead(
  sql: postgres.Sql,
  postId: string,
  phase: string,
  at: Date,
  counts: Counts,
): Promise<void> {
  const c = { ...UNREAD, ...counts };
  await sql`
    insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
      posted_at, likes, retweets, replies, quotes, bookmarks, impressions, profile_clicks, source,
      quality, run_id)
    select p.post_id, ${phase}, p.account_id, ${at}, p.posted_at, ${c.likes}, ${c.retweets},
      ${c.replies}, ${c.quotes}, ${c.bookmarks}, ${c.impressions}, ${c.profile_clicks}, 'graphql',
      'exact', gen_random_uuid()
    from public.post_attribution p where p.post_id = ${postId}`;
}

export type FollowerPoint = { at: Date; followers: number; exact?: boolean };

/** Stores follower counts without the scraper. */
export async function storeFollowers(
  sql: postgres.Sql,
  accountId: number,
  points: FollowerPoint[],
): Promise<void> {
  await sql`
    insert into public.follower_snapshots
      (account_id, captured_at, followers, is_exact, source, run_id)
    select ${accountId}, p.at, p.followers, coalesce(p.exact, true), 'graphql', gen_random_uuid()
    from jsonb_to_recordset(${json(sql, points)}) p(at timestamptz, followers bigint, exact boolean)`;
}

/** A count at each full hour from `from` on. */
export const hourly = (from: Date, counts: number[]): FollowerPoint[] =>
  counts.map((followers, hour) => ({ at: hours(hour, from), followers }));

export async function attribute(sql: postgres.Sql, now: Date) {
  const { reply } = only(await sql`select public.attribute_posts(${now}) as reply`);
  return reply;
}

/** The number of rows of every table of `public`, by name. */
export async function rowCounts(sql: postgres.Sql): Promise<Record<string, number>> {
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' order by 1`;
  const counts = tables.map(
    async ({ name }): Promise<[string, number]> => [
      name,
      only(await sql`select count(*)::int as n from ${sql(`public.${name}`)}`).n,
    ],
  );
  return Object.fromEntries(await Promise.all(counts));
}

/** A fingerprint of every table of ours and of the queue of pg_net, by name: equal when no row changed. */
export async function tableContents(sql: postgres.Sql): Promise<Record<string, string>> {
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    where c.relnamespace in ('public'::regnamespace, 'postloop'::regnamespace) and c.relkind = 'r'
    union all select 'net.http_request_queue'
    order by name`;
  const [row] = await sql.unsafe(
    `select ${tables
      .map(
        ({ name }) =>
          `(select md5(string_agg(t::text, '|' order by t::text)) from ${name} t) as "${name}"`,
      )
      .join(', ')}`,
  );
  return { ...row };
}

/** What the function `learning` does for one account: statistics, alarms, fit, record. */
export async function learn(sql: postgres.Sql, accountId: number, now: Date) {
  const statistics = await learningStatistics(sql, accountId, now);
  const drift = changedAlarms(statistics);
  if (!drift) return recordPerformance(sql, statistics, now);
  await sql`
    select public.record_drift(${accountId}, ${drift.from}, ${json(sql, drift.alarms)}, ${now})`;
  return recordPerformance(sql, await learningStatistics(sql, accountId, now), now);
}

export async function learningStatistics(sql: postgres.Sql, accountId: number, now: Date) {
  const { reply } = only(
    await sql`select public.learning_statistics(${accountId}, ${now}) as reply`,
  );
  return learningStatisticsSchema.parse(reply);
}

export async function recordPerformance(
  sql: postgres.Sql,
  statistics: LearningStatistics,
  now: Date,
) {
  const { rows, models } = learnAccount(statistics);
  const { account_id, data_version, finished_posts } = statistics;
  const { reply } = only(
    await sql`
      select public.record_performance(${account_id}, ${data_version}, ${finished_posts},
        ${json(sql, rows)}, ${json(sql, models)}, ${now}) as reply`,
  );
  return reply;
}
