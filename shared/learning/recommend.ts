import { z } from 'zod';
import { PostloopError } from '../contracts/error.ts';
import type { DimensionValues } from '../contracts/identifiers.ts';
import type { Policy } from '../contracts/recommend.ts';
import { dimensionPerformanceRowSchema, type StudentT, studentTSchema } from './marginal.ts';
import { byCodeUnits } from './order.ts';
import { mulberry32, type Rng, studentT } from './random.ts';

/** One value of an account's vocabulary; `performance` is null until a post with it finished. */
export const valueInputSchema = z.object({
  value: z.string().min(1),
  performance: dimensionPerformanceRowSchema.nullable(),
});
export type ValueInput = z.infer<typeof valueInputSchema>;

/** One dimension; `prior` is the t of a value never used, null while nothing was learned. */
export const dimensionInputSchema = z.object({
  dimension: z.string().min(1),
  prior: studentTSchema.nullable(),
  values: z.array(valueInputSchema),
});
export type DimensionInput = z.infer<typeof dimensionInputSchema>;

export const readyInputsSchema = z.object({
  code: z.literal('ready'),
  account_id: z.int(),
  handle: z.string(),
  finished_posts: z.int().nonnegative(),
  dimensions: z.array(dimensionInputSchema),
});
export type RecommendationInputs = z.infer<typeof readyInputsSchema>;

/** What the SQL function `recommendation_inputs` returns. */
export const recommendationInputsSchema = z.discriminatedUnion('code', [
  readyInputsSchema,
  z.object({ code: z.literal('account_unknown') }),
]);

/** `minFinishedPosts` is where the uniform start ends. */
export type SlateOptions = { seed: number; slateSize?: number; minFinishedPosts?: number };

/** `assigned` is `slate[chosen]`, and `propensity` the share of the slate that equals it. */
export type Slate = {
  policy: Policy;
  slate: DimensionValues[];
  chosen: number;
  assigned: DimensionValues;
  propensity: number;
  rngSeed: number;
};

/** Any continuous prior serves while nothing was learned: all values of a dimension share it. */
const UNLEARNED: StudentT = { mean: 0, scale: 1, df: 4 };

/**
 * Draws a slate of combinations and picks one of them uniformly, which is Thompson sampling whose
 * probability given the slate is known exactly (method: one of K posterior draws).
 *
 * All numbers come from one generator, in this order: for each of the `slateSize` combinations,
 * for each dimension by name, either one uniform number (below `minFinishedPosts` finished posts)
 * or one Student t draw for each value by name; last, one uniform number that picks. The same seed
 * and inputs therefore give the same decision, whatever the order of the inputs' rows.
 *
 * @throws PostloopError 422 `vocabulary_empty` when the account has no dimension value in use
 */
export function drawSlate(
  inputs: RecommendationInputs,
  { seed, slateSize = 8, minFinishedPosts = 20 }: SlateOptions,
): Slate {
  const dimensions = inOrder(inputs.dimensions);
  if (dimensions.length === 0) {
    throw new PostloopError(
      422,
      'vocabulary_empty',
      `Account ${inputs.handle} has no values to choose from. Insert rows into dimension_values ` +
        '(account_id, dimension, value), at least two values for each dimension to be learned.',
      { account_id: inputs.account_id },
    );
  }
  const policy = inputs.finished_posts < minFinishedPosts ? 'uniform' : 'thompson_marginal';
  const draw = policy === 'uniform' ? uniformValue : thompsonValue;
  const rng = mulberry32(seed);
  const slate = Array.from({ length: slateSize }, () =>
    Object.fromEntries(
      dimensions.map((dimension) => [dimension.dimension, draw(dimension, rng).value]),
    ),
  );
  const chosen = uniformIndex(slateSize, rng);
  const assigned = itemAt(slate, chosen);
  const multiplicity = slate.filter((combination) => isSame(combination, assigned)).length;
  return {
    policy,
    slate,
    chosen,
    assigned,
    propensity: multiplicity / slateSize,
    rngSeed: seed,
  };
}

/** The dimensions that have values, and their values, each by name. */
function inOrder(dimensions: readonly DimensionInput[]): DimensionInput[] {
  return dimensions
    .filter((dimension) => dimension.values.length > 0)
    .map((dimension) => ({
      ...dimension,
      values: dimension.values.toSorted((a, b) => byCodeUnits(a.value, b.value)),
    }))
    .sort((a, b) => byCodeUnits(a.dimension, b.dimension));
}

function uniformValue({ values }: DimensionInput, rng: Rng): ValueInput {
  return itemAt(values, uniformIndex(values.length, rng));
}

/** The value whose drawn mean reward is the highest. */
function thompsonValue({ values, prior }: DimensionInput, rng: Rng): ValueInput {
  let best = 0;
  let highest = Number.NEGATIVE_INFINITY;
  for (const [index, { performance }] of values.entries()) {
    const { mean, scale, df } = performance
      ? {
          mean: performance.posterior_mean,
          scale: performance.posterior_scale,
          df: performance.posterior_df,
        }
      : (prior ?? UNLEARNED);
    const drawn = mean + scale * studentT(rng, df);
    if (drawn > highest) {
      highest = drawn;
      best = index;
    }
  }
  return itemAt(values, best);
}

function uniformIndex(length: number, rng: Rng): number {
  return Math.floor(rng() * length);
}

function isSame(a: DimensionValues, b: DimensionValues): boolean {
  return Object.keys(a).every((dimension) => a[dimension] === b[dimension]);
}

/** The item at an index that is known to exist. */
function itemAt<T>(items: readonly T[], index: number): T {
  return items[index] as T;
}
