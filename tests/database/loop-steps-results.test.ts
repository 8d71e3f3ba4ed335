import { describe, expect, it } from 'vitest';
import type { StepName } from '../../shared/contracts/job.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import { invariant } from '../support/health.ts';
import { discover, finish, loopStep, POST, track } from '../support/loop.ts';
import {
  attribute,
  hourly,
  hours,
  learn,
  learningStatistics,
  minutes,
  registerAccount,
  storeFollowers,
  storeRead,
  T0,
} from '../support/scenario.ts';

let accountId: number;
const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const step = (name: StepName, now: Date) => loopStep(database.sql, name, now);
const found = (name: string, now: Date) => invariant(database.sql, name, now);

describe('attribution', () => {
  it('is broken once a read has waited for two and a half of its intervals', async () => {
    const { sql } = database;
    await track(database.sql);
    await storeRead(sql, POST, '2h', hours(2), { likes: 1 });
    expect((await step('attribution', hours(7))).state).toBe('empty');
    expect(await step('attribution', hours(7.1))).toMatchObject({
      count_7d: 0,
      state: 'broken',
      failing: ['reads_attributed'],
    });
    expect(await found('reads_attributed', hours(7.1))).toMatchObject({
      measured: `1 read waiting, the oldest for 5.1 h: 2h of post ${POST} of @somebot`,
      what_to_do: expect.stringContaining("select postloop.invoke_job('attribution');"),
    });
    await attribute(sql, hours(7));
    expect(await step('attribution', hours(7))).toMatchObject({
      count_7d: 1,
      newest_at: hours(7).toISOString(),
      state: 'ok',
    });
  });

  it('does not wait for reads that are not believed', async () => {
    const { sql } = database;
    await track(database.sql);
    await storeRead(sql, POST, '2h', hours(2), { likes: 1 });
    await sql`update public.real_tweet_metrics set quality = 'suspect'`;
    expect((await step('attribution', hours(9))).state).toBe('empty');
  });
});

describe('credit', () => {
  it('is ok once attribution has split the followers', async () => {
    const { sql } = database;
    await finish(database.sql, accountId);
    await attribute(sql, hours(60));
    expect(await step('credit', hours(66))).toMatchObject({
      count_7d: 1,
      newest_at: hours(60).toISOString(),
      state: 'ok',
    });
  });

  it('is broken when an attributed post between exact counts has none', async () => {
    const { sql } = database;
    await finish(database.sql, accountId);
    await attribute(sql, hours(60));
    await sql`delete from public.post_credit`;
    expect(await step('credit', hours(60))).toMatchObject({
      count_7d: 0,
      newest_at: null,
      state: 'broken',
      failing: ['posts_credited'],
    });
    expect((await found('posts_credited', hours(60))).measured).toBe(
      `1 post attributed without credit, the oldest is ${POST} of @somebot`,
    );
  });

  it.each([
    ['the followers were not counted before it', hourly(hours(1), [5, 6, 7, 8]), 9],
    ['they were not counted after its read', hourly(hours(-1), [4, 5, 6]), 9],
    ['the counts are of this interval of attribution', hourly(hours(-1), [4, 5, 6, 7]), 6.9],
  ])('is not expected of a post when %s', async (_, counts, now) => {
    const { sql } = database;
    await track(database.sql);
    await storeRead(sql, POST, '2h', hours(2), { impressions: 400 });
    await storeFollowers(sql, accountId, counts);
    await attribute(sql, hours(2));
    await sql`delete from public.post_credit`;
    expect((await found('posts_credited', hours(now))).status).toBe('ok');
  });
});

