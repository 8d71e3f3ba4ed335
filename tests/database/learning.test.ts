import { describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  attribute,
  type Counts,
  hours,
  learn,
  learningStatistics,
  only,
  recordPerformance,
  registerAccount,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const DAY = 24;

/** A finished post, with its read at 48 hours. */
async function finish(postedAt: Date, tone: string, counts: Counts): Promise<string> {
  const { sql } = database;
  const postId = snowflakeId(postedAt);
  await trackPost(sql, { postId, postedAt, dimensions: { tone } });
  await storeRead(sql, postId, '48h', hours(48, postedAt), counts);
  return postId;
}

const engaged = (impressions: number, likes: number): Counts => ({
  impressions,
  likes,
  retweets: 0,
  replies: 0,
  bookmarks: 0,
});

const performance = () =>
  database.sql`
    select dimension, value, uses, total_impressions::int, total_engagements::int,
      mean_impressions, mean_reward, effect, confidence
    from public.dimension_performance order by dimension, value`;

const learningState = async () =>
  only(
    await database.sql`
      select data_version::int, learned_version::int, finished_posts
      from public.account_learning`,
  );

async function backlog(): Promise<number[]> {
  const { ids } = only(await database.sql`select public.learning_backlog() as ids`);
  return ids.map(Number);
}

describe('the reward', () => {
  it.each([
    ['no post had any engagement', [100, 200, 400], () => 0],
    ['all posts were seen equally often', [300, 300, 300], (index: number) => index],
    ['all posts did the same', [300, 300, 300], () => 5],
    ['nobody saw any post', [0, 0, 0], () => 0],
    ['there is only one post', [700], () => 7],
  ])('is finite when %s', async (_, impressions, likes) => {
    const { sql } = database;
    for (const [index, seen] of impressions.entries()) {
      await finish(hours(index), 'dry', engaged(seen, likes(index)));
    }
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    const rewards =
      await sql`select reward, log_impressions, log_engagement from public.post_outcomes`;
    expect(rewards).toHaveLength(impressions.length);
    for (const row of rewards) expect(Object.values(row).every(Number.isFinite)).toBe(true);
    const rows = await performance();
    expect(rows).toHaveLength(1);
    expect(Number.isFinite(rows[0]?.effect)).toBe(true);
  });

  it('is higher for the post that did better in everything', async () => {
    const { sql } = database;
    await finish(T0, 'warm', engaged(100, 1));
    await finish(hours(1), 'warm', engaged(200, 4));
    await finish(hours(2), 'dry', engaged(5000, 250));
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    const rewards = await sql`select reward from public.post_outcomes order by posted_at`;
    expect(rewards[2]?.reward).toBeGreaterThan(rewards[1]?.reward);
    expect(rewards[1]?.reward).toBeGreaterThan(rewards[0]?.reward);
    const [dry, warm] = await performance();
    expect(dry?.effect).toBeGreaterThan(0);
    expect(warm?.effect).toBeLessThan(0);
  });

  it('is that of the first read at 48 hours or later, not of a later one', async () => {
    const { sql } = database;
    const post = await finish(T0, 'dry', engaged(1000, 10));
    await storeRead(sql, post, '7d', hours(7 * DAY), engaged(9000, 90));
    await attribute(sql, hours(8 * DAY));
    await learn(sql, accountId, hours(8 * DAY));
    const row = only(await sql`select log_impressions from public.post_outcomes`);
    expect(row.log_impressions).toBeCloseTo(Math.log(1001), 12);
  });

  it('does not exist before 48 hours, nor for a post whose impressions were not read', async () => {
    const { sql } = database;
    const young = snowflakeId(T0);
    await trackPost(sql, { dimensions: { tone: 'dry' } });
    await storeRead(sql, young, '24h', hours(30), engaged(1000, 10));
    await finish(hours(1), 'dry', { likes: 9 });
    await attribute(sql, hours(60));
    expect(await learn(sql, accountId, hours(60))).toMatchObject({ written: 0 });
    expect(await sql`select from public.post_outcomes`).toHaveLength(0);
  });

  it('leaves out an outcome that is not known instead of calling it nought', async () => {
    const { sql } = database;
    await finish(T0, 'dry', { impressions: 500 });
    await finish(hours(1), 'dry', engaged(700, 7));
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    const [unread, known] = await sql`
      select log_engagement, log_followers from public.post_outcomes order by posted_at`;
    expect(unread).toEqual({ log_engagement: null, log_followers: null });
    expect(known?.log_engagement).toBeLessThan(0);
  });

  it('survives a pause of more than ninety days', async () => {
    const { sql } = database;
    for (const n of [0, 1, 2, 3]) await finish(hours(n), 'dry', engaged(300 + n, 10 * n));
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    expect(await performance()).toMatchObject([{ value: 'dry', uses: 4 }]);
    await learn(sql, accountId, hours(120 * DAY));
    expect(await performance()).toMatchObject([{ value: 'dry', uses: 4 }]);
  });
});

describe('what a value has shown', () => {
  it('is recomputed from all its posts however often it is learned', async () => {
    const { sql } = database;
    await finish(T0, 'dry', engaged(1000, 10));
    await finish(hours(1), 'dry', engaged(3000, 50));
    await finish(hours(2), 'warm', engaged(500, 5));
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    const once = await sql`select * from public.dimension_performance order by value`;
    await learn(sql, accountId, hours(60));
    await learn(sql, accountId, hours(60));
    expect(await sql`select * from public.dimension_performance order by value`).toEqual(once);
    expect(await performance()).toMatchObject([
      {
        dimension: 'tone',
        value: 'dry',
        uses: 2,
        total_impressions: 4000,
        total_engagements: 60,
        mean_impressions: 2000,
        confidence: 2 / 30,
      },
      { dimension: 'tone', value: 'warm', uses: 1, total_impressions: 500, confidence: 1 / 30 },
    ]);
  });

  it('goes when its last post no longer has it', async () => {
    const { sql } = database;
    const post = await finish(T0, 'dry', engaged(1000, 10));
    await finish(hours(1), 'warm', engaged(1000, 10));
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    await sql`update public.post_attribution set realised = '{"tone": "warm"}' where post_id = ${post}`;
    expect(await learn(sql, accountId, hours(61))).toEqual({
      code: 'recorded',
      written: 1,
      removed: 1,
    });
    expect(await performance()).toMatchObject([{ value: 'warm', uses: 2 }]);
  });

  it('of one account is not touched by learning another', async () => {
    const { sql } = database;
    await finish(T0, 'dry', engaged(1000, 10));
    const other = await registerAccount(sql, 'otherbot');
    const theirs = snowflakeId(hours(1));
    await trackPost(sql, { postedAt: hours(1), account: 'otherbot', dimensions: { tone: 'warm' } });
    await storeRead(sql, theirs, '48h', hours(50), engaged(10, 1));
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    await learn(sql, other, hours(60));
    await learn(sql, accountId, hours(60));
    expect(await performance()).toMatchObject([
      { value: 'dry', uses: 1 },
      { value: 'warm', uses: 1 },
    ]);
  });
});

describe('the handover from attribution', () => {
  it('makes an account due once its posts changed, and no longer once it was learned', async () => {
    const { sql } = database;
    expect(await backlog()).toEqual([]);
    await finish(T0, 'dry', engaged(1000, 10));
    await attribute(sql, hours(60));
    expect(await backlog()).toEqual([accountId]);
    expect(await learningState()).toMatchObject({ data_version: 1, learned_version: 0 });
    await learn(sql, accountId, hours(60));
    expect(await backlog()).toEqual([]);
    expect(await learningState()).toMatchObject({
      data_version: 1,
      learned_version: 1,
      finished_posts: 1,
    });
  });

  it('leaves an account due that changed while it was being learned', async () => {
    const { sql } = database;
    await finish(T0, 'dry', engaged(1000, 10));
    await attribute(sql, hours(60));
    const statistics = await learningStatistics(sql, accountId, hours(60));
    await finish(hours(1), 'warm', engaged(2000, 10));
    await attribute(sql, hours(61));
    expect(await recordPerformance(sql, statistics, hours(61))).toMatchObject({ code: 'recorded' });
    expect(await learningState()).toMatchObject({ data_version: 2, learned_version: 1 });
    expect(await backlog()).toEqual([accountId]);
    await learn(sql, accountId, hours(62));
    expect(await performance()).toHaveLength(2);
    expect(await backlog()).toEqual([]);
  });

  it('does not let a slow learner overwrite what was learned from newer data', async () => {
    const { sql } = database;
    await finish(T0, 'dry', engaged(1000, 10));
    await attribute(sql, hours(60));
    const slow = await learningStatistics(sql, accountId, hours(60));
    await finish(hours(1), 'dry', engaged(2000, 10));
    await attribute(sql, hours(61));
    await learn(sql, accountId, hours(61));
    expect(await recordPerformance(sql, slow, hours(62))).toEqual({ code: 'superseded' });
    expect(await performance()).toMatchObject([{ uses: 2 }]);
    expect(await learningState()).toMatchObject({ learned_version: 2 });
  });

  it('names only accounts that have data', async () => {
    const { sql } = database;
    await registerAccount(sql, 'otherbot');
    await finish(T0, 'dry', engaged(1000, 10));
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    const { ids } = only(
      await sql`select public.learning_backlog(array(select id from public.x_accounts)) as ids`,
    );
    expect(ids.map(Number)).toEqual([accountId]);
  });
});

it('shows each dimension as a view of its own', async () => {
  const { sql } = database;
  const vocabulary = {
    topic: ['t'],
    angle: ['a'],
    tone: ['o'],
    format: ['f'],
    generator: ['g'],
    hook_pattern: ['h'],
  };
  await registerAccount(sql, 'somebot', vocabulary);
  await trackPost(sql, {
    dimensions: {
      topic: 't',
      angle: 'a',
      tone: 'o',
      format: 'f',
      generator: 'g',
      hook_pattern: 'h',
    },
  });
  await storeRead(sql, snowflakeId(T0), '48h', hours(48), engaged(1000, 10));
  await attribute(sql, hours(60));
  await learn(sql, accountId, hours(60));
  for (const [view, value] of [
    ['topic', 't'],
    ['angle', 'a'],
    ['tone', 'o'],
    ['format', 'f'],
    ['generator', 'g'],
    ['hook', 'h'],
  ]) {
    const rows = await sql`select value, uses from ${sql(`public.${view}_performance`)}`;
    expect(rows).toEqual([{ value, uses: 1 }]);
  }
});
