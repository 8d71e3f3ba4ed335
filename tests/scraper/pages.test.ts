/** The real scraper in a real Chromium against the stand-in site. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NumbersProvider } from '../../local/x-site/numbers.ts';
import { startXSite, type XSite, type XSiteOptions } from '../../local/x-site/server.ts';
import { RATE_LIMIT_RESET, type Variant } from '../../local/x-site/variants.ts';
import { closeBrowser } from '../../scraper-lambda/src/browser/browser.ts';
import { createBrowserSource } from '../../scraper-lambda/src/browser/source.ts';

const POST = '2028000000000000001';
const REPLY = '2028000000000000777';
const PARENT = '2027999999999999000';
const GONE = '2028000000000000404';

const OWN = { likes: 264, retweets: 51, replies: 0, quotes: 3, bookmarks: 22, impressions: 32100 };
const OF_PARENT = {
  likes: 91000,
  retweets: 4000,
  replies: 700,
  quotes: 120,
  bookmarks: 800,
  impressions: 7_200_000,
};
const OF_REPLY = { likes: 3, retweets: 1, replies: 0, quotes: 0, bookmarks: 0, impressions: 82 };

const numbers: NumbersProvider = {
  post(id) {
    if (id === GONE) return null;
    if (id === PARENT) return { handle: 'someoneelse', ...OF_PARENT };
    if (id === REPLY) return { handle: 'somebot', replyTo: PARENT, ...OF_REPLY };
    return { handle: 'somebot', ...OWN };
  },
  account: (handle) =>
    handle === 'nobody' ? null : { followers: handle === 'somebot' ? 412 : 90210, posts: [POST] },
};

/** Long enough for every page here, short enough for those that never answer. */
const PATIENCE_MS = 4_000;

let site: XSite;
beforeAll(async () => {
  site = await startXSite({ numbers });
});
afterAll(async () => {
  await closeBrowser();
  await site.stop();
});

