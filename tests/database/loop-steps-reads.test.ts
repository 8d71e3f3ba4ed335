import { beforeEach, describe, expect, it } from 'vitest';
import type { StepName } from '../../shared/contracts/job.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import { invariant } from '../support/health.ts';
import { loopStep, POST, scrape, track } from '../support/loop.ts';
import {
  claim,
  found,
  hourly,
  hours,
  minutes,
  record,
  registerAccount,
  storeFollowers,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const step = (name: StepName, now: Date) => loopStep(database.sql, name, now);
const check = (name: string, now: Date) => invariant(database.sql, name, now);

describe('due reads', () => {
  beforeEach(async () => {
    // their due reads are those of posts
    await database.sql`update public.follower_collections set next_attempt_at = ${hours(1000)}`;
  });

  it('are empty until the first falls due', async () => {
    await track(database.sql);
    expect(await step('due_reads', minutes(29))).toMatchObject({ count_7d: 0, state: 'empty' });
  });

  it('are warned of once nobody has claimed one for ten minutes, and broken after thirty', async () => {
    await track(database.sql);
    expect(await step('due_reads', minutes(40))).toMatchObject({
      count_7d: 1,
      newest_at: minutes(30).toISOString(),
      state: 'ok',
      warnings: [],
    });
    expect(await step('due_reads', minutes(41))).toMatchObject({
      state: 'ok',
      warnings: ['reads_on_time'],
    });
    expect(await step('due_reads', minutes(61))).toMatchObject({
      state: 'broken',
      failing: ['reads_on_time'],
    });
    expect(await check('reads_on_time', minutes(61))).toMatchObject({
      measured: `1 overdue, the oldest for 31 min: 30m of post ${POST} of @somebot`,
      what_to_do: expect.stringContaining('The scraper is not running'),
    });
  });

  it('are broken by a lease that ran out unnoticed', async () => {
    await track(database.sql);
    await claim(database.sql, minutes(31), 40, 180);
    await database.sql`delete from public.pipeline_runs`;
    expect((await step('due_reads', minutes(44))).warnings).toEqual([]);
    expect((await step('due_reads', minutes(45))).warnings).toEqual(['reads_on_time']);
    expect((await step('due_reads', minutes(65))).state).toBe('broken');
  });

  it('are ok again when they are read', async () => {
    await track(database.sql);
    await scrape(database.sql, accountId, minutes(60));
    expect(await step('due_reads', minutes(61))).toMatchObject({
      state: 'ok',
      detail: '1 done, 0 missed',
    });
  });

  it('are broken by a tracked post that has none, and name it', async () => {
    const { sql } = database;
    await track(database.sql);
    await sql`delete from public.metric_collections`;
    expect(await step('due_reads', minutes(10))).toMatchObject({
      state: 'broken',
      failing: ['posts_have_reads'],
    });
    expect(await check('posts_have_reads', minutes(10))).toMatchObject({
      measured: `1 post without, the newest is ${POST} of @somebot`,
      what_to_do: expect.stringContaining('select postloop.schedule_reads('),
    });
    await sql`select postloop.schedule_reads(${[POST]}, ${minutes(20)})`;
    expect((await step('due_reads', minutes(20))).state).toBe('empty');
  });

  it('are not expected of an account that is not read', async () => {
    const { sql } = database;
    await track(database.sql);
    await sql`delete from public.metric_collections`;
    await sql`delete from public.follower_collections`;
    expect(await step('due_reads', hours(4))).toMatchObject({ state: 'empty', failing: [] });
  });
});

describe('metrics', () => {
  it('are broken when a day of tries gave no number, and say what came instead', async () => {
    await track(database.sql);
    await scrape(database.sql, accountId, minutes(31), 'login_required');
    expect((await step('metrics', minutes(60))).state).toBe('empty');
    expect(await step('metrics', minutes(61))).toMatchObject({
      count_7d: 0,
      newest_at: null,
      state: 'broken',
      failing: ['reads_bring_numbers'],
    });
    expect(await check('reads_bring_numbers', minutes(61))).toMatchObject({
      measured: '1 read tried in 24 h without a number, mostly login_required',
      what_to_do: expect.stringContaining('login_required'),
    });
  });

  it.each(['found', 'deleted'])('are not broken when a try of the day was %s', async (outcome) => {
    const { sql } = database;
    await track(database.sql);
    await trackPost(sql, { postId: snowflakeId(T0, 1), dimensions: { tone: 'warm' } });
    const { run_id } = await claim(sql, minutes(31));
    const fine =
      outcome === 'found'
        ? found(POST, '30m', minutes(31), { impressions: 5 })
        : { post_id: POST, phase: '30m', outcome };
    const bad = { post_id: snowflakeId(T0, 1), phase: '30m', outcome: 'transient' };
    await record(sql, run_id, { reads: [fine, bad] }, minutes(31));
    expect(await step('metrics', hours(2))).toMatchObject({
      state: outcome === 'found' ? 'ok' : 'empty',
      failing: [],
      count_7d: outcome === 'found' ? 1 : 0,
    });
  });

  it('do not answer for reads that nobody tried', async () => {
    await track(database.sql);
    expect((await step('metrics', hours(3))).state).toBe('empty');
    expect((await step('due_reads', hours(3))).state).toBe('broken');
  });
});

describe('follower snapshots', () => {
  it('are empty on the day of registration, and broken after three hours', async () => {
    expect((await step('follower_snapshots', hours(3))).state).toBe('empty');
    expect(await step('follower_snapshots', minutes(181))).toMatchObject({
      state: 'broken',
      failing: ['follower_counts_fresh'],
    });
  });

  it('are ok while an exact count is younger than three hours', async () => {
    await storeFollowers(database.sql, accountId, hourly(T0, [100, 101]));
    expect(await step('follower_snapshots', hours(4))).toMatchObject({
      count_7d: 2,
      newest_at: hours(1).toISOString(),
      state: 'ok',
    });
    expect((await step('follower_snapshots', hours(4.1))).state).toBe('broken');
  });

  it('are broken by rounded counts, which nothing can use', async () => {
    await storeFollowers(database.sql, accountId, [
      { at: hours(3), followers: 1200, exact: false },
    ]);
    expect((await step('follower_snapshots', hours(3.5))).state).toBe('broken');
  });

  it('are not expected of an account that is gone', async () => {
    const { sql } = database;
    const { run_id } = await claim(sql, T0);
    await record(sql, run_id, { followers: [{ account_id: accountId, outcome: 'suspended' }] }, T0);
    expect((await step('follower_snapshots', hours(9))).state).toBe('empty');
    expect((await check('follower_counts_fresh', hours(9))).measured).toBe(
      'every account has one, gone from X: @somebot',
    );
  });
});
