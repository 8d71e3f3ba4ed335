/**
 * What went wrong in the system that this one replaces, as far as the functions can prove that it
 * cannot happen again: failures that nobody noticed. Each test is named after the defect.
 */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { jobReplySchema } from '../../shared/contracts/job.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { call, lastRun, refusal, reply, withoutColumn } from '../support/calls.ts';
import {
  hourly,
  hours,
  only,
  registerAccount,
  reset,
  rowCounts,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let accountId: number;
const post = snowflakeId(T0);
const now = hours(60).toISOString();

beforeAll(async () => {
  stack = await startTestStack({ serve: ['attribution', 'learning', 'recommend', 'track-post'] });
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  await reset(stack.sql);
  accountId = await registerAccount(stack.sql);
});

async function finishPost(): Promise<void> {
  const { sql } = stack;
  await trackPost(sql, { dimensions: { tone: 'dry' } });
  await storeRead(sql, post, '48h', hours(48), { impressions: 500, likes: 5 });
  await storeFollowers(sql, accountId, hourly(hours(-2), Array(56).fill(100)));
}

it('2: a column that does not exist fails the call of track-post, and nothing is tracked', async () => {
  const { sql } = stack;
  const before = await rowCounts(sql);
  const answer = await withoutColumn(sql, 'post_attribution', 'viral_score', () =>
    refusal(stack, 'track-post', { post_id: post, account: 'somebot', viral_score: 1, now }),
  );
  expect(answer).toMatchObject({ status: 500, code: 'database_error' });
  expect(answer.message).toContain('viral_score');
  expect(await rowCounts(sql)).toEqual({
    ...before,
    integrity_events: (before.integrity_events ?? 0) + 1,
  });
});

it('2: a column that does not exist fails the call and the run of attribution, with nothing half-written', async () => {
  const { sql } = stack;
  await finishPost();
  const counts = await rowCounts(sql);
  const answer = await withoutColumn(sql, 'post_attribution', 'bookmarks', () =>
    refusal(stack, 'attribution', { now }),
  );
  expect(answer).toMatchObject({ status: 500, code: 'database_error' });
  expect(answer.message).toContain('bookmarks');
  expect(await lastRun(sql, 'attribution')).toMatchObject({
    status: 'failed',
    as_of: hours(60),
    expected: 1,
    done: 0,
    failed: 1,
    error: { code: 'database_error', message: expect.stringContaining('bookmarks') },
  });
  expect(await rowCounts(sql)).toEqual({
    ...counts,
    pipeline_runs: (counts.pipeline_runs ?? 0) + 1,
  });
  expect(await sql`select likes, last_updated from public.post_attribution`).toEqual([
    { likes: null, last_updated: null },
  ]);
  const { n } = only(await sql`select public.attribution_backlog(${now}) as n`);
  expect(n).toBe(1);

  const repaired = await reply(stack, 'attribution', { now }, jobReplySchema);
  expect(repaired).toMatchObject({ status: 'succeeded', expected: 1, done: 1 });
});

it('2: a column that does not exist fails the call of recommend, and no decision is answered', async () => {
  const { sql } = stack;
  const answer = await withoutColumn(sql, 'content_metadata', 'slate', () =>
    refusal(stack, 'recommend', { account: 'somebot', now }),
  );
  expect(answer).toMatchObject({ status: 500, code: 'database_error' });
  expect(await sql`select from public.content_metadata`).toHaveLength(0);
});

it('4: a job that cannot even say what it expects is no success', async () => {
  const { sql } = stack;
  await finishPost();
  const answer = await withoutColumn(sql, 'postloop.unattributed_reads', 'collected_at', () =>
    refusal(stack, 'attribution', { now }),
  );
  expect(answer).toMatchObject({ status: 500, code: 'database_error' });
  expect(await sql`select from public.pipeline_runs where status = 'succeeded'`).toHaveLength(0);
});

it('9: learning that fails fails the attribution run too; what was attributed stays, and is learned later', async () => {
  const { sql } = stack;
  await finishPost();
  const answer = await withoutColumn(sql, 'dimension_performance', 'confidence', () =>
    refusal(stack, 'attribution', { now }),
  );
  expect(answer).toMatchObject({ status: 502, code: 'learning_failed' });
  expect(await lastRun(sql, 'attribution')).toMatchObject({
    status: 'failed',
    expected: 1,
    done: 1,
    error: { code: 'learning_failed' },
  });
  expect(await lastRun(sql, 'learning')).toMatchObject({
    status: 'failed',
    expected: 1,
    done: 0,
    failed: 1,
    error: { code: 'database_error' },
  });
  expect(await sql`select likes::int, last_updated from public.post_attribution`).toEqual([
    { likes: 5, last_updated: hours(60) },
  ]);
  expect(await sql`select from public.dimension_performance`).toHaveLength(0);

  const retried = await reply(stack, 'learning', { now }, jobReplySchema);
  expect(retried).toMatchObject({ status: 'succeeded', expected: 1, done: 1 });
  await reply(stack, 'learning', { now, account_ids: [accountId] }, jobReplySchema);
  expect(await sql`select value, uses from public.dimension_performance`).toEqual([
    { value: 'dry', uses: 1 },
  ]);
});

it('9: one account that cannot be learned does not keep another from being learned', async () => {
  const { sql } = stack;
  await finishPost();
  const other = await registerAccount(sql, 'otherbot');
  const theirs = snowflakeId(hours(1));
  await trackPost(sql, { postedAt: hours(1), account: 'otherbot', dimensions: { tone: 'warm' } });
  await storeRead(sql, theirs, '48h', hours(50), { impressions: 700, likes: 7 });
  await sql`select public.attribute_posts(${now})`;
  const constraint = `check (account_id <> ${accountId})`;
  await sql.unsafe(`alter table public.dimension_performance add constraint unlucky ${constraint}`);
  try {
    await call(stack, 'learning', { now });
  } finally {
    await sql`alter table public.dimension_performance drop constraint unlucky`;
  }
  expect(await lastRun(sql, 'learning')).toMatchObject({
    expected: 2,
    done: 1,
    failed: 1,
  });
  expect(await sql`select account_id::int from public.dimension_performance`).toEqual([
    { account_id: other },
  ]);
  const { due } = only(await sql`select public.learning_backlog() as due`);
  expect(due.map(Number)).toEqual([accountId]);
});

it('25: the publishable key reads and writes nothing over REST', async () => {
  await finishPost();
  const headers = { apikey: stack.publishableKey, 'content-type': 'application/json' };
  const attempts = [
    ['GET', 'real_tweet_metrics?select=likes', undefined],
    ['PATCH', 'real_tweet_metrics?likes=eq.5', { likes: 9 }],
    ['DELETE', 'real_tweet_metrics?likes=eq.5', undefined],
    ['GET', 'tone_performance?select=value', undefined],
    ['POST', 'follower_snapshots', { account_id: accountId, followers: 30 }],
    ['POST', 'rpc/record_reads', {}],
    ['POST', 'rpc/track_post', { p_post_id: '1', p_posted_at: now, p_now: now }],
    ['POST', 'rpc/record_reads', { p_run_id: post, p_reads: [], p_followers: [], p_now: now }],
  ] as const;
  for (const [method, path, body] of attempts) {
    const response = await fetch(`${stack.apiUrl}/rest/v1/${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    expect([path, response.ok]).toEqual([path, false]);
    await response.body?.cancel();
  }
  expect(await stack.sql`select likes::int from public.real_tweet_metrics`).toEqual([{ likes: 5 }]);
});
