import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recommendReplySchema } from '../../shared/contracts/recommend.ts';
import { trackPostReplySchema } from '../../shared/contracts/track-post.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { call, refusal, reply } from '../support/calls.ts';
import {
  hours,
  json,
  minutes,
  only,
  registerAccount,
  reset,
  rowCounts,
  storeFollowers,
  T0,
} from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let accountId: number;
const post = snowflakeId(T0);
const now = minutes(5).toISOString();

beforeAll(async () => {
  stack = await startTestStack({ serve: ['recommend', 'track-post'] });
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  await reset(stack.sql);
  accountId = await registerAccount(stack.sql);
  await decide('d1', { tone: 'dry', topic: 'pricing' });
});

const decide = (id: string, assigned: Record<string, string>) => stack.sql`
  insert into public.content_metadata (decision_id, account_id, origin, assigned)
  values (${id}, ${accountId}, 'manual', ${json(stack.sql, assigned)})`;

const track = (body: object, status = 201) =>
  reply(stack, 'track-post', body, trackPostReplySchema, status);

describe('a post', () => {
  it('is tracked with every column that the caller sends', async () => {
    const { sql } = stack;
    await storeFollowers(sql, accountId, [{ at: hours(-1), followers: 321 }]);
    const answer = await track({
      post_id: post,
      decision_id: 'd1',
      account: 'somebot',
      posted_at: '2026-03-01T13:00:30+01:00',
      kind: 'thread',
      dimensions: { tone: 'warm' },
      viral_score: 0.875,
      now,
    });
    expect(answer).toMatchObject({
      code: 'created',
      post: {
        post_id: post,
        account_id: accountId,
        decision_id: 'd1',
        kind: 'thread',
        realised: { tone: 'warm', topic: 'pricing' },
        viral_score: 0.875,
        followers_before: 321,
      },
    });
    expect(answer.collections).toHaveLength(6);
    const row = only(
      await sql`
        select post_id, account_id::int, decision_id, posted_at, kind, realised, viral_score,
          tracked_at, tone, topic, followers_before::int
        from public.post_attribution`,
    );
    expect(row).toEqual({
      post_id: post,
      account_id: accountId,
      decision_id: 'd1',
      posted_at: minutes(0.5),
      kind: 'thread',
      realised: { tone: 'warm', topic: 'pricing' },
      viral_score: 0.875,
      tracked_at: minutes(5),
      tone: 'warm',
      topic: 'pricing',
      followers_before: 321,
    });
    expect(await sql`select phase from public.metric_collections`).toHaveLength(6);
  });

  it('has the time inside its id when the caller sends none', async () => {
    await track({ post_id: post, account: 'somebot', now });
    expect(await stack.sql`select posted_at from public.post_attribution`).toEqual([
      { posted_at: T0 },
    ]);
  });

  it('keeps all the digits of its id', async () => {
    const id = '2028089765432109871';
    const answer = await track({ post_id: id, account: 'somebot', now: '2027-01-01T00:00:00Z' });
    expect(answer.post.post_id).toBe(id);
    expect(await stack.sql`select post_id from public.post_attribution`).toEqual([{ post_id: id }]);
  });

  it('is the same row when the same call comes again: 201, then 200', async () => {
    const body = { post_id: post, decision_id: 'd1', viral_score: 2, now };
    const first = await track(body, 201);
    const before = await rowCounts(stack.sql);
    const second = await track(body, 200);
    expect(second).toEqual({ ...first, code: 'exists' });
    expect(await rowCounts(stack.sql)).toEqual(before);
  });

  it('is one row when two calls come at once', async () => {
    const body = { post_id: post, decision_id: 'd1', now };
    const answers = await Promise.all([
      call(stack, 'track-post', body),
      call(stack, 'track-post', body),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 201]);
    expect(await stack.sql`select from public.post_attribution`).toHaveLength(1);
  });

  it('is tracked with the decision that recommend gave for it', async () => {
    const { decisions } = await reply(
      stack,
      'recommend',
      { account: 'somebot', now: T0.toISOString() },
      recommendReplySchema,
    );
    const decision = decisions[0];
    const answer = await track({ post_id: post, decision_id: decision?.decision_id, now });
    expect(answer.post.realised).toEqual(decision?.dimensions);
    const row = only(
      await stack.sql`select origin, propensity, decision_id from public.post_tracking`,
    );
    expect(row).toEqual({
      origin: 'recommended',
      propensity: decision?.propensity,
      decision_id: decision?.decision_id,
    });
  });
});

