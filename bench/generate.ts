/**
 * Fills a migrated database with the history of a fleet of accounts, by one set-based statement a
 * table. Every random number is a hash of the row's number, so that a size always gives the same rows.
 *
 * The session fills with `session_replication_role = replica`: the triggers that check the
 * vocabulary and the foreign keys do not fire, row by row they would take longer than the benchmark.
 * They stay in place for every other session, and constraints, indexes and generated columns hold
 * for the fill too. Schedules (`metric_collections`) are not made: what is measured never reads them.
 */
import postgres from 'postgres';
import { HALF_90 } from '../shared/learning/normal.ts';
import { ATTRIBUTION } from '../simulation/reference/attribution/account.ts';

/** The moment that the history leads up to. */
export const NOW = new Date('2026-03-01T12:00:00Z');
/** Reads and follower counts go on until here, for the run after the first. */
export const NEXT_RUN = new Date('2026-03-01T14:00:00Z');
/** When the job left everything that is older as it is. */
const LAST_RUN = new Date('2026-03-01T10:00:00Z');
/** A post is active while its numbers still change what attribution writes. */
const ACTIVE_DAYS = 9;
const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const { blockHours, settleHours, deliveryHours } = ATTRIBUTION;
/** Attribution has settled the hours that are older, as its last run left them. */
const SETTLED_THROUGH = new Date(
  Math.floor((+NOW / HOUR_MS - settleHours - deliveryHours) / blockHours) * blockHours * HOUR_MS,
);
/** Posts from here on are active. */
export const ACTIVE_SINCE = new Date(+NOW - ACTIVE_DAYS * DAY_MS);

const VALUES: Record<string, number> = {
  topic: 12,
  angle: 8,
  tone: 6,
  format: 5,
  generator: 3,
  hook_pattern: 8,
};

export type Fleet = {
  accounts: number;
  posts: number;
  /** The posts are spread evenly over this many days. */
  days: number;
  /** Posts of the first account, spread among the others'; its fair share if not given. */
  firstAccountPosts?: number;
};

/** Days over which `posts` are spread when `active` of them fall into the last nine. */
export const daysOf = (posts: number, active: number) => (posts / active) * ACTIVE_DAYS;

/**
 * Fills the database: each post older than nine days is attributed as the job would have left it;
 * each active post has one new read, its newest. Six reads a post follow a Lomax accrual (shape
 * 1.1, median half-life 80 minutes); followers come by the hour.
 *
 * @param adminUrl the superuser's connection string: only that role may skip triggers
 */
export async function generate(adminUrl: string, fleet: Fleet): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`set session_replication_role = replica`;
    await sql`set work_mem = '256MB'`;
    await sql`set maintenance_work_mem = '256MB'`;
    // Parallel workers would give rows another physical order from run to run.
    await sql`set max_parallel_workers_per_gather = 0`;
    await sql`set jit = off`;
    const since = new Date(Math.floor((+NOW - fleet.days * DAY_MS) / HOUR_MS) * HOUR_MS);
    await fillAccounts(sql, fleet, since);
    await drawPosts(sql, fleet);
    await fillReads(sql);
    await fillFollowers(sql, since);
    await fillPosts(sql);
    await sql`drop table pg_temp.drawn_post, pg_temp.drawn_hour`;
    await sql`vacuum (analyze)`;
  } finally {
    await sql.end();
  }
}

async function fillAccounts(sql: postgres.Sql, fleet: Fleet, since: Date): Promise<void> {
  const vocabulary = Object.fromEntries(
    Object.entries(VALUES).map(([dimension, values]) => [
      dimension,
      Array.from({ length: values }, (_, n) => `${dimension}_${n}`),
    ]),
  );
  await sql`
    select public.register_x_account('bench' || n, ${sql.json(vocabulary)}, ${since})
    from generate_series(1, ${fleet.accounts}::integer) n`;
  await sql`
    insert into public.follower_rates
      (account_id, organic_per_hour, followers_per_impression, dispersion, lag_h, hours,
       settled_through, fitted_at, attributed_at)
    select a.id, 1, 0.0006, 1, 0.5, 672, ${SETTLED_THROUGH}, ${LAST_RUN}, ${LAST_RUN}
    from public.x_accounts a`;
  await sql`
    insert into public.account_learning (account_id, data_version)
    select a.id, 1 from public.x_accounts a`;
  // A number in (0, 1) for each row and use: inlined, so that it costs no call.
  await sql`
    create function pg_temp.uniform(row_number bigint, use integer) returns double precision
    language sql immutable as $$
      select ((hashint8extended(row_number, use) & 4503599627370495) + 0.5) / 4503599627370496.0
    $$`;
}

