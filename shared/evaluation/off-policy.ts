/**
 * What another policy would have earned on decisions that were already made.
 *
 * Each decision drew a slate of combinations and picked one with a known probability. A target
 * policy chooses within the same slates, so the picks are weighted by w = target(a | slate) /
 * propensity(a | slate). What no slate held cannot be judged: over all combinations of a vocabulary
 * the weights are hopeless, within slates of eight they are at most eight.
 *
 * The estimand is the mean over the logged slates. Later slates may depend on earlier rewards,
 * because the error of a pick given its slate has mean 0 all the same. Two things must not depend
 * on a row's own reward, or the estimate flatters: the reward model, and the target itself. Fit both
 * without the row's fold, or before the row. Rewards belong to what was assigned, whatever was
 * written.
 */
import { z } from 'zod';
import { PostloopError } from '../contracts/error.ts';
import { type DimensionValues, dimensionValuesSchema } from '../contracts/identifiers.ts';
import { HALF_90 } from '../learning/normal.ts';

/** Effective decisions below which nothing is reported. */
export const LEAST_EFFECTIVE = 30;

/** How far the mean weight may be from 1 before the propensities are doubted. */
const MEAN_WEIGHT_TOLERANCE = 0.1;

/** Standard errors that chance may explain; ESS 40 with slates of eight has an error of 0.15. */
const MEAN_WEIGHT_ERRORS = 3;

/**
 * One decision whose post is finished. `slate` has all draws in order. `chosen` is the index of any
 * draw that equals the pick, and `propensity` the probability of that combination, all its draws
 * together. `fold` is that of a cross-fitted model.
 */
export const loggedChoiceSchema = z
  .object({
    slate: z.array(dimensionValuesSchema).min(1),
    chosen: z.int().nonnegative(),
    propensity: z.number().gt(0).max(1),
    reward: z.number(),
    fold: z.int().nonnegative().optional(),
  })
  .refine(({ slate, chosen }) => chosen < slate.length, {
    path: ['chosen'],
    message: 'must be an index into the slate',
  });
export type LoggedChoice = z.infer<typeof loggedChoiceSchema>;

/** One distinct combination of a slate, and how often it was drawn into it. */
type Candidate = { combination: DimensionValues; draws: number };

/** The probabilities with which a policy chooses among the distinct combinations of a slate. */
export type TargetPolicy = (
  candidates: readonly Candidate[],
  row: LoggedChoice,
) => readonly number[];

/** Expected reward of a combination, by a model that has not seen `fold`. */
export type RewardModel = (combination: DimensionValues, fold: number | undefined) => number;

/** A logged decision beside what the target would have done with it. */
export type WeightedChoice = {
  weight: number;
  reward: number;
  fold: number | undefined;
  candidates: readonly Candidate[];
  probabilities: readonly number[];
  /** Index of what was chosen, among the candidates. */
  chosen: number;
};

export type OffPolicyEstimate = {
  /** Mean reward in the reward's own unit; null if refused, as are the three after it. */
  estimate: number | null;
  se: number | null;
  low90: number | null;
  high90: number | null;
  /** Effective decisions, (sum w)^2 / sum w^2. */
  ess: number;
  /** 1 in expectation if the propensities are right; NaN without rows. */
  meanWeight: number;
  /** Whether the mean weight says that the logged propensities are wrong; false below ESS 30. */
  weightAlarm: boolean;
  n: number;
  refused?: 'effective_sample_too_small' | 'values_never_drawn';
};

/**
 * Weighs logged decisions by a target policy.
 *
 * @throws PostloopError 500 `choice_invalid` for a row whose choice is not in its slate or whose
 *   propensity is not a probability, `target_invalid` for a target that is not a distribution
 */
export function weigh(rows: readonly LoggedChoice[], target: TargetPolicy): WeightedChoice[] {
  return rows.map((row) => {
    const { candidates, chosen } = distinct(row);
    const probabilities = target(candidates, row);
    const total = probabilities.reduce((sum, p) => sum + p, 0);
    if (
      probabilities.length !== candidates.length ||
      probabilities.some((p) => !(p >= 0)) ||
      Math.abs(total - 1) > 1e-9
    ) {
      throw new PostloopError(
        500,
        'target_invalid',
        'A target policy must return one probability for each distinct combination, in total 1.',
        { candidates: candidates.length, probabilities },
      );
    }
    return {
      weight: (probabilities[chosen] ?? 0) / row.propensity,
      reward: row.reward,
      fold: row.fold,
      candidates,
      probabilities,
      chosen,
    };
  });
}

