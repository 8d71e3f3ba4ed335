import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learnMarginals, meanDistribution, nigPosterior } from '../../shared/learning/marginal.ts';
import { type ValueStatistics, valueStatisticsSchema } from '../../shared/learning/statistics.ts';
import { shown } from './learning-samples.ts';

const prior = { k0: 10, m0: 0.5, a0: 2, b0: 1.5 };

/** Weighted sums of two or more values of one dimension with rewards inside the winsorised range. */
const dimensionOf = (spread = 0.6) =>
  fc
    .array(
      fc.record({
        uses: fc.integer({ min: 1, max: 200 }),
        weight: fc.double({ min: 0.05, max: 1, noNaN: true }),
        mean: fc.double({ min: -2, max: 2, noNaN: true }),
      }),
      { minLength: 2, maxLength: 6 },
    )
    .map((values) =>
      values.map(({ uses, weight, mean }, index): ValueStatistics => {
        const value = shown('tone', `value ${index}`, { uses, mean, sd: spread });
        return { ...value, n: value.n * weight, s1: value.s1 * weight, s2: value.s2 * weight };
      }),
    );

function only<T>(items: readonly T[]): T {
  expect(items).toHaveLength(1);
  return items[0] as T;
}

describe('nigPosterior', () => {
  it('follows a worked example: rewards 1, 2 and 3 against a prior of ten posts at 0.5', () => {
    const posterior = nigPosterior({ n: 3, s1: 6, s2: 14 }, prior);
    expect(posterior.kn).toBe(13);
    expect(posterior.mn).toBeCloseTo(11 / 13, 14);
    expect(posterior.an).toBe(3.5);
    // 1.5 + (14 - 36/3)/2 + 10*3*1.5^2/(2*13)
    expect(posterior.bn).toBeCloseTo(2.5 + 67.5 / 26, 14);
    const mean = meanDistribution(posterior);
    expect(mean.df).toBe(7);
    expect(mean.scale).toBeCloseTo(Math.sqrt((2.5 + 67.5 / 26) / (3.5 * 13)), 14);
  });

  it('gives the prior back when there are no posts', () => {
    expect(nigPosterior({ n: 0, s1: 0, s2: 0 }, prior)).toEqual({
      kn: 10,
      mn: 0.5,
      an: 2,
      bn: 1.5,
    });
  });

  it('gives the same from all posts at once as from one after the other', () => {
    const y = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(fc.array(y, { minLength: 1, maxLength: 30 }), (ys) => {
        const s1 = ys.reduce((sum, x) => sum + x, 0);
        const s2 = ys.reduce((sum, x) => sum + x * x, 0);
        const atOnce = nigPosterior({ n: ys.length, s1, s2 }, prior);
        let step = { kn: prior.k0, mn: prior.m0, an: prior.a0, bn: prior.b0 };
        for (const x of ys) {
          const before = { k0: step.kn, m0: step.mn, a0: step.an, b0: step.bn };
          step = nigPosterior({ n: 1, s1: x, s2: x * x }, before);
        }
        expect(atOnce.kn).toBeCloseTo(step.kn, 10);
        expect(atOnce.mn).toBeCloseTo(step.mn, 10);
        expect(atOnce.an).toBeCloseTo(step.an, 10);
        expect(atOnce.bn).toBeCloseTo(step.bn, 9);
      }),
    );
  });

  it('stays between the prior and the raw mean, and narrows as posts are added', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.double({ min: 1, max: 400, noNaN: true }),
        fc.double({ min: 1.2, max: 20, noNaN: true }),
        (mean, n, more) => {
          const sums = (k: number) => ({ n: k, s1: k * mean, s2: k * (mean * mean + 0.5) });
          const few = nigPosterior(sums(n), prior);
          const many = nigPosterior(sums(n * more), prior);
          const gap = Math.abs(mean - prior.m0);
          expect(Math.abs(few.mn - prior.m0)).toBeLessThanOrEqual(gap + 1e-12);
          expect(Math.abs(mean - many.mn)).toBeLessThanOrEqual(Math.abs(mean - few.mn) + 1e-12);
          // A mean far from the prior first widens the variance; from ten posts on more is narrower.
          fc.pre(n >= prior.k0);
          expect(meanDistribution(many).scale).toBeLessThan(meanDistribution(few).scale);
        },
      ),
    );
  });
});