describe('learning', () => {
  it('is broken once a finished post was not learned for two and a half intervals', async () => {
    const { sql } = database;
    await finish(database.sql, accountId);
    await attribute(sql, hours(50));
    expect((await step('learning', hours(55))).state).toBe('empty');
    expect(await step('learning', hours(55.1))).toMatchObject({
      count_7d: 0,
      state: 'broken',
      failing: ['posts_learned'],
    });
    expect(await found('posts_learned', hours(55.1))).toMatchObject({
      measured: `1 post waiting, the oldest is ${POST} of @somebot`,
      what_to_do: expect.stringContaining("select postloop.invoke_job('learning');"),
    });
    await learn(sql, accountId, hours(55));
    expect(await step('learning', hours(55))).toMatchObject({
      count_7d: 1,
      newest_at: hours(55).toISOString(),
      state: 'ok',
    });
  });

  it('does not answer for what attribution has not taken up', async () => {
    await finish(database.sql, accountId);
    expect((await step('learning', hours(60))).state).toBe('empty');
    expect((await step('attribution', hours(60))).state).toBe('broken');
  });

  it('does not wait for a post whose impressions are not known', async () => {
    const { sql } = database;
    await track(database.sql);
    await storeRead(sql, POST, '48h', hours(48), { likes: 5 });
    await attribute(sql, hours(49));
    expect((await step('learning', hours(60))).state).toBe('empty');
  });
});

describe('performance', () => {
  it('is broken when the outcomes were computed and what they show was not recorded', async () => {
    const { sql } = database;
    await finish(database.sql, accountId);
    await attribute(sql, hours(60));
    await learningStatistics(sql, accountId, hours(60));
    expect((await step('performance', minutes(9, hours(60)))).state).toBe('empty');
    expect(await step('performance', minutes(10, hours(60)))).toMatchObject({
      count_7d: 0,
      newest_at: null,
      state: 'broken',
      failing: ['performance_recorded'],
    });
    expect((await found('performance_recorded', minutes(10, hours(60)))).measured).toBe(
      '1 account with outcomes and no performance, such as @somebot',
    );
    expect((await step('learning', minutes(10, hours(60)))).failing).toEqual([]);
    await learn(sql, accountId, hours(61));
    expect(await step('performance', hours(62))).toMatchObject({
      count_7d: 1,
      newest_at: hours(61).toISOString(),
      state: 'ok',
      detail: 'accounts: 1',
    });
  });

  it('is broken when a later run computed outcomes and recorded nothing', async () => {
    const { sql } = database;
    await finish(database.sql, accountId);
    await attribute(sql, hours(50));
    await learn(sql, accountId, hours(50));
    await sql`update public.account_learning set data_version = data_version + 1`;
    expect((await step('performance', hours(51))).state).toBe('ok');
    await learningStatistics(sql, accountId, hours(52));
    expect((await step('performance', hours(53))).state).toBe('broken');
  });

  it('is broken when its rows are gone', async () => {
    const { sql } = database;
    await finish(database.sql, accountId);
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    await sql`delete from public.dimension_performance`;
    expect((await step('performance', hours(61))).state).toBe('broken');
  });

  it('is not expected of posts that nobody decided', async () => {
    const { sql } = database;
    await discover(database.sql, accountId, [T0], T0);
    await storeRead(sql, snowflakeId(T0, 0), '48h', hours(48), { impressions: 900, likes: 9 });
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    expect((await step('performance', hours(61))).state).toBe('empty');
  });
});

describe('the interval of a job in postloop.jobs', () => {
  const failing = async (now: Date) => [
    ...(await step('attribution', now)).failing,
    ...(await step('learning', now)).failing,
  ];

  it('moves with it when the job is late, and when what it should have done is', async () => {
    const { sql } = database;
    await finish(sql, accountId);
    await attribute(sql, hours(50));
    await storeRead(sql, POST, '7d', hours(50), { impressions: 950 });
    await sql`insert into public.pipeline_runs ${sql(
      ['attribution', 'learning'].map((job) => ({
        job,
        status: 'succeeded',
        as_of: hours(50),
        finished_at: hours(50),
      })),
    )}`;
    expect(await failing(hours(55))).toEqual([]);
    const late = [
      'heartbeat_attribution',
      'reads_attributed',
      'heartbeat_learning',
      'posts_learned',
    ];
    expect(await failing(hours(55.1))).toEqual(late);
    await sql`update postloop.jobs set every = '6 hours' where job in ('attribution', 'learning')`;
    try {
      expect(await failing(hours(65))).toEqual([]);
      expect(await failing(hours(65.1))).toEqual(late);
      for (const name of late) {
        expect((await found(name, hours(65))).threshold).toContain('15 h');
      }
    } finally {
      await sql`update postloop.jobs set every = '2 hours' where job in ('attribution', 'learning')`;
    }
  });
});
