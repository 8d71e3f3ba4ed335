/** The learner of single values, which the studies compare the joint one with. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '../../shared/learning/random.ts';
import { studentTQuantile } from '../../simulation/reference/student-t.ts';
import { learnMarginalEffects, type ValueSums } from '../../simulation/studies/marginal-learner.ts';
import { studentT } from '../../simulation/worlds/draws.ts';
import { shown } from './learning-samples.ts';

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
      values.map(({ uses, weight, mean }, index): ValueSums => {
        const value = shown('tone', `value ${index}`, { uses, mean, sd: spread });
        return { ...value, n: value.n * weight, s1: value.s1 * weight, s2: value.s2 * weight };
      }),
    );

function only<T>(items: readonly T[]): T {
  expect(items).toHaveLength(1);
  return items[0] as T;
}

describe('learnMarginalEffects', () => {
  it('follows a worked example of two tones with ten posts each', () => {
    // Rewards have means 1 and 0 and variance 0.75, so the dimension has mean 0.5 and variance 1.
    const spread = Math.sqrt(0.75);
    const { priors, effects } = learnMarginalEffects([
      shown('tone', 'dry', { uses: 10, mean: 1, sd: spread }),
      shown('tone', 'warm', { uses: 10, mean: 0, sd: spread }),
    ]);
    expect(priors.tone?.mean).toBeCloseTo(0.5, 14);
    expect(priors.tone?.scale).toBeCloseTo(Math.sqrt(0.1), 14);
    expect(priors.tone?.df).toBe(4);

    const [dry, warm] = effects;
    // k = 20, m = (5 + 10)/20, a = 7, b = 2 + 7.5/2 + 10*10*0.25/40
    const scale = Math.sqrt((2 + 3.75 + 0.625) / (7 * 20));
    expect(dry?.value).toBe('dry');
    expect(dry?.posterior.mean).toBeCloseTo(0.75, 14);
    expect(dry?.posterior.scale).toBeCloseTo(scale, 14);
    expect(dry?.posterior.df).toBe(14);
    expect(dry?.effect).toBeCloseTo(0.25, 14);
    // 1.345030 and 1.761310 are the 90 % and 95 % points of t with 14 degrees of freedom.
    expect(dry?.effect_low_80).toBeCloseTo(0.25 - 1.34503 * scale, 6);
    expect(dry?.effect_high_90).toBeCloseTo(0.25 + 1.76131 * scale, 6);
    // t = 0.25 / scale = 1.1715 with 14 degrees of freedom.
    expect(dry?.prob_above_average).toBeCloseTo(0.869536, 6);
    expect(warm?.effect).toBeCloseTo(-0.25, 14);
  });

  it('knows nothing without posts', () => {
    expect(learnMarginalEffects([])).toEqual({ priors: {}, effects: [] });
  });

  it('one post, or equal rewards, leave a value as uncertain as the least variance says', () => {
    for (const uses of [1, 3]) {
      const { effects, priors } = learnMarginalEffects([
        shown('tone', 'dry', { uses, mean: 0.7, sd: 0 }),
      ]);
      const row = only(effects);
      expect(row.effect).toBeCloseTo(0, 12);
      expect(row.prob_above_average).toBeCloseTo(0.5, 9);
      expect(priors.tone?.scale).toBeCloseTo(Math.sqrt(0.1 / 10), 12);
      expect(row.posterior.scale).toBeGreaterThan(0.05);
    }
  });

  it('intervals are nested around the effect and probabilities agree with its sign', () => {
    fc.assert(
      fc.property(dimensionOf(), (values) => {
        for (const row of learnMarginalEffects(values).effects) {
          expect(row.effect_low_90).toBeLessThan(row.effect_low_80);
          expect(row.effect_low_80).toBeLessThan(row.effect);
          expect(row.effect).toBeLessThan(row.effect_high_80);
          expect(row.effect_high_80).toBeLessThan(row.effect_high_90);
          // Both sides of a boundary are right within rounding of it.
          if (Math.abs(row.effect) > 1e-9) {
            expect(row.prob_above_average > 0.5).toBe(row.effect > 0);
          }
          if (Math.abs(row.effect_low_80) > 1e-9) {
            expect(row.prob_above_average > 0.9).toBe(row.effect_low_80 > 0);
          }
        }
      }),
    );
  });

  it('effects shrink the raw difference towards the average of the dimension', () => {
    fc.assert(
      fc.property(dimensionOf(), (values) => {
        const { effects, priors } = learnMarginalEffects(values);
        effects.forEach((row, index) => {
          const { n, s1 } = values[index] as ValueSums;
          const raw = s1 / n - (priors.tone?.mean ?? Number.NaN);
          const shrinkage = n / (n + 10);
          expect(row.effect).toBeCloseTo(raw * shrinkage, 9);
        });
      }),
    );
  });

  it('multiplying every reward multiplies effects and intervals and keeps probabilities', () => {
    const factor = fc.double({ min: 1, max: 50, noNaN: true });
    fc.assert(
      fc.property(dimensionOf(0.9), factor, (values, c) => {
        const plain = learnMarginalEffects(values).effects;
        const scaled = learnMarginalEffects(
          values.map((v) => ({ ...v, s1: v.s1 * c, s2: v.s2 * c * c })),
        ).effects;
        for (const [index, row] of plain.entries()) {
          const other = scaled[index];
          expect((other?.effect ?? Number.NaN) / c).toBeCloseTo(row.effect, 8);
          expect((other?.effect_low_80 ?? Number.NaN) / c).toBeCloseTo(row.effect_low_80, 8);
          expect((other?.effect_high_90 ?? Number.NaN) / c).toBeCloseTo(row.effect_high_90, 8);
          expect(other?.prob_above_average).toBeCloseTo(row.prob_above_average, 8);
        }
      }),
    );
  });

  it('the probability of being above average is the share of posterior draws that are', () => {
    const { effects, priors } = learnMarginalEffects([
      shown('tone', 'dry', { uses: 12, mean: 0.5 }),
      shown('tone', 'warm', { uses: 3, mean: 0.1 }),
      shown('tone', 'grave', { uses: 30, mean: -0.1 }),
    ]);
    const rng = mulberry32(20260301);
    const count = 20_000;
    for (const row of effects) {
      let above = 0;
      for (let i = 0; i < count; i += 1) {
        const drawn = row.posterior.mean + row.posterior.scale * studentT(rng, row.posterior.df);
        if (drawn > (priors.tone?.mean ?? Number.NaN)) above += 1;
      }
      const p = row.prob_above_average;
      expect(Math.abs(above / count - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / count));
    }
  });

  it('the 90 % interval leaves 5 % of the posterior on either side', () => {
    const row = only(learnMarginalEffects([shown('tone', 'dry', { uses: 9, mean: 0.4 })]).effects);
    const half = (row.effect_high_90 - row.effect_low_90) / 2;
    expect(half / row.posterior.scale).toBeCloseTo(studentTQuantile(0.95, row.posterior.df), 9);
  });
});