describe('learnMarginals', () => {
  it('follows a worked example of two tones with ten posts each', () => {
    // Rewards have means 1 and 0 and variance 0.75, so the dimension has mean 0.5 and variance 1.
    const spread = Math.sqrt(0.75);
    const [dry, warm] = learnMarginals([
      shown('tone', 'dry', { uses: 10, mean: 1, sd: spread }),
      shown('tone', 'warm', { uses: 10, mean: 0, sd: spread }),
    ]);
    expect(dry).toMatchObject({ value: 'dry', uses: 10, effective_n: 10, mean_reward: 1 });
    // m = (5 + 10)/20
    expect(dry?.marginal_mean).toBeCloseTo(0.75, 14);
    // k = 20, a = 7, b = 2 + 7.5/2 + 10*10*0.25/40; a t with 14 degrees of freedom has variance 14/12
    const scale = Math.sqrt((2 + 3.75 + 0.625) / (7 * 20));
    expect(dry?.marginal_standard_error).toBeCloseTo(scale * Math.sqrt(14 / 12), 14);
    expect(dry?.confidence).toBeCloseTo(1 / 3, 14);
    expect(warm?.marginal_mean).toBeCloseTo(0.25, 14);
  });

  it('keeps the columns that describe the posts as they are', () => {
    const given = shown('topic', 'sleep', { uses: 4, mean: 0.2 });
    const row = only(learnMarginals([given]));
    expect(row).toMatchObject({
      total_impressions: 4000,
      total_engagements: 80,
      total_followers_gained: 6,
      mean_impressions: 1000,
      mean_engagement_rate: 0.02,
      mean_followers_gained: 1.5,
      last_posted_at: '2026-03-01T09:00:00+00:00',
    });
  });

  it('accepts what the database returns', () => {
    const value = valueStatisticsSchema.parse({
      dimension: 'tone',
      value: 'dry',
      uses: 1,
      n: 0.984722,
      s1: 0,
      s2: 0,
      total_impressions: 0,
      total_engagements: 0,
      total_followers_gained: -0.25,
      mean_impressions: null,
      mean_engagement_rate: null,
      mean_followers_gained: null,
      last_posted_at: '2026-03-01T09:00:00.123456+00:00',
    });
    const row = only(learnMarginals([value]));
    expect(row.mean_impressions).toBeNull();
  });

  it('an account without finished posts has no rows', () => {
    expect(learnMarginals([])).toEqual([]);
  });

  it('one post, or equal rewards, leave a value as uncertain as the least variance says', () => {
    for (const uses of [1, 3]) {
      const row = only(learnMarginals([shown('tone', 'dry', { uses, mean: 0.7, sd: 0 })]));
      expect(row.marginal_mean).toBeCloseTo(0.7, 12);
      expect(row.marginal_standard_error).toBeGreaterThan(0.05);
    }
  });

  it('the order of the input rows does not matter', () => {
    const shuffled = dimensionOf().chain((values) =>
      fc.tuple(
        fc.constant(values),
        fc.shuffledSubarray(values, { minLength: values.length, maxLength: values.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([values, others]) => {
        expect(learnMarginals(others)).toEqual(learnMarginals(values));
      }),
    );
  });
});

describe('defects of the first system', () => {
  it('10: learning twice from the same posts gives the same totals, not added ones', () => {
    const values = [
      shown('tone', 'dry', { uses: 12, mean: 0.4 }),
      shown('tone', 'warm', { uses: 7, mean: -0.1 }),
    ];
    const first = learnMarginals(values);
    expect(learnMarginals(values)).toEqual(first);
    expect(first.map((row) => row.uses)).toEqual([12, 7]);
  });

  it('13: confidence says how much was tried, and the standard error how well it is known', () => {
    const rows = learnMarginals([
      shown('tone', 'steady', { uses: 30, mean: 0.6, sd: 0.2 }),
      shown('tone', 'wild', { uses: 30, mean: 0.6, sd: 1.5 }),
      shown('tone', 'rare', { uses: 5, mean: -0.6, sd: 0.2 }),
      shown('tone', 'worn', { uses: 90, mean: -0.6, sd: 0.2 }),
    ]);
    expect(rows.map((row) => row.confidence)).toEqual([5 / 30, 1, 1, 1]);
    const [rare, steady, wild, worn] = rows.map((row) => row.marginal_standard_error);
    expect(steady).toBeLessThan((wild ?? 0) / 2);
    expect(worn).toBeLessThan(rare ?? 0);
  });
});
