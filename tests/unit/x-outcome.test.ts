import { describe, expect, it } from 'vitest';
import { readPostPayload } from '../../scraper-lambda/src/x/graphql.ts';
import {
  type HttpAnswer,
  judgeHttp,
  judgeTombstone,
  judgeUnavailable,
} from '../../scraper-lambda/src/x/outcome.ts';

const codes = (...list: number[]) => ({ errors: list.map((code) => ({ code, message: 'no' })) });

function answer(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const given: HttpAnswer = { status, headers, body: text };
  return judgeHttp(given, typeof body === 'string' ? undefined : body);
}

const LIMIT = { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '1790000000' };

describe('an HTTP answer', () => {
  it('429 is rate_limited until the reset that X names', () => {
    expect(answer(429, 'Rate limit exceeded', LIMIT)).toMatchObject({
      outcome: 'rate_limited',
      retry_at: '2026-09-21T14:13:20.000Z',
    });
  });

  it('429 without a reset is rate_limited with no moment made up', () => {
    expect(answer(429, '')).toEqual({ outcome: 'rate_limited', evidence: { status: 429 } });
  });

  it('code 88 with nothing remaining is rate_limited', () => {
    expect(answer(429, codes(88), LIMIT)).toMatchObject({
      outcome: 'rate_limited',
      retry_at: '2026-09-21T14:13:20.000Z',
    });
  });

  it('code 88 with calls remaining is a banned session', () => {
    expect(answer(429, codes(88), { ...LIMIT, 'x-rate-limit-remaining': '37' })?.outcome).toBe(
      'session_invalid',
    );
  });

  it.each([32, 64, 89, 326, 353])('code %i is session_invalid', (code) => {
    expect(answer(403, codes(code))?.outcome).toBe('session_invalid');
  });

  it('404 with an empty body is a refused guest', () => {
    expect(answer(404, '')?.outcome).toBe('login_required');
  });

  it('404 with a body is an unknown shape', () => {
    expect(answer(404, codes(34))).toMatchObject({
      outcome: 'shape_changed',
      evidence: { codes: [34] },
    });
  });

  it.each([403, 200, 503])('Cloudflare’s page is blocked, whatever its status: %i', (status) => {
    const html = '<title>Attention Required! | Cloudflare</title>';
    expect(answer(status, html)?.outcome).toBe('blocked');
  });

  it.each([500, 502, 503])('%i is transient', (status) => {
    expect(answer(status, 'Over capacity')?.outcome).toBe('transient');
  });

  it('200 is worth parsing', () => {
    expect(answer(200, { data: {} })).toBeNull();
  });
});

describe('errors inside a body', () => {
  const read = (body: unknown, headers = {}) =>
    readPostPayload('TweetResultByRestId', body, '1900000000000000001', headers);

  it('code 144 is deleted, with data or without', () => {
    expect(read({ ...codes(144), data: {} }).outcome).toBe('deleted');
    expect(read({ ...codes(144), data: { tweetResult: {} } }).outcome).toBe('deleted');
  });

  it('an empty tweetResult is deleted', () => {
    expect(read({ data: { tweetResult: {} } }).outcome).toBe('deleted');
  });

  it('a code says more than an empty tweetResult', () => {
    expect(read({ ...codes(131), data: { tweetResult: {} } }).outcome).toBe('transient');
  });

  it('code 88 inside a 200 is rate_limited until the reset', () => {
    expect(read({ ...codes(88), data: {} }, LIMIT)).toMatchObject({
      outcome: 'rate_limited',
      retry_at: '2026-09-21T14:13:20.000Z',
    });
  });

  it('an unknown code without data is an unknown shape', () => {
    expect(read({ ...codes(9999), data: {} })).toMatchObject({
      outcome: 'shape_changed',
      evidence: { codes: [9999] },
    });
  });
});

describe('TweetUnavailable', () => {
  it.each([
    ['Suspended', 'suspended'],
    ['Protected', 'restricted'],
    ['NsfwLoggedOut', 'restricted'],
    ['NsfwViewerHasNoStatedAge', 'restricted'],
    ['Blocked', 'restricted'],
    ['ExclusiveTweet', 'restricted'],
    ['SomethingNew', 'shape_changed'],
    [undefined, 'shape_changed'],
  ])('with reason %s is %s', (reason, outcome) => {
    expect(judgeUnavailable(reason).outcome).toBe(outcome);
  });
});

describe('a tombstone', () => {
  it.each([
    ['This Post was deleted by the Post author. Learn more', 'deleted'],
    ['This Post is from a suspended account. Learn more', 'suspended'],
    ['This Post is from an account that no longer exists. Learn more', 'suspended'],
    [
      'You’re unable to view this Post because this account owner limits who can view',
      'restricted',
    ],
    ['Age-restricted adult content. This content might not be appropriate', 'restricted'],
    ['This Post is unavailable. Learn more', 'restricted'],
    ['Entirely new words', 'shape_changed'],
  ])('that says "%s" is %s', (text, outcome) => {
    expect(judgeTombstone(text).outcome).toBe(outcome);
  });

  it('leaves none of its text in the evidence', () => {
    const text = 'Entirely new words';
    expect(JSON.stringify(judgeTombstone(text))).not.toContain('Entirely');
  });
});
