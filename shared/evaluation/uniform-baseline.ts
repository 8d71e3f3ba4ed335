/**
 * What uniform choice over the whole vocabulary would have earned: the baseline of "is the bot
 * getting better?". The logged slates alone cannot say, for they were drawn by what had been learned
 * and lack most combinations. Two answers are possible, each at the price of one assumption more:
 *
 * - `uniformByMarginals` reweighs what was posted, value by value. It assumes that the reward is a
 *   sum over dimensions, and that the policy drew the dimensions independently of each other, which
 *   is so for the uniform start and for one posterior a dimension, and about so for a joint
 *   posterior of well mixed posts; not under constraints between dimensions. It needs every value
 *   to have been possible; once the policy has settled it refuses.
 * - `gainInModel` asks the additive model. It assumes that the model is right and always answers.
 */
import { PostloopError } from '../contracts/error.ts';
import type { DimensionValues } from '../contracts/identifiers.ts';
import { HALF_90 } from '../learning/normal.ts';
import { fromMean, type OffPolicyEstimate } from './off-policy.ts';

/**
 * A finished decision with what the policy was about to do: per dimension the probability of each
 * value of the vocabulary, for example the share among draws from the posterior of that moment.
 */
export type MarginalChoice = {
  assigned: DimensionValues;
  marginals: Readonly<Record<string, Readonly<Record<string, number>>>>;
  reward: number;
  fold?: number;
};

/** An additive reward model: of one combination, and its mean over all of the vocabulary's. */
export type AdditiveModel = {
  expected(combination: DimensionValues, fold: number | undefined): number;
  uniformMean(fold: number | undefined): number;
};

const NO_MODEL: AdditiveModel = { expected: () => 0, uniformMean: () => 0 };

/**
 * Mean reward of uniform choice over the vocabulary: mean(q_uniform + w (r - q(a))) with
 * w = 1 + sum over dimensions of (1 / (k mu(a_d)) - 1), k being the dimension's number of values and
 * mu the probability of the value posted. This is the pseudo-inverse estimator of Swaminathan et al.
 * 2017 for policies that are products; its weights may be negative.
 *
 * Refused as `values_never_drawn` if a value had probability 0 at any decision.
 *
 * @throws PostloopError 500 `choice_invalid` for a value without a probability
 */
export function uniformByMarginals(
  rows: readonly MarginalChoice[],
  model: AdditiveModel = NO_MODEL,
): OffPolicyEstimate {
  const weights = rows.map(uniformWeight);
  const terms = rows.map(({ reward, assigned, fold }, index) => {
    const surprise = reward - model.expected(assigned, fold);
    return model.uniformMean(fold) + (weights[index] ?? 0) * surprise;
  });
  const result = fromMean(terms, weights);
  const unsupported = rows.some(({ marginals }) =>
    Object.values(marginals).some((values) => Object.values(values).some((p) => !(p > 0))),
  );
  if (!unsupported) return result;
  const refused = 'values_never_drawn';
  return { ...result, estimate: null, se: null, low90: null, high90: null, refused };
}

function uniformWeight({ assigned, marginals }: MarginalChoice): number {
  let weight = 1;
  for (const [dimension, values] of Object.entries(marginals)) {
    const probability = values[assigned[dimension] ?? ''];
    if (probability === undefined || !(probability > 0 && probability <= 1)) {
      throw new PostloopError(
        500,
        'choice_invalid',
        `What was assigned in ${dimension} must have a probability above 0 and at most 1.`,
        { assigned: assigned[dimension], probability },
      );
    }
    weight += 1 / (Object.keys(values).length * probability) - 1;
  }
  return weight;
}

/** A gain of mean reward over uniform choice, with its posterior 90 % range. */
export type ModelGain = { gain: number; se: number; low90: number; high90: number };

/**
 * The posterior of all dimensions' coefficients together. `factor` is the lower Cholesky factor of
 * their covariance without its zeros, row by row: cell (i, j) is at i (i + 1) / 2 + j. `tau2` is the
 * variance of a value of the dimension that no post has shown.
 */
export type AdditivePosterior = {
  features: readonly { dimension: string; value: string }[];
  mean: readonly number[];
  factor: readonly number[];
  tau2: Readonly<Record<string, number>>;
};

/**
 * How much better than uniform the posted combinations are by an additive model: c'm with standard
 * error |L'c|, c being each value's share among the posts less 1 / k for the k values of its
 * dimension. A value that no post has shown adds tau^2 / k^2 to the variance, and nothing to c'm. A
 * post that lacks a dimension counts as average in it.
 *
 * @param posted what was posted, at least one post
 * @param vocabulary the values in use, by dimension; uniform choice is among these
 */
export function gainInModel(
  posted: readonly DimensionValues[],
  vocabulary: Readonly<Record<string, readonly string[]>>,
  { features, mean, factor, tau2 }: AdditivePosterior,
): ModelGain {
  const contrast = contrastToUniform(posted, vocabulary);
  let gain = 0;
  let variance = 0;
  const projected = new Float64Array(features.length);
  features.forEach(({ dimension, value }, row) => {
    const share = contrast.get(dimension)?.get(value) ?? 0;
    contrast.get(dimension)?.delete(value);
    gain += share * (mean[row] ?? 0);
    const start = (row * (row + 1)) / 2;
    for (let column = 0; column <= row; column += 1) {
      projected[column] = (projected[column] ?? 0) + share * (factor[start + column] ?? 0);
    }
  });
  for (const [dimension, unseen] of contrast) {
    for (const share of unseen.values()) variance += share * share * (tau2[dimension] ?? 0);
  }
  for (const value of projected) variance += value * value;
  const se = Math.sqrt(variance);
  return { gain, se, low90: gain - HALF_90 * se, high90: gain + HALF_90 * se };
}

/** By dimension and value, also those posted that are no longer in the vocabulary. */
function contrastToUniform(
  posted: readonly DimensionValues[],
  vocabulary: Readonly<Record<string, readonly string[]>>,
): Map<string, Map<string, number>> {
  const contrast = new Map<string, Map<string, number>>();
  for (const [dimension, values] of Object.entries(vocabulary)) {
    const used = posted.flatMap((post) => post[dimension] ?? []);
    const evenShare = used.length / posted.length / values.length;
    const shares = new Map(values.map((value) => [value, -evenShare]));
    for (const value of used) shares.set(value, (shares.get(value) ?? 0) + 1 / posted.length);
    contrast.set(dimension, shares);
  }
  return contrast;
}
