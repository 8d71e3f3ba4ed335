/** Cookie sessions and what they may use, shared in the database: real Postgres and Chromium. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SiteAnalytics } from '../../local/x-site/analytics.ts';
import { sessionLabel } from '../../scraper-lambda/src/browser/sessions.ts';
import { DUE_AT, plain, type Scene, useScenes } from '../support/scraper.ts';

const FIRST = { authToken: 'a1'.repeat(20), ct0: 'c1'.repeat(40), handle: 'somebot' };
const SECOND = { authToken: 'a2'.repeat(20), ct0: 'c2'.repeat(40) };
const [first, second] = [sessionLabel(FIRST.authToken), sessionLabel(SECOND.authToken)];
/** The site's windows end 15 minutes after the first call. */
const WINDOW_ENDS = new Date(Date.parse(DUE_AT) + 15 * 60_000);

const toSecret = (session: { authToken: string; ct0: string; handle?: string }) => {
  const { authToken: auth_token, ct0, handle } = session;
  return { auth_token, ct0, ...(handle ? { handle } : {}) };
};
const give = (...sessions: (typeof FIRST | typeof SECOND)[]) =>
  vi.stubEnv('X_SESSIONS', JSON.stringify(sessions.map(toSecret)));

const startScene = useScenes();
let scene: Scene;
afterEach(() => scene.stop());

const requests = (operation: string) => scene.site.traffic.byKind[operation]?.requests ?? 0;
const used = async () => [
  ...(await scene.stack.sql`
    select session, operation, used from scraper_session_budgets order by session, operation`),
];
const events = async () => [
  ...(await scene.stack.sql`
    select kind, details ->> 'session' as session from integrity_events
    where kind <> 'shape_unseen' order by id`),
];
const start = async (site: Parameters<typeof startScene>[0] = {}) => {
  scene = await startScene({
    ...site,
    site: { sessions: [FIRST, SECOND], now: () => new Date(DUE_AT), ...site.site },
  });
};

describe('a session', () => {
  beforeEach(() => start());

  it('reads as a logged-in reader, and its calls are booked under a hash of its token', async () => {
    give(FIRST);
    const [id = ''] = await scene.track('somebot', [plain()]);
    scene.accounts.set('somebot', { posts: [] });
    const reply = await scene.invoke();
    expect(reply.by_outcome).toEqual({ found: 2 });
    expect(requests('TweetDetail')).toBe(1);
    expect(await scene.rows()).toMatchObject([{ tweet_id: id, likes: 23 }]);
    expect(await used()).toEqual([
      { session: first, operation: 'TweetDetail', used: 1 },
      { session: first, operation: 'UserByScreenName', used: 1 },
      { session: first, operation: 'UserTweets', used: 1 },
    ]);
  });

  it('that X refuses gives way to the next one, with an event, and is not tried again', async () => {
    give(FIRST, SECOND);
    scene.site.revoke(FIRST.authToken);
    await scene.track('somebot', [plain()]);
    expect((await scene.invoke()).by_outcome).toEqual({ found: 2 });
    expect(await events()).toEqual([{ kind: 'session_invalid', session: first }]);
    scene.site.resetTraffic();
    await scene.invoke('2026-03-02T10:01:00.000Z');
    expect(requests('page')).toBe(1);
    expect(await used()).toContainEqual({ session: second, operation: 'UserTweets', used: 1 });
  });

  it('gives way to the guest when none is left', async () => {
    give(FIRST, SECOND);
    scene.site.revoke(FIRST.authToken);
    scene.site.revoke(SECOND.authToken);
    await scene.track('somebot', [plain()]);
    expect((await scene.invoke()).by_outcome).toEqual({ found: 2 });
    expect(await events()).toMatchObject([
      { kind: 'session_invalid' },
      { kind: 'session_invalid' },
    ]);
    expect(await used()).toContainEqual({ session: 'guest', operation: 'UserTweets', used: 1 });
  });

  it('is never asked beyond its share: what others have used counts', async () => {
    give(FIRST);
    const [id = ''] = await scene.track('somebot', [plain()]);
    await scene.stack.sql`
      insert into scraper_session_budgets (session, operation, window_starts_at, used)
      select session, 'UserTweets', ${new Date('2026-03-02T08:30:00Z')}, 50
      from unnest(array[${first}, 'guest']) session`;
    const reply = await scene.invoke();
    expect(reply).toMatchObject({ by_outcome: { released: 2 }, browser_started: false });
    expect(requests('page')).toBe(0);
    expect((await scene.schedule(id))[0]).toMatchObject({ state: 'waiting', attempts: 0 });
  });
});

