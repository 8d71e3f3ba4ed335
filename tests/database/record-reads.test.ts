import { describe, expect, it } from 'vitest';
import { recordReplySchema } from '../../shared/contracts/read.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  claim,
  followersFound,
  found,
  hours,
  MINUTE_MS,
  minutes,
  only,
  record,
  registerAccount,
  rowCounts,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
const post = snowflakeId(T0);

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
    await trackPost(sql);
  },
});

/** Claims at a moment and answers the read of the phase with an outcome. */
async function answer(phase: string, at: Date, outcome: object) {
  const { sql } = database;
  const { run_id } = await claim(sql, at);
  return record(sql, run_id, { reads: [{ post_id: post, phase, ...outcome }] }, at);
}

const collection = async (phase: string) =>
  only(
    await database.sql`
      select state, outcome, attempts, next_attempt_at, finished_at, lease_id
      from public.metric_collections where phase = ${phase}`,
  );

const followerRead = async () =>
  only(
    await database.sql`
      select outcome, attempts, next_attempt_at, lease_id from public.follower_collections`,
  );

describe('a read that found numbers', () => {
  it('is stored as it came, and its collection is done', async () => {
    const { sql } = database;
    const { run_id } = await claim(sql, minutes(30));
    const counts = {
      likes: 264,
      retweets: 51,
      replies: 9,
      quotes: 3,
      bookmarks: 22,
      impressions: 32_100,
      profile_clicks: 7,
    };
    const reply = await record(
      sql,
      run_id,
      {
        reads: [found(post, '30m', minutes(30.5), counts)],
        followers: [followersFound(accountId, minutes(30.5), 1234)],
      },
      minutes(31),
    );
    expect(recordReplySchema.parse(reply)).toEqual({
      code: 'recorded',
      status: 'succeeded',
      expected: 2,
      done: 2,
      failed: 0,
      skipped: {},
      metrics_rows: 1,
      follower_snapshots: 1,
      discovered: 0,
    });
    expect(
      await sql`
        select likes::int, retweets::int, replies::int, quotes::int, bookmarks::int,
          impressions::int, profile_clicks::int, collected_at, posted_at, source, quality, run_id,
          account_id::int, age_h
        from public.real_tweet_metrics`,
    ).toEqual([
      {
        ...counts,
        collected_at: minutes(30.5),
        posted_at: T0,
        source: 'graphql',
        quality: 'exact',
        run_id,
        account_id: accountId,
        age_h: 30.5 / 60,
      },
    ]);
    expect(await collection('30m')).toMatchObject({
      state: 'done',
      outcome: 'found',
      finished_at: minutes(31),
      lease_id: null,
    });
    expect((await collection('2h')).state).toBe('waiting');
  });

  it('keeps a zero as zero and what was not read as null', async () => {
    const { sql } = database;
    const { run_id } = await claim(sql, minutes(30));
    await record(
      sql,
      run_id,
      { reads: [found(post, '30m', minutes(30), { likes: 0, impressions: 82, replies: null })] },
      minutes(30),
    );
    expect(
      await sql`
        select likes::int, replies, bookmarks, impressions::int, engagement_rate
        from public.real_tweet_metrics`,
    ).toEqual([
      { likes: 0, replies: null, bookmarks: null, impressions: 82, engagement_rate: null },
    ]);
  });
});

describe('a read that ended the schedule', () => {
  it.each(['deleted', 'suspended'])(
    'ends the later phases of a post that is %s',
    async (outcome) => {
      const { sql } = database;
      await trackPost(sql, { postedAt: hours(1) });
      const reply = await answer('30m', minutes(30), { outcome });
      expect(reply).toMatchObject({ done: 1, failed: 0, metrics_rows: 0 });
      const states = await sql`
      select post_id = ${post} as gone, state, outcome, count(*)::int as n, min(finished_at) as at
      from public.metric_collections group by 1, 2, 3 order by 1`;
      expect(states).toEqual([
        { gone: false, state: 'waiting', outcome: null, n: 6, at: null },
        { gone: true, state: 'ended', outcome, n: 6, at: minutes(30) },
      ]);
      const later = await claim(sql, hours(6));
      expect(later.reads.every((read: { post_id: string }) => read.post_id !== post)).toBe(true);
    },
  );

  it('leaves what was read before', async () => {
    const { sql } = database;
    await answer('30m', minutes(30), found(post, '30m', minutes(30), { likes: 3 }));
    await answer('2h', hours(2), { outcome: 'deleted' });
    expect((await collection('30m')).state).toBe('done');
    expect((await collection('24h')).state).toBe('ended');
    expect(await sql`select from public.real_tweet_metrics`).toHaveLength(1);
  });
});