/** The posts and what each would gather in the end, before any of it is read. */
async function drawPosts(sql: postgres.Sql, fleet: Fleet): Promise<void> {
  const { accounts, posts, days, firstAccountPosts = posts / accounts } = fleet;
  const realised = Object.entries(VALUES).map(
    ([dimension, values], index) =>
      // Squared: some values are used much more often than others.
      `'${dimension}', '${dimension}_' || floor(pg_temp.uniform(i, ${10 + index}) ^ 2 * ${values})`,
  );
  await sql`
    create temporary table drawn_post as
    with placed as (
      select i,
        ${NOW}::timestamptz - (i - pg_temp.uniform(i, 1)) / ${posts}::double precision
          * make_interval(secs => ${days * 86_400}) as posted_at,
        case
          when floor(i * share.first) > floor((i - 1) * share.first) or ${accounts}::integer = 1 then 1
          else 2 + floor(pg_temp.uniform(i, 2) * (${accounts}::integer - 1))
        end as account_number
      from generate_series(1, ${posts}::bigint) i
      cross join (select ${firstAccountPosts / posts}::double precision as first) share
    )
    select p.i, a.id as account_id, p.posted_at,
      ((floor(extract(epoch from p.posted_at) * 1000)::bigint - 1288834974657) * 4194304
        + p.i % 4194304)::text as post_id,
      exp(7.2 + 1.2 * normal.first) as impressions,
      1.518 * exp(0.5 * normal.second) as scale_h,
      jsonb_build_object(${sql.unsafe(realised.join(', '))}) as realised
    from placed p
    join public.x_accounts a on a.handle = 'bench' || p.account_number
    cross join lateral (
      select sqrt(-2 * ln(pg_temp.uniform(i, 3))) * cos(2 * pi() * pg_temp.uniform(i, 4)) as first,
        sqrt(-2 * ln(pg_temp.uniform(i, 3))) * sin(2 * pi() * pg_temp.uniform(i, 4)) as second
    ) normal
    order by p.i desc`;
  await sql`analyze drawn_post`;
}