describe('a rate limit', () => {
  it('of one session is passed by with the next reader, and told to the other scrapers', async () => {
    await start({ site: { budgets: { session: { UserTweets: 0 } } } });
    give(FIRST);
    await scene.track('somebot', [plain()]);
    expect((await scene.invoke()).by_outcome).toEqual({ found: 2 });
    const [told] = await scene.stack.sql`
      select blocked_until from scraper_session_budgets
      where session = ${first} and operation = 'UserTweets'`;
    expect(told?.blocked_until).toEqual(WINDOW_ENDS);
    expect(await events()).toEqual([]);
  });

  it('of every reader stops the batch: the tried wait until one is free, the rest is released', async () => {
    await start({ site: { budgets: { session: { UserTweets: 0 }, guest: { UserTweets: 0 } } } });
    give(FIRST);
    vi.stubEnv('PAGE_CONCURRENCY', '1');
    const [tried = ''] = await scene.track('somebot', [plain()]);
    const [untried = ''] = await scene.track('otherbot', [{ ...plain(), handle: 'otherbot' }]);
    const reply = await scene.invoke();
    expect(reply.by_outcome).toEqual({ found: 1, rate_limited: 1, released: 2 });
    expect((await scene.schedule(tried))[0]).toMatchObject({
      outcome: 'rate_limited',
      next_attempt_at: WINDOW_ENDS,
    });
    expect((await scene.schedule(untried))[0]).toMatchObject({
      attempts: 0,
      next_attempt_at: new Date(DUE_AT),
    });
    expect(requests('page')).toBe(2);
  });

  it('met while scrolling keeps what was read, and the rest is read by another reader', async () => {
    await start({ site: { budgets: { session: { UserTweets: 1 } } } });
    give(FIRST);
    const [old = ''] = await scene.track('somebot', [plain({ likes: 4 })]);
    const newer = Array.from({ length: 25 }, () => plain({ likes: 1 }));
    await scene.track('somebot', newer, new Date('2026-03-02T08:00:30Z'));
    const reply = await scene.invoke();
    expect(reply.by_outcome).toEqual({ found: 27 });
    expect(await scene.rows()).toContainEqual(expect.objectContaining({ tweet_id: old, likes: 4 }));
    expect(requests('TweetResultByRestId')).toBe(6);
  });
});

describe('the analytics of a post', () => {
  const POSTED = new Date('2026-03-01T08:00:00Z');
  const DUE_24H = '2026-03-02T08:01:00.000Z';
  const SHOWN: SiteAnalytics = {
    impressions: 900,
    profileVisits: '12',
    follows: 3,
    hourly: [{ at: new Date('2026-03-01T08:00:00Z'), impressions: 500 }],
  };

  it('fill profile_clicks and are stored, with the author’s own session', async () => {
    await start({ analytics: () => SHOWN });
    give(FIRST, SECOND);
    const [id = ''] = await scene.track('somebot', [plain()], POSTED);
    await scene.invoke(DUE_24H);
    expect(await scene.rows()).toMatchObject([{ tweet_id: id, profile_clicks: 12 }]);
    expect([
      ...(await scene.stack.sql`select post_id, impressions::int, profile_visits::int,
      follows::int, engagements from x_post_analytics`),
    ]).toEqual([
      { post_id: id, impressions: 900, profile_visits: 12, follows: 3, engagements: null },
    ]);
    expect([
      ...(await scene.stack.sql`select impressions::int from x_post_hourly_impressions`),
    ]).toEqual([{ impressions: 500 }]);
  });

  it('that X does not show yet leave null, and are not asked for again until the next read', async () => {
    await start({ analytics: () => null });
    give(FIRST);
    await scene.track('somebot', [plain()], POSTED);
    await scene.invoke(DUE_24H);
    await scene.invoke('2026-03-02T08:02:00.000Z');
    expect(await scene.rows()).toMatchObject([{ profile_clicks: null }]);
    expect(requests('TweetActivityQuery')).toBe(1);
    expect(await scene.stack.sql`select from x_post_analytics`).toHaveLength(0);
  });

  it('are not asked for with another’s session, nor for a younger post', async () => {
    await start({ analytics: () => SHOWN });
    give(SECOND);
    await scene.track('somebot', [plain()], POSTED);
    await scene.invoke(DUE_24H);
    give(FIRST);
    await scene.track('somebot', [plain()]);
    await scene.invoke();
    expect(requests('TweetActivityQuery')).toBe(0);
  });
});