describe('a call is refused, and nothing is written', () => {
  it.each<[string, object, number, string, string]>([
    ['with an unknown decision', { decision_id: 'none' }, 404, 'decision_unknown', 'none'],
    [
      'with an unknown account',
      { account: 'nobody' },
      404,
      'account_unknown',
      'register_x_account',
    ],
    ['with an id that is no number', { post_id: '12a4' }, 400, 'body_invalid', 'post_id'],
    [
      'with an id that is a JSON number',
      { post_id: 1234 },
      400,
      'body_invalid',
      'must be a string',
    ],
    ['with an id that is empty', { post_id: '' }, 400, 'body_invalid', 'post_id'],
    [
      'with an unknown value',
      { dimensions: { tone: 'furious' } },
      422,
      'value_unknown',
      'dry, warm',
    ],
    [
      'with an unknown dimension',
      { dimensions: { mood: 'dry' } },
      422,
      'dimension_unknown',
      'mood',
    ],
    ['with a name that is none', { dimensions: { 'a b': 'x' } }, 400, 'body_invalid', 'dimension'],
    [
      'for a post of the future',
      { now: minutes(-5).toISOString() },
      422,
      'posted_in_future',
      'now',
    ],
    [
      'with a future posted_at',
      { post_id: '20', posted_at: '2999-01-01T00:00:00Z' },
      422,
      'posted_in_future',
      '2999',
    ],
    [
      'with a posted_at that contradicts the id',
      { posted_at: hours(-1).toISOString() },
      422,
      'posted_at_mismatch',
      'leave posted_at out',
    ],
    ['with an old id and no posted_at', { post_id: '20' }, 422, 'posted_at_required', 'posted_at'],
    ['with a kind nobody knows', { kind: 'poll' }, 400, 'body_invalid', 'kind'],
    ['without decision and account', { account: undefined }, 400, 'body_invalid', 'decision_id'],
  ])('%s', async (_, change, status, code, says) => {
    const before = await rowCounts(stack.sql);
    const body = { post_id: post, account: 'somebot', now, ...change };
    const answer = await refusal(stack, 'track-post', body);
    expect(answer).toMatchObject({ status, code });
    expect(answer.message).toContain(says);
    expect(await rowCounts(stack.sql)).toEqual(before);
  });

  it.each([
    ['another decision', { decision_id: 'd2' }, 'post_conflict'],
    ['other dimensions', { decision_id: 'd1', dimensions: { tone: 'warm' } }, 'post_conflict'],
    ['another account', { decision_id: 'd1', account: 'otherbot' }, 'account_conflict'],
  ])('with 409 when the post is known with %s', async (_, change, code) => {
    await decide('d2', { tone: 'dry' });
    await registerAccount(stack.sql, 'otherbot');
    await track({ post_id: post, decision_id: 'd1', now });
    const stored = await stack.sql`select * from public.post_attribution`;
    const before = await rowCounts(stack.sql);
    const answer = await refusal(stack, 'track-post', { post_id: post, now, ...change });
    expect(answer).toMatchObject({ status: 409, code });
    expect(await rowCounts(stack.sql)).toEqual(before);
    expect(await stack.sql`select * from public.post_attribution`).toEqual(stored);
  });

  it('with 409 when the decision belongs to another post', async () => {
    await track({ post_id: post, decision_id: 'd1', now });
    const other = { post_id: snowflakeId(minutes(1)), decision_id: 'd1', now };
    const before = await rowCounts(stack.sql);
    const answer = await refusal(stack, 'track-post', other);
    expect(answer).toMatchObject({
      status: 409,
      code: 'decision_taken',
      details: { post_id: post },
    });
    expect(await rowCounts(stack.sql)).toEqual(before);
  });
});
