import { z } from 'zod';
import type { AdditiveFit, FeatureGroup } from './additive.ts';
import { at, cholesky, submatrix } from './linear-algebra.ts';

/**
 * The part of a fit that draws the next post: the posterior of the coefficients of all dimensions
 * together. `factor` is the lower Cholesky factor of their covariance without its zeros, row by row:
 * cell (i, j) is at i (i + 1) / 2 + j. `features` gives the order of `mean` and of the factor's rows.
 * `tau2` is the variance of a value of the dimension that no post has shown.
 */
export const jointModelSchema = z
  .object({
    finished_posts: z.int().nonnegative(),
    features: z.array(z.object({ dimension: z.string().min(1), value: z.string().min(1) })),
    mean: z.array(z.number()),
    factor: z.array(z.number()),
    tau2: z.record(z.string(), z.number().nonnegative()),
  })
  .refine(
    ({ features, mean, factor }) =>
      mean.length === features.length &&
      factor.length === (features.length * (features.length + 1)) / 2,
    { message: 'mean and factor must have the size of the features' },
  );
export type JointModel = z.infer<typeof jointModelSchema>;

/** The part of a fit that draws are made from: `dimensions` in the order to be stored. */
export function jointModelOf(
  fit: AdditiveFit,
  dimensions: readonly FeatureGroup[],
  finishedPosts: number,
): JointModel {
  const indices = dimensions.flatMap(({ first, features }) =>
    features.map((_, index) => first + index),
  );
  const size = indices.length;
  const lower = cholesky(submatrix(fit.covariance, fit.mean.length, indices), size);
  const factor: number[] = [];
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) factor.push(at(lower, row * size + column));
  }
  return {
    finished_posts: finishedPosts,
    features: dimensions.flatMap(({ name, features }) =>
      features.map((value) => ({ dimension: name, value })),
    ),
    mean: indices.map((index) => at(fit.mean, index)),
    factor,
    tau2: Object.fromEntries(dimensions.map(({ name }) => [name, fit.tau2[name] ?? 0])),
  };
}
