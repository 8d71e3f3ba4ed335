/** What is learned of an account from its sums: the joint fit of each outcome, and what it shows. */
import { z } from 'zod';
import { momentSchema } from '../contracts/identifiers.ts';
import {
  type AdditiveFit,
  type FeatureGroup,
  fitAdditive,
  INTERCEPT_VARIANCE,
  type WeightedMoments,
} from './additive.ts';
import { FOLLOWERS } from './design.ts';
import { type DriftAlarm, driftAlarms } from './drift.ts';
import { contrasts, type DimensionGroup, type ValueEffect, valueEffectSchema } from './effects.ts';
import { at, cholesky, submatrix } from './linear-algebra.ts';
import { learnMarginals } from './marginal.ts';
import {
  type LearningStatistics,
  type ModelOutcome,
  OUTCOMES,
  type PackedMoments,
} from './statistics.ts';

const INTERCEPT = 'intercept';
const TWO_TO_32 = 2 ** 32;

const probability = z.number().min(0).max(1);
const lift = valueEffectSchema.shape.lift;

/** A row of `dimension_performance` as `record_performance` reads it. */
export const learnedValueSchema = z
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
    effect: z.number(),
    effect_standard_error: z.number().nonnegative(),
    effect_low_80: z.number(),
    effect_high_80: z.number(),
    effect_low_90: z.number(),
    effect_high_90: z.number(),
    prob_above_average: probability,
    prob_best: probability,
    reliability: probability,
    confidence: z.number().positive().max(1),
    lift,
    lift_low_80: lift,
    lift_high_80: lift,
    engagement_lift: lift,
    engagement_lift_low_80: lift,
    engagement_lift_high_80: lift,
    followers_lift: lift,
    followers_lift_low_80: lift,
    followers_lift_high_80: lift,
    marginal_mean: z.number(),
    marginal_standard_error: z.number().nonnegative(),
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
type LearnedValue = z.infer<typeof learnedValueSchema>;

/**
 * A row of `learned_models` as `record_performance` reads it. The dimensions' features come first, so that
 * the first `chosen_features` of `mean` and as many rows of `factor` are their posterior alone.
 */
type LearnedModel = {
  outcome: ModelOutcome;
  effective_n: number;
  residual_variance: number;
  group_variances: Record<string, number>;
  centre: number | null;
  spread: number | null;
  /** The number of followers also says what was subtracted from ln(1 + followers), and divided by. */
  features: { group: string; name: string; centre?: number; spread?: number }[];
  chosen_features: number;
  mean: number[];
  /** Lower Cholesky factor of the covariance, cell (i, j) at i (i + 1) / 2 + j. */
  factor: number[];
};

export type Learned = {
  rows: LearnedValue[];
  models: LearnedModel[];
};

/**
 * Fits the reward and each outcome of it jointly. A pure function of the sums, its draws seeded by
 * the account: learning twice from the same posts changes nothing.
 *
 * @returns a row for each value that was fitted, in order of dimension and value; no rows and no
 *   models for an account without posts that have a reward
 * @throws PostloopError 500 `matrix_not_positive_definite` when the sums are damaged
 */
export function learnAccount(statistics: LearningStatistics): Learned {
  const groups = groupsOf(statistics);
  const dimensions = groups.filter(({ name }) => name !== INTERCEPT && !name.includes(':'));
  const models: LearnedModel[] = [];
  const effects = new Map<ModelOutcome, Map<string, ValueEffect>>();
  let start: AdditiveFit | undefined;
  for (const outcome of OUTCOMES) {
    const packed = statistics.moments[outcome];
    if (!packed) continue;
    const moments = unpacked(packed);
    // The outcomes' variances are near the reward's: from there they converge in half the rounds.
    const fit = fitAdditive(moments, groups, start === undefined ? {} : { start });
    start ??= fit;
    models.push(modelOf(outcome, fit, packed, statistics, groups, dimensions));
    effects.set(outcome, effectsOf(outcome, fit, moments, packed, statistics, dimensions));
  }
  const rows = learnMarginals(statistics.values).flatMap((row) => {
    const key = keyOf(row);
    const reward = effects.get('reward')?.get(key);
    if (!reward) return [];
    const [reach, engagement, followers] = (
      ['impressions', 'engagement', 'followers'] as const
    ).map((outcome) => effects.get(outcome)?.get(key));
    return [
      {
        ...row,
        effect: reward.effect,
        effect_standard_error: reward.effect_standard_error,
        effect_low_80: reward.effect_low_80,
        effect_high_80: reward.effect_high_80,
        effect_low_90: reward.effect_low_90,
        effect_high_90: reward.effect_high_90,
        prob_above_average: reward.prob_above_average,
        prob_best: reward.prob_best,
        reliability: reward.reliability,
        lift: reach?.lift ?? null,
        lift_low_80: reach?.lift_low_80 ?? null,
        lift_high_80: reach?.lift_high_80 ?? null,
        engagement_lift: engagement?.lift ?? null,
        engagement_lift_low_80: engagement?.lift_low_80 ?? null,
        engagement_lift_high_80: engagement?.lift_high_80 ?? null,
        followers_lift: followers?.lift ?? null,
        followers_lift_low_80: followers?.lift_low_80 ?? null,
        followers_lift_high_80: followers?.lift_high_80 ?? null,
      },
    ];
  });
  return { rows: z.array(learnedValueSchema).parse(rows), models };
}

