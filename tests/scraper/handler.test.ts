/** The Lambda's handler from the claim to the rows: real Postgres, REST and Chromium. */
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RATE_LIMIT_RESET } from '../../local/x-site/variants.ts';
import { closeBrowser } from '../../scraper-lambda/src/browser/browser.ts';
import { handler } from '../../scraper-lambda/src/handler.ts';
import {
  CONTEXT,
  COUNTS,
  DUE_AT,
  plain,
  renameFollowers,
  type Scene,
  useScenes,
} from '../support/scraper.ts';

const startScene = useScenes();
let scene: Scene;
beforeEach(async () => {
  scene = await startScene();
});
afterEach(() => scene.stop());

/** What the handler logged, line by line. */
const logged = () => scene.logged.map((line) => JSON.parse(line));

describe('one invocation', () => {
  it('records exactly the numbers that the site served, and the follower count of the profile', async () => {
    const ids = await scene.track('somebot', [
      plain(),
      plain({ likes: 0, retweets: 0, quotes: 0 }),
      plain({ variant: 'views-absent' }),
    ]);
    const reply = await scene.invoke();
    expect(reply).toMatchObject({
      runs: 1,
      claimed: 4,
      by_outcome: { found: 4 },
      metrics_rows: 3,
      follower_snapshots: 1,
      browser_started: true,
    });
    const served = new Map(scene.site.served.map(({ post_id, counts }) => [post_id, counts]));
    expect(await scene.rows()).toEqual(
      ids.map((id) => ({
        tweet_id: id,
        ...served.get(id),
        profile_clicks: null,
        source: 'graphql',
        quality: 'exact',
      })),
    );
    expect(logged()).toMatchObject([
      { level: 'INFO', message: 'recorded', status: 'succeeded' },
      { level: 'INFO', message: 'read', metrics_rows: 3, pages: 1 },
    ]);
    const snapshots = await scene.stack.sql`
      select followers::int, is_exact, captured_at from follower_snapshots`;
    expect([...snapshots]).toEqual([
      { followers: 412, is_exact: true, captured_at: new Date(DUE_AT) },
    ]);
  });

  it('opens the profile of an account that has no post due', async () => {
    await scene.track('quietbot', []);
    scene.accounts.set('quietbot', { followers: 37 });
    const reply = await scene.invoke();
    expect(reply).toMatchObject({ claimed: 1, metrics_rows: 0, follower_snapshots: 1 });
    const [snapshot] = await scene.stack.sql`select followers::int from follower_snapshots`;
    expect(snapshot).toEqual({ followers: 37 });
  });

  it('with nothing due starts no browser and makes one call: that of the claim', async () => {
    await closeBrowser();
    const fetched = vi.spyOn(globalThis, 'fetch');
    const reply = await scene.invoke();
    expect(reply).toMatchObject({ claimed: 0, by_outcome: {}, browser_started: false });
    expect(fetched.mock.calls.map(([address]) => new URL(String(address)).pathname)).toEqual([
      '/rest/v1/rpc/claim_reads',
    ]);
    expect(scene.site.traffic.requests).toBe(0);
  });

  it('claims again while its claims are full, until nothing is due', async () => {
    vi.stubEnv('CLAIM_LIMIT', '4');
    await scene.track(
      'somebot',
      Array.from({ length: 10 }, () => plain()),
    );
    const reply = await scene.invoke();
    expect(reply).toMatchObject({ runs: 3, claimed: 11, metrics_rows: 10 });
  });

  it('claims nothing more, and releases what it has not read, when its time is nearly over', async () => {
    vi.stubEnv('CLAIM_LIMIT', '2');
    const ids = await scene.track('somebot', [plain(), plain(), plain()]);
    const short = { getRemainingTimeInMillis: () => 13_000 };
    const reply = await scene.invoke(DUE_AT, short);
    expect(reply).toMatchObject({ runs: 1, by_outcome: { released: 3 }, browser_started: false });
    for (const id of ids) {
      expect((await scene.schedule(id))[0]).toMatchObject({ state: 'waiting', attempts: 0 });
    }
  });

  it('stops at a rate limit: what was tried waits for the reset, the rest is due at once', async () => {
    vi.stubEnv('PAGE_CONCURRENCY', '1');
    const [tried = ''] = await scene.track('limitedbot', [plain()]);
    const [untried = ''] = await scene.track('laterbot', [plain()]);
    scene.accounts.set('limitedbot', 'rate-limited');
    const reply = await scene.invoke();
    expect(reply.by_outcome).toEqual({ rate_limited: 2, released: 2 });
    expect((await scene.schedule(tried))[0]).toMatchObject({
      outcome: 'rate_limited',
      next_attempt_at: new Date(RATE_LIMIT_RESET * 1000),
    });
    expect((await scene.schedule(untried))[0]).toMatchObject({
      state: 'waiting',
      attempts: 0,
      next_attempt_at: new Date(DUE_AT),
    });
    const again = await scene.invoke('2026-03-02T08:32:00.000Z');
    expect(again).toMatchObject({ by_outcome: { released: 2 }, browser_started: false });
  });
});

