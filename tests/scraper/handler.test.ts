/** The Lambda's handler from the claim to the rows: real Postgres, REST and Chromium. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NumbersProvider, PostAnswer } from '../../local/x-site/numbers.ts';
import { startXSite, type XSite } from '../../local/x-site/server.ts';
import { RATE_LIMIT_RESET } from '../../local/x-site/variants.ts';
import { closeBrowser } from '../../scraper-lambda/src/browser.ts';
import { handler } from '../../scraper-lambda/src/handler.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

const CONTEXT = { getRemainingTimeInMillis: () => 120_000 };
const POSTED_AT = new Date('2026-03-02T08:00:00Z');
/** The read of phase 30m is due. */
const DUE_AT = '2026-03-02T08:31:00.000Z';

/** A post id whose own time is `at`; `sequence` tells posts of the same moment apart. */
function postIdAt(at: Date, sequence: number): string {
  return String(((BigInt(at.getTime()) - 1_288_834_974_657n) << 22n) + BigInt(sequence));
}

let site: XSite;
let stack: TestStack;
let noFunctions: string;
let answers: Map<string, PostAnswer>;
/** What the handler logged, line by line. */
let logged: string[];

const numbers: NumbersProvider = {
  post: (id) => answers.get(id) ?? null,
  account: (handle) => ({ followers: handle === 'quietbot' ? 37 : 412 }),
};

const COUNTS = { likes: 23, retweets: 5, replies: 0, quotes: 1, bookmarks: 0, impressions: 825 };
const plain = (extra: Partial<typeof COUNTS> = {}): PostAnswer => ({
  handle: 'somebot',
  ...COUNTS,
  ...extra,
});

beforeAll(async () => {
  noFunctions = await mkdtemp(join(tmpdir(), 'postloop-no-functions-'));
  site = await startXSite({ numbers });
});
afterAll(async () => {
  await closeBrowser();
  await site.stop();
  await rm(noFunctions, { recursive: true });
});

beforeEach(async () => {
  answers = new Map();
  logged = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    logged.push(String(line));
    return true;
  });
  stack = await startTestStack({ functions: noFunctions });
  vi.stubEnv('SUPABASE_URL', stack.apiUrl);
  vi.stubEnv('POSTLOOP_SECRET_KEY', stack.secretKey);
  vi.stubEnv('X_BASE_URL', site.url);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await stack.stop();
});

/** Tracks posts of one account whose first read is due at `DUE_AT`. */
async function track(handle: string, posts: PostAnswer[]): Promise<string[]> {
  await stack.sql`select register_account(${handle}, ${stack.sql.json({ tone: ['dry', 'warm'] })}, ${POSTED_AT})`;
  const ids: string[] = [];
  for (const answer of posts) {
    const id = postIdAt(POSTED_AT, answers.size + 1);
    answers.set(id, answer);
    ids.push(id);
    await stack.sql`select track_post(${id}, ${POSTED_AT}, ${POSTED_AT}, p_account => ${handle},
      p_dimensions => ${stack.sql.json({ tone: 'dry' })})`;
  }
  return ids;
}

const rows = () =>
  stack.sql`select tweet_id, likes::int, retweets::int, replies::int, quotes::int, bookmarks::int,
    impressions::int, profile_clicks, source, quality, collected_at
    from real_tweet_metrics order by tweet_id`;
const schedule = (id: string) =>
  stack.sql`select phase, state, outcome, attempts, next_attempt_at from metric_collections
    where post_id = ${id} order by due_at`;

