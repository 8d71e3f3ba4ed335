/** What a run did, read from the database's own tables. */
import type postgres from 'postgres';
import type { Decision } from '../../shared/contracts/recommend.ts';
import type { Served } from '../x-site/numbers.ts';

/** The views of `dimension_performance`, by the name of the dimension that people use. */
const PERFORMANCE_VIEWS = {
  topic: 'topic_performance',
  angle: 'angle_performance',
  tone: 'tone_performance',
  format: 'format_performance',
  generator: 'generator_performance',
  hook: 'hook_performance',
} as const;

export type ValuePerformance = {
  value: string;
  uses: number;
  effect: number;
  effect_low_80: number;
  effect_high_80: number;
  effect_low_90: number;
  effect_high_90: number;
  prob_above_average: number;
  confidence: number;
};

export type PostSummary = {
  post_id: string;
  posted_at: string;
  topic: string | null;
  tone: string | null;
  impressions: number | null;
  engagement_rate: number | null;
  followers_gained: number | null;
  followers_gained_low: number | null;
  followers_gained_high: number | null;
  followers_gained_naive: number | null;
  last_outcome: string | null;
};

type JobSummary = {
  job: string;
  runs: number;
  succeeded: number;
  partial: number;
  failed: number;
  expected: number;
  done: number;
};

export type Summary = {
  posts_tracked: number;
  collections: { due: number; done: number; by_outcome: Record<string, number> };
  metrics_rows: number;
  /** True only if every stored number equals the number that the site served for that read. */
  metrics_exact: boolean;
  follower_snapshots: number;
  attributed: number;
  followers: { observed: number; credited: number; organic: number; unexplained: number };
  learned: number;
  performance: Record<keyof typeof PERFORMANCE_VIEWS, ValuePerformance[]>;
  recommendation: Pick<Decision, 'decision_id' | 'dimensions' | 'propensity' | 'policy' | 'prompt'>;
  posts: PostSummary[];
  runs: JobSummary[];
};

/** @param now the moment up to which reads count as due */
export async function summarise(
  sql: postgres.Sql,
  served: Served[],
  recommendation: Decision,
  now: Date,
): Promise<Summary> {
  const [counts] = await sql<
    [{ posts: number; attributed: number; snapshots: number; learned: number }]
  >`
    select
      (select count(*)::int from public.post_attribution) as posts,
      (select count(*)::int from public.post_attribution where metrics_captured_at is not null) as attributed,
      (select count(*)::int from public.follower_snapshots) as snapshots,
      (select count(*)::int from public.post_outcomes) as learned`;
  const metrics = await storedMetrics(sql);
  return {
    posts_tracked: counts.posts,
    collections: await collections(sql, now),
    metrics_rows: metrics.length,
    metrics_exact: metrics.length > 0 && isExact(metrics, served),
    follower_snapshots: counts.snapshots,
    attributed: counts.attributed,
    followers: await followers(sql),
    learned: counts.learned,
    performance: await performance(sql),
    recommendation,
    posts: await posts(sql),
    runs: await runs(sql),
  };
}

async function collections(sql: postgres.Sql, now: Date): Promise<Summary['collections']> {
  const rows = await sql<{ outcome: string; state: string; n: number }[]>`
    select coalesce(outcome, state) as outcome, state, count(*)::int as n
    from public.metric_collections
    where due_at <= ${now}
    group by 1, 2
    order by 3 desc`;
  const byOutcome: Record<string, number> = {};
  for (const row of rows) byOutcome[row.outcome] = (byOutcome[row.outcome] ?? 0) + row.n;
  return {
    due: rows.reduce((sum, row) => sum + row.n, 0),
    done: rows.filter((row) => row.state === 'done').reduce((sum, row) => sum + row.n, 0),
    by_outcome: byOutcome,
  };
}

const COUNTS = ['likes', 'retweets', 'replies', 'quotes', 'bookmarks', 'impressions'] as const;
type StoredMetrics = { tweet_id: string; collected_at: Date } & Record<
  (typeof COUNTS)[number],
  number | null
>;

async function storedMetrics(sql: postgres.Sql): Promise<StoredMetrics[]> {
  return await sql<StoredMetrics[]>`
    select tweet_id, collected_at, likes::float8, retweets::float8, replies::float8,
      quotes::float8, bookmarks::float8, impressions::float8
    from public.real_tweet_metrics`;
}

function isExact(metrics: StoredMetrics[], served: Served[]): boolean {
  const key = (id: string | undefined, at: string) => `${id} ${at}`;
  const byRead = new Map(
    served.flatMap((one) => (one.counts ? [[key(one.post_id, one.at), one.counts] as const] : [])),
  );
  return metrics.every((row) => {
    const counts = byRead.get(key(row.tweet_id, row.collected_at.toISOString()));
    return counts !== undefined && COUNTS.every((name) => counts[name] === row[name]);
  });
}

/** What was observed is read from the raw snapshots, the parts from the hours they were split into. */
async function followers(sql: postgres.Sql): Promise<Summary['followers']> {
  const [row] = await sql<[Summary['followers']]>`
    with account as (
      select account_id, min(hour) as first_hour, max(hour) + interval '1 hour' as last_hour,
        sum(credited) as credited, sum(organic) as organic, sum(unexplained) as unexplained
      from public.follower_hour
      group by account_id
    ), change as (
      select a.*, last.followers - first.followers as observed
      from account a
      join public.follower_snapshots first
        on first.account_id = a.account_id and first.captured_at = a.first_hour
      join public.follower_snapshots last
        on last.account_id = a.account_id and last.captured_at = a.last_hour
    )
    select coalesce(sum(observed), 0)::float8 as observed, coalesce(sum(credited), 0) as credited,
      coalesce(sum(organic), 0) as organic, coalesce(sum(unexplained), 0) as unexplained
    from change`;
  return row;
}

async function performance(sql: postgres.Sql): Promise<Summary['performance']> {
  const views = Object.entries(PERFORMANCE_VIEWS);
  const lists = await Promise.all(
    views.map(
      ([, view]) => sql<ValuePerformance[]>`
        select value, uses, effect, effect_low_80, effect_high_80, effect_low_90, effect_high_90,
          prob_above_average, confidence
        from public.${sql(view)}
        order by effect desc, value`,
    ),
  );
  return Object.fromEntries(
    views.map(([name], index) => [name, [...(lists[index] ?? [])]]),
  ) as Summary['performance'];
}

async function posts(sql: postgres.Sql): Promise<PostSummary[]> {
  const rows = await sql<(Omit<PostSummary, 'posted_at'> & { posted_at: Date })[]>`
    select post_id, posted_at, realised ->> 'topic' as topic, realised ->> 'tone' as tone,
      impressions::float8, engagement_rate, followers_gained, followers_gained_low,
      followers_gained_high, followers_gained_naive::float8, last_outcome
    from public.post_tracking
    order by posted_at`;
  return rows.map((row) => ({ ...row, posted_at: row.posted_at.toISOString() }));
}

async function runs(sql: postgres.Sql): Promise<JobSummary[]> {
  return await sql<JobSummary[]>`
    select job, count(*)::int as runs,
      count(*) filter (where status = 'succeeded')::int as succeeded,
      count(*) filter (where status = 'partial')::int as partial,
      count(*) filter (where status = 'failed')::int as failed,
      sum(expected)::int as expected, sum(done)::int as done
    from public.pipeline_runs
    group by job
    order by job`;
}
