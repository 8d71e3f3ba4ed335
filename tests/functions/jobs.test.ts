import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { healthReplySchema, jobReplySchema } from '../../shared/contracts/job.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { lastRun, reply } from '../support/calls.ts';
import {
  hourly,
  hours,
  minutes,
  only,
  registerAccount,
  reset,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let accountId: number;
beforeAll(async () => {
  stack = await startTestStack({
    serve: ['attribution', 'health', 'learning'],
    since: T0,
    changeBody: (body, { now }) => ({ ...(body as object), now: now.toISOString() }),
  });
  // What must hold is not what these tests are about: on their clock some jobs never ran.
  await stack.sql`delete from postloop.checks where check_name <> 'schema'`;
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  await reset(stack.sql);
  accountId = await registerAccount(stack.sql);
});

/** Posts an hour apart from T0 on, each with a read at 2 and at 48 hours, and hourly followers. */
async function liveThrough(account = 'somebot', id = accountId, posts = 3): Promise<void> {
  const { sql } = stack;
  for (let n = 0; n < posts; n += 1) {
    const postedAt = hours(n);
    const postId = snowflakeId(postedAt, id);
    const tone = n % 2 === 0 ? 'dry' : 'warm';
    await trackPost(sql, { postId, postedAt, account, dimensions: { tone, topic: 'pricing' } });
    await storeRead(sql, postId, '2h', hours(2, postedAt), { impressions: 400, likes: 4 });
    const later = { impressions: 900 + n, likes: 9 + n, retweets: 1, replies: 0, bookmarks: 2 };
    await storeRead(sql, postId, '48h', hours(48, postedAt), later);
  }
  const growth = Array.from({ length: 60 }, (_, n) => 1000 + 3 * n + Math.min(20, 5 * n));
  await storeFollowers(sql, id, hourly(hours(-2), growth));
}

const run = (name: string, body: object) => reply(stack, name, body, jobReplySchema);

describe('attribution', () => {
  it('takes new reads to their posts and has the changed accounts learned', async () => {
    const { sql } = stack;
    await liveThrough();
    const answer = await run('attribution', { now: hours(60).toISOString() });
    expect(answer).toMatchObject({
      job: 'attribution',
      status: 'succeeded',
      expected: 3,
      done: 3,
      failed: 0,
      skipped: {},
      details: { account_ids: [accountId], learning_run_id: expect.any(String) },
    });
    const posts = await sql`
      select impressions::int, followers_before::int, followers_48h_after::int, followers_gained
      from public.post_attribution order by posted_at`;
    expect(posts.map((row) => row.impressions)).toEqual([900, 901, 902]);
    expect(posts.every((row) => row.followers_before > 0 && row.followers_48h_after > 0)).toBe(
      true,
    );
    expect(posts.every((row) => row.followers_gained > 0)).toBe(true);
    expect(
      await sql`select dimension, value, uses from public.dimension_performance order by 1, 2`,
    ).toEqual([
      { dimension: 'tone', value: 'dry', uses: 2 },
      { dimension: 'tone', value: 'warm', uses: 1 },
      { dimension: 'topic', value: 'pricing', uses: 3 },
    ]);
    expect(await lastRun(sql, 'attribution')).toMatchObject({
      run_id: answer.run_id,
      status: 'succeeded',
      as_of: hours(60),
      expected: 3,
      done: 3,
      error: null,
    });
    expect(await lastRun(sql, 'learning')).toMatchObject({
      run_id: answer.details.learning_run_id,
      status: 'succeeded',
      as_of: hours(60),
      expected: 1,
      done: 1,
    });
  });

  it('has nothing to do the second time, and says so', async () => {
    const { sql } = stack;
    await liveThrough();
    const now = hours(60).toISOString();
    await run('attribution', { now });
    const learned = await sql`select * from public.dimension_performance order by dimension, value`;
    const again = await run('attribution', { now });
    expect(again).toMatchObject({ status: 'succeeded', expected: 0, done: 0 });
    expect(again.details).toMatchObject({ account_ids: [], rows_changed: 0 });
    expect(await sql`select from public.pipeline_runs where job = 'learning'`).toHaveLength(1);
    expect(await sql`select * from public.dimension_performance order by dimension, value`).toEqual(
      learned,
    );
  });

  it('replays the moment that the caller names', async () => {
    const { sql } = stack;
    await liveThrough();
    const early = await run('attribution', { now: hours(2.5).toISOString() });
    expect(early).toMatchObject({ expected: 1, done: 1 });
    expect(new Date(early.as_of)).toEqual(hours(2.5));
    const impressions = await sql`
      select impressions::int from public.post_attribution order by posted_at`;
    expect(impressions.map((row) => row.impressions)).toEqual([400, null, null]);
    expect(await run('attribution', { now: hours(60).toISOString() })).toMatchObject({ done: 3 });
  });

  it('does all of it once when two calls come at the same time', async () => {
    await liveThrough();
    const now = hours(60).toISOString();
    const answers = await Promise.all([run('attribution', { now }), run('attribution', { now })]);
    expect(answers.map(({ done }) => done).sort()).toEqual([0, 3]);
    expect(answers.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    const { versions } = only(
      await stack.sql`select sum(data_version)::int as versions from public.account_learning`,
    );
    expect(versions).toBe(1);
  });
});

describe('learning', () => {
  it('learns the accounts that changed, each as one unit of work', async () => {
    const other = await registerAccount(stack.sql, 'otherbot');
    await registerAccount(stack.sql, 'idlebot');
    await liveThrough();
    await liveThrough('otherbot', other, 2);
    await stack.sql`select public.attribute_posts(${hours(60)})`;
    const answer = await run('learning', { now: hours(60).toISOString() });
    expect(answer).toMatchObject({ job: 'learning', expected: 2, done: 2, details: { values: 6 } });
    expect(await run('learning', { now: hours(61).toISOString() })).toMatchObject({
      status: 'succeeded',
      expected: 0,
      done: 0,
    });
  });

  it('tells two dimensions apart that were nearly always chosen together', async () => {
    const { sql } = stack;
    for (let n = 0; n < 120; n += 1) {
      const postedAt = hours(6 * n);
      const postId = snowflakeId(postedAt, n);
      // pricing is seen three times as often; nine posts in ten on it are warm, of the others one
      const isPricing = n % 2 === 0;
      const isOdd = n % 20 < 2;
      const dimensions = {
        topic: isPricing ? 'pricing' : 'hiring',
        tone: isPricing === isOdd ? 'dry' : 'warm',
      };
      await trackPost(sql, { postId, postedAt, dimensions });
      const impressions = (isPricing ? 3000 : 1000) + ((7919 * n) % 400);
      await storeRead(sql, postId, '48h', hours(48, postedAt), { impressions });
    }
    const now = hours(6 * 120 + 50).toISOString();
    await run('attribution', { now });
    const rows = await sql`
      select value, effect, marginal_mean, prob_above_average, lift
      from public.dimension_performance order by dimension, value`;
    const [dry, warm, , pricing] = rows;
    expect(warm?.marginal_mean - dry?.marginal_mean).toBeGreaterThan(0.8);
    expect(Math.abs(warm?.effect)).toBeLessThan(0.1);
    expect(pricing).toMatchObject({ value: 'pricing', prob_above_average: expect.closeTo(1, 6) });
    // against the average of two topics, of which the other has a third
    expect(pricing?.lift).toBeGreaterThan(0.5);
    expect(pricing?.lift).toBeLessThan(0.85);
    const learned = await sql`select * from public.dimension_performance order by dimension, value`;
    await run('learning', { now, account_ids: [accountId] });
    expect(await sql`select * from public.dimension_performance order by dimension, value`).toEqual(
      learned,
    );
  });

  it('learns the accounts that are named, whether or not they changed', async () => {
    const other = await registerAccount(stack.sql, 'otherbot');
    await liveThrough();
    await liveThrough('otherbot', other, 2);
    await run('attribution', { now: hours(60).toISOString() });
    const before = await stack.sql`
      select value, uses from public.dimension_performance order by account_id, dimension, value`;
    const body = { now: hours(61).toISOString(), account_ids: [other] };
    expect(await run('learning', body)).toMatchObject({ expected: 1, done: 1 });
    expect(
      await stack.sql`
        select value, uses from public.dimension_performance order by account_id, dimension, value`,
    ).toEqual(before);
    const unknown = { account_ids: [2_000_000_000] };
    expect(await run('learning', unknown)).toMatchObject({ expected: 0, done: 0 });
  });
});

describe('health', () => {
  it('reports every job that leaves runs', async () => {
    const { sql } = stack;
    await liveThrough();
    await run('attribution', { now: hours(60).toISOString() });
    const answer = await reply(
      stack,
      'health',
      { now: hours(60.1).toISOString() },
      healthReplySchema,
    );
    const jobs = answer.jobs ?? [];
    const states = Object.fromEntries(jobs.map((one) => [one.job, one.state]));
    expect(states).toMatchObject({
      attribution: 'ok',
      learning: 'ok',
      scraper: 'never_ran',
      cleanup: 'never_ran',
    });
    const scheduled = await sql`select job from postloop.jobs where every is not null order by job`;
    expect(jobs.map((one) => one.job)).toEqual(scheduled.map((row) => row.job));
    expect(await lastRun(sql, 'health')).toMatchObject({
      run_id: answer.run_id,
      status: 'succeeded',
      expected: 1,
      done: 1,
      as_of: hours(60.1),
    });
  });

  it('answers an empty body, as of now', async () => {
    const before = Date.now();
    const answer = await reply(stack, 'health', undefined, healthReplySchema);
    expect(Date.parse(answer.as_of)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(answer.as_of)).toBeLessThanOrEqual(Date.now());
  });
});

it('is all started by pg_cron through pg_net, with the key from Vault', async () => {
  const { sql } = stack;
  await liveThrough();
  // A copy of the template database has the template's name in its jobs.
  await sql`select cron.alter_job(jobid, database := current_database()) from cron.job`;
  const { runs, sent } = await stack.scheduler.tick(minutes(125));
  const inDatabase: (string | null)[] = ['postloop-watch', 'postloop-early-warning'];
  const calling = runs.filter(({ jobname }) => !inDatabase.includes(jobname));
  expect(calling.map((one) => `${one.due.toISOString().slice(11, 16)} ${one.jobname}`)).toEqual([
    '12:05 postloop-attribution',
    '12:15 postloop-health',
    '12:30 postloop-health',
    '12:35 postloop-learning',
    '12:45 postloop-health',
    '13:00 postloop-health',
    '13:15 postloop-health',
    '13:30 postloop-health',
    '13:45 postloop-health',
    '14:00 postloop-health',
    '14:05 postloop-attribution',
  ]);
  expect(runs.every(({ status }) => status === 'succeeded')).toBe(true);
  expect(sent.map(({ status }) => status)).toEqual(Array(11).fill(200));
  expect(await lastRun(sql, 'attribution')).toMatchObject({
    status: 'succeeded',
    as_of: minutes(125),
    expected: 1,
    done: 1,
  });
});