async function fillReads(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
      posted_at, likes, retweets, replies, quotes, bookmarks, impressions, profile_clicks, source, quality,
      run_id, attributed_at)
    select p.post_id, r.phase, p.account_id, r.collected_at, p.posted_at,
      floor(r.impressions * 0.030 * pg_temp.uniform(p.i, 5)), floor(r.impressions * 0.004 * pg_temp.uniform(p.i, 6)),
      floor(r.impressions * 0.006 * pg_temp.uniform(p.i, 7)), floor(r.impressions * 0.001 * pg_temp.uniform(p.i, 8)),
      floor(r.impressions * 0.005 * pg_temp.uniform(p.i, 9)), r.impressions,
      -- every second account lends its session, and the scraper reads clicks from 24 h on
      case when r.age >= interval '24 hours' and p.account_id % 2 = 0
        then floor(r.impressions * 0.02 * pg_temp.uniform(p.i, 30)) end,
      'graphql', 'exact',
      '00000000-0000-4000-8000-000000000000',
      case when r.next_at <= ${NOW} or (r.collected_at <= ${NOW} and p.posted_at < ${ACTIVE_SINCE})
        then r.collected_at end
    from drawn_post p
    cross join lateral (
      select c.phase, c.age, c.collected_at, lead(c.collected_at) over (order by c.collected_at) as next_at,
        floor(p.impressions * (1 - (1 + extract(epoch from c.collected_at - p.posted_at)::double precision
          / 3600 / p.scale_h) ^ -1.1)) as impressions
      from (
        select ph.phase, ph.age,
          p.posted_at + ph.age + pg_temp.uniform(p.i, 20 + ph.position::integer) * interval '10 minutes' as collected_at
        from (select x.*, row_number() over (order by x.age) as position from public.collection_phases x where x.scheduled) ph
      ) c
    ) r
    where r.collected_at <= ${NEXT_RUN}
    order by p.i desc`;
}

/** A count within each hour's first minute; the posts of an hour bring followers in that hour. */
async function fillFollowers(sql: postgres.Sql, since: Date): Promise<void> {
  await sql`
    create temporary table drawn_hour as
    with posted as (
      select d.account_id, date_trunc('hour', d.posted_at, 'UTC') as hour, sum(d.impressions) as impressions
      from drawn_post d
      group by 1, 2
    ), change as (
      select a.id as account_id, g.hour, g.number,
        floor(3 * pg_temp.uniform(a.id * 1000000 + g.number, 40)) + coalesce(round(0.0006 * p.impressions), 0) as change,
        coalesce(p.impressions, 0) as exposure
      from public.x_accounts a
      cross join generate_series(${since}::timestamptz, ${NEXT_RUN}, interval '1 hour')
        with ordinality g(hour, number)
      left join posted p on p.account_id = a.id and p.hour = g.hour
    )
    select c.*, 5000 + sum(c.change) over (partition by c.account_id order by c.hour) - c.change as followers
    from change c`;
  await sql`alter table drawn_hour add primary key (account_id, hour)`;
  await sql`analyze drawn_hour`;
  await sql`
    insert into public.follower_snapshots (account_id, captured_at, followers, is_exact, source, run_id)
    select h.account_id,
      h.hour + pg_temp.uniform(h.account_id * 1000000 + h.number, 41) * interval '1 minute',
      h.followers, true, 'graphql', '00000000-0000-4000-8000-000000000000'
    from drawn_hour h
    order by h.hour, h.account_id`;
  await sql`
    insert into public.follower_hour (account_id, hour, change, exposure, explained, credited, organic, unexplained, gap)
    select h.account_id, h.hour, h.change, h.exposure, h.change, h.change / 2, h.change / 2, 0, false
    from drawn_hour h
    join public.follower_rates r on r.account_id = h.account_id and h.hour < r.settled_through
    order by h.hour, h.account_id`;
}

/** Decisions, posts with the newest numbers that attribution has seen, credits and outcomes of the old. */
async function fillPosts(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into public.content_metadata (decision_id, account_id, created_at, origin, assigned)
    select 'decision_' || p.i, p.account_id, p.posted_at, 'manual', p.realised
    from drawn_post p
    order by p.i desc`;
  await sql`
    insert into public.post_credit (post_id, account_id, credit_2h, credit_24h, credit_48h, credit_7d,
      variance_48h, settled_2h, settled_24h, settled_48h, settled_7d, settled_thinning_48h,
      settled_spread_48h, final, computed_at)
    select p.post_id, p.account_id, c.total * 0.6, c.total * 0.9, c.total * 0.95, c.total, c.total,
      c.total * 0.6, c.total * 0.9, c.total * 0.95, c.total, c.total / 2, c.total / 2,
      p.posted_at + interval '184 hours' <= r.settled_through,
      p.posted_at + interval '8 days'
    from drawn_post p
    join public.follower_rates r on r.account_id = p.account_id and p.posted_at < r.settled_through
    cross join lateral (select 0.0003 * p.impressions as total) c
    order by p.i desc`;
  await sql`
    insert into public.post_attribution (post_id, account_id, decision_id, posted_at, realised, tracked_at,
      likes, retweets, replies, quotes, bookmarks, impressions, profile_clicks, metrics_captured_at, metrics_phase,
      followers_before, followers_2h_after, followers_24h_after, followers_48h_after,
      followers_gained, followers_gained_low, followers_gained_high, last_updated)
    select p.post_id, p.account_id, 'decision_' || p.i, p.posted_at, p.realised, p.posted_at,
      m.likes, m.retweets, m.replies, m.quotes, m.bookmarks, m.impressions, m.profile_clicks, m.collected_at, m.collection_phase,
      f0.followers, f2.followers, f24.followers, f48.followers, c.credit_48h,
      c.credit_48h - ${HALF_90} * sqrt(c.variance_48h), c.credit_48h + ${HALF_90} * sqrt(c.variance_48h), m.attributed_at
    from drawn_post p
    left join lateral (
      select r.* from public.real_tweet_metrics r
      where r.tweet_id = p.post_id and r.attributed_at is not null
      order by r.collected_at desc limit 1
    ) m on true
    left join public.post_credit c on c.post_id = p.post_id
    cross join lateral (
      select p.posted_at < ${ACTIVE_SINCE} as old, date_trunc('hour', p.posted_at, 'UTC') as hour) x
    left join drawn_hour f0 on f0.account_id = p.account_id and f0.hour = x.hour
    left join drawn_hour f2 on x.old and f2.account_id = p.account_id and f2.hour = x.hour + interval '2 hours'
    left join drawn_hour f24 on x.old and f24.account_id = p.account_id and f24.hour = x.hour + interval '1 day'
    left join drawn_hour f48 on x.old and f48.account_id = p.account_id and f48.hour = x.hour + interval '2 days'
    order by p.i desc`;
  // What learning knew of them; it finds other rewards, for these posts were never learned from.
  await sql`
    insert into public.post_outcomes (post_id, account_id, posted_at, log_impressions, reward, horizon_h,
      is_final, noise, alarms, computed_at)
    select p.post_id, p.account_id, p.posted_at, ln(1 + p.impressions), 0, 48, true, 0, 0, ${LAST_RUN}
    from drawn_post p
    where p.posted_at < ${LAST_RUN}::timestamptz - interval '50 hours'
    order by p.i desc`;
}
