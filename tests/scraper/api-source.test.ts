import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiSource } from '../../scraper-lambda/src/api/source.ts';
import type { AccountAsk } from '../../scraper-lambda/src/source.ts';
import { metricsSchema } from '../../shared/contracts/read.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import type { ApiPost, Problem } from '../support/x-api/answers.ts';
import { startXApi, type XApi } from '../support/x-api/server.ts';

const NOW = new Date('2026-03-02T10:00:00.000Z');
const APP = 'app-token';
const AUTHOR = 'token-of-somebot';
const PLENTY = () => 60_000;

/** Ids of posts of the last days, and of one from before non-public metrics are told. */
const idAt = (hoursAgo: number, sequence = 0) =>
  snowflakeId(new Date(NOW.getTime() - hoursAgo * 3_600_000), sequence);
const YOUNG = idAt(24);
const OLD = idAt(24 * 40);

const post = (likes: number, more: Partial<ApiPost> = {}): ApiPost => ({
  handle: 'somebot',
  likes,
  retweets: 5,
  replies: 0,
  quotes: 1,
  bookmarks: 2,
  impressions: 825,
  profileClicks: 17,
  linkClicks: 3,
  ...more,
});

let posts: Map<string, ApiPost | Problem>;
let accounts: Map<string, { followers: number } | Problem>;
let api: XApi;
let clock: Date;

beforeEach(async () => {
  posts = new Map<string, ApiPost | Problem>([
    [YOUNG, post(23)],
    [OLD, post(264)],
  ]);
  accounts = new Map([['somebot', { followers: 412 }]]);
  clock = NOW;
  api = await startXApi({
    numbers: {
      post: (id) => posts.get(id) ?? null,
      account: (handle) => accounts.get(handle.toLowerCase()) ?? null,
    },
    tokens: { [APP]: null, [AUTHOR]: 'somebot' },
    limit: 4,
    now: () => clock,
  });
});
afterEach(() => api.stop());

const sourceWith = (token: string) => createApiSource({ baseUrl: api.url, token, now: () => NOW });

function askFor(ids: string[], more: Partial<AccountAsk> = {}): AccountAsk {
  return {
    accountId: 1,
    handle: 'SomeBot',
    posts: ids.map((post_id) => ({ post_id, posted_at: NOW.toISOString(), previous: null })),
    wantsFollowers: true,
    ...more,
  };
}

const read = (token: string, ids: string[], more: Partial<AccountAsk> = {}) =>
  sourceWith(token).readAccount(askFor(ids, more), PLENTY);

