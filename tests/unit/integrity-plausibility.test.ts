/** Whether numbers look like those of posts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CountRead,
  looksUniform,
  monotoneViolations,
  plausibility,
} from '../../simulation/reference/plausibility.ts';

/** 0 to 29 in an order that goes with nothing. */
const SHUFFLED = Array.from({ length: 30 }, (_, index) => (index * 11) % 30);
const evenly = SHUFFLED.map((place, index) => ({
  impressions: 5000 + 100 * index,
  likes: 100 + place,
}));

describe('an account whose newest 30 posts', () => {
  test('are spread evenly and liked without order looks uniform', () => {
    const result = plausibility(evenly);
    expect(result?.skewness).toBeCloseTo(0, 12);
    expect(Math.abs(result?.correlation ?? 1)).toBeLessThan(0.3);
    expect(result).toMatchObject({ looksUniform: true, looksImpossible: false });
    expect(looksUniform(evenly)).toBe(true);
  });

  test('are liked as they are seen does not', () => {
    expect(looksUniform(evenly.map((post, likes) => ({ ...post, likes })))).toBe(false);
  });

  test('are skewed does not', () => {
    const skewed = evenly.map((post, index) => ({ ...post, impressions: Math.exp(index / 3) }));
    expect(plausibility(skewed)?.skewness).toBeGreaterThan(0.5);
    expect(looksUniform(skewed)).toBe(false);
  });

  test('have hardly any likes does not: 0, 1 and 2 follow nothing', () => {
    const few = evenly.map((post, index) => ({ ...post, likes: ((index * 11) % 30) % 3 }));
    expect(plausibility(few)).toMatchObject({ medianLikes: 1, looksUniform: false });
  });

  test('all show the same has no correlation, and does not', () => {
    const same = evenly.map(() => ({ impressions: 100, likes: 5 }));
    expect(plausibility(same)).toMatchObject({
      correlation: Number.NaN,
      skewness: Number.NaN,
      looksUniform: false,
    });
  });

  test('have more likes than impressions four times looks impossible', () => {
    const liked = (count: number) =>
      evenly.map((post, index) => (index < count ? { ...post, likes: 9999 } : post));
    expect(plausibility(liked(3))?.looksImpossible).toBe(false);
    expect(plausibility(liked(4))).toMatchObject({ impossible: 4, looksImpossible: true });
  });

  test('are fewer is not judged, and older ones are not looked at', () => {
    expect(plausibility(evenly.slice(1))).toBeNull();
    expect(looksUniform(evenly.slice(1))).toBe(false);
    const older = { impressions: 1e9, likes: 0 };
    expect(plausibility([...evenly, older, older])).toEqual(plausibility(evenly));
  });
});

const read = (ageHours: number, counts: Partial<CountRead>): CountRead => ({
  ageHours,
  impressions: null,
  likes: null,
  retweets: null,
  replies: null,
  bookmarks: null,
  ...counts,
});

describe('counts of a post', () => {
  test.each([
    ['impressions', 1000, 995, 994],
    ['likes', 100, 94, 93],
    ['likes', 4, 1, 0],
    ['retweets', 1000, 940, 939],
    ['bookmarks', 20, 17, 16],
  ] as const)('of %s may fall from %d to %d, not to %d', (count, before, least, below) => {
    const violations = (value: number) =>
      monotoneViolations([read(2, { [count]: before }), read(6, { [count]: value })]);
    expect(violations(least)).toEqual([]);
    expect(violations(below)).toEqual([
      {
        count,
        kind: 'fall',
        before: { ageHours: 2, value: before },
        after: { ageHours: 6, value: below },
      },
    ]);
  });

  test('that drop to 0 from 5 were not found; the next read is compared with the one before', () => {
    const reads = [
      read(1, { replies: 9 }),
      read(2, { replies: 0 }),
      read(6, { replies: null }),
      read(24, { replies: 5 }),
    ];
    expect(monotoneViolations(reads)).toEqual([
      expect.objectContaining({ kind: 'parse_fault', after: { ageHours: 2, value: 0 } }),
      expect.objectContaining({
        kind: 'fall',
        before: { ageHours: 1, value: 9 },
        after: { ageHours: 24, value: 5 },
      }),
    ]);
  });

  test('that never fall are never suspected, in whatever order they were read', () => {
    const rising = fc.array(fc.nat(10_000), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(rising, fc.infiniteStream(fc.nat()), (values, keys) => {
        const sorted = values.toSorted((a, b) => a - b);
        const reads = sorted.map((value, age) => read(age, { likes: value, impressions: value }));
        const shuffled = reads
          .map((one) => ({ one, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => one);
        expect(monotoneViolations(shuffled)).toEqual([]);
      }),
    );
  });
});