/**
 * The open alarms of an account's history, where they are not those that its sums were weighted
 * with; null where they are. After they were stored, the sums are to be asked for again.
 */
export function changedAlarms(
  statistics: LearningStatistics,
): { from: string; alarms: DriftAlarm[] } | null {
  const { residuals, alarms: known, alarms_from: from } = statistics;
  if (from === null) return null;
  const alarms = driftAlarms(residuals).filter(({ day }) => day >= from);
  const keys = (list: readonly Pick<DriftAlarm, 'dimension' | 'value' | 'direction' | 'day'>[]) =>
    list
      .map((alarm) => JSON.stringify([alarm.day, alarm.dimension, alarm.value, alarm.direction]))
      .sort()
      .join();
  return keys(alarms) === keys(known) ? null : { from, alarms };
}

function groupsOf({ groups }: LearningStatistics): FeatureGroup[] {
  let size = 0;
  return groups.map(({ name, features }) => {
    const first = size;
    size += features.length;
    const group = { name, first, features };
    return name === INTERCEPT ? { ...group, variance: INTERCEPT_VARIANCE } : group;
  });
}

function unpacked({ gram: packed, rhs, yy, n }: PackedMoments): WeightedMoments {
  const size = rhs.length;
  const gram = new Float64Array(size * size);
  let cell = 0;
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      const sum = packed[cell] as number;
      gram[row * size + column] = sum;
      gram[column * size + row] = sum;
      cell += 1;
    }
  }
  return { gram, rhs: Float64Array.from(rhs), yy, n };
}

/** Effects by value; only of values that posts with this outcome have. */
function effectsOf(
  outcome: ModelOutcome,
  fit: AdditiveFit,
  { gram, rhs }: WeightedMoments,
  { spread }: PackedMoments,
  { account_id: accountId, uses }: LearningStatistics,
  dimensions: readonly FeatureGroup[],
): Map<string, ValueEffect> {
  const groups = dimensions.map((group): DimensionGroup => {
    const indices = group.features.map((_, index) => group.first + index);
    return {
      ...group,
      uses: indices.map((index) => uses[index] as number),
      effectiveN: indices.map((index) => at(gram, index * (rhs.length + 1))),
    };
  });
  const isReward = outcome === 'reward';
  const effects = contrasts(fit, groups, {
    seed: accountId % TWO_TO_32,
    ...(isReward ? {} : { draws: 1, spread: spread ?? 0 }),
  });
  return new Map(
    effects
      .filter(({ effective_n }) => isReward || effective_n > 0)
      .map((effect) => [keyOf(effect), effect]),
  );
}

function modelOf(
  outcome: ModelOutcome,
  fit: AdditiveFit,
  { centre, spread }: PackedMoments,
  { followers }: LearningStatistics,
  groups: readonly FeatureGroup[],
  dimensions: readonly FeatureGroup[],
): LearnedModel {
  const ordered = [...dimensions, ...groups.filter((group) => !dimensions.includes(group))];
  const indices = ordered.flatMap(({ first, features }) =>
    features.map((_, index) => first + index),
  );
  const size = indices.length;
  const lower = cholesky(submatrix(fit.covariance, size, indices), size);
  const factor: number[] = [];
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) factor.push(at(lower, row * size + column));
  }
  return {
    outcome,
    effective_n: fit.effectiveN,
    residual_variance: fit.sigma2,
    group_variances: fit.tau2,
    centre,
    spread,
    features: ordered.flatMap(({ name: group, features }) =>
      features.map((name) => ({ group, name, ...(group === FOLLOWERS && followers) })),
    ),
    chosen_features: dimensions.reduce((sum, { features }) => sum + features.length, 0),
    mean: indices.map((index) => at(fit.mean, index)),
    factor,
  };
}

function keyOf({ dimension, value }: { dimension: string; value: string }): string {
  return JSON.stringify([dimension, value]);
}