/**
 * Self-normalised IPS: sum(w r) / sum(w), with the standard error sqrt(sum w^2 (r - v)^2) / sum w
 * (Swaminathan & Joachims 2015). Shifting all rewards by a constant shifts it by that constant.
 */
export function snips(rows: readonly WeightedChoice[]): OffPolicyEstimate {
  const weights = rows.map(({ weight }) => weight);
  const total = sum(weights);
  const value = sum(rows.map(({ weight, reward }) => weight * reward)) / total;
  const errors = rows.map(({ weight, reward }) => (weight * (reward - value)) ** 2);
  return summary(value, Math.sqrt(sum(errors)) / total, weights);
}

/**
 * Doubly robust: mean(sum_a target(a) q(a) + w (r - q(chosen))) (Dudik et al. 2011). Right if either
 * the propensities or the model are; with right propensities a good model only narrows the range.
 */
export function dr(rows: readonly WeightedChoice[], model: RewardModel): OffPolicyEstimate {
  const terms = rows.map(({ weight, reward, fold, candidates, probabilities, chosen }) => {
    let expected = 0;
    let ofChosen = 0;
    candidates.forEach(({ combination }, index) => {
      const value = model(combination, fold);
      expected += (probabilities[index] ?? 0) * value;
      if (index === chosen) ofChosen = value;
    });
    return expected + weight * (reward - ofChosen);
  });
  return fromMean(
    terms,
    rows.map(({ weight }) => weight),
  );
}

/** The policy that takes the combination with the highest expected reward; equals share. */
export function bestOfSlate(model: RewardModel): TargetPolicy {
  return (candidates, { fold }) => {
    const values = candidates.map(({ combination }) => model(combination, fold));
    const highest = Math.max(...values);
    const best = values.filter((value) => value === highest).length;
    return values.map((value) => (value === highest ? 1 / best : 0));
  };
}

/**
 * The summary of an estimator that is a mean of independent terms, one a row.
 *
 * @param weights the importance weights of the same rows
 */
export function fromMean(terms: readonly number[], weights: readonly number[]): OffPolicyEstimate {
  const { mean, se } = meanAndError(terms);
  return summary(mean, se, weights);
}

function summary(value: number, se: number, weights: readonly number[]): OffPolicyEstimate {
  const total = sum(weights);
  const ess = total === 0 ? 0 : total ** 2 / sum(weights.map((weight) => weight ** 2));
  const { mean: meanWeight, se: weightError } = meanAndError(weights);
  const tolerated = Math.max(MEAN_WEIGHT_TOLERANCE, MEAN_WEIGHT_ERRORS * weightError);
  const common = {
    ess,
    meanWeight,
    weightAlarm: ess >= LEAST_EFFECTIVE && Math.abs(meanWeight - 1) > tolerated,
    n: weights.length,
  };
  if (ess < LEAST_EFFECTIVE) {
    const refused = 'effective_sample_too_small';
    return { estimate: null, se: null, low90: null, high90: null, ...common, refused };
  }
  return {
    estimate: value,
    se,
    low90: value - HALF_90 * se,
    high90: value + HALF_90 * se,
    ...common,
  };
}

function meanAndError(values: readonly number[]): { mean: number; se: number } {
  const n = values.length;
  const mean = sum(values) / n;
  const squares = sum(values.map((value) => (value - mean) ** 2));
  return { mean, se: Math.sqrt(squares / (n - 1) / n) };
}

function distinct(row: LoggedChoice): { candidates: Candidate[]; chosen: number } {
  const candidates: Candidate[] = [];
  let chosen = -1;
  row.slate.forEach((combination, place) => {
    let index = candidates.findIndex((candidate) => isSame(candidate.combination, combination));
    if (index < 0) index = candidates.push({ combination, draws: 0 }) - 1;
    const candidate = candidates[index];
    if (candidate) candidate.draws += 1;
    if (place === row.chosen) chosen = index;
  });
  if (chosen < 0 || !(row.propensity > 0 && row.propensity <= 1)) {
    throw new PostloopError(
      500,
      'choice_invalid',
      'A logged choice must be in its slate, with a propensity above 0 and at most 1.',
      { slate: row.slate.length, chosen: row.chosen, propensity: row.propensity },
    );
  }
  return { candidates, chosen };
}

function isSame(a: DimensionValues, b: DimensionValues): boolean {
  const dimensions = Object.keys(a);
  return (
    dimensions.length === Object.keys(b).length &&
    dimensions.every((dimension) => a[dimension] === b[dimension])
  );
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
