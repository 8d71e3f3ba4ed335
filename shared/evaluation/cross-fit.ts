/** Reward models for judging a policy: each blind to the decisions that it is asked about. */
import type { DimensionValues } from '../contracts/identifiers.ts';
import {
  type AdditiveFit,
  emptyMoments,
  type FeatureGroup,
  fitAdditive,
  gramOf,
  type WeightedMoments,
} from '../learning/additive.ts';
import { type Design, type DesignPost, designOf } from '../learning/design.ts';
import type { RewardModel } from './off-policy.ts';

/** A decision as it was assigned, with its reward. */
export type DecidedPost = DesignPost & { decisionId: string; reward: number };

/**
 * With up to this many features, five folds run to convergence within half a second. Beyond it, two
 * folds with few rounds must do. Their variances are rougher, which widens the range of an estimate
 * without a bias.
 */
const MOST_FEATURES_OF_FIVE = 120;
const ROUNDS_OF_MANY_FEATURES = 6;

export type CrossFit = {
  /** The fold of each post, in their order. */
  folds: number[];
  /** Expected reward of a combination: by the model without `fold`, or by `whole` without one. */
  model: RewardModel;
  /** The model of all posts; not for judging a post that it has seen. */
  whole: AdditiveFit;
  /** The dimensions of `whole`. */
  dimensions: FeatureGroup[];
};

/** Indices of features, by dimension and value. */
type Places = ReadonlyMap<string, ReadonlyMap<string, number>>;

/**
 * Fits an additive model of the rewards without each fold, and one of all posts. Nuisances (week,
 * hour, kind of post, followers) are fitted too and then left out of what a combination is worth: they
 * are the same for every combination of a slate.
 *
 * @param posts at least one
 */
export function crossFit(posts: readonly DecidedPost[]): CrossFit {
  const design = designOf(posts);
  const isLarge = design.size > MOST_FEATURES_OF_FIVE;
  const count = isLarge ? 2 : 5;
  const folds = posts.map(({ decisionId }) => foldOf(decisionId, count));
  const moments = Array.from({ length: count }, (_, fold) =>
    momentsOf(
      design,
      posts.map(({ reward }) => reward),
      (post) => folds[post] === fold,
    ),
  );
  const fitWithout = (without?: number) =>
    fitAdditive(
      sumOf(
        moments.filter((_, fold) => fold !== without),
        design.size,
      ),
      design.groups,
      isLarge ? { maxRounds: ROUNDS_OF_MANY_FEATURES } : {},
    );
  const whole = fitWithout();
  const fits = moments.map((_, fold) => fitWithout(fold));
  const places: Places = new Map(
    design.dimensions.map(({ name, first, features }) => [
      name,
      new Map(features.map((value, index) => [value, first + index])),
    ]),
  );
  return {
    folds,
    model: (combination, fold) => {
      const { mean } = (fold === undefined ? undefined : fits[fold]) ?? whole;
      return expected(mean, places, combination);
    },
    whole,
    dimensions: design.dimensions,
  };
}

/**
 * The fold of a decision, from 0: a hash of its id (FNV-1a), so that the same decision is in the same
 * fold whatever else was logged.
 */
function foldOf(decisionId: string, folds: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < decisionId.length; index += 1) {
    hash = Math.imul(hash ^ decisionId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % folds;
}

function momentsOf(
  design: Design,
  rewards: readonly number[],
  isIn: (post: number) => boolean,
): WeightedMoments {
  const rows = design.rows.flatMap((row, post) =>
    isIn(post) ? [{ ...row, y: rewards[post] ?? Number.NaN, discount: 1, weight: 1 }] : [],
  );
  return gramOf(rows, design.size);
}

function sumOf(parts: readonly WeightedMoments[], size: number): WeightedMoments {
  const sum = emptyMoments(size);
  for (const { gram, rhs, yy, n } of parts) {
    gram.forEach((cell, index) => {
      sum.gram[index] = (sum.gram[index] ?? 0) + cell;
    });
    rhs.forEach((cell, index) => {
      sum.rhs[index] = (sum.rhs[index] ?? 0) + cell;
    });
    sum.yy += yy;
    sum.n += n;
  }
  return sum;
}

/** The intercept, which is the first feature, and the values; one that no post has shown adds 0. */
function expected(mean: Float64Array, places: Places, combination: DimensionValues): number {
  let sum = mean[0] ?? 0;
  for (const dimension in combination) {
    const place = places.get(dimension)?.get(combination[dimension] ?? '');
    if (place !== undefined) sum += mean[place] ?? 0;
  }
  return sum;
}
