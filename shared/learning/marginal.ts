import { z } from 'zod';
import { momentSchema } from '../contracts/identifiers.ts';
import { byCodeUnits } from './order.ts';
import type { LearningStatistics, ValueStatistics } from './statistics.ts';
import { studentTCdf, studentTQuantile } from './student-t.ts';

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
const studentTSchema = z.object({
  mean: z.number(),
  scale: z.number().positive(),
  df: z.number().positive(),
});
export type StudentT = z.infer<typeof studentTSchema>;

const probability = z.number().min(0).max(1);

/** A row of `dimension_performance` as `record_performance` reads it. */
export const dimensionPerformanceRowSchema = z
  .object({
    dimension: z.string().min(1),
    value: z.string().min(1),
    uses: z.int().positive(),
    effective_n: z.number().positive(),
    total_impressions: z.int().nonnegative(),
    total_engagements: z.int().nonnegative(),
    total_followers_gained: z.number(),
    mean_impressions: z.number().nullable(),
    mean_engagement_rate: z.number().nullable(),
    mean_followers_gained: z.number().nullable(),
    mean_reward: z.number(),
    posterior_mean: z.number(),
    posterior_scale: z.number().positive(),
    posterior_df: z.number().positive(),
    effect: z.number(),
    effect_low_80: z.number(),
    effect_high_80: z.number(),
    effect_low_90: z.number(),
    effect_high_90: z.number(),
    prob_above_average: probability,
    confidence: z.number().positive().max(1),
    last_posted_at: momentSchema,
  })
  .refine(
    (row) =>
      row.effect_low_90 <= row.effect_low_80 &&
      row.effect_low_80 <= row.effect &&
      row.effect <= row.effect_high_80 &&
      row.effect_high_80 <= row.effect_high_90,
    { message: 'the 80 % interval must lie inside the 90 % interval and hold the effect' },
  );
type DimensionPerformanceRow = z.infer<typeof dimensionPerformanceRowSchema>;

/** What is recorded of an account: per dimension the t of a value never used, and a row a value. */
export type LearnedMarginals = {
  priors: Record<string, StudentT>;
  rows: DimensionPerformanceRow[];
};

/**
 * Learns each value of each dimension on its own from an account's weighted sums. A pure function
 * of all of them: nothing is carried over, so learning twice from the same posts changes nothing.
 * Values of other dimensions are not adjusted for.
 *
 * @returns rows in order of dimension and value, whatever the order of the input
 * @throws ZodError when the statistics lead to a row that the table would refuse
 */
export function learnMarginals(statistics: Pick<LearningStatistics, 'values'>): LearnedMarginals {
  const values = statistics.values.toSorted(
    (a, b) => byCodeUnits(a.dimension, b.dimension) || byCodeUnits(a.value, b.value),
  );
  const priors: Record<string, StudentT> = {};
  const rows: DimensionPerformanceRow[] = [];
  for (const dimension of new Set(values.map((value) => value.dimension))) {
    const members = values.filter((value) => value.dimension === dimension);
    const prior = dimensionPrior(members);
    priors[dimension] = meanDistribution(nigPosterior({ n: 0, s1: 0, s2: 0 }, prior));
    for (const member of members) rows.push(performanceRow(member, prior));
  }
  return { priors, rows: z.array(dimensionPerformanceRowSchema).parse(rows) };
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

/** The prior that the values of one dimension share: its own weighted mean and variance. */
function dimensionPrior(members: readonly ValueStatistics[]): NigPrior {
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

function performanceRow(value: ValueStatistics, prior: NigPrior): DimensionPerformanceRow {
  const { n, s1, s2, ...shown } = value;
  const { mean, scale, df } = meanDistribution(nigPosterior({ n, s1, s2 }, prior));
  const effect = mean - prior.m0;
  const half80 = studentTQuantile(0.9, df) * scale;
  const half90 = studentTQuantile(0.95, df) * scale;
  return {
    ...shown,
    effective_n: n,
    mean_reward: s1 / n,
    posterior_mean: mean,
    posterior_scale: scale,
    posterior_df: df,
    effect,
    effect_low_80: effect - half80,
    effect_high_80: effect + half80,
    effect_low_90: effect - half90,
    effect_high_90: effect + half90,
    prob_above_average: studentTCdf(effect / scale, df),
    confidence: Math.min(1, value.uses / USES_OF_FULL_CONFIDENCE),
  };
}
