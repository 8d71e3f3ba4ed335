import { z } from 'zod';
import type { AdditiveFit, FeatureGroup } from './additive.ts';
import { at, cholesky, dot, submatrix } from './linear-algebra.ts';
import { normalCdf } from './normal.ts';
import { mulberry32, normal, type Rng } from './random.ts';

/** Standard normal quantiles of 0.9 and 0.95: half an 80 % and half a 90 % interval. */
const Z_80 = 1.2815515655446004;
const Z_90 = 1.6448536269514722;

/** Uses at which a value counts as fully tried. */
const USES_OF_FULL_CONFIDENCE = 30;

const probability = z.number().min(0).max(1);
const lift = z.number().min(-1).nullable();

/**
 * What one value of a dimension has shown, the other features being equal. `effect` is its
 * coefficient less the plain mean over its dimension's values, in units of the outcome; an interval
 * holds the truth with 80 or 90 % probability.
 *
 * `lift` is exp(effect · spread) - 1 for an outcome that is a logarithm divided by a spread: 0.2 says
 * that a post with this value gets 20 % more of what the logarithm is of (impressions; followers
 * plus 1; engagement rate) than one with the average value of its dimension. It compares medians, not
 * means. Null where the outcome is no such logarithm: a composite of several has a spread but no
 * quantity that grows by a percentage.
 */
export const valueEffectSchema = z.object({
  dimension: z.string().min(1),
  value: z.string().min(1),
  uses: z.int().nonnegative(),
  effective_n: z.number().nonnegative(),
  effect: z.number(),
  effect_standard_error: z.number().nonnegative(),
  effect_low_80: z.number(),
  effect_high_80: z.number(),
  effect_low_90: z.number(),
  effect_high_90: z.number(),
  lift,
  lift_low_80: lift,
  lift_high_80: lift,
  /** Probability that the effect is above 0. */
  prob_above_average: probability,
  /** Probability that no other value of the dimension is better. */
  prob_best: probability,
  /** Share of the prior uncertainty of the effect that the posts have removed. */
  reliability: probability,
  /** min(1, uses / 30): how much it was tried, not how sure the effect is. */
  confidence: probability,
});
export type ValueEffect = z.infer<typeof valueEffectSchema>;

/** A dimension's features as `contrasts` needs them; `uses` and `effectiveN` by feature. */
export type DimensionGroup = FeatureGroup & {
  /** Posts that showed the value. */
  uses: readonly number[];
  /** The same, each counted by its weight: the diagonal of the sums. */
  effectiveN: readonly number[];
};

export type ContrastOptions = {
  /** Of the draws behind `prob_best`. */
  seed: number;
  draws?: number;
  /** What a natural logarithm was divided by to become the outcome; see `lift`. */
  spread?: number;
};

/**
 * The effects of the values of dimensions, in order of the groups and their features. The groups hold
 * the values that posts have shown; the average of a dimension is over these, each counted once.
 * One normal draw for each feature and round, group by group, makes `prob_best`.
 */
export function contrasts(
  fit: AdditiveFit,
  groups: readonly DimensionGroup[],
  { seed, draws = 2000, spread }: ContrastOptions,
): ValueEffect[] {
  const rng = mulberry32(seed);
  return groups.flatMap((group) => groupEffects(fit, group, rng, draws, spread));
}

function groupEffects(
  fit: AdditiveFit,
  group: DimensionGroup,
  rng: Rng,
  draws: number,
  spread: number | undefined,
): ValueEffect[] {
  const k = group.features.length;
  const indices = group.features.map((_, index) => group.first + index);
  const covariance = submatrix(fit.covariance, fit.mean.length, indices);
  const mean = fit.mean.slice(group.first, group.first + k);
  const average = mean.reduce((sum, value) => sum + value, 0) / k;
  const rowMeans = indices.map((_, row) => {
    const cells = covariance.subarray(row * k, (row + 1) * k);
    return cells.reduce((sum, value) => sum + value, 0) / k;
  });
  const overall = rowMeans.reduce((sum, value) => sum + value, 0) / k;
  const priorVariance = (fit.tau2[group.name] ?? 0) * (1 - 1 / k);
  const best = shareBest(mean, covariance, rng, draws);
  return group.features.map((value, index): ValueEffect => {
    const effect = at(mean, index) - average;
    // The variance of one coefficient less the mean of all; rounding can make it negative.
    const ofMean = rowMeans[index] as number;
    const variance = Math.max(0, at(covariance, index * k + index) - 2 * ofMean + overall);
    const se = k === 1 ? 0 : Math.sqrt(variance);
    const liftOf = (e: number) => (spread === undefined ? null : Math.expm1(e * spread));
    const uses = group.uses[index] ?? 0;
    return {
      dimension: group.name,
      value,
      uses,
      effective_n: group.effectiveN[index] ?? 0,
      effect,
      effect_standard_error: se,
      effect_low_80: effect - Z_80 * se,
      effect_high_80: effect + Z_80 * se,
      effect_low_90: effect - Z_90 * se,
      effect_high_90: effect + Z_90 * se,
      lift: liftOf(effect),
      lift_low_80: liftOf(effect - Z_80 * se),
      lift_high_80: liftOf(effect + Z_80 * se),
      prob_above_average: se === 0 ? 0.5 : normalCdf(effect / se),
      prob_best: best[index] ?? 0,
      reliability: priorVariance === 0 ? 0 : Math.min(1, Math.max(0, 1 - variance / priorVariance)),
      confidence: Math.min(1, uses / USES_OF_FULL_CONFIDENCE),
    };
  });
}

/** In which share of draws from N(mean, covariance) each coefficient is the largest. */
function shareBest(mean: Float64Array, covariance: Float64Array, rng: Rng, draws: number) {
  const k = mean.length;
  const lower = cholesky(covariance, k);
  const wins = new Array<number>(k).fill(0);
  const noise = new Float64Array(k);
  for (let draw = 0; draw < draws; draw += 1) {
    for (let index = 0; index < k; index += 1) noise[index] = normal(rng);
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < k; index += 1) {
      const drawn = at(mean, index) + dot(lower, index * k, noise, 0, index + 1);
      if (drawn > highest) {
        highest = drawn;
        best = index;
      }
    }
    wins[best] = (wins[best] ?? 0) + 1;
  }
  return wins.map((count) => count / draws);
}