describe('a read that is to be tried again', () => {
  it('waits longer each time, by the row of its outcome, until its window closes', async () => {
    const { sql } = database;
    const waits: number[] = [];
    let now = minutes(30);
    for (;;) {
      const reply = await answer('30m', now, { outcome: 'transient', evidence: { status: 503 } });
      expect(reply).toMatchObject({ failed: 1, metrics_rows: 0 });
      const { state, next_attempt_at, attempts, finished_at } = await collection('30m');
      expect(attempts).toBe(waits.length + 1);
      if (state === 'missed') {
        expect(finished_at).toEqual(now);
        expect(next_attempt_at >= minutes(75)).toBe(true);
        break;
      }
      expect(state).toBe('waiting');
      waits.push((next_attempt_at.getTime() - now.getTime()) / MINUTE_MS);
      now = next_attempt_at;
    }
    // 1, 2, 4, 8, 16 minutes, each with up to a tenth of jitter: the sixth would come too late
    expect(waits).toHaveLength(5);
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(2 ** index);
      expect(wait).toBeLessThanOrEqual(2 ** index * 1.1);
    }
    expect(await sql`select distinct outcome, evidence from public.collection_attempts`).toEqual([
      { outcome: 'transient', evidence: { status: 503 } },
    ]);
    expect(await sql`select from public.real_tweet_metrics`).toHaveLength(0);
    expect((await claim(sql, hours(2))).reads).toMatchObject([{ phase: '2h', attempt: 1 }]);
  });

  it('comes again when X says so', async () => {
    const retryAt = minutes(41);
    await answer('30m', minutes(30), { outcome: 'rate_limited', retry_at: retryAt.toISOString() });
    expect(await collection('30m')).toMatchObject({
      state: 'waiting',
      outcome: 'rate_limited',
      next_attempt_at: retryAt,
    });
  });

  it('never waits longer than six hours, or than its outcome asks for', async () => {
    const { sql } = database;
    const wait = async (outcome: string, attempts: number) => {
      const { h } = only(
        await sql`
          select extract(epoch from
            postloop.next_attempt(${outcome}, ${attempts}, 'key', ${T0}) - ${T0})::float8 / 3600 as h`,
      );
      return h;
    };
    expect(await wait('blocked', 12)).toBeLessThanOrEqual(6.6);
    expect(await wait('blocked', 400)).toBeLessThanOrEqual(6.6);
    expect(await wait('restricted', 1)).toBeGreaterThanOrEqual(24);
    expect(await wait('restricted', 9)).toBeLessThanOrEqual(26.4);
  });

  it('is the same moment when the same call is replayed elsewhere', async () => {
    const { sql } = database;
    const moments = await sql`
      select postloop.next_attempt('transient', 3, 'key', ${T0}) as at from generate_series(1, 3)`;
    expect(new Set(moments.map((row) => row.at.getTime())).size).toBe(1);
  });
});