describe('the API as a source', () => {
  it('gives an author every count of a post, with the clicks on the profile', async () => {
    const { posts: given, exhausted, events } = await read(AUTHOR, [YOUNG]);
    expect(given.get(YOUNG)).toEqual({
      outcome: 'found',
      id: YOUNG,
      source: 'api',
      quality: 'exact',
      metrics: {
        likes: 23,
        retweets: 5,
        replies: 0,
        quotes: 1,
        bookmarks: 2,
        impressions: 825,
        profile_clicks: 17,
      },
      author: { id: expect.any(String), handle: 'somebot', followers: 412 },
    });
    expect({ exhausted, events, requests: api.requests.length }).toEqual({
      exhausted: null,
      events: [],
      requests: 1,
    });
  });

  it('gives the follower count along with the posts, or asks for it alone', async () => {
    const along = await read(APP, [YOUNG]);
    expect(along.profile).toMatchObject({ outcome: 'found', followers: 412, isExact: true });
    expect(api.requests.map(({ path }) => path)).not.toContain('/2/users/by/username/SomeBot');
    const alone = await read(APP, []);
    expect(alone.profile).toEqual({
      outcome: 'found',
      id: expect.any(String),
      handle: 'SomeBot',
      source: 'api',
      followers: 412,
      isExact: true,
    });
    expect(api.requests.at(-1)?.path).toBe('/2/users/by/username/SomeBot');
  });

  it('leaves the clicks unknown where the token may not see them, and asks no more for them', async () => {
    const source = sourceWith(APP);
    const first = await source.readAccount(askFor([YOUNG]), PLENTY);
    expect(first.posts.get(YOUNG)).toMatchObject({
      outcome: 'found',
      metrics: { likes: 23, impressions: 825, profile_clicks: null },
    });
    await source.readAccount(askFor([YOUNG]), PLENTY);
    const fields = api.requests.map(({ query }) => query['tweet.fields'] ?? '');
    expect(fields.map((list) => list.includes('non_public_metrics'))).toEqual([true, false, false]);
  });

  it('asks for non-public metrics of the last 30 days alone', async () => {
    const { posts: given } = await read(AUTHOR, [YOUNG, OLD]);
    expect(given.get(OLD)).toMatchObject({ metrics: { likes: 264, profile_clicks: null } });
    expect(given.get(YOUNG)).toMatchObject({ metrics: { likes: 23, profile_clicks: 17 } });
    expect(api.requests.map(({ query }) => query.ids)).toEqual([YOUNG, OLD]);
  });

  it('asks for a hundred posts at a time', async () => {
    const ids = Array.from({ length: 230 }, (_, index) => idAt(30, index));
    for (const [index, id] of ids.entries()) posts.set(id, post(index));
    const { posts: given } = await read(AUTHOR, ids);
    expect(api.requests.map(({ query }) => query.ids?.split(',').length)).toEqual([100, 100, 30]);
    expect(
      ids.map((id) => {
        const one = given.get(id);
        return one?.outcome === 'found' ? one.metrics.likes : one?.outcome;
      }),
    ).toEqual(ids.map((_, index) => index));
  });

  it.each([
    ['not-found', 'deleted'],
    ['not-authorized', 'restricted'],
    ['suspended', 'suspended'],
  ] as const)(
    'says of a post that is %s that it is %s, and gives the others',
    async (why, outcome) => {
      posts.set(OLD, why);
      const { posts: given, exhausted } = await read(AUTHOR, [YOUNG, OLD]);
      expect(given.get(OLD)?.outcome).toBe(outcome);
      expect(given.get(YOUNG)?.outcome).toBe('found');
      expect(exhausted).toBeNull();
    },
  );

  it.each([
    [null, 'deleted'],
    ['suspended', 'suspended'],
    ['not-authorized', 'restricted'],
  ] as const)('says of an account that is %s that it is %s', async (why, outcome) => {
    accounts = new Map(why ? [['somebot', why]] : []);
    const { profile } = await read(APP, []);
    expect(profile?.outcome).toBe(outcome);
  });

  it('does not take a retweet’s numbers, and tells of an edit', async () => {
    const newer = idAt(1);
    posts.set(YOUNG, post(0, { isRetweet: true }));
    posts.set(OLD, post(264, { edits: [OLD, newer] }));
    const { posts: given } = await read(AUTHOR, [YOUNG, OLD]);
    expect(given.get(YOUNG)?.outcome).toBe('wrong_post');
    expect(given.get(OLD)).toMatchObject({ outcome: 'found', evidence: { edited_to: newer } });
  });

  it('reads one post by itself, without knowing its author', async () => {
    expect(await sourceWith(APP).readPost({ id: YOUNG, handle: null })).toMatchObject({
      outcome: 'found',
      metrics: { likes: 23 },
    });
    expect((await sourceWith(APP).readPost({ id: '7', handle: null })).outcome).toBe('deleted');
  });
});

