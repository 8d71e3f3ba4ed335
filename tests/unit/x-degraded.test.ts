import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPayloadDegraded, judgeDegraded } from '../../scraper-lambda/src/x/degraded.ts';
import type { PostFound } from '../../scraper-lambda/src/x/outcome.ts';
import type { Metrics } from '../../shared/contracts/read.ts';

const AT = '2026-05-18T08:00:00.000Z';
const COUNTS: Metrics = {
  likes: 432,
  retweets: 208,
  replies: 94,
  quotes: 118,
  bookmarks: 72,
  impressions: 979_333,
  profile_clicks: null,
};
const SECONDARY = ['likes', 'retweets', 'replies', 'quotes', 'bookmarks'] as const;
const NOTHING = { likes: 0, retweets: 0, replies: 0, quotes: 0, bookmarks: 0 };

const post = (metrics: Partial<Metrics>): PostFound => ({
  outcome: 'found',
  id: '1649191520250245121',
  source: 'graphql',
  quality: 'exact',
  metrics: { ...COUNTS, ...metrics },
  author: null,
});
const earlier = (metrics: Partial<Metrics> = {}) => ({
  captured_at: AT,
  metrics: { ...COUNTS, ...metrics },
});
const silent = (...views: (number | null)[]) =>
  views.map((impressions) => post({ ...NOTHING, impressions }));

describe('a read after an accepted one', () => {
  it.each(SECONDARY)('whose %s fell to 0 while the views did not is degraded', (name) => {
    expect(judgeDegraded(earlier(), post({ [name]: 0 }))).toEqual({
      reason: 'fell_to_zero',
      details: {
        previous_at: AT,
        counts: { [name]: { before: COUNTS[name], now: 0 } },
        impressions: { before: 979_333, now: 979_333 },
      },
    });
  });

  it('that fell to 0 along with its views is believed', () => {
    expect(judgeDegraded(earlier(), post({ ...NOTHING, impressions: 979_332 }))).toBeNull();
  });

  it('that fell to 0 where the views are not known is degraded', () => {
    const now = post({ likes: 0, impressions: null });
    expect(judgeDegraded(earlier(), now)?.reason).toBe('fell_to_zero');
    expect(judgeDegraded(earlier({ impressions: null }), post({ likes: 0 }))).not.toBeNull();
  });

  it.each([
    ['the same counts', {}],
    ['fewer likes', { likes: 428, retweets: 1 }],
    ['more of everything', { likes: 500, impressions: 990_000 }],
    ['counts that were not read', { likes: null, quotes: null, bookmarks: null }],
  ])('with %s is believed', (_name, metrics) => {
    expect(judgeDegraded(earlier(), post(metrics))).toBeNull();
  });

  it('with zeros where there were zeros, or nothing was known, is believed', () => {
    expect(judgeDegraded(earlier(NOTHING), post(NOTHING))).toBeNull();
    expect(judgeDegraded(earlier({ quotes: null }), post({ quotes: 0 }))).toBeNull();
  });

  it('without one is believed', () => {
    expect(judgeDegraded(null, post(NOTHING))).toBeNull();
  });

  it('is never degraded by counts that stay above 0', () => {
    const counts = fc.record(
      Object.fromEntries(SECONDARY.map((name) => [name, fc.integer({ min: 1, max: 1e9 })])),
    );
    fc.assert(
      fc.property(counts, counts, fc.nat(), fc.nat(), (then, now, viewsThen, viewsNow) => {
        const previous = earlier({ ...then, impressions: viewsThen });
        expect(judgeDegraded(previous, post({ ...now, impressions: viewsNow }))).toBeNull();
      }),
      { seed: 20261123 },
    );
  });
});

describe('a payload', () => {
  it('is degraded when nothing was done on any of its posts, for all their views', () => {
    expect(isPayloadDegraded(silent(2_600, 2_400))).toBe(true);
  });

  it('is degraded when most posts with a thousand views have nothing', () => {
    const posts = [post({}), post({}), ...silent(1_000, 2_405, 5_498)];
    expect(isPayloadDegraded(posts)).toBe(true);
  });

  it('of a small account with no likes is believed', () => {
    expect(isPayloadDegraded(silent(...Array.from({ length: 20 }, (_, i) => 12 + i * 4)))).toBe(
      false,
    );
  });

  it('where one count of one quiet post is not 0 is believed', () => {
    expect(
      isPayloadDegraded([...silent(900, 900, 900, 900), post({ ...NOTHING, replies: 1 })]),
    ).toBe(false);
  });

  it('where few loud posts have nothing is believed', () => {
    const posts = [post({}), post({}), post({}), ...silent(1_500, 2_000, 2_500)];
    expect(isPayloadDegraded(posts)).toBe(false);
    expect(isPayloadDegraded([post({}), ...silent(1_500, 1_200)])).toBe(false);
  });

  it('of one post is judged against its past alone', () => {
    expect(isPayloadDegraded(silent(8_648))).toBe(false);
  });

  it('without views says nothing', () => {
    expect(isPayloadDegraded([])).toBe(false);
    expect(isPayloadDegraded(silent(null, null, null, 0))).toBe(false);
  });

  it('in which somebody did something on every post is believed, whatever its views', () => {
    const views = fc.array(fc.option(fc.nat({ max: 1_000_000 })), { maxLength: 40 });
    fc.assert(
      fc.property(views, (impressions) => {
        const posts = silent(...impressions).map(({ metrics }) => post({ ...metrics, likes: 1 }));
        expect(isPayloadDegraded(posts)).toBe(false);
      }),
      { seed: 20261123 },
    );
  });

  it('of any posts below 5,000 views in all and 1,000 each is believed', () => {
    const views = fc.array(fc.nat({ max: 166 }), { maxLength: 30 });
    fc.assert(
      fc.property(views, (impressions) => {
        expect(isPayloadDegraded(silent(...impressions))).toBe(false);
      }),
      { seed: 20261123 },
    );
  });
});
