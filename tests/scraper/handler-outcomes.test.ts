/** Each way in which X refuses, from the page to the row: real Postgres and Chromium. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RATE_LIMIT_RESET, type Variant } from '../../local/x-site/variants.ts';
import { DUE_AT, plain, type Scene, useScenes } from '../support/scraper.ts';

const HOUR_MS = 3_600_000;

const startScene = useScenes();
let scene: Scene;
beforeEach(async () => {
  scene = await startScene();
});
afterEach(() => scene.stop());

/** Reads one post whose page is served like that, and gives back its first due read. */
async function readAs(variant: Variant) {
  const [id = ''] = await scene.track('somebot', [variant]);
  await scene.invoke();
  const [read] = await scene.schedule(id);
  const attempts = await scene.stack.sql`
    select outcome, evidence from collection_attempts where post_id = ${id}`;
  return { id, read, attempts: [...attempts] };
}

/** Until when it waits, in hours from now. */
const waitsHours = (read: Record<string, unknown> = {}) =>
  (Number(read.next_attempt_at) - Date.parse(DUE_AT)) / HOUR_MS;

describe('a post that X does not serve', () => {
  it.each<[Variant, string]>([
    ['deleted', 'deleted'],
    ['deleted-empty', 'deleted'],
    ['deleted-tombstone', 'deleted'],
    ['suspended', 'suspended'],
    ['suspended-tombstone', 'suspended'],
  ])('%s ends its schedule as %s', async (variant, outcome) => {
    const { id, read, attempts } = await readAs(variant);
    expect(read).toMatchObject({ outcome, state: 'ended' });
    expect(attempts).toMatchObject([{ outcome }]);
    expect((await scene.schedule(id)).every(({ state }) => state === 'ended')).toBe(true);
    expect(await scene.rows()).toEqual([]);
  });

  it.each<[Variant, string, number]>([
    ['session-banned', 'session_invalid', 0.25],
    ['session-locked', 'session_invalid', 0.25],
    ['cookies-bad', 'session_invalid', 0.25],
    ['login-wall', 'login_required', 0.25],
    ['guest-refused', 'login_required', 0.25],
    ['cloudflare', 'blocked', 1 / 12],
    ['script-shell', 'transient', 1 / 60],
    ['server-error', 'transient', 1 / 60],
  ])('%s is %s and is tried again later', async (variant, outcome, hours) => {
    const { read, attempts } = await readAs(variant);
    expect(read).toMatchObject({ outcome, state: 'waiting', attempts: 1 });
    expect(attempts).toMatchObject([{ outcome }]);
    expect(waitsHours(read)).toBeGreaterThanOrEqual(hours);
    expect(waitsHours(read)).toBeLessThan(hours * 1.2);
    expect(await scene.rows()).toEqual([]);
  });

  it.each<[Variant]>([
    ['protected'],
    ['nsfw-logged-out'],
    ['nsfw-no-age'],
    ['blocked-by-author'],
    ['exclusive'],
  ])(
    '%s is restricted: that read is missed, because the next try is a day away',
    async (variant) => {
      const { id, read, attempts } = await readAs(variant);
      expect(read).toMatchObject({ outcome: 'restricted', state: 'missed' });
      expect(attempts).toMatchObject([{ outcome: 'restricted' }]);
      expect((await scene.schedule(id))[1]).toMatchObject({ state: 'waiting' });
    },
  );

  it.each<[Variant]>([['rate-limited'], ['rate-limited-code']])(
    '%s waits for the reset that X named, longer than its window',
    async (variant) => {
      const { read } = await readAs(variant);
      expect(read).toMatchObject({
        outcome: 'rate_limited',
        next_attempt_at: new Date(RATE_LIMIT_RESET * 1000),
      });
    },
  );

  it.each<[Variant, string]>([
    ['broken-shape', 'shape_changed'],
    ['wrong-post', 'wrong_post'],
    ['retweet-wrapper', 'wrong_post'],
    ['dom-only-tr', 'shape_changed'],
  ])('with numbers of %s is %s, with evidence and without a row', async (variant, outcome) => {
    const [id = ''] = await scene.track('somebot', [plain({ variant })]);
    scene.accounts.set('somebot', { posts: [] });
    await scene.invoke();
    expect((await scene.schedule(id))[0]).toMatchObject({ outcome });
    const [attempt] = await scene.stack.sql`
      select evidence from collection_attempts where post_id = ${id}`;
    expect(Object.keys(attempt?.evidence)).not.toEqual([]);
    expect(await scene.rows()).toEqual([]);
  });
});

describe('a reader that X refuses', () => {
  it.each<[Variant, string]>([
    ['cookies-bad', 'session_invalid'],
    ['guest-refused', 'login_required'],
  ])('as %s is an event, and the other scrapers are told', async (variant, outcome) => {
    await readAs(variant);
    expect([
      ...(await scene.stack.sql`select kind, details ->> 'session' as session
      from integrity_events where kind <> 'shape_unseen'`),
    ]).toEqual([{ kind: outcome, session: 'guest' }]);
    // One operation rests, not the guest as a whole.
    const resting = await scene.stack.sql`
      select session from scraper_session_budgets where blocked_until > ${DUE_AT}`;
    expect([...resting]).toEqual([{ session: 'guest' }]);
  });
});

describe('a profile that X does not serve', () => {
  it.each<[Variant, string]>([
    ['suspended', 'suspended'],
    ['rate-limited', 'rate_limited'],
    ['login-wall', 'login_required'],
    ['cloudflare', 'blocked'],
    ['script-shell', 'transient'],
  ])('%s is %s, and no follower count is stored', async (variant, outcome) => {
    await scene.track('somebot', []);
    scene.accounts.set('somebot', variant);
    const reply = await scene.invoke();
    expect(reply.by_outcome).toEqual({ [outcome]: 1 });
    expect(await scene.stack.sql`select from follower_snapshots`).toHaveLength(0);
  });
});
