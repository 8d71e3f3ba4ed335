import { describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  attribute,
  type Counts,
  hourly,
  hours,
  minutes,
  only,
  registerAccount,
  storeFollowers,
  storeRead,
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

const read = (phase: string, at: Date, counts: Counts, id = post) =>
  storeRead(database.sql, id, phase, at, counts);

describe("a post's numbers", () => {
  const numbers = async () =>
    only(
      await database.sql`
        select likes::int, retweets::int, replies::int, impressions::int, engagement_rate,
          metrics_phase, metrics_captured_at, last_updated
        from public.post_attribution where post_id = ${post}`,
    );

  it('are those of the newest read by true time, whatever phase it was for', async () => {
    await read('48h', hours(48.1), { likes: 10 });
    await read('24h', hours(49), { likes: 20 });
    await attribute(database.sql, hours(50));
    expect(await numbers()).toMatchObject({
      likes: 20,
      metrics_phase: '24h',
      metrics_captured_at: hours(49),
      last_updated: hours(50),
    });
  });

  it('are taken whole from one read: what that did not show is null again', async () => {
    await read('30m', minutes(30), { likes: 3, retweets: 1, replies: 1, impressions: 100 });
    await read('2h', hours(2), { likes: 0, impressions: 300 });
    await attribute(database.sql, hours(3));
    expect(await numbers()).toMatchObject({
      likes: 0,
      retweets: null,
      replies: null,
      impressions: 300,
      engagement_rate: null,
    });
  });

  it('do not come from a read that was made after the run', async () => {
    const { sql } = database;
    await read('30m', minutes(30), { likes: 1 });
    await read('2h', hours(2), { likes: 2 });
    expect(await attribute(sql, hours(1))).toMatchObject({ expected: 1, done: 1 });
    expect(await numbers()).toMatchObject({ likes: 1 });
    expect(await attribute(sql, hours(2))).toMatchObject({ expected: 1, done: 1 });
    expect(await numbers()).toMatchObject({ likes: 2 });
  });

  it('are taken up once, and the account handed to learning', async () => {
    const { sql } = database;
    const idle = await registerAccount(sql, 'idlebot');
    await read('30m', minutes(30), { likes: 1 });
    await read('2h', hours(2), { likes: 2 });
    expect(await attribute(sql, hours(3))).toEqual({
      code: 'attributed',
      expected: 1,
      done: 1,
      // its numbers, and that its credit awaits follower counts
      rows_changed: 2,
      account_ids: [accountId],
      batches: 0,
      accounts_waiting: 0,
      more: false,
    });
    expect(await attribute(sql, hours(3))).toMatchObject({ expected: 0, done: 0, account_ids: [] });
    expect(
      await sql`select account_id::int, data_version::int from public.account_learning`,
    ).toEqual([{ account_id: accountId, data_version: 1 }]);
    expect(accountId).not.toBe(idle);
  });
});

describe('the follower horizons of a post', () => {
  const horizons = async () =>
    only(
      await database.sql`
        select followers_before::int as before, followers_2h_after::int as h2,
          followers_24h_after::int as h24, followers_48h_after::int as h48
        from public.post_attribution`,
    );

  it('are the exact counts at their moments, linear between snapshots', async () => {
    const { sql } = database;
    await storeFollowers(sql, accountId, [
      { at: hours(-1), followers: 1000 },
      { at: hours(1), followers: 1010 },
      { at: hours(3), followers: 1030 },
      { at: hours(24), followers: 1100 },
      { at: hours(46), followers: 1200 },
      { at: hours(50), followers: 1300 },
    ]);
    await attribute(sql, hours(51));
    expect(await horizons()).toEqual({ before: 1000, h2: 1020, h24: 1100, h48: 1250 });
  });

  it('are null where the snapshots around them are more than six hours apart', async () => {
    const { sql } = database;
    await storeFollowers(sql, accountId, [
      { at: hours(-7), followers: 1000 },
      { at: hours(0.5), followers: 1010 },
      { at: hours(20), followers: 1030 },
      { at: hours(27), followers: 1100 },
      { at: hours(47), followers: 1200 },
    ]);
    await attribute(sql, hours(51));
    expect(await horizons()).toEqual({ before: null, h2: null, h24: null, h48: null });
  });

  it('wait for the snapshot after them, and are filled by a later run', async () => {
    const { sql } = database;
    await storeFollowers(sql, accountId, hourly(hours(-1), Array(24).fill(500)));
    await attribute(sql, hours(22.5));
    expect(await horizons()).toEqual({ before: 500, h2: 500, h24: null, h48: null });
    await storeFollowers(sql, accountId, [{ at: hours(25), followers: 530 }]);
    await attribute(sql, hours(24.5));
    expect((await horizons()).h24).toBeNull();
    await attribute(sql, hours(26));
    expect(await horizons()).toEqual({ before: 500, h2: 500, h24: 520, h48: null });
  });

  it('know nothing of what comes after the run, when an old run is replayed', async () => {
    const { sql } = database;
    await storeFollowers(sql, accountId, hourly(hours(-1), Array(60).fill(500)));
    await attribute(sql, hours(10));
    expect(await horizons()).toEqual({ before: 500, h2: 500, h24: null, h48: null });
  });
});