describe('a refusal of the API', () => {
  it('by its rate limit lasts until the reset and ends the reading', async () => {
    const source = sourceWith(AUTHOR);
    for (let spent = 0; spent < 4; spent += 1) await source.readAccount(askFor([YOUNG]), PLENTY);
    const { posts: given, exhausted, events } = await source.readAccount(askFor([YOUNG]), PLENTY);
    const until = '2026-03-02T10:15:00.000Z';
    expect(given.get(YOUNG)).toMatchObject({ outcome: 'rate_limited', retry_at: until });
    expect({ exhausted, events }).toEqual({ exhausted: { retryAt: until }, events: [] });

    clock = new Date(until);
    const later = await source.readAccount(askFor([YOUNG]), PLENTY);
    expect(later.posts.get(YOUNG)?.outcome).toBe('found');
  });

  it('in the middle leaves the other chunks untried', async () => {
    const ids = Array.from({ length: 150 }, (_, index) => idAt(30, index));
    api.answerNext({ status: 429, headers: { 'x-rate-limit-reset': '1790000000' }, body: {} });
    const { posts: given, exhausted } = await read(AUTHOR, ids);
    expect(given.size).toBe(100);
    expect(exhausted).toEqual({ retryAt: '2026-09-21T14:13:20.000Z' });
  });

  it('of an unknown token is session_invalid: an event, without the token', async () => {
    const given = await read('token-unknown', [YOUNG]);
    expect(given.posts.get(YOUNG)?.outcome).toBe('session_invalid');
    expect(given).toMatchObject({
      exhausted: { retryAt: null },
      events: [{ kind: 'session_invalid', details: { status: 401, source: 'api' } }],
    });
    expect(JSON.stringify([...given.posts, given.events])).not.toContain('token-unknown');
  });

  it.each([
    [
      '403 of the API',
      403,
      { title: 'Client Forbidden', type: 'client-forbidden' },
      'session_invalid',
    ],
    ['403 of Cloudflare', 403, '<title>Attention Required! | Cloudflare</title>', 'blocked'],
    ['503', 503, { title: 'Service Unavailable' }, 'transient'],
    ['500 without JSON', 500, 'oops', 'transient'],
    ['200 without JSON', 200, '<html>', 'transient'],
    ['400', 400, { title: 'Invalid Request', type: 'x/invalid-request' }, 'shape_changed'],
    ['404 of an unknown path', 404, { title: 'Not Found', type: 'about:blank' }, 'shape_changed'],
  ] as const)('with %s is typed', async (_name, status, body, outcome) => {
    api.answerNext({ status, body });
    const { posts: given } = await read(AUTHOR, [YOUNG]);
    expect(given.get(YOUNG)?.outcome).toBe(outcome);
  });

  it('of the fields as a whole is asked again without them', async () => {
    const type = 'https://api.x.com/2/problems/not-authorized-for-field';
    api.answerNext({ status: 403, body: { errors: [{ type, title: 'Field' }] } });
    const { posts: given } = await read(APP, [YOUNG]);
    expect(given.get(YOUNG)).toMatchObject({ outcome: 'found', metrics: { profile_clicks: null } });
  });

  it.each([
    ['a count that is missing', { public_metrics: { like_count: 3, retweet_count: 0 } }],
    ['a count as text', { public_metrics: { like_count: '3', retweet_count: 0, reply_count: 0 } }],
    ['no counts', {}],
  ])('is shape_changed with %s: paths as evidence, an event, no numbers', async (_name, fields) => {
    api.answerNext({
      status: 200,
      body: { data: [{ id: YOUNG, text: 'secret words', ...fields }] },
    });
    const { posts: given, events } = await read(AUTHOR, [YOUNG]);
    const one = given.get(YOUNG);
    expect(one?.outcome).toBe('shape_changed');
    expect(JSON.stringify(one)).toContain('data[].public_metrics');
    expect(events).toMatchObject([{ kind: 'shape_changed', post_id: YOUNG }]);
    expect(JSON.stringify([one, events])).not.toContain('secret words');
  });

  it('is shape_changed when the answer does not speak of a post, or of another', async () => {
    api.answerNext({ status: 200, body: { data: [{ id: OLD }] } });
    expect((await read(AUTHOR, [YOUNG])).posts.get(YOUNG)?.outcome).toBe('shape_changed');
  });

  it('is transient when nobody answers', async () => {
    const url = api.url;
    await api.stop();
    const source = createApiSource({ baseUrl: url, token: APP });
    expect((await source.readPost({ id: YOUNG, handle: null })).outcome).toBe('transient');
  });

  it('is not waited for: without time left nothing is tried', async () => {
    const given = await sourceWith(AUTHOR).readAccount(askFor([YOUNG]), () => 500);
    expect({ posts: given.posts.size, profile: given.profile }).toEqual({
      posts: 0,
      profile: null,
    });
    expect(api.requests).toEqual([]);
  });
});

it('every count of the API fits the contract', async () => {
  const { posts: given } = await read(AUTHOR, [YOUNG, OLD]);
  for (const one of given.values()) {
    expect(one.outcome === 'found' && metricsSchema.safeParse(one.metrics).success).toBe(true);
  }
});
