/** The stand-in of X's site, asked as its own pages ask. */
import { afterEach, describe, expect, it } from 'vitest';
import type { NumbersProvider } from '../../local/x-site/numbers.ts';
import type { SitePost } from '../../local/x-site/payloads.ts';
import { startXSite, type XSite, type XSiteOptions } from '../../local/x-site/server.ts';
import type { Trouble } from '../../local/x-site/trouble.ts';

const NOW = new Date('2026-03-02T12:00:00Z');
const COUNTS = { likes: 7, retweets: 2, replies: 1, quotes: 0, bookmarks: 3, impressions: 410 };

/** `count` ids, newest first, a minute apart. */
const idsOf = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    String((BigInt(NOW.getTime() - index * 60_000) - 1_288_834_974_657n) << 22n),
  );

function numbersOf(
  posts: string[],
  more: { post?: Record<string, Partial<SitePost>>; account?: object } = {},
): NumbersProvider {
  return {
    post: (id) => ({ handle: 'somebot', ...COUNTS, ...more.post?.[id] }),
    account: () => ({ followers: 412, posts, ...more.account }),
  };
}

let site: XSite;
afterEach(() => site.stop());

const COOKIES = { cookie: 'auth_token=a1; ct0=c1', 'x-csrf-token': 'c1' };
const SESSION = { authToken: 'a1', ct0: 'c1', handle: 'somebot' };

const start = async (options: XSiteOptions) => {
  site = await startXSite(options);
};

type Headers = Record<string, string>;