async function reading<Read>(
  work: (source: ReturnType<typeof createBrowserSource>) => Promise<Read>,
  baseUrl = site.url,
): Promise<Read> {
  const source = createBrowserSource({ baseUrl, patienceMs: PATIENCE_MS });
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

const readPost = (id: string, baseUrl?: string, handle: string | null = 'somebot') =>
  reading((source) => source.readPost({ id, handle }), baseUrl);
const readAs = (variant: Variant, id = POST) => readPost(id, `${site.url}/as/${variant}`);

/** The follower count of an account, as its profile page gives it. */
const readProfile = (handle: string, baseUrl?: string) =>
  reading(async (source) => {
    const ask = { accountId: 1, handle, posts: [], wantsFollowers: true };
    const { profile } = await source.readAccount(ask, () => PATIENCE_MS);
    return profile;
  }, baseUrl);
const readProfileAs = (variant: Variant) => readProfile('somebot', `${site.url}/as/${variant}`);

async function withSite<Result>(
  options: Partial<XSiteOptions>,
  work: (other: XSite) => Promise<Result>,
): Promise<Result> {
  const other = await startXSite({ numbers, ...options });
  try {
    return await work(other);
  } finally {
    await other.stop();
  }
}

describe('a post', () => {
  it('is read as its page’s own GraphQL call shows it, in spite of the noscript of every page', async () => {
    expect(await readPost(POST)).toMatchObject({
      outcome: 'found',
      id: POST,
      source: 'graphql',
      quality: 'exact',
      metrics: { ...OWN, profile_clicks: null },
      author: { handle: 'somebot', followers: 412 },
    });
  });

  it('is found without knowing its author', async () => {
    expect(await readPost(POST, site.url, null)).toMatchObject({ outcome: 'found', metrics: OWN });
  });

  it('is read for a logged-in reader, and in the older shape of users', async () => {
    await withSite({ detail: true, era: 'legacy' }, async (other) => {
      expect(await readPost(POST, other.url)).toMatchObject({
        outcome: 'found',
        metrics: OWN,
        author: { followers: 412 },
      });
      expect(other.served[0]?.operation).toBe('TweetDetail');
    });
  });

  it('first system 16: a reply gets its own numbers although its parent comes first', async () => {
    await withSite({ detail: true }, async (other) => {
      expect(await readPost(REPLY, other.url)).toMatchObject({ metrics: OF_REPLY });
      expect(other.served.map(({ post_id }) => post_id).sort()).toEqual([PARENT, REPLY]);
    });
  });

  it('is what the site says it served, number by number, over many reads in several tabs', async () => {
    const growing: NumbersProvider = {
      post: (id) => {
        const seed = Number(id.slice(-3));
        return {
          handle: 'somebot',
          likes: seed,
          retweets: seed % 7,
          replies: 0,
          quotes: seed % 3,
          bookmarks: 1,
          impressions: seed % 5 === 0 ? null : seed * 31,
        };
      },
      account: () => ({ followers: 500 }),
    };
    await withSite({ numbers: growing }, async (other) => {
      const ids = Array.from({ length: 30 }, (_, index) =>
        String(2028000000000000100n + BigInt(index)),
      );
      const reads = await reading(async (source) => {
        const queue = [...ids];
        const read = async () => {
          const results = [];
          for (let id = queue.shift(); id; id = queue.shift()) {
            results.push(await source.readPost({ id, handle: 'somebot' }));
          }
          return results;
        };
        return (await Promise.all([read(), read()])).flat();
      }, other.url);
      const seen = reads.map((read) =>
        read.outcome === 'found' ? [read.id, { ...read.metrics, profile_clicks: undefined }] : read,
      );
      const served = other.served.map(({ post_id, counts }) => [post_id, counts]);
      expect(new Map(seen as [string, unknown][])).toEqual(new Map(served as [string, unknown][]));
      expect(seen).toHaveLength(30);
    });
  });

  it('first system 19: that has fallen since the last read is read as it is', async () => {
    let likes = 9;
    const falling: NumbersProvider = {
      post: () => ({ handle: 'somebot', ...OWN, likes }),
      account: () => ({ followers: 412 }),
    };
    await withSite({ numbers: falling }, async (other) => {
      expect(await readPost(POST, other.url)).toMatchObject({ metrics: { likes: 9 } });
      likes = 8;
      expect(await readPost(POST, other.url)).toMatchObject({ metrics: { likes: 8 } });
    });
  });
});

describe('unusual but readable', () => {
  it.each<[Variant, object]>([
    ['with-visibility', OWN],
    ['ext-views', OWN],
    ['slow', OWN],
    ['views-absent', { ...OWN, impressions: null }],
  ])('%s', async (variant, metrics) => {
    expect(await readAs(variant)).toMatchObject({ outcome: 'found', source: 'graphql', metrics });
  });
});

describe('without a GraphQL answer', () => {
  const fromLabel = { ...OWN, quotes: null, profile_clicks: null };

  it.each<[Variant]>([['dom-only'], ['dom-only-ja']])(
    '%s is read from the action bar: zero parts are omitted, quotes are never there',
    async (variant) => {
      expect(await readAs(variant)).toEqual({
        outcome: 'found',
        id: POST,
        source: 'dom',
        quality: 'exact',
        metrics: fromLabel,
        author: null,
      });
    },
  );

  it('first system 16: a reply is read from its own article, not the first on the page', async () => {
    expect(await readAs('dom-only', REPLY)).toMatchObject({
      source: 'dom',
      metrics: { ...OF_REPLY, quotes: null },
    });
  });

  it('a language that is not known is refused', async () => {
    expect(await readAs('dom-only-tr')).toMatchObject({ outcome: 'shape_changed' });
  });

  it('and without an article it is transient when the patience is over', async () => {
    expect(await readAs('silent')).toEqual({
      outcome: 'transient',
      evidence: { page: 'no answer' },
    });
  });
});

describe('a refusal', () => {
  it.each<[Variant, string]>([
    ['deleted', 'deleted'],
    ['deleted-empty', 'deleted'],
    ['deleted-tombstone', 'deleted'],
    ['suspended', 'suspended'],
    ['suspended-tombstone', 'suspended'],
    ['protected', 'restricted'],
    ['nsfw-logged-out', 'restricted'],
    ['nsfw-no-age', 'restricted'],
    ['blocked-by-author', 'restricted'],
    ['exclusive', 'restricted'],
    ['session-banned', 'session_invalid'],
    ['session-locked', 'session_invalid'],
    ['cookies-bad', 'session_invalid'],
    ['login-wall', 'login_required'],
    ['guest-refused', 'login_required'],
    ['cloudflare', 'blocked'],
    ['script-shell', 'transient'],
    ['server-error', 'transient'],
    ['broken-shape', 'shape_changed'],
    ['wrong-post', 'wrong_post'],
    ['retweet-wrapper', 'wrong_post'],
  ])('%s is %s', async (variant, outcome) => {
    const read = await readAs(variant);
    expect(read.outcome).toBe(outcome);
    expect(read).not.toHaveProperty('metrics');
  });

  it.each<[Variant]>([['rate-limited'], ['rate-limited-code']])(
    '%s is rate_limited until the reset that X named',
    async (variant) => {
      expect(await readAs(variant)).toMatchObject({
        outcome: 'rate_limited',
        retry_at: new Date(RATE_LIMIT_RESET * 1000).toISOString(),
      });
    },
  );

  it('names what is missing from a changed shape', async () => {
    expect(await readAs('broken-shape')).toMatchObject({
      evidence: { missing: ['data.tweetResult.result.legacy.favorite_count'] },
    });
  });

  it('of a post that never was is deleted', async () => {
    expect((await readPost(GONE)).outcome).toBe('deleted');
  });

  it('of a site that cannot be reached is transient', async () => {
    const closed = await startXSite({ numbers });
    await closed.stop();
    expect(await readPost(POST, closed.url)).toEqual({
      outcome: 'transient',
      evidence: { navigation: 'net::ERR_CONNECTION_REFUSED' },
    });
  });
});

describe('a profile', () => {
  it('first system 6: has the followers that its page shows, account by account', async () => {
    const followers = [await readProfile('somebot'), await readProfile('someoneelse')];
    expect(followers).toMatchObject([
      { outcome: 'found', followers: 412, source: 'graphql' },
      { outcome: 'found', followers: 90210, source: 'graphql' },
    ]);
  });

  it('in the older shape has its followers too', async () => {
    await withSite({ era: 'legacy' }, async (other) => {
      const read = await readProfile('somebot', other.url);
      expect(read).toMatchObject({ outcome: 'found', followers: 412 });
    });
  });

  it('that never was is deleted', async () => {
    expect((await readProfile('nobody'))?.outcome).toBe('deleted');
  });

  it.each<[Variant, string]>([
    ['suspended', 'suspended'],
    ['rate-limited', 'rate_limited'],
    ['broken-shape', 'shape_changed'],
    ['login-wall', 'login_required'],
    ['cloudflare', 'blocked'],
  ])('that is %s is %s', async (variant, outcome) => {
    const read = await readProfileAs(variant);
    expect(read?.outcome).toBe(outcome);
    expect(read).not.toHaveProperty('followers');
  });
});