describe('a read that was not tried', () => {
  it('is given back with its attempt, whether it is named or left out', async () => {
    const { sql } = database;
    await trackPost(sql, { postedAt: minutes(1) });
    const { run_id } = await claim(sql, minutes(32));
    const named = { post_id: post, phase: '30m', outcome: 'released' };
    const reply = await record(sql, run_id, { reads: [named] }, minutes(33));
    expect(reply).toMatchObject({ done: 0, failed: 0, skipped: { released: 3 } });
    expect(
      await sql`
        select state, attempts, lease_id, next_attempt_at
        from public.metric_collections where phase = '30m'`,
    ).toEqual(
      Array.from({ length: 2 }, () => ({
        state: 'waiting',
        attempts: 0,
        lease_id: null,
        next_attempt_at: minutes(33),
      })),
    );
    expect(await followerRead()).toMatchObject({ attempts: 0, next_attempt_at: minutes(33) });
    expect(await sql`select from public.collection_attempts`).toHaveLength(0);
  });

  it('makes the run a failure when nothing else was done', async () => {
    const { sql } = database;
    const { run_id } = await claim(sql, minutes(30));
    expect((await record(sql, run_id, {}, minutes(30))).status).toBe('failed');
    expect(only(await sql`select status, error from public.pipeline_runs`)).toMatchObject({
      status: 'failed',
      error: { code: 'nothing_done' },
    });
  });
});

describe('a record call', () => {
  it('changes nothing when it is made again', async () => {
    const { sql } = database;
    const { run_id } = await claim(sql, minutes(30));
    const results = {
      reads: [found(post, '30m', minutes(30), { likes: 4 })],
      followers: [followersFound(accountId, minutes(30), 100)],
    };
    const first = await record(sql, run_id, results, minutes(31));
    const state = async () => ({
      rows: await rowCounts(sql),
      collections: await sql`select * from public.metric_collections order by phase`,
      followers: await sql`select * from public.follower_collections`,
      runs: await sql`select * from public.pipeline_runs`,
    });
    const before = await state();
    const again = await record(sql, run_id, results, minutes(40));
    expect(again).toEqual({ ...first, metrics_rows: 0, follower_snapshots: 0 });
    expect(await state()).toEqual(before);
  });

  it('leaves a row alone whose lease another run has taken', async () => {
    const { sql } = database;
    const slow = await claim(sql, minutes(30), 40, 60);
    const fast = await claim(sql, minutes(32), 40, 60);
    const late = await record(
      sql,
      slow.run_id,
      { reads: [found(post, '30m', minutes(31), { likes: 1 })] },
      minutes(32),
    );
    expect(late).toMatchObject({ done: 0, metrics_rows: 0, skipped: { lease_lost: 2 } });
    expect(await collection('30m')).toMatchObject({ state: 'leased', lease_id: fast.run_id });
    await record(
      sql,
      fast.run_id,
      { reads: [found(post, '30m', minutes(32), { likes: 2 })] },
      minutes(32),
    );
    expect(await sql`select likes::int, run_id from public.real_tweet_metrics`).toEqual([
      { likes: 2, run_id: fast.run_id },
    ]);
  });

  it('of a run that nobody knows writes nothing', async () => {
    const { sql } = database;
    const before = await rowCounts(sql);
    const nobody = '00000000-0000-4000-8000-000000000000';
    const results = { followers: [followersFound(accountId, minutes(30), 100)] };
    expect(await record(sql, nobody, results, minutes(30))).toEqual({ code: 'run_unknown' });
    expect(await rowCounts(sql)).toEqual(before);
  });

  it('of a run that was closed as abandoned writes nothing', async () => {
    const { sql } = database;
    const { run_id } = await claim(sql, minutes(30));
    await sql`update public.pipeline_runs set started_at = ${minutes(30)}`;
    await sql`select postloop.cleanup(${hours(3)})`;
    const before = await rowCounts(sql);
    const results = { followers: [followersFound(accountId, minutes(30), 100)] };
    expect(await record(sql, run_id, results, hours(3))).toEqual({ code: 'run_closed' });
    expect(await rowCounts(sql)).toEqual(before);
  });

  it('tells what was done apart from what failed', async () => {
    const { sql } = database;
    const { run_id } = await claim(sql, minutes(30));
    const reply = await record(
      sql,
      run_id,
      {
        reads: [{ post_id: post, phase: '30m', outcome: 'shape_changed' }],
        followers: [followersFound(accountId, minutes(30), 100)],
      },
      minutes(30),
    );
    expect(reply).toMatchObject({ status: 'partial', expected: 2, done: 1, failed: 1 });
  });
});