describe('the browser', () => {
  it('is used again by the next invocation', async () => {
    await closeBrowser();
    await scene.track('somebot', [plain()]);
    expect(await scene.invoke()).toMatchObject({ browser_started: true });
    expect(await scene.invoke('2026-03-02T10:01:00.000Z')).toMatchObject({
      metrics_rows: 1,
      browser_started: false,
    });
  });

  it.each([
    ['PAGE_RECYCLE_AFTER', '1', 2],
    ['BROWSER_MEMORY_LIMIT_MB', '10', 6],
  ])('is replaced when it has reached %s', async (name, value, pages) => {
    await closeBrowser();
    vi.stubEnv(name, value);
    vi.stubEnv('PAGE_CONCURRENCY', '1');
    await scene.track('somebot', [plain()]);
    await scene.invoke();
    for (let n = 1; n < pages - 1; n += 1) {
      await scene.stack.sql`update follower_collections set next_attempt_at = ${DUE_AT}`;
      expect(await scene.invoke()).toMatchObject({ claimed: 1, browser_started: false });
    }
    await scene.stack.sql`update follower_collections set next_attempt_at = ${DUE_AT}`;
    expect(await scene.invoke()).toMatchObject({ claimed: 1, browser_started: true });
  });
});

describe('an invocation that cannot do its work rejects', () => {
  it('when the database refuses what it read, and nothing is stored', async () => {
    await scene.track('somebot', [plain()]);
    await renameFollowers(scene);
    await expect(scene.invoke()).rejects.toMatchObject({ code: 'record_failed' });
    expect(await scene.stack.sql`select from real_tweet_metrics`).toHaveLength(0);
    expect(await scene.stack.sql`select from follower_snapshots`).toHaveLength(0);
  });

  it('when the database shares no budgets: everything is released', async () => {
    const [id = ''] = await scene.track('somebot', [plain()]);
    const { sql } = scene.stack;
    await sql`alter function reserve_session(text[], text[], timestamptz) rename to gone`;
    onTestFinished(async () => {
      await sql`alter function gone(text[], text[], timestamptz) rename to reserve_session`;
    });
    await expect(scene.invoke()).rejects.toMatchObject({ code: 'sessions_failed' });
    expect((await scene.schedule(id))[0]).toMatchObject({ state: 'waiting', attempts: 0 });
  });

  it('when no browser starts: everything is released at once, and nothing is stored', async () => {
    await closeBrowser();
    vi.stubEnv('CHROMIUM_PATH', '/bin/false');
    const [id = ''] = await scene.track('somebot', [plain()]);
    await expect(scene.invoke()).rejects.toMatchObject({ code: 'browser_failed' });
    expect((await scene.schedule(id))[0]).toMatchObject({ state: 'waiting', attempts: 0 });
  });

  it('when its environment is incomplete, naming what to set', async () => {
    vi.stubEnv('POSTLOOP_SECRET_KEY', undefined);
    vi.stubEnv('SUPABASE_URL', 'nowhere');
    const failure = await handler({}, CONTEXT).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'environment_invalid' });
    expect(String(failure)).toMatch(/SUPABASE_URL: .*POSTLOOP_SECRET_ARN: /);
  });

  it('when the API is its source and the secret has no token for it', async () => {
    vi.stubEnv('METRICS_SOURCE', 'api');
    await scene.track('somebot', [plain()]);
    await expect(scene.invoke()).rejects.toMatchObject({ code: 'environment_invalid' });
  });

  it('when the event names no moment', async () => {
    await expect(handler({ now: 'yesterday' }, CONTEXT)).rejects.toMatchObject({
      code: 'event_invalid',
    });
  });
});

it('says only what AWS_LAMBDA_LOG_LEVEL asks for', async () => {
  vi.resetModules();
  vi.stubEnv('AWS_LAMBDA_LOG_LEVEL', 'WARN');
  const fresh = await import('../../scraper-lambda/src/handler.ts');
  await scene.track('somebot', [plain(COUNTS)]);
  expect(await fresh.handler({ now: DUE_AT }, CONTEXT)).toMatchObject({ metrics_rows: 1 });
  expect(scene.logged).toEqual([]);
  const { closeBrowser: closeFresh } = await import('../../scraper-lambda/src/browser/browser.ts');
  await closeFresh();
});
