/**
 * What went wrong in the system that this one replaces, as far as the database can prove that it
 * cannot happen again. Each test is named after the defect.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { createDatabase, useDatabase } from '../support/database.ts';
import {
  attribute,
  claim,
  found,
  hourly,
  hours,
  json,
  learn,
  learningStatistics,
  minutes,
  only,
  record,
  registerAccount,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const post = snowflakeId(T0);

let accountId: number;

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

/** The sources under a folder, by path. */
function sources(folder: string, ending: string): [string, string][] {
  return readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending) && !path.includes('node_modules'))
    .map((path) => [`${folder}/${path}`, readFileSync(join(REPOSITORY, folder, path), 'utf8')]);
}

it('1: there is one definition of post_attribution, and it has every column that is written', async () => {
  const migrations = sources('supabase/migrations', '.sql');
  const defining = migrations.filter(([, sql]) =>
    /create table (if not exists )?(public\.)?post_attribution\b/i.test(sql),
  );
  expect(defining).toHaveLength(1);
  const columns = await database.sql`
    select column_name from information_schema.columns
    where table_schema = 'public' and table_name = 'post_attribution'`;
  expect(columns.map((row) => row.column_name)).toEqual(
    expect.arrayContaining([
      'post_id',
      'decision_id',
      'posted_at',
      'likes',
      'retweets',
      'replies',
      'bookmarks',
      'profile_clicks',
      'impressions',
      'engagement_rate',
      'hook_pattern',
      'topic',
      'angle',
      'tone',
      'generator_used',
      'format',
      'viral_score',
      'last_updated',
      'followers_before',
      'followers_2h_after',
      'followers_24h_after',
      'followers_48h_after',
      'followers_gained',
    ]),
  );
});

it('1: a table that is there already stops the migrations instead of winning silently', () => {
  const silent = sources('supabase/migrations', '.sql').filter(([, sql]) =>
    /create table if not exists/i.test(sql),
  );
  expect(silent.map(([path]) => path)).toEqual([]);
});

it('2: an insert of columns that do not exist fails, and nothing says that it was tracked', async () => {
  const own = await createDatabase();
  try {
    await registerAccount(own.sql);
    await own.sql`alter table public.post_attribution drop column viral_score cascade`;
    await expect(trackPost(own.sql, { viralScore: 0.5 })).rejects.toMatchObject({ code: '42703' });
    expect(await own.sql`select from public.post_attribution`).toHaveLength(0);
    expect(await own.sql`select from public.content_metadata`).toHaveLength(0);
    expect(await own.sql`select from public.metric_collections`).toHaveLength(0);
  } finally {
    await own.drop();
  }
});

