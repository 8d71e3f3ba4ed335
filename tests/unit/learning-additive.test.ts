import fc from 'fast-check';
import { Matrix, solve } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import {
  type FeatureGroup,
  fitAdditive,
  gramOf,
  INTERCEPT_VARIANCE,
  postWeight,
  type SparseRow,
} from '../../shared/learning/additive.ts';
import { mulberry32, normal } from '../../shared/learning/random.ts';
import { scaleMoments } from '../../simulation/studies/policy-study.ts';

const named = (name: string, first: number, size: number, variance?: number): FeatureGroup => ({
  name,
  first,
  features: Array.from({ length: size }, (_, index) => `${index}`),
  ...(variance === undefined ? {} : { variance }),
});

const intercept = named('intercept', 0, 1, INTERCEPT_VARIANCE);

/** A post with an intercept and the given features, each once. */
const post = (features: number[], y: number, weight = 1): SparseRow => ({
  indices: [0, ...features],
  values: [1, ...features.map(() => 1)],
  y,
  discount: weight,
  weight,
});

/** Posts with one value of each dimension, drawn with the given effects. */
function simulated(sizes: number[], n: number, seed: number, sd = 0.3) {
  const rng = mulberry32(seed);
  const groups = [intercept];
  let first = 1;
  const effects = sizes.map((size, index) => {
    groups.push(named(`d${index}`, first, size));
    first += size;
    return Array.from({ length: size }, () => sd * normal(rng));
  });
  const rows = Array.from({ length: n }, () => {
    let y = normal(rng);
    const features = effects.map((values, index) => {
      const value = Math.floor(rng() * values.length);
      y += values[value] ?? 0;
      return (groups[index + 1]?.first ?? 0) + value;
    });
    return post(features, y);
  });
  return { groups, rows, size: first, effects: effects.flat() };
}

describe('postWeight', () => {
  it('halves every 90 days', () => {
    expect(postWeight({ ageDays: 0 })).toEqual({ discount: 1, weight: 1 });
    expect(postWeight({ ageDays: 180 })).toEqual({ discount: 0.25, weight: 0.25 });
    expect(postWeight({ ageDays: 21 }, 21).weight).toBe(0.5);
  });

  it('lets a projected outcome count less, but not seem older', () => {
    const young = postWeight({ ageDays: 0, noiseVariance: 0.25, sigma2: 0.75 });
    expect(young).toEqual({ discount: 1, weight: 0.75 });
  });

  it('keeps a tenth of posts from before an alarm, and never nothing', () => {
    expect(postWeight({ ageDays: 90, alarmsSince: 2 }).weight).toBeCloseTo(0.005, 15);
    expect(postWeight({ ageDays: 40_000 }).weight).toBe(1e-9);
  });
});

describe('gramOf', () => {
  it('sums what was worked out by hand', () => {
    const rows: SparseRow[] = [
      { indices: [0, 2], values: [1, 1], y: 3, discount: 1, weight: 0.5 },
      { indices: [0, 1], values: [1, -2], y: 1, discount: 0.25, weight: 0.25 },
    ];
    const { gram, rhs, yy, n } = gramOf(rows, 3);
    expect([...gram]).toEqual([0.75, -0.5, 0.5, -0.5, 1, 0, 0.5, 0, 0.5]);
    expect([...rhs]).toEqual([1.75, -0.5, 1.5]);
    expect(yy).toBe(4.75);
    expect(n).toBe(1.25);
  });

  it('aged as a whole is what it would be of aged posts', () => {
    const { rows, size } = simulated([3, 4], 50, 1);
    const aged = gramOf(rows, size);
    scaleMoments(aged, 0.5);
    const halved = rows.map((row) => ({ ...row, discount: 0.5, weight: 0.5 }));
    expect(aged).toEqual(gramOf(halved, size));
  });
});

