import { z } from 'zod';
import { type DimensionValues, dimensionValuesSchema } from '../contracts/identifiers.ts';
import { policySchema } from '../contracts/recommend.ts';
import { type JointModel, jointModelSchema } from './joint-model.ts';
import { byCodeUnits } from './order.ts';
import { mulberry32, normal, type Rng } from './random.ts';
import { AllowedCombinations, type Combination, ruleSchema } from './rules.ts';

/** What a slate is drawn from: the values in use, without retired ones, and what was learned. */
const jointSlateInputsSchema = z.object({
  dimensions: z.array(
    z.object({ dimension: z.string().min(1), values: z.array(z.string().min(1)) }),
  ),
  rules: z.array(ruleSchema),
  /** Null until something was learned. */
  model: jointModelSchema.nullable(),
});
export type JointSlateInputs = z.infer<typeof jointSlateInputsSchema>;

export type JointSlateOptions = {
  seed: number;
  slateSize?: number;
  /** What the posterior's standard deviation is multiplied by: less than 1 explores less. */
  alpha?: number;
  /** Where the uniform start ends. */
  minFinishedPosts?: number;
};

/** `assigned` is `slate[chosen]`, and `propensity` the share of the slate that equals it. */
export const jointSlateSchema = z.object({
  policy: policySchema,
  slate: z.array(dimensionValuesSchema).min(1),
  chosen: z.int().nonnegative(),
  assigned: dimensionValuesSchema,
  propensity: z.number().gt(0).max(1),
  rngSeed: z.int().nonnegative(),
});
type JointSlate = z.infer<typeof jointSlateSchema>;

/**
 * `vocabulary_empty`: no dimension has a value in use. `rules_unsatisfiable`: the rules refuse
 * every combination of the values in use.
 */
export type JointSlateOutcome =
  | ({ code: 'drawn' } & JointSlate)
  | { code: 'vocabulary_empty' }
  | { code: 'rules_unsatisfiable' };

/** Variance of a new value of a dimension of which nothing was learned: the prior of every fit. */
const UNLEARNED_TAU2 = 0.09;

/** Uniform combinations that are tried before the rules count as too narrow for it. */
const MOST_TRIES = 1000;

type Values = { dimension: string; values: readonly string[] }[];

/**
 * Draws a slate of allowed combinations and picks one of them uniformly, which is Thompson sampling
 * whose probability given the slate is known exactly (method: one of K posterior draws).
 *
 * Each combination maximises the sum of one draw z = mean + alpha · factor · noise over the allowed
 * ones; a value that no post has shown draws from N(0, alpha^2 tau^2). Below `minFinishedPosts` each
 * is uniform over the allowed combinations instead; where less than about one in a thousand is
 * allowed, it maximises a sum of uniform scores, which is no longer quite uniform. The propensity is
 * exact all the same.
 *
 * All numbers come from one generator, in this order. For each combination: normal draws for all
 * features of the model in its order, retired ones too, then for each value in use that it lacks, by
 * name of dimension and value; or, uniformly, one number for each dimension by name, again until
 * the combination is allowed, then if need be one for each value. Last, one number that picks. The
 * order of the vocabulary and of the rules changes nothing.
 */
export function drawJointSlate(
  { dimensions, rules, model }: JointSlateInputs,
  { seed, slateSize = 8, alpha = 0.5, minFinishedPosts = 20 }: JointSlateOptions,
): JointSlateOutcome {
  const vocabulary = inOrder(dimensions);
  if (vocabulary.length === 0) return { code: 'vocabulary_empty' };
  const allowed = new AllowedCombinations(vocabulary, rules);
  const anyScore = vocabulary.map(({ values }) => new Float64Array(values.length));
  if (!allowed.best(anyScore)) return { code: 'rules_unsatisfiable' };

  const rng = mulberry32(seed);
  const learned = model !== null && model.finished_posts >= minFinishedPosts ? model : null;
  const draw = learned
    ? thompsonDraw(vocabulary, allowed, learned, alpha, rng)
    : () => uniformDraw(vocabulary, allowed, rng);
  const slate: DimensionValues[] = [];
  for (let k = 0; k < slateSize; k += 1) {
    const combination = draw();
    if (!combination) return { code: 'rules_unsatisfiable' };
    slate.push(named(vocabulary, combination));
  }
  const chosen = Math.floor(rng() * slateSize);
  const assigned = slate[chosen] as DimensionValues;
  const multiplicity = slate.filter((combination) => isSame(combination, assigned)).length;
  return {
    code: 'drawn',
    policy: learned ? 'thompson_joint' : 'uniform',
    slate,
    chosen,
    assigned,
    propensity: multiplicity / slateSize,
    rngSeed: seed,
  };
}

/** The dimensions that have values, and their values, each by name. */
function inOrder(dimensions: JointSlateInputs['dimensions']): Values {
  return dimensions
    .filter(({ values }) => values.length > 0)
    .map(({ dimension, values }) => ({ dimension, values: values.toSorted(byCodeUnits) }))
    .sort((a, b) => byCodeUnits(a.dimension, b.dimension));
}

function thompsonDraw(
  vocabulary: Values,
  allowed: AllowedCombinations,
  model: JointModel,
  alpha: number,
  rng: Rng,
): () => Combination | undefined {
  const size = model.features.length;
  const rowOf = new Map(
    model.features.map(({ dimension, value }, row) => [`${dimension} ${value}`, row]),
  );
  const places = vocabulary.map(({ dimension, values }) => ({
    rows: values.map((value) => rowOf.get(`${dimension} ${value}`)),
    newSd: Math.sqrt(model.tau2[dimension] ?? UNLEARNED_TAU2),
  }));
  const factor = Float64Array.from(model.factor);
  const noise = new Float64Array(size);
  return () => {
    for (let row = 0; row < size; row += 1) noise[row] = normal(rng);
    const scores = places.map(({ rows, newSd }) =>
      rows.map((row) =>
        row === undefined
          ? alpha * newSd * normal(rng)
          : (model.mean[row] as number) + alpha * factorRow(factor, row, noise),
      ),
    );
    return allowed.best(scores);
  };
}

/** Row `row` of the packed factor times the noise. */
function factorRow(factor: Float64Array, row: number, noise: Float64Array): number {
  const first = (row * (row + 1)) / 2;
  let sum = 0;
  for (let column = 0; column <= row; column += 1) {
    sum += (factor[first + column] as number) * (noise[column] as number);
  }
  return sum;
}

function uniformDraw(
  vocabulary: Values,
  allowed: AllowedCombinations,
  rng: Rng,
): Combination | undefined {
  for (let round = 0; round < MOST_TRIES; round += 1) {
    const combination = vocabulary.map(({ values }) => Math.floor(rng() * values.length));
    if (allowed.allows(combination)) return combination;
  }
  return allowed.best(vocabulary.map(({ values }) => values.map(() => rng())));
}

function named(vocabulary: Values, combination: Combination): DimensionValues {
  return Object.fromEntries(
    vocabulary.map(({ dimension, values }, index) => [
      dimension,
      values[combination[index] as number] as string,
    ]),
  );
}

function isSame(a: DimensionValues, b: DimensionValues): boolean {
  return Object.keys(a).every((dimension) => a[dimension] === b[dimension]);
}
