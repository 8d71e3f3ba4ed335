import { Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import type { AdditiveFit } from '../../shared/learning/additive.ts';
import {
  contrasts,
  type DimensionGroup,
  valueEffectSchema,
} from '../../shared/learning/effects.ts';
import { mulberry32, normal } from '../../shared/learning/random.ts';

const group = (name: string, first: number, values: string[]): DimensionGroup => ({
  name,
  first,
  features: values,
  uses: values.map(() => 12),
  effectiveN: values.map(() => 9.5),
});

/** A fit of which only the posterior matters. */
const fitOf = (mean: number[], covariance: number[], tau2 = 0.09): AdditiveFit => ({
  mean: Float64Array.from(mean),
  covariance: Float64Array.from(covariance),
  sigma2: 1,
  tau2: { tone: tau2, topic: tau2 },
  rounds: 5,
  converged: true,
  n: 40,
  effectiveN: 40,
});

const two = fitOf([0.1, 0.6, 0.2], [1, 0, 0, 0, 0.04, 0.01, 0, 0.01, 0.02]);
const tones = [group('tone', 1, ['dry', 'warm'])];

describe('contrasts', () => {
  it('follow a worked example', () => {
    const [dry, warm] = contrasts(two, tones, { seed: 1 });
    // Half the difference, whose variance is (0.04 + 0.02 - 2 · 0.01) / 4.
    expect(dry?.effect).toBeCloseTo(0.2, 12);
    expect(dry?.effect_standard_error).toBeCloseTo(0.1, 12);
    expect(warm?.effect).toBeCloseTo(-0.2, 12);
    expect(dry?.effect_low_90).toBeCloseTo(0.2 - 0.16449, 4);
    expect(dry?.effect_high_90).toBeCloseTo(0.2 + 0.16449, 4);
    expect(dry?.effect_low_80).toBeCloseTo(0.2 - 0.12816, 4);
    expect(dry?.effect_high_80).toBeCloseTo(0.2 + 0.12816, 4);
    expect(dry?.prob_above_average).toBeCloseTo(0.97725, 5);
    // The prior variance of half a difference is 0.09 / 2.
    expect(dry?.reliability).toBeCloseTo(1 - 0.01 / 0.045, 12);
    expect(dry).toMatchObject({ dimension: 'tone', value: 'dry', uses: 12, effective_n: 9.5 });
    expect(dry?.confidence).toBe(0.4);
  });

  it('have the variances of ml-matrix for a larger dimension', () => {
    const rng = mulberry32(3);
    const factor = Matrix.from1DArray(
      5,
      5,
      Array.from({ length: 25 }, () => 0.2 * normal(rng)),
    );
    const covariance = factor.mmul(factor.transpose()).add(Matrix.eye(5).mul(0.01));
    const effects = contrasts(
      fitOf([0, 0.1, 0.2, -0.1, 0.4], covariance.to1DArray()),
      [group('topic', 0, ['a', 'b', 'c', 'd', 'e'])],
      { seed: 1 },
    );
    const centring = Matrix.eye(5).sub(0.2);
    const expected = centring.mmul(covariance).mmul(centring).diagonal();
    effects.forEach(({ effect_standard_error: se }, index) => {
      expect(se).toBeCloseTo(Math.sqrt(expected[index] ?? Number.NaN), 12);
    });
    expect(effects.reduce((sum, { effect }) => sum + effect, 0)).toBeCloseTo(0, 12);
  });

  it('give a lift where the outcome is a logarithm, and none for a composite', () => {
    const [dry] = contrasts(two, tones, { seed: 1, spread: 1.5 });
    expect(dry?.lift).toBeCloseTo(Math.exp(0.3) - 1, 12);
    expect(dry?.lift_low_80).toBeCloseTo(Math.exp(1.5 * (0.2 - 0.12815515655446)) - 1, 12);
    expect(dry?.lift_high_80).toBeCloseTo(Math.exp(1.5 * (0.2 + 0.12815515655446)) - 1, 12);
    const [composite] = contrasts(two, tones, { seed: 1 });
    expect(composite).toMatchObject({ lift: null, lift_low_80: null, lift_high_80: null });
  });

  it('say how probably each value is the best, the same for the same seed', () => {
    const [dry, warm] = contrasts(two, tones, { seed: 7 });
    // Of two values, the one above the average is the best.
    expect(Math.abs((dry?.prob_best ?? 0) - 0.97725)).toBeLessThan(0.015);
    expect((dry?.prob_best ?? 0) + (warm?.prob_best ?? 0)).toBeCloseTo(1, 12);
    expect(contrasts(two, tones, { seed: 7 })).toEqual(contrasts(two, tones, { seed: 7 }));
  });

  it('know nothing of values without posts', () => {
    const prior = fitOf([0, 0, 0], [0.09, 0, 0, 0, 0.09, 0, 0, 0, 0.09]);
    for (const one of contrasts(prior, [group('tone', 0, ['a', 'b', 'c'])], { seed: 1 })) {
      expect(one.reliability).toBeCloseTo(0, 12);
      expect(one.prob_above_average).toBe(0.5);
      expect(Math.abs(one.prob_best - 1 / 3)).toBeLessThan(0.04);
    }
  });

  it('of a dimension with one value say that there is nothing to compare', () => {
    const [only] = contrasts(two, [group('tone', 1, ['dry'])], { seed: 1 });
    expect(only).toMatchObject({
      effect: 0,
      effect_standard_error: 0,
      prob_above_average: 0.5,
      prob_best: 1,
      reliability: 0,
    });
  });

  it('are rows that the schema takes', () => {
    for (const spread of [undefined, 1.2]) {
      const options = spread === undefined ? { seed: 2 } : { seed: 2, spread };
      for (const row of contrasts(two, tones, options)) {
        expect(valueEffectSchema.parse(row)).toEqual(row);
      }
    }
  });
});
