/**
 * Additive Bayesian regression: y_i | b ~ N(x_i' b, sigma^2 / w_i), with one variance for each group
 * of coefficients, b_gj ~ N(0, tau_g^2), learned from weighted sums. A mixed model whose variances
 * have weak priors, so that few posts neither lose a group nor believe it.
 */
import { PostloopError } from '../contracts/error.ts';
import {
  at,
  cholesky,
  choleskySolve,
  dot,
  inverseDiagonal,
  inverseOfProduct,
  invertLower,
} from './linear-algebra.ts';

/** Prior variance of the intercept: flat, for outcomes whose spread is about 1. */
export const INTERCEPT_VARIANCE = 1e4;

/** Coefficients that share one variance: the values of a dimension, or a nuisance. */
export type FeatureGroup = {
  name: string;
  /** Index of its first feature; the others follow. */
  first: number;
  /** Names of its features. */
  features: readonly string[];
  /** The prior variance where it is given; else it is estimated. */
  variance?: number;
};

/** Weighted sums over posts, all that a fit needs; p is the number of features. */
export type WeightedMoments = {
  /** Sum of w x x', p rows of p. */
  gram: Float64Array;
  /** Sum of w x y. */
  rhs: Float64Array;
  /** Sum of w y^2. */
  yy: number;
  /** Posts, each counted by its age alone: the sum of `discount`, see `postWeight`. */
  n: number;
};

/** A post's features other than 0, its outcome, and how much it counts. */
export type SparseRow = {
  indices: readonly number[];
  values: readonly number[];
  y: number;
  discount: number;
  weight: number;
};

export type FitOptions = {
  /** How many coefficients' worth of prior each tau has. */
  tauWeight?: number;
  /** Where that prior puts tau, in units of the outcome. */
  tauPrior?: number;
  /** How many posts' worth of prior sigma has, and where it puts sigma^2. */
  sigmaWeight?: number;
  sigma2Prior?: number;
  maxRounds?: number;
  /** Rounds end when no variance changes by more than this share. */
  tolerance?: number;
  /** Variances to start from, those of a fit of nearly the same posts. */
  start?: Pick<AdditiveFit, 'sigma2' | 'tau2'>;
};

/** The posterior of the coefficients: normal, with `mean` and `covariance` (p rows of p). */
export type AdditiveFit = {
  mean: Float64Array;
  covariance: Float64Array;
  /** Variance of a fresh post around its expectation. */
  sigma2: number;
  /** Variance of the coefficients, by group. */
  tau2: Record<string, number>;
  rounds: number;
  /** False when `maxRounds` ended it. */
  converged: boolean;
  n: number;
  /** Sum of all weights: young posts count less. */
  effectiveN: number;
};

/** Days in which a post loses half of its weight, where the account does not change. */
export const HALF_LIFE_DAYS = 90;

/**
 * How much a post from before an alarm of drift counts, against one from after it. This lasts: if
 * the half-life were short for some weeks and then long again, forgotten posts would come back.
 */
export const ALARM_DISCOUNT = 0.1;

export type PostAge = {
  ageDays: number;
  /** Alarms of drift since the post. */
  alarmsSince?: number;
  /** Of the outcome itself, in its units squared: 0 for a plain read at 48 h. */
  noiseVariance?: number;
  /** Of the account's last fit, 1 before there is one. */
  sigma2?: number;
};

/**
 * How much a post counts. `discount` is 2^(-age / half-life) times ALARM_DISCOUNT for each alarm,
 * never 0; `weight` also takes the uncertainty of an outcome that is projected or estimated, as
 * discount · sigma^2 / (sigma^2 + noise).
 */
export function postWeight(
  { ageDays, alarmsSince = 0, noiseVariance = 0, sigma2 = 1 }: PostAge,
  halfLifeDays = HALF_LIFE_DAYS,
): Pick<SparseRow, 'discount' | 'weight'> {
  const kept = 2 ** (-ageDays / halfLifeDays) * ALARM_DISCOUNT ** alarmsSince;
  const discount = Math.max(kept, 1e-9);
  return { discount, weight: (discount * sigma2) / (sigma2 + noiseVariance) };
}

export function emptyMoments(size: number): WeightedMoments {
  return { gram: new Float64Array(size * size), rhs: new Float64Array(size), yy: 0, n: 0 };
}

/** Adds a post to the sums. */
export function addRow(moments: WeightedMoments, row: SparseRow): void {
  const { indices, values, y, weight } = row;
  const size = moments.rhs.length;
  for (let i = 0; i < indices.length; i += 1) {
    const from = indices[i] as number;
    const weighted = weight * (values[i] as number);
    for (let j = 0; j < indices.length; j += 1) {
      const cell = from * size + (indices[j] as number);
      moments.gram[cell] = at(moments.gram, cell) + weighted * (values[j] as number);
    }
    moments.rhs[from] = at(moments.rhs, from) + weighted * y;
  }
  moments.yy += weight * y * y;
  moments.n += row.discount;
}

