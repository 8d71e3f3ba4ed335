/** How posts grow to 48 h, and what that says about young ones. */
import { describe, expect, it } from 'vitest';
import { probabilityAbove, viralThreshold } from '../../simulation/reference/early-warning.ts';
import {
  type GrowthPoint,
  growthCurve,
  type MaturePost,
  project,
} from '../../simulation/reference/growth.ts';
import { median, quantile } from '../../simulation/reference/quantile.ts';

const HALF_LIFE_H = 80 / 60;
const clock = (age: number) => Math.log(1 + age / HALF_LIFE_H);

/** A read that shows 1 / e^growth of 48 h, in ln(1 + impressions). */
const post = (growths: Record<string, [ageHours: number, growth: number]>): MaturePost => ({
  impressions48h: Math.expm1(8),
  reads: Object.entries(growths).map(([phase, [ageHours, growth]]) => ({
    phase,
    ageHours,
    impressions: Math.expm1(8 - growth),
  })),
});

/** Thirty-nine posts whose growths from 2 h are 0.01, 0.02, … 0.39. */
const POSTS = Array.from({ length: 39 }, (_, index) =>
  post({ '2h': [2 + index / 1000, (index + 1) / 100] }),
);

const point = (ageHours: number, growth: number, half: number): GrowthPoint => ({
  phase: `${ageHours}h`,
  ageHours,
  posts: 30,
  growth,
  low90: growth - half,
  high90: growth + half,
  spread: half / 1.6448536269514722,
});
const CURVE = [point(2, 0.5, 0.3), point(6, 0.2, 0.1), point(24, 0.05, 0.02)];

describe('the growth curve', () => {
  it('has the median, the 5th and 95th percentile and the spread of what is still to come', () => {
    const [one, ...others] = growthCurve(POSTS);
    expect(others).toEqual([]);
    expect(one).toMatchObject({ phase: '2h', posts: 39 });
    expect(one?.ageHours).toBeCloseTo(2.019, 12);
    expect(one?.growth).toBeCloseTo(0.2, 9);
    expect(one?.low90).toBeCloseTo(0.02, 9);
    expect(one?.high90).toBeCloseTo(0.38, 9);
    expect(one?.spread).toBeCloseTo(0.36 / (2 * 1.6448536269514722), 9);
  });

  it('needs 30 posts of an age; below, all accounts stand in', () => {
    const everyone = [point(1, 0.8, 0.4), point(2, 0.5, 0.3)].map((one) => ({
      ...one,
      posts: 900,
    }));
    expect(growthCurve(POSTS.slice(0, 29))).toEqual([]);
    expect(growthCurve(POSTS.slice(0, 29), everyone)).toEqual(everyone);
    const mixed = growthCurve(POSTS.slice(0, 30), everyone);
    expect(mixed.map(({ phase, posts }) => [phase, posts])).toEqual([
      ['1h', 900],
      ['2h', 30],
    ]);
  });

  it('is in order of age, without reads of 48 h and later, whatever the order of posts', () => {
    const posts = POSTS.map((_, index) =>
      post({ '24h': [24, 0.1 + index / 1000], '48h': [48, 0], '1h': [1, 1] }),
    );
    const curve = growthCurve(posts);
    expect(curve.map(({ phase }) => phase)).toEqual(['1h', '24h']);
    expect(growthCurve(posts.toReversed())).toEqual(curve);
  });
});

describe('a projection', () => {
  const read = (ageHours: number, impressions = Math.expm1(6)) => ({ ageHours, impressions });

  it('at an age of the curve adds its growth', () => {
    const projection = project(read(6), CURVE);
    expect(projection?.y).toBeCloseTo(6.2, 12);
    expect(projection?.low90).toBeCloseTo(6.1, 12);
    expect(projection?.high90).toBeCloseTo(6.3, 12);
    expect(projection?.spread).toBe(CURVE[1]?.spread);
  });

  it.each([
    ['between two ages', 4, [2, 0.5, 0.3], [6, 0.2, 0.1]],
    ['between the last age and 48 h', 30, [24, 0.05, 0.02], [48, 0, 0]],
  ] as const)('%s is linear in ln(1 + age / 80 min)', (_, age, [from, g0, h0], [to, g1, h1]) => {
    const part = (clock(age) - clock(from)) / (clock(to) - clock(from));
    const growth = g0 + part * (g1 - g0);
    const half = h0 + part * (h1 - h0);
    const projection = project(read(age), CURVE);
    expect(projection?.y).toBeCloseTo(6 + growth, 12);
    expect(projection?.high90).toBeCloseTo(6 + growth + half, 12);
    expect(projection?.spread).toBeCloseTo(half / 1.6448536269514722, 12);
  });

  it('from a curve of one age reaches until 48 h', () => {
    expect(project(read(12), CURVE.slice(0, 1))?.y).toBeGreaterThan(6);
    expect(project(read(47.999), CURVE.slice(0, 1))?.y).toBeCloseTo(6, 4);
  });

  it('falls from age to age and is exact from 48 h on', () => {
    const ys = [2, 3, 6, 7, 23, 24, 25, 40, 48].map((age) => project(read(age), CURVE)?.y ?? 0);
    expect(ys).toEqual(ys.toSorted((a, b) => b - a));
    expect(project(read(48), CURVE)).toEqual({ y: 6, low90: 6, high90: 6, spread: 0 });
    expect(project(read(200), [])).toMatchObject({ y: 6, spread: 0 });
  });

  it('is not known before the first age, or without a curve', () => {
    expect(project(read(1.9), CURVE)).toBeNull();
    expect(project(read(10), [])).toBeNull();
  });
});

describe('the early warning', () => {
  it('has a threshold from 40 posts on, which one in twenty passes', () => {
    const impressions = Array.from({ length: 99 }, (_, index) => 10 * (index + 1));
    expect(viralThreshold(impressions)).toBeCloseTo(950, 9);
    expect(viralThreshold(impressions.slice(0, 40))).not.toBeNull();
    expect(viralThreshold(impressions.slice(0, 39))).toBeNull();
  });

  it('is the normal probability above the threshold', () => {
    const projection = { y: Math.log1p(1000), low90: 0, high90: 0, spread: 0.5 };
    expect(probabilityAbove(1000, projection)).toBeCloseTo(0.5, 12);
    const double = Math.expm1(Math.log1p(1000) + 0.5);
    expect(probabilityAbove(double, projection)).toBeCloseTo(0.15865525393145707, 9);
  });

  it('is certain of a read at 48 h; at the threshold it has not passed', () => {
    const exact = project({ ageHours: 48, impressions: 1000 }, []);
    if (!exact) throw new Error('A read at 48 h is its own projection.');
    expect([999, 1000, 1001].map((threshold) => probabilityAbove(threshold, exact))).toEqual([
      1, 0, 0,
    ]);
  });
});

it('a quantile is the order statistic at p (n + 1), and never outside of the values', () => {
  expect(quantile([40, 10, 30, 20], 0.5)).toBe(25);
  expect(quantile([40, 10, 30, 20], 0.3)).toBe(15);
  expect(quantile([40, 10, 30, 20], 0.95)).toBe(40);
  expect(quantile([40, 10, 30, 20], 0.01)).toBe(10);
  expect(median([3, 1, 2])).toBe(2);
});
