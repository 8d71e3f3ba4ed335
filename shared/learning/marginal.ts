import { byCodeUnits } from './order.ts';
import type { ValueStatistics } from './statistics.ts';

/** How many posts' worth of "this value is like the others" each value starts with. */
const PRIOR_POSTS = 10;

/** Shape of the prior of the variance: as if it had been seen in four posts. */
const PRIOR_SHAPE = 2;

/**
 * The least variance of the reward that a prior takes. The reward is scaled to the account's own
 * spread, so its variance is between 0.36 (its three outcomes independent) and 1 (all alike). One
 * post or equal rewards show none at all; taken at its word, that would make the first posterior
 * certain. As the prior counts as four posts, a lower true variance is soon learned all the same.
 */
const LEAST_VARIANCE = 0.1;

/** Uses at which a value counts as fully tried. */
const USES_OF_FULL_CONFIDENCE = 30;

/** Weighted sums of a reward y: n = sum w, s1 = sum w y, s2 = sum w y^2. */
export type WeightedSums = { n: number; s1: number; s2: number };

/** Normal-Inverse-Gamma: mean | v ~ N(m0, v / k0), v ~ InverseGamma(a0, b0). */
export type NigPrior = { k0: number; m0: number; a0: number; b0: number };
export type NigPosterior = { kn: number; mn: number; an: number; bn: number };

/** The Student t of a mean reward. */
export type StudentT = { mean: number; scale: number; df: number };

/** What a value's own posts show, nothing adjusted for: the raw columns of `dimension_performance`. */
export type MarginalValue = Omit<ValueStatistics, keyof WeightedSums> & {
  effective_n: number;
  mean_reward: number;
  marginal_mean: number;
  marginal_standard_error: number;
  confidence: number;
};

/**
 * Learns each value of each dimension on its own from an account's weighted sums. A pure function
 * of all of them: nothing is carried over, so learning twice from the same posts changes nothing.
 *
 * @returns in order of dimension and value, whatever the order of the input
 */
export function learnMarginals(values: readonly ValueStatistics[]): MarginalValue[] {
  const sorted = values.toSorted(
    (a, b) => byCodeUnits(a.dimension, b.dimension) || byCodeUnits(a.value, b.value),
  );
  return sorted.map(({ n, s1, s2, ...shown }) => {
    const members = sorted.filter(({ dimension }) => dimension === shown.dimension);
    const { mean, scale, df } = meanDistribution(
      nigPosterior({ n, s1, s2 }, dimensionPrior(members)),
    );
    return {
      ...shown,
      effective_n: n,
      mean_reward: s1 / n,
      marginal_mean: mean,
      // of a Student t with more than two degrees of freedom; there are at least four
      marginal_standard_error: scale * Math.sqrt(df / (df - 2)),
      confidence: Math.min(1, shown.uses / USES_OF_FULL_CONFIDENCE),
    };
  });
}

/** The prior that the values of one dimension share: its own weighted mean and variance. */
export function dimensionPrior(members: readonly WeightedSums[]): NigPrior {
  let n = 0;
  let s1 = 0;
  let s2 = 0;
  for (const member of members) {
    n += member.n;
    s1 += member.s1;
    s2 += member.s2;
  }
  const m0 = s1 / n;
  const variance = Math.max(s2 / n - m0 * m0, LEAST_VARIANCE);
  return { k0: PRIOR_POSTS, m0, a0: PRIOR_SHAPE, b0: PRIOR_SHAPE * variance };
}

/** The Normal-Inverse-Gamma update by weighted sums; with n = 0 the prior comes back. */
export function nigPosterior({ n, s1, s2 }: WeightedSums, prior: NigPrior): NigPosterior {
  const { k0, m0, a0, b0 } = prior;
  if (n === 0) return { kn: k0, mn: m0, an: a0, bn: b0 };
  const kn = k0 + n;
  // Equal rewards can make the difference negative by rounding.
  const within = Math.max(0, s2 - (s1 * s1) / n) / 2;
  const between = (k0 * n * (s1 / n - m0) ** 2) / (2 * kn);
  return { kn, mn: (k0 * m0 + s1) / kn, an: a0 + n / 2, bn: b0 + within + between };
}

/** The marginal Student t of the mean under a Normal-Inverse-Gamma distribution. */
export function meanDistribution({ kn, mn, an, bn }: NigPosterior): StudentT {
  return { mean: mn, scale: Math.sqrt(bn / (an * kn)), df: 2 * an };
}
