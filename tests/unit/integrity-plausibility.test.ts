/** Whether numbers look like those of posts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  COUNTS,
  fallingPosts,
  falls,
  type JudgedRead,
  madeUpAccounts,
  plausibility,
} from '../../simulation/reference/plausibility.ts';

const read = (ageHours: number, counts: Partial<JudgedRead>): JudgedRead => ({
  ageHours,
  quality: 'exact',
  impressions: null,
  likes: null,
  retweets: null,
  replies: null,
  bookmarks: null,
  ...counts,
});

type Numbers = { impressions: number; likes: number };

/** An account whose posts, the newest first, were read once, at a day. */
const readAtADay = (numbers: Numbers[]) => ({
  handle: 'somebot',
  posts: numbers.map((counts, n) => ({
    id: String(n),
    ageHours: 25 + n,
    reads: [read(24, counts)],
  })),
});
const judge = (numbers: Numbers[]) => plausibility(readAtADay(numbers));

/** 0 to 29 in an order that goes with nothing. */
const SHUFFLED = Array.from({ length: 30 }, (_, index) => (index * 11) % 30);
const evenly = SHUFFLED.map((place, index) => ({
  impressions: 5000 + 100 * index,
  likes: 100 + place,
}));

describe('an account whose newest 30 posts', () => {
  it('are spread evenly and liked without order looks uniform', () => {
    const result = judge(evenly);
    expect(result?.skewness).toBeCloseTo(0, 12);
    expect(Math.abs(result?.correlation ?? 1)).toBeLessThan(0.3);
    expect(result).toMatchObject({ looksUniform: true, looksImpossible: false });
    expect(madeUpAccounts([readAtADay(evenly)])).toEqual({ judged: 1, madeUp: [result] });
  });

  it('are liked as they are seen does not', () => {
    expect(judge(evenly.map((post, likes) => ({ ...post, likes })))?.looksUniform).toBe(false);
  });

  it('are skewed does not', () => {
    const skewed = evenly.map((post, index) => ({ ...post, impressions: Math.exp(index / 3) }));
    expect(judge(skewed)?.skewness).toBeGreaterThan(0.5);
    expect(judge(skewed)?.looksUniform).toBe(false);
  });

  it('have hardly any likes does not: 0, 1 and 2 follow nothing', () => {
    const few = evenly.map((post, index) => ({ ...post, likes: ((index * 11) % 30) % 3 }));
    expect(judge(few)).toMatchObject({ medianLikes: 1, looksUniform: false });
  });

  it('all show the same has no correlation, and does not', () => {
    expect(judge(evenly.map(() => ({ impressions: 100, likes: 5 })))).toMatchObject({
      correlation: Number.NaN,
      skewness: Number.NaN,
      looksUniform: false,
    });
  });

  it('have more likes than impressions four times looks impossible', () => {
    const liked = (count: number) =>
      evenly.map((post, index) => (index < count ? { ...post, likes: 9999 } : post));
    expect(judge(liked(3))?.looksImpossible).toBe(false);
    expect(judge(liked(4))).toMatchObject({ impossible: 4, looksImpossible: true });
  });

  it('are fewer is not judged, and older ones are not looked at', () => {
    expect(judge(evenly.slice(1))).toBeNull();
    expect(madeUpAccounts([readAtADay(evenly.slice(1))])).toEqual({ judged: 0, madeUp: [] });
    const older = { impressions: 1e9, likes: 0 };
    expect(judge([...evenly, older, older])).toEqual(judge(evenly));
  });
});

describe('counts of a post', () => {
  it.each([
    ['impressions', 1000, 995, 994],
    ['likes', 100, 94, 93],
    ['likes', 4, 1, 0],
    ['retweets', 1000, 940, 939],
    ['bookmarks', 20, 17, 16],
  ] as const)('of %s may fall from %d to %d, not to %d', (count, before, least, below) => {
    const fallTo = (value: number) =>
      falls([read(2, { [count]: before }), read(6, { [count]: value })]);
    expect(fallTo(least)).toBe(false);
    expect(fallTo(below)).toBe(true);
  });

  it.each(COUNTS)('are compared with the last known %s', (count) => {
    const later = (value: number) => [
      read(1, { [count]: 1000 }),
      read(2, { [count]: null }),
      read(6, { [count]: value }),
    ];
    expect(falls(later(500))).toBe(true);
    expect(falls(later(1000))).toBe(false);
  });

  it('that never fall are never suspected, in whatever order they were read', () => {
    const rising = fc.array(fc.nat(10_000), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(rising, fc.infiniteStream(fc.nat()), (values, keys) => {
        const sorted = values.toSorted((a, b) => a - b);
        const reads = sorted.map((value, age) => read(age, { likes: value, impressions: value }));
        const shuffled = reads
          .map((one) => ({ one, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => one);
        expect(falls(shuffled)).toBe(false);
      }),
    );
  });
});

describe('posts whose counts fall', () => {
  /** An account of some posts, of which the newest `falling` fall. */
  const account = (handle: string, posts: number, falling: number) => ({
    handle,
    posts: Array.from({ length: posts }, (_, n) => ({
      id: `${handle} ${n}`,
      ageHours: 10 + n,
      reads: [read(1, { likes: 100 }), read(2, { likes: n < falling ? 50 : 100 })],
    })),
  });

  it.each([
    [1, 'ok'],
    [2, 'ok'],
    [3, 'warning'],
    [8, 'warning'],
    [9, 'failing'],
  ])('%i of 40 are %s', (falling, status) => {
    expect(fallingPosts([account('somebot', 40, falling)])).toEqual({
      status,
      handle: 'somebot',
      posts: 40,
      falling,
      newest: 'somebot 0',
    });
  });

  it('are judged from ten posts on, of all accounts together where each has fewer', () => {
    const few = account('somebot', 9, 9);
    expect(fallingPosts([few])).toMatchObject({ status: 'ok', posts: null });
    expect(fallingPosts([few, account('otherbot', 9, 0)])).toMatchObject({
      status: 'failing',
      handle: null,
      posts: 18,
      falling: 9,
    });
  });
});