describe('one invocation', () => {
  test('records exactly the numbers that the site served, and the follower count they carried', async () => {
    const ids = await track('somebot', [
      plain(),
      plain({ likes: 0, retweets: 0, quotes: 0 }),
      { handle: 'somebot', ...COUNTS, variant: 'views-absent' },
    ]);
    site.served.length = 0;
    const reply = await handler({ now: DUE_AT }, CONTEXT);
    expect(reply).toMatchObject({
      claimed: 4,
      by_outcome: { found: 4 },
      metrics_rows: 3,
      follower_snapshots: 1,
      browser_started: true,
    });
    const served = new Map(site.served.map(({ post_id, counts }) => [post_id, counts]));
    expect([...(await rows())]).toEqual(
      ids.map((id) => ({
        tweet_id: id,
        ...served.get(id),
        profile_clicks: null,
        source: 'graphql',
        quality: 'exact',
        collected_at: new Date(DUE_AT),
      })),
    );
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'info', message: 'recorded', metrics_rows: 3, status: 'succeeded' },
    ]);
    expect(logged.join()).not.toContain(stack.secretKey);
    expect([...(await stack.sql`select followers::int, is_exact from follower_snapshots`)]).toEqual(
      [{ followers: 412, is_exact: true }],
    );
    expect(site.served.every(({ operation }) => operation !== 'UserByScreenName')).toBe(true);
  });

  test('opens the profile of an account that no post speaks for', async () => {
    await track('quietbot', []);
    const reply = await handler({ now: DUE_AT }, CONTEXT);
    expect(reply).toMatchObject({ claimed: 1, metrics_rows: 0, follower_snapshots: 1 });
    const [snapshot] = await stack.sql`select followers::int from follower_snapshots`;
    expect(snapshot).toEqual({ followers: 37 });
  });

  test('with nothing due starts no browser and is quick', async () => {
    await closeBrowser();
    await handler({ now: DUE_AT }, CONTEXT);
    const started = performance.now();
    const reply = await handler({ now: DUE_AT }, CONTEXT);
    expect(performance.now() - started).toBeLessThan(500);
    expect(reply).toMatchObject({ claimed: 0, by_outcome: {}, browser_started: false });
  });

  test('leaves the schedule as each outcome demands', async () => {
    const [gone = '', changed = '', again = ''] = await track('somebot', [
      'deleted',
      { handle: 'somebot', ...COUNTS, variant: 'broken-shape' },
      'server-error',
    ]);
    const reply = await handler({ now: DUE_AT }, CONTEXT);
    expect(reply.by_outcome).toMatchObject({ deleted: 1, shape_changed: 1, transient: 1 });
    expect((await schedule(gone)).every(({ state }) => state === 'ended')).toBe(true);
    expect((await schedule(again))[0]).toMatchObject({ state: 'waiting', outcome: 'transient' });
    expect(await rows()).toHaveLength(0);
    const [attempt] =
      await stack.sql`select evidence from collection_attempts where post_id = ${changed}`;
    expect(attempt?.evidence).toEqual({
      missing: ['data.tweetResult.result.legacy.favorite_count'],
      differing: [],
    });
  });

  test('stops at a rate limit: that read waits for the reset, the rest is due again at once', async () => {
    vi.stubEnv('PAGE_CONCURRENCY', '1');
    const [first = '', second = '', third = ''] = await track('somebot', [
      plain(),
      'rate-limited',
      plain(),
    ]);
    const reply = await handler({ now: DUE_AT }, CONTEXT);
    expect(reply.by_outcome).toMatchObject({ found: 2, rate_limited: 1, released: 1 });
    expect((await schedule(first))[0]).toMatchObject({ state: 'done' });
    expect((await schedule(second))[0]).toMatchObject({
      outcome: 'rate_limited',
      next_attempt_at: new Date(RATE_LIMIT_RESET * 1000),
    });
    expect((await schedule(third))[0]).toMatchObject({
      state: 'waiting',
      attempts: 0,
      next_attempt_at: new Date(DUE_AT),
    });
  });

  test('beside another one records every due read exactly once', async () => {
    const ids = await track(
      'somebot',
      Array.from({ length: 12 }, () => plain()),
    );
    vi.stubEnv('CLAIM_LIMIT', '7');
    const replies = await Promise.all([
      handler({ now: DUE_AT }, CONTEXT),
      handler({ now: DUE_AT }, CONTEXT),
    ]);
    expect(replies[0].metrics_rows + replies[1].metrics_rows).toBe(12);
    expect((await rows()).map(({ tweet_id }) => tweet_id)).toEqual(ids);
  });
});

describe('an invocation that cannot do its work rejects', () => {
  test('when the database refuses what it read, and nothing is stored', async () => {
    await track('somebot', [plain()]);
    await stack.sql`alter table real_tweet_metrics rename column bookmarks to saved`;
    await expect(handler({ now: DUE_AT }, CONTEXT)).rejects.toMatchObject({
      code: 'record_failed',
    });
    expect(await stack.sql`select from real_tweet_metrics`).toHaveLength(0);
    expect(await stack.sql`select from follower_snapshots`).toHaveLength(0);
  });

  test('when the key is not accepted, without telling the key', async () => {
    vi.stubEnv('POSTLOOP_SECRET_KEY', 'sb_secret_wrong');
    const failure = await handler({ now: DUE_AT }, CONTEXT).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'claim_failed' });
    expect(`${failure} ${logged.join()}`).not.toContain('sb_secret_wrong');
  });

  test('when no browser starts: everything is released at once, and nothing is stored', async () => {
    await closeBrowser();
    vi.stubEnv('CHROMIUM_PATH', '/bin/false');
    const [id = ''] = await track('somebot', [plain()]);
    await expect(handler({ now: DUE_AT }, CONTEXT)).rejects.toMatchObject({
      code: 'browser_failed',
    });
    expect((await schedule(id))[0]).toMatchObject({ state: 'waiting', attempts: 0 });
  });

  test('when its environment is incomplete, naming what to set', async () => {
    vi.stubEnv('POSTLOOP_SECRET_KEY', undefined);
    vi.stubEnv('SUPABASE_URL', 'nowhere');
    const failure = await handler({}, CONTEXT).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'environment_invalid' });
    expect(String(failure)).toMatch(/SUPABASE_URL: .*POSTLOOP_SECRET_ARN: /);
  });

  test('when the event names no moment', async () => {
    await expect(handler({ now: 'yesterday' }, CONTEXT)).rejects.toMatchObject({
      code: 'event_invalid',
    });
  });
});