function call(operation: string, variables: object, headers: Headers = {}, prefix = '') {
  const query = encodeURIComponent(JSON.stringify(variables));
  const path = `${prefix}/i/api/graphql/hash/${operation}?variables=${query}`;
  return fetch(`${site.url}${path}`, { headers });
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is what these tests are about
async function body(response: Response | Promise<Response>): Promise<any> {
  return (await response).json();
}

async function userId(): Promise<string> {
  const { data } = await body(call('UserByScreenName', { screen_name: 'somebot' }));
  return data.user.result.rest_id;
}

/** One page of the timeline: its instructions, its entries without cursors, and the bottom one. */
async function timeline(cursor?: string) {
  const variables = { userId: await userId(), count: 20, ...(cursor ? { cursor } : {}) };
  const { data } = await body(call('UserTweets', variables));
  const instructions = data.user.result.timeline.timeline.instructions;
  const entries = instructions.at(-1).entries;
  return { instructions, entries: entries.slice(0, -2), bottom: entries.at(-1).content.value };
}

const entryIds = (entries: { entryId: string }[]) => entries.map(({ entryId }) => entryId);

describe('a timeline', () => {
  it('comes in pages of twenty posts, and the page after the last post has cursors only', async () => {
    const posts = idsOf(45);
    await start({ numbers: numbersOf(posts) });
    const first = await timeline();
    const second = await timeline(first.bottom);
    const third = await timeline(second.bottom);
    const end = await timeline(third.bottom);
    const pages = [first, second, third, end].map(({ entries }) => entryIds(entries));
    expect(pages.map(({ length }) => length)).toEqual([20, 20, 5, 0]);
    expect(pages.flat()).toEqual(posts.map((id) => `tweet-${id}`));
  });

  it('carries the exact counts and the follower count of its author, and logs them as served', async () => {
    const [id = ''] = idsOf(1);
    await start({ numbers: numbersOf([id]), now: () => NOW });
    const { entries } = await timeline();
    const tweet = entries[0].content.itemContent.tweet_results.result;
    expect(tweet).toMatchObject({
      rest_id: id,
      views: { state: 'EnabledWithCount', count: '410' },
      legacy: { favorite_count: 7, retweet_count: 2, reply_count: 1, bookmark_count: 3 },
      core: { user_results: { result: { relationship_counts: { followers: 412 } } } },
    });
    expect(site.served.at(-1)).toEqual({
      operation: 'UserTweets',
      at: NOW.toISOString(),
      post_id: id,
      handle: 'somebot',
      counts: COUNTS,
      followers: 412,
    });
  });

  it('shows a thread as one module, oldest first, and no answers to other people', async () => {
    const [third = '', answer = '', second = '', first = '', alone = ''] = idsOf(5);
    const strangers = '2000000000000000001';
    await start({
      numbers: numbersOf([third, answer, second, first, alone], {
        post: {
          [third]: { replyTo: second },
          [second]: { replyTo: first },
          [answer]: { replyTo: strangers },
          [strangers]: { handle: 'someoneelse' },
        },
      }),
    });
    const { entries } = await timeline();
    expect(entryIds(entries)).toEqual([`profile-conversation-${first}`, `tweet-${alone}`]);
    const { items, metadata } = entries[0].content;
    expect(metadata.conversationMetadata.allTweetIds).toEqual([first, second, third]);
    expect(items[2].item.itemContent.tweet_results.result.legacy).toMatchObject({
      conversation_id_str: first,
      in_reply_to_status_id_str: second,
      in_reply_to_screen_name: 'somebot',
    });
  });

  it('has the pinned post first, and beside the account’s own posts what was asked for', async () => {
    const posts = idsOf(12);
    await start({
      numbers: numbersOf(posts, {
        account: {
          pinned: posts[11],
          mixIn: ['retweet', 'promoted', 'other', 'suggestions', 'quote'],
        },
      }),
    });
    const { instructions, entries } = await timeline();
    expect(instructions.map(({ type }: { type: string }) => type)).toEqual([
      'TimelineClearCache',
      'TimelinePinEntry',
      'TimelineAddEntries',
    ]);
    expect(instructions[1].entry).toMatchObject({
      entryId: `tweet-${posts[11]}`,
      content: { itemContent: { socialContext: { contextType: 'Pin' } } },
    });
    expect(entries).toHaveLength(16);
    const items = entries.map(({ content }: { content: object }) => content);
    expect(entries[3].entryId).toMatch(/^tweet-/);
    expect(items[3].itemContent.tweet_results.result.legacy).toMatchObject({
      favorite_count: 0,
      retweeted_status_result: { result: { legacy: { favorite_count: 999_999 } } },
    });
    expect(entries[7].entryId).toMatch(/^promoted-tweet-/);
    expect(items[7].itemContent.promotedMetadata).toBeDefined();
    const stranger = items[11].itemContent.tweet_results.result.core.user_results.result;
    expect(stranger.core.screen_name).toBe('someoneelse');
    expect(entries[15].entryId).toMatch(/^who-to-follow-/);
    expect(items[0].itemContent.tweet_results.result.quoted_status_result).toBeDefined();
  });

  it('alone can deviate, by the account or by the address', async () => {
    const posts = idsOf(3);
    await start({ numbers: numbersOf(posts, { account: { timeline: 'degraded-zeros' } }) });
    const { entries } = await timeline();
    expect(entries[0].content.itemContent.tweet_results.result).toMatchObject({
      views: { count: '410' },
      legacy: { favorite_count: 0, retweet_count: 0, reply_count: 0, bookmark_count: 0 },
    });
    const prefix = '/as/UserTweets:rate-limited';
    const id = { userId: await userId() };
    expect((await call('UserTweets', id, {}, prefix)).status).toBe(429);
    const user = await body(call('UserByScreenName', { screen_name: 'somebot' }, {}, prefix));
    expect(user.data.user.result.relationship_counts.followers).toBe(412);
    const suspended = await body(call('UserTweets', id, {}, '/as/suspended'));
    expect(suspended.data.user.result).toMatchObject({ __typename: 'UserUnavailable' });
  });

  it('of a protected account is absent from a user that still has followers', async () => {
    await start({ numbers: numbersOf(idsOf(3), { account: { variant: 'protected' } }) });
    const user = await body(call('UserByScreenName', { screen_name: 'somebot' }));
    expect(user.data.user.result).toMatchObject({
      privacy: { protected: true },
      relationship_counts: { followers: 412 },
    });
    const { data } = await body(call('UserTweets', { userId: await userId() }));
    expect(data).toEqual({ user: { result: { __typename: 'User' } } });
  });
});

describe('a reader', () => {
  const [post = ''] = idsOf(1);

  it('with the cookies of a login gets posts by TweetDetail, a guest does not', async () => {
    await start({ numbers: numbersOf([post]), sessions: [SESSION] });
    const variables = { focalTweetId: post };
    expect((await call('TweetDetail', variables, COOKIES)).status).toBe(200);
    expect((await call('TweetDetail', variables)).status).toBe(404);
    const page = (headers: Headers) =>
      fetch(`${site.url}/somebot/status/${post}`, { headers }).then((reply) => reply.text());
    expect(await page(COOKIES)).toMatch(/"isLoggedIn":true[\s\S]*"operation":"TweetDetail"/);
    expect(await page({})).toMatch(/"isLoggedIn":false[\s\S]*"operation":"TweetResultByRestId"/);
  });

  it('whose login is unknown, was revoked or lacks its token is refused with X’s code', async () => {
    await start({ numbers: numbersOf([post]), sessions: [SESSION] });
    const refused = async (headers: Headers) => {
      const reply = await call('UserTweets', { screen_name: 'somebot' }, headers);
      return [reply.status, (await body(reply)).errors?.[0].code];
    };
    expect(await refused({ ...COOKIES, 'x-csrf-token': 'c2' })).toEqual([403, 353]);
    expect(await refused({ cookie: 'auth_token=a9; ct0=c1', 'x-csrf-token': 'c1' })).toEqual([
      401, 32,
    ]);
    expect(await refused(COOKIES)).toEqual([200, undefined]);
    site.revoke('a1');
    expect(await refused(COOKIES)).toEqual([401, 32]);
  });

  it('has a budget for each operation and window, told in the headers', async () => {
    let now = NOW;
    await start({
      numbers: numbersOf([post]),
      sessions: [SESSION],
      budgets: { session: { UserTweets: 2 }, guest: { UserTweets: 1 } },
      now: () => now,
    });
    const limits = async (headers: Headers) => {
      const reply = await call('UserTweets', { screen_name: 'somebot' }, headers);
      const left = reply.headers.get('x-rate-limit-remaining');
      return [reply.status, left, Number(reply.headers.get('x-rate-limit-reset'))];
    };
    const reset = NOW.getTime() / 1000 + 900;
    expect(await limits(COOKIES)).toEqual([200, '1', reset]);
    expect(await limits(COOKIES)).toEqual([200, '0', reset]);
    expect(await limits(COOKIES)).toEqual([429, '0', reset]);
    expect(await limits({})).toEqual([200, '0', reset]);
    expect(await limits({})).toEqual([429, '0', reset]);
    const other = await call('UserByScreenName', { screen_name: 'somebot' }, COOKIES);
    expect([other.status, other.headers.get('x-rate-limit-limit')]).toEqual([200, null]);
    now = new Date(reset * 1000);
    expect(await limits(COOKIES)).toEqual([200, '1', reset + 900]);
  });

  it('sees the analytics of a post only as its author', async () => {
    const numbers = {
      ...numbersOf([post]),
      analytics: () => ({
        impressions: 410,
        profileVisits: '12',
        hourly: [{ at: NOW, impressions: 40 }],
      }),
    };
    const other = { authToken: 'b1', ct0: 'c1', handle: 'someoneelse' };
    await start({ numbers, sessions: [SESSION, other] });
    const variables = { restId: post };
    const result = async (headers: Headers) =>
      (await body(call('TweetActivityQuery', variables, headers))).data.tweet_result_by_rest_id
        .result;
    expect(await result(COOKIES)).toEqual({
      __typename: 'Tweet',
      datapoints_grid: [
        { metric_type: 'Impressions', metric_value: 410 },
        { metric_type: 'ProfileVisits', metric_value: '12' },
      ],
      organic_metrics_time_series: [
        {
          metric_values: [{ metric_type: 'Impressions', metric_value: 40 }],
          timestamp: { iso8601_time: NOW.toISOString() },
        },
      ],
    });
    const others = await result({ ...COOKIES, cookie: 'auth_token=b1; ct0=c1' });
    expect(others.datapoints_grid).toEqual([]);
    expect((await call('TweetActivityQuery', variables)).status).toBe(404);
  });
});

describe('a site in trouble', () => {
  const reach = () => fetch(`${site.url}/somebot`);
  const ask = () => call('UserByScreenName', { screen_name: 'somebot' });

  it('cuts every connection while it lasts, and then serves as before', async () => {
    let trouble: Trouble | null = { kind: 'cut' };
    await start({ numbers: numbersOf(idsOf(1)), trouble: () => trouble });
    await expect(reach()).rejects.toThrow('fetch failed');
    await expect(ask()).rejects.toThrow('fetch failed');
    trouble = null;
    expect((await reach()).status).toBe(200);
    expect((await ask()).status).toBe(200);
  });

  it('answers every address with 503', async () => {
    await start({ numbers: numbersOf(idsOf(1)), trouble: () => ({ kind: 'server-error' }) });
    expect((await reach()).status).toBe(503);
    expect((await ask()).status).toBe(503);
  });

  it('answers every call with 429 and the moment of the reset, and still serves pages', async () => {
    const until = new Date('2026-03-02T12:15:00Z');
    await start({ numbers: numbersOf(idsOf(1)), trouble: () => ({ kind: 'rate-limited', until }) });
    expect((await reach()).status).toBe(200);
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('x-rate-limit-reset')).toBe(String(until.getTime() / 1000));
  });

  it('takes so much longer for every response', async () => {
    await start({
      numbers: numbersOf(idsOf(1)),
      trouble: () => ({ kind: 'slow', latencyMs: 80 }),
    });
    const startedAt = performance.now();
    expect((await ask()).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(79);
  });
});

it('traffic counts every response and its bytes by kind, after the latency asked for', async () => {
  const [post = ''] = idsOf(1);
  await start({
    numbers: numbersOf([post]),
    latencyMs: 60,
    pageWeight: { scripts: { count: 2, bytes: 5_000 }, thirdPartyBytes: 700 },
  });
  const startedAt = performance.now();
  const page = await (await fetch(`${site.url}/somebot`)).text();
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(59);
  const own = [...page.matchAll(/src="(\/assets[^"]+)"/g)].map(([, path]) => `${site.url}${path}`);
  const tag = /src="(http[^"]+)"/.exec(page)?.[1] ?? '';
  expect(new URL(tag).host).not.toBe(new URL(site.url).host);
  await Promise.all([...own, tag].map((url) => fetch(url)));
  const bytes = Buffer.byteLength(page);
  expect(site.traffic).toEqual({
    requests: 4,
    bytes: bytes + 10_700,
    byKind: {
      page: { requests: 1, bytes },
      script: { requests: 2, bytes: 10_000 },
      'third-party': { requests: 1, bytes: 700 },
    },
  });
  site.resetTraffic();
  expect(site.traffic.requests).toBe(0);
});