it('3: no number is drawn at random: Math.random is nowhere in what is deployed', () => {
  const random = ['shared', 'supabase/functions', 'scraper-lambda/src'].flatMap((folder) =>
    sources(folder, '.ts').filter(([, text]) => text.includes('Math.random')),
  );
  expect(random.map(([path]) => path)).toEqual([]);
  const inSql = sources('supabase/migrations', '.sql').filter(([, sql]) =>
    /\b(random|random_normal|setseed)\s*\(/i.test(sql),
  );
  expect(inSql.map(([path]) => path)).toEqual([]);
});

it('4: success with nothing done is impossible when something was expected', async () => {
  const { sql } = database;
  const { id } = only(await sql`select public.start_pipeline_run('attribution', 12, ${T0}) as id`);
  const { run } = only(await sql`select public.finish_pipeline_run(${id}, 0) as run`);
  expect(run).toMatchObject({ status: 'failed', error: { code: 'nothing_done' } });
  await expect(
    sql`update public.pipeline_runs set status = 'succeeded', error = null`,
  ).rejects.toMatchObject({ constraint_name: 'success_did_its_work' });
});

it('4: posts that attribution has not taken up are seen as waiting, however old they are', async () => {
  const { sql } = database;
  await trackPost(sql);
  await storeRead(sql, post, '48h', hours(48), { likes: 5 });
  const { n } = only(await sql`select public.attribution_backlog(${hours(24 * 60)}) as n`);
  expect(n).toBe(1);
  expect(await attribute(sql, hours(24 * 60))).toMatchObject({ expected: 1, done: 1 });
});

it('5: a post finds its decision by decision_id, which is not its tweet id', async () => {
  const { sql } = database;
  await sql`
    insert into public.content_metadata (decision_id, account_id, origin, assigned) values
      ('first', ${accountId}, 'manual', '{"tone": "dry"}'),
      (${post}, ${accountId}, 'manual', '{"tone": "warm"}')`;
  await trackPost(sql, { decisionId: 'first' });
  await storeRead(sql, post, '48h', hours(48), { impressions: 100, likes: 1 });
  await attribute(sql, hours(50));
  await learn(sql, accountId, hours(50));
  expect(await sql`select post_id, decision_id, assigned from public.post_tracking`).toEqual([
    { post_id: post, decision_id: 'first', assigned: { tone: 'dry' } },
  ]);
  expect(await sql`select value, uses from public.tone_performance`).toEqual([
    { value: 'dry', uses: 1 },
  ]);
});

it.each(['run_id', 'source', 'followers', 'is_exact'])(
  '6: no constant passes for a follower count: a snapshot without its %s is refused',
  async (column) => {
    const { sql } = database;
    const row = {
      account_id: accountId,
      captured_at: T0,
      followers: 30,
      is_exact: true,
      source: 'graphql',
      run_id: '00000000-0000-4000-8000-000000000001',
    };
    await expect(
      sql`insert into public.follower_snapshots ${sql({ ...row, [column]: null })}`,
    ).rejects.toMatchObject({ code: '23502', column_name: column });
    const { defaults } = only(
      await sql`
        select count(column_default)::int as defaults from information_schema.columns
        where table_schema = 'public' and table_name in ('follower_snapshots', 'real_tweet_metrics')`,
    );
    expect(defaults).toBe(0);
  },
);

it('7: the 48 h mark is reached by a post that is older than 48 hours', async () => {
  const { sql } = database;
  await trackPost(sql);
  await storeFollowers(
    sql,
    accountId,
    hourly(
      hours(-1),
      Array.from({ length: 60 }, (_, n) => 100 + n),
    ),
  );
  await storeRead(sql, post, '48h', hours(48.2), { impressions: 100 });
  await attribute(sql, hours(72));
  const row = only(
    await sql`
      select followers_before::int as before, followers_48h_after::int as h48, metrics_phase
      from public.post_attribution`,
  );
  expect(row).toEqual({ before: 101, h48: 149, metrics_phase: '48h' });
});

it('7: a late first run does not fill 2 h, 24 h and 48 h with the same number', async () => {
  const { sql } = database;
  await trackPost(sql);
  await storeFollowers(
    sql,
    accountId,
    hourly(
      hours(-1),
      Array.from({ length: 60 }, (_, n) => 100 + n),
    ),
  );
  await attribute(sql, hours(70));
  expect(
    await sql`
      select followers_2h_after::int as h2, followers_24h_after::int as h24,
        followers_48h_after::int as h48
      from public.post_attribution`,
  ).toEqual([{ h2: 103, h24: 125, h48: 149 }]);
});

it('7: a late first run with one snapshot knows none of them', async () => {
  const { sql } = database;
  await trackPost(sql);
  await storeFollowers(sql, accountId, [{ at: hours(60), followers: 500 }]);
  await attribute(sql, hours(70));
  expect(
    await sql`
      select followers_2h_after as h2, followers_24h_after as h24, followers_48h_after as h48
      from public.post_attribution`,
  ).toEqual([{ h2: null, h24: null, h48: null }]);
});

it('7: one late read never counts for two phases', async () => {
  const { sql } = database;
  await trackPost(sql);
  const { reads } = await claim(sql, hours(5));
  expect(reads).toEqual([]);
  const late = await claim(sql, hours(7));
  expect(late.reads.map((read: { phase: string }) => read.phase)).toEqual(['6h']);
});

it('8: 0 is a number: a read of 0 replaces what was there before', async () => {
  const { sql } = database;
  await trackPost(sql);
  await storeRead(sql, post, '30m', minutes(30), { likes: 3, bookmarks: 1 });
  await attribute(sql, hours(1));
  await storeRead(sql, post, '2h', hours(2), { likes: 0, bookmarks: 0 });
  await attribute(sql, hours(3));
  expect(await sql`select likes::int, bookmarks::int from public.post_attribution`).toEqual([
    { likes: 0, bookmarks: 0 },
  ]);
});

const totals = () =>
  database.sql`
    select uses, total_impressions::int as impressions from public.dimension_performance`;

async function finishPosts(n: number): Promise<void> {
  const { sql } = database;
  for (let index = 0; index < n; index += 1) {
    const postedAt = hours(index);
    await trackPost(sql, { postedAt, dimensions: { tone: 'dry' } });
    await storeRead(sql, snowflakeId(postedAt), '48h', hours(48, postedAt), { impressions: 100 });
  }
  await attribute(sql, hours(72));
}

it('9: a retry does not learn twice, and a failed write leaves the account due', async () => {
  const { sql } = database;
  await finishPosts(3);
  const { data_version } = await learningStatistics(sql, accountId, hours(72));
  await expect(
    sql`
      select public.record_performance(${accountId}, ${data_version}, 3,
        ${json(sql, [{ dimension: 'tone', value: 'dry', uses: 3 }])}, '[]', ${hours(72)})`,
  ).rejects.toMatchObject({ code: '23502' });
  expect(await totals()).toEqual([]);
  const { due } = only(await sql`select public.learning_backlog() as due`);
  expect(due.map(Number)).toEqual([accountId]);

  await learn(sql, accountId, hours(72));
  await learn(sql, accountId, hours(72));
  expect(await totals()).toEqual([{ uses: 3, impressions: 300 }]);
});

it('10: a new post adds to the totals of its values instead of replacing them', async () => {
  const { sql } = database;
  await finishPosts(3);
  await learn(sql, accountId, hours(72));
  const postedAt = hours(5);
  await trackPost(sql, { postedAt, dimensions: { tone: 'dry' } });
  await storeRead(sql, snowflakeId(postedAt), '48h', hours(53), { impressions: 700 });
  await attribute(sql, hours(73));
  await learn(sql, accountId, hours(73));
  expect(await totals()).toEqual([{ uses: 4, impressions: 1000 }]);
});

it('14: impressions that were not read stay unknown, and so does the engagement rate', async () => {
  const { sql } = database;
  await trackPost(sql);
  const { run_id } = await claim(sql, minutes(30));
  const reads = [found(post, '30m', minutes(30), { likes: 23, retweets: 5, replies: 0 })];
  await record(sql, run_id, { reads }, minutes(30));
  await attribute(sql, hours(1));
  expect(
    await sql`
      select m.impressions as read, m.engagement_rate as read_rate, p.impressions,
        p.engagement_rate
      from public.real_tweet_metrics m join public.post_attribution p on p.post_id = m.tweet_id`,
  ).toEqual([{ read: null, read_rate: null, impressions: null, engagement_rate: null }]);
});

it('14: the engagement rate is counted from what was read', async () => {
  const { sql } = database;
  await trackPost(sql);
  await storeRead(sql, post, '24h', hours(24), {
    likes: 23,
    retweets: 5,
    replies: 0,
    impressions: 825,
  });
  await attribute(sql, hours(25));
  const { engagement_rate } = only(await sql`select engagement_rate from public.post_attribution`);
  expect(engagement_rate).toBeCloseTo(0.0339, 4);
});

it('15: a restart loses no read: another process finds the schedule and takes over the lease', async () => {
  const first = postgres(database.url, { max: 1 });
  await trackPost(first);
  await claim(first, minutes(30), 40, 60);
  await first.end();
  const second = postgres(database.url, { max: 1 });
  try {
    const { reads } = await claim(second, minutes(32));
    expect(reads).toMatchObject([{ post_id: post, phase: '30m', attempt: 2 }]);
  } finally {
    await second.end();
  }
});

it('19: a viral post is believed, and a decrease is possible', async () => {
  const { sql } = database;
  await trackPost(sql);
  const phases = [
    ['30m', minutes(30), { likes: 10, impressions: 400 }],
    ['2h', hours(2), { likes: 5_000_000, impressions: 900_000_000 }],
    ['6h', hours(6), { likes: 4_900_000, impressions: 900_000_000 }],
  ] as const;
  for (const [phase, at, counts] of phases) {
    const { run_id } = await claim(sql, at);
    const reply = await record(sql, run_id, { reads: [found(post, phase, at, counts)] }, at);
    expect(reply).toMatchObject({ metrics_rows: 1 });
    await attribute(sql, at);
  }
  expect(await sql`select likes::int, impressions::int from public.post_attribution`).toEqual([
    { likes: 4_900_000, impressions: 900_000_000 },
  ]);
});

it('20: what was not read is null everywhere, never 0', async () => {
  const { sql } = database;
  await trackPost(sql);
  const { run_id } = await claim(sql, minutes(30));
  await record(sql, run_id, { reads: [found(post, '30m', minutes(30), {})] }, minutes(30));
  await attribute(sql, hours(1));
  const unknown = {
    likes: null,
    retweets: null,
    replies: null,
    quotes: null,
    bookmarks: null,
    impressions: null,
    profile_clicks: null,
    engagement_rate: null,
  };
  const columns = sql(Object.keys(unknown));
  expect(await sql`select ${columns} from public.real_tweet_metrics`).toEqual([unknown]);
  expect(
    await sql`select ${columns}, followers_gained, followers_before from public.post_tracking`,
  ).toEqual([{ ...unknown, followers_gained: null, followers_before: null }]);
});

it('20: a refused read stores no numbers at all', async () => {
  const { sql } = database;
  await trackPost(sql);
  const { run_id } = await claim(sql, minutes(30));
  const reads = [{ post_id: post, phase: '30m', outcome: 'shape_changed' }];
  await record(sql, run_id, { reads }, minutes(30));
  expect(await sql`select from public.real_tweet_metrics`).toHaveLength(0);
});

it('22: windows are measured from posting, not from tracking', async () => {
  const { sql } = database;
  await trackPost(sql, { now: hours(1) });
  expect(await sql`select due_at from public.metric_collections where phase = '48h'`).toEqual([
    { due_at: hours(48) },
  ]);
});

it('23: two posts at the same time do not both get the whole follower change', async () => {
  const { sql } = database;
  for (const [index, at] of [T0, minutes(10)].entries()) {
    await trackPost(sql, { postId: snowflakeId(at, index), postedAt: at });
    await storeRead(sql, snowflakeId(at, index), '2h', hours(2, at), { impressions: 1000 });
  }
  await storeFollowers(sql, accountId, hourly(hours(-3), [100, 100, 100, 100, 140, 150, 150]));
  await attribute(sql, hours(4));
  const gained = await sql`select followers_gained as n from public.post_attribution`;
  const sum = gained.reduce((total, { n }) => total + n, 0);
  expect(gained.every(({ n }) => n > 0 && n < 50)).toBe(true);
  expect(sum).toBeLessThanOrEqual(50 + 1e-6);
});

it('24: a post that nobody saw or liked is learned from like any other', async () => {
  const { sql } = database;
  for (const [index, impressions] of [2, 90, 5000].entries()) {
    const postedAt = hours(index);
    await trackPost(sql, { postedAt, dimensions: { tone: 'dry' } });
    await storeRead(sql, snowflakeId(postedAt), '48h', hours(48, postedAt), {
      impressions,
      likes: 0,
      retweets: 0,
      replies: 0,
      bookmarks: 0,
    });
  }
  await attribute(sql, hours(72));
  await learn(sql, accountId, hours(72));
  expect(await totals()).toEqual([{ uses: 3, impressions: 5092 }]);
});

it.each([
  "insert into public.real_tweet_metrics (tweet_id) values ('1')",
  'update public.real_tweet_metrics set likes = 9',
  'delete from public.real_tweet_metrics',
  'select * from public.real_tweet_metrics',
  'update public.post_attribution set likes = 9',
  'insert into public.follower_snapshots (account_id, followers) values (1, 30)',
  "select public.record_reads(gen_random_uuid(), '{}', now())",
  "select public.track_post('1', now(), now())",
])('25: the public role anon cannot %s', async (statement) => {
  await expect(
    database.sql.begin(async (sql) => {
      await sql`set local role anon`;
      await sql.unsafe(statement);
    }),
  ).rejects.toMatchObject({ code: '42501' });
});