describe('fitAdditive', () => {
  it('is a ridge regression when all variances are given', () => {
    const { rows, size } = simulated([3, 4], 60, 2);
    const groups = [named('intercept', 0, 1, 100), named('a', 1, 3, 0.5), named('b', 4, 4, 0.2)];
    const moments = gramOf(rows, size);
    // A prior of sigma^2 as heavy as ten million posts gives it too.
    const fit = fitAdditive(moments, groups, { sigmaWeight: 1e13, sigma2Prior: 2 });
    expect(fit.tau2).toEqual({ intercept: 100, a: 0.5, b: 0.2 });
    const precision = [100, 0.5, 0.5, 0.5, 0.2, 0.2, 0.2, 0.2].map((variance) => 1 / variance);
    const matrix = Matrix.from1DArray(size, size, [...moments.gram]).div(2);
    const ridge = matrix.add(Matrix.diag(precision));
    const expected = solve(ridge, Matrix.columnVector([...moments.rhs]).div(2));
    fit.mean.forEach((value, index) => {
      expect(value).toBeCloseTo(expected.get(index, 0), 9);
    });
    const covariance = Matrix.from1DArray(size, size, [...fit.covariance]);
    const product = covariance.mmul(ridge).sub(Matrix.eye(size));
    expect(product.max() - product.min()).toBeLessThan(1e-9);
  });

  it('finds effects, their spread and the noise in many posts', () => {
    const { groups, rows, size, effects } = simulated([12, 8], 20_000, 3);
    const fit = fitAdditive(gramOf(rows, size), groups);
    expect(fit.converged).toBe(true);
    expect(fit.sigma2).toBeCloseTo(1, 1);
    expect(Math.abs(Math.sqrt(fit.tau2.d0 ?? 0) - 0.3)).toBeLessThan(0.1);
    effects.forEach((effect, index) => {
      // The intercept takes a part that all values of a dimension share.
      const own = effects.slice(index < 12 ? 0 : 12, index < 12 ? 12 : 20);
      const average = own.reduce((sum, value) => sum + value, 0) / own.length;
      const means = fit.mean.slice(index < 12 ? 1 : 13, index < 12 ? 13 : 21);
      const fitted = means.reduce((sum, value) => sum + value, 0) / means.length;
      const error = (fit.mean[index + 1] ?? 0) - fitted - (effect - average);
      expect(Math.abs(error)).toBeLessThan(0.12);
    });
  });

  it('knows nothing but the priors without posts', () => {
    const groups = [intercept, named('tone', 1, 4)];
    const fit = fitAdditive(gramOf([], 5), groups);
    expect([...fit.mean]).toEqual([0, 0, 0, 0, 0]);
    expect(fit.tau2.tone).toBeCloseTo(0.09, 12);
    expect(fit.sigma2).toBeCloseTo(1, 12);
    expect(fit.covariance[6]).toBeCloseTo(0.09, 12);
  });

  it('does not lose a dimension whose few posts all came out the same', () => {
    const rows = Array.from({ length: 12 }, (_, index) => post([1 + (index % 3)], 0.4));
    const fit = fitAdditive(gramOf(rows, 4), [intercept, named('tone', 1, 3)]);
    expect(fit.tau2.tone).toBeGreaterThan(0.03);
    expect(fit.mean[0]).toBeCloseTo(0.4, 3);
  });

  it('does not depend on the order of the posts', () => {
    const { groups, rows, size } = simulated([5, 4], 80, 4);
    const expected = fitAdditive(gramOf(rows, size), groups);
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (shuffled) => {
        const fit = fitAdditive(gramOf(shuffled, size), groups);
        fit.mean.forEach((value, index) => {
          expect(Math.abs(value - (expected.mean[index] ?? 0))).toBeLessThan(1e-9);
        });
      }),
      { numRuns: 20 },
    );
  });

  it('ends where it would have from a good start, in fewer rounds', () => {
    const { groups, rows, size } = simulated([12, 8, 6], 400, 5, 0.1);
    const moments = gramOf(rows, size);
    const cold = fitAdditive(moments, groups, { tolerance: 1e-8, maxRounds: 500 });
    const warm = fitAdditive(moments, groups, { tolerance: 1e-8, maxRounds: 500, start: cold });
    expect(warm.rounds).toBe(1);
    expect(warm.tau2.d0).toBeCloseTo(cold.tau2.d0 ?? 0, 8);
  });

  it('refuses groups that leave a feature out or share one', () => {
    const moments = gramOf([post([1], 1)], 3);
    for (const groups of [
      [intercept, named('a', 1, 1)],
      [intercept, named('a', 1, 2), named('b', 2, 1)],
      [intercept, named('a', 1, 3)],
    ]) {
      expect(() => fitAdditive(moments, groups)).toThrow(
        expect.objectContaining({ code: 'groups_incomplete' }),
      );
    }
  });

  it.each([
    [100, [30, 20, 15, 10, 8, 16], 0.06],
    [200, [40, 40, 30, 30, 29, 30], 0.6],
  ])('fits %d features well within the CPU time of an edge function', (features, sizes, limit) => {
    const { groups, rows, size } = simulated(sizes, 3000, 6);
    expect(size).toBe(features);
    const moments = gramOf(rows, size);
    const seconds = [1, 2, 3].map(() => {
      const before = process.cpuUsage();
      const fit = fitAdditive(moments, groups);
      expect(fit.converged).toBe(true);
      return process.cpuUsage(before).user / 1e6;
    });
    expect(Math.min(...seconds)).toBeLessThan(limit);
  });
});
