/** One load of a profile page serves the due posts of its account: real Postgres and Chromium. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { COUNTS, DUE_AT, POSTED_AT, plain, type Scene, useScenes } from '../support/scraper.ts';

const startScene = useScenes();
let scene: Scene;
beforeEach(async () => {
  scene = await startScene();
});
afterEach(() => scene.stop());

const minutesLater = (minutes: number) => new Date(POSTED_AT.getTime() + minutes * 60_000);
const requests = (operation: string) => scene.site.traffic.byKind[operation]?.requests ?? 0;

/** Puts a post of the account on the site without tracking it. */
function publish(at: Date, sequence: number, extra: object = {}): string {
  const id = snowflakeId(at, sequence);
  scene.answers.set(id, { ...plain(), ...extra });
  return id;
}

describe('the timeline', () => {
  it('serves 20 due posts and the follower count with one load of one page', async () => {
    const posts = Array.from({ length: 20 }, (_, index) => plain({ likes: index }));
    const ids = await scene.track('somebot', posts);
    const reply = await scene.invoke();
    expect(reply).toMatchObject({
      claimed: 21,
      by_outcome: { found: 21 },
      metrics_rows: 20,
      follower_snapshots: 1,
    });
    expect(requests('page')).toBe(1);
    expect(requests('UserByScreenName')).toBe(1);
    expect(requests('UserTweets')).toBe(1);
    expect(await scene.rows()).toEqual(
      ids.map((id, likes) => ({
        tweet_id: id,
        ...COUNTS,
        likes,
        profile_clicks: null,
        source: 'graphql',
        quality: 'exact',
      })),
    );
  });

  it('is scrolled for posts that are older than those of its first page', async () => {
    const [old = ''] = await scene.track('somebot', [plain({ likes: 4 })]);
    for (let n = 0; n < 25; n += 1) publish(minutesLater(1), n + 1);
    await scene.invoke();
    expect(requests('page')).toBe(1);
    expect(requests('UserTweets')).toBe(2);
    expect(await scene.rows()).toMatchObject([{ tweet_id: old, likes: 4 }]);
  });

  it('is not scrolled for a post that it should have shown: that one is opened by itself', async () => {
    const [shown = '', hidden = ''] = await scene.track('somebot', [plain(), plain({ likes: 9 })]);
    for (let n = 0; n < 25; n += 1) publish(new Date(POSTED_AT.getTime() - 3_600_000), n + 1);
    const known = [...scene.answers.keys()].filter((id) => id !== hidden).reverse();
    scene.accounts.set('somebot', { posts: [shown, ...known.filter((id) => id !== shown)] });
    await scene.invoke();
    expect(requests('UserTweets')).toBe(1);
    expect(requests('TweetResultByRestId')).toBe(1);
    expect(await scene.rows()).toMatchObject([
      { tweet_id: shown, likes: 23 },
      { tweet_id: hidden, likes: 9 },
    ]);
  });

  it('ends scrolling after five more pages', async () => {
    await scene.track('somebot', [plain()]);
    for (let n = 0; n < 150; n += 1) publish(minutesLater(1), n + 1);
    const reply = await scene.invoke();
    expect(reply.by_outcome).toEqual({ found: 2 });
    expect(requests('UserTweets')).toBe(6);
    expect(requests('TweetResultByRestId')).toBe(1);
  });

  it('tells posts that nobody tracked, and neither retweets nor what others wrote', async () => {
    const [tracked = ''] = await scene.track('somebot', [plain()]);
    const single = publish(minutesLater(3), 1);
    const thread = publish(minutesLater(4), 1, { replyTo: single });
    for (let n = 0; n < 12; n += 1) publish(new Date(POSTED_AT.getTime() - 60_000), n + 1);
    scene.accounts.set('somebot', {
      pinned: tracked,
      mixIn: ['retweet', 'promoted', 'other', 'quote', 'suggestions'],
    });
    await scene.invoke();
    const own = [...scene.answers.keys()].filter((id) => id !== tracked).sort();
    const discovered = await scene.stack.sql`
      select post_id, kind from post_attribution where decision_id is null and post_id <> ${tracked}
      order by post_id`;
    expect(discovered.map(({ post_id }) => post_id)).toEqual(own);
    expect(discovered.find(({ post_id }) => post_id === thread)).toMatchObject({ kind: 'thread' });
    const [due] = await scene.stack.sql`
      select count(*)::int as reads from metric_collections where post_id = ${single}`;
    expect(due?.reads).toBeGreaterThan(0);
  });

  it('of zeros in the place of counts is degraded: evidence and events, never a metric', async () => {
    const posts = Array.from({ length: 8 }, () => plain({ impressions: 4_000 }));
    const ids = await scene.track('somebot', posts);
    scene.accounts.set('somebot', { timeline: 'degraded-zeros' });
    const reply = await scene.invoke();
    expect(reply.by_outcome).toEqual({ degraded: 8, found: 1 });
    expect(await scene.rows()).toEqual([]);
    const attempts = await scene.stack.sql`
      select evidence from collection_attempts where outcome = 'degraded'`;
    expect(attempts).toHaveLength(8);
    expect(attempts[0]?.evidence).toMatchObject({
      reason: 'payload_of_zeros',
      refused: { likes: 0, impressions: 4_000 },
    });
    const events = await scene.stack.sql`
      select post_id from integrity_events where kind = 'degraded' order by post_id`;
    expect(events.map(({ post_id }) => post_id)).toEqual(ids);
    expect((await scene.schedule(ids[0] ?? ''))[0]).toMatchObject({ state: 'waiting' });
  });

  it('that does not come leaves each post to its own page', async () => {
    const ids = await scene.track('somebot', [plain(), plain()]);
    scene.accounts.set('somebot', { timeline: 'server-error' });
    const reply = await scene.invoke();
    expect(reply.by_outcome).toEqual({ found: 3 });
    expect(requests('TweetResultByRestId')).toBe(ids.length);
  });

  it('of an unknown shape is an event with its key paths, and the posts are read singly', async () => {
    const [id = ''] = await scene.track('somebot', [plain()]);
    scene.accounts.set('somebot', { variant: 'broken-shape' });
    scene.answers.set(id, plain({ variant: 'broken-shape' }));
    const reply = await scene.invoke();
    expect(reply.by_outcome).toEqual({ shape_changed: 2 });
    const events = await scene.stack.sql`
      select post_id, details from integrity_events where kind = 'shape_changed'
      order by post_id nulls first`;
    expect(events).toMatchObject([
      { post_id: null, details: { operation: 'UserByScreenName' } },
      {
        post_id: id,
        details: {
          operation: 'TweetResultByRestId',
          missing: ['data.tweetResult.result.legacy.favorite_count'],
        },
      },
    ]);
    expect(await scene.rows()).toEqual([]);
  });

  it('whose payload has a shape never seen before is an event once', async () => {
    await scene.track('somebot', [plain()]);
    await scene.invoke();
    const unseen = async () =>
      (await scene.stack.sql`select from integrity_events where kind = 'shape_unseen'`).length;
    const first = await unseen();
    expect(first).toBe(2);
    await scene.invoke('2026-03-02T10:01:00.000Z');
    expect(await unseen()).toBe(first);
  });

  it('refused as a whole opens no single page: every due post waits', async () => {
    await scene.track('somebot', [plain(), plain()]);
    scene.accounts.set('somebot', 'cloudflare');
    const reply = await scene.invoke(DUE_AT);
    expect(reply.by_outcome).toEqual({ blocked: 3 });
    expect(requests('page')).toBe(1);
  });
});