/** The sums over rows of `size` features. */
export function gramOf(rows: Iterable<SparseRow>, size: number): WeightedMoments {
  const moments = emptyMoments(size);
  for (const row of rows) addRow(moments, row);
  return moments;
}

/**
 * Fits the coefficients and, by expectation maximisation, the variances: with S and m the posterior
 * covariance and mean under the present variances, D their inverses and k_g a group's size,
 *
 *     tau_g^2 <- (sum m_g^2 + tr S_gg + tauWeight tauPrior^2) / (k_g + tauWeight)
 *     sigma^2 <- (sum w (y - x'm)^2 + tr(gram S) + sigmaWeight sigma2Prior) / (n + sigmaWeight)
 *
 * where tr(gram S) = sigma^2 (p - sum D_j S_jj), so that a round needs S's diagonal only.
 * Without priors (weights 0) and at convergence this is restricted maximum likelihood.
 *
 * @throws PostloopError 500 `groups_incomplete` when the groups do not cover each feature once,
 *   `matrix_not_positive_definite` when the sums are damaged
 */
export function fitAdditive(
  moments: WeightedMoments,
  groups: readonly FeatureGroup[],
  {
    tauWeight = 4,
    tauPrior = 0.3,
    sigmaWeight = 4,
    sigma2Prior = 1,
    maxRounds = 40,
    tolerance = 1e-3,
    start,
  }: FitOptions = {},
): AdditiveFit {
  const size = moments.rhs.length;
  requireCover(groups, size);
  const tau2 = groups.map(
    ({ name, variance }) => variance ?? start?.tau2[name] ?? tauPrior * tauPrior,
  );
  let sigma2 = start?.sigma2 ?? sigma2Prior;
  let rounds = 0;
  let converged = false;
  while (rounds < maxRounds && !converged) {
    rounds += 1;
    const { mean, columns, precision } = posterior(moments, groups, tau2, sigma2);
    const variance = inverseDiagonal(columns, size);
    let change = 0;
    let explained = 0;
    groups.forEach(({ first, features, variance: given }, index) => {
      let squares = 0;
      for (let j = first; j < first + features.length; j += 1) {
        squares += at(mean, j) ** 2 + at(variance, j);
        explained += 1 - at(precision, j) * at(variance, j);
      }
      if (given !== undefined) return;
      const next = (squares + tauWeight * tauPrior ** 2) / (features.length + tauWeight);
      change = Math.max(change, Math.abs(next / (tau2[index] as number) - 1));
      tau2[index] = next;
    });
    const residual = residualSquares(moments, mean) + sigma2 * explained;
    const next = (residual + sigmaWeight * sigma2Prior) / (moments.n + sigmaWeight);
    change = Math.max(change, Math.abs(next / sigma2 - 1));
    sigma2 = next;
    converged = change <= tolerance;
  }
  const { mean, columns } = posterior(moments, groups, tau2, sigma2);
  return {
    mean,
    covariance: inverseOfProduct(columns, size),
    sigma2,
    tau2: Object.fromEntries(groups.map(({ name }, index) => [name, tau2[index] as number])),
    rounds,
    converged,
    n: moments.n,
    effectiveN: at(moments.gram, 0),
  };
}

/** The posterior under given variances; `columns` is what `invertLower` gives of its precision. */
function posterior(
  { gram, rhs }: WeightedMoments,
  groups: readonly FeatureGroup[],
  tau2: readonly number[],
  sigma2: number,
) {
  const size = rhs.length;
  const precision = new Float64Array(size);
  groups.forEach(({ first, features }, index) => {
    precision.fill(1 / (tau2[index] as number), first, first + features.length);
  });
  const matrix = new Float64Array(size * size);
  const scaled = new Float64Array(size);
  for (let cell = 0; cell < matrix.length; cell += 1) matrix[cell] = at(gram, cell) / sigma2;
  for (let j = 0; j < size; j += 1) {
    matrix[j * size + j] = at(matrix, j * size + j) + at(precision, j);
    scaled[j] = at(rhs, j) / sigma2;
  }
  const lower = cholesky(matrix, size);
  const mean = choleskySolve(lower, size, scaled);
  return { mean, columns: invertLower(lower, size), precision };
}

/** Sum of w (y - x'm)^2; rounding can make it negative where nothing is left. */
function residualSquares({ gram, rhs, yy }: WeightedMoments, mean: Float64Array): number {
  const size = rhs.length;
  let fitted = 0;
  for (let j = 0; j < size; j += 1) fitted += at(mean, j) * dot(gram, j * size, mean, 0, size);
  return Math.max(0, yy - 2 * dot(mean, 0, rhs, 0, size) + fitted);
}

function requireCover(groups: readonly FeatureGroup[], size: number): void {
  const seen = new Array<number>(size).fill(0);
  for (const { first, features } of groups) {
    for (let j = first; j < first + features.length; j += 1) seen[j] = (seen[j] ?? 0) + 1;
  }
  if (seen.length !== size || seen.some((times) => times !== 1)) {
    throw new PostloopError(
      500,
      'groups_incomplete',
      'Every feature of the sums must be in exactly one group.',
      { size },
    );
  }
}
