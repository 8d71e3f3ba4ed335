/**
 * Decisions logged as recommend logs them, in a world whose effects are known: rewards are sums of
 * one effect a dimension, and noise of standard deviation 1.
 */
import type { DimensionValues } from '../../shared/contracts/identifiers.ts';
import type { AdditivePosterior } from '../../shared/evaluation/uniform-baseline.ts';
import { normal, type Rng } from '../../shared/learning/random.ts';

/** How many values each dimension has: 92,160 combinations. */
export const DIMENSION_SIZES = [12, 8, 6, 5, 4, 8] as const;

const EFFECT_SD = 0.3;

export const SLATE_SIZE = 8;

/** Draws are narrower than the posterior, as those of recommend are. */
const DRAW_SCALE = 0.5;

/** One number for each value of each dimension. */
export type ByValue = readonly Float64Array[];

/** Independent normal posteriors of the effects. */
export type Belief = { mean: ByValue; sd: ByValue };

/** A combination with what it is: indices of values, and the same by name. */
export type Combination = { indices: readonly number[]; values: DimensionValues };

const NAMES = DIMENSION_SIZES.map((size, dimension) => ({
  dimension: `dimension_${dimension}`,
  values: Array.from({ length: size }, (_, value) => `value_${value}`),
}));

/** The values of each dimension, by name. */
export const VOCABULARY: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  NAMES.map(({ dimension, values }) => [dimension, values]),
);

export const drawEffects = (rng: Rng): ByValue =>
  DIMENSION_SIZES.map((size) => Float64Array.from({ length: size }, () => EFFECT_SD * normal(rng)));

export const NO_BELIEF: Belief = {
  mean: DIMENSION_SIZES.map((size) => new Float64Array(size)),
  sd: DIMENSION_SIZES.map((size) => new Float64Array(size).fill(EFFECT_SD)),
};

/** A belief after so many more posts, spread evenly over the values of each dimension. */
export function learn(before: Belief, effects: ByValue, posts: number, rng: Rng): Belief {
  if (posts === 0) return before;
  const sd = before.sd.map((sds) =>
    sds.map((one) => 1 / Math.sqrt(1 / one ** 2 + posts / sds.length)),
  );
  const mean = before.mean.map((means, d) =>
    means.map((prior, v) => {
      const noise = Math.sqrt(means.length / posts);
      const seen = at(effects, d, v) + noise * normal(rng);
      const after = at(sd, d, v) ** 2;
      return after * (prior / at(before.sd, d, v) ** 2 + seen / noise ** 2);
    }),
  );
  return { mean, sd };
}

/** The belief in the form in which a fit is stored; its covariance has a diagonal only. */
export function posteriorOf({ mean, sd }: Belief): AdditivePosterior {
  const features = NAMES.flatMap(({ dimension, values }) =>
    values.map((value) => ({ dimension, value })),
  );
  const sds = sd.flatMap((ofValues) => [...ofValues]);
  return {
    features,
    mean: mean.flatMap((ofValues) => [...ofValues]),
    factor: sds.flatMap((one, row) => [...new Array<number>(row).fill(0), one]),
    tau2: {},
  };
}

/** A slate of Thompson draws. */
export const drawSlateOf = (belief: Belief, rng: Rng): Combination[] =>
  Array.from({ length: SLATE_SIZE }, () => thompson(belief, rng));

/** One Thompson draw: in each dimension the value whose drawn effect is the highest. */
export function thompson({ mean, sd }: Belief, rng: Rng): Combination {
  const indices = mean.map((means, d) => {
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    means.forEach((one, v) => {
      const drawn = one + DRAW_SCALE * at(sd, d, v) * normal(rng);
      if (drawn > highest) {
        highest = drawn;
        best = v;
      }
    });
    return best;
  });
  return { indices, values: named(indices) };
}

/** The sum of a combination's effects, or of what is believed of them. */
export const worth = (effects: ByValue, indices: readonly number[]) =>
  indices.reduce((sum, v, d) => sum + at(effects, d, v), 0);

/** The same of a combination by name. */
export function worthOf(effects: ByValue, values: DimensionValues): number {
  let sum = 0;
  NAMES.forEach(({ dimension }, d) => {
    sum += at(effects, d, Number((values[dimension] ?? '').slice('value_'.length)));
  });
  return sum;
}

/** The mean worth over all combinations. */
export const uniformWorth = (effects: ByValue) =>
  effects.reduce((sum, ofValues) => sum + ofValues.reduce((a, b) => a + b, 0) / ofValues.length, 0);

/** How often Thompson draws take each value, by name, from so many draws. */
export function marginalsOf(belief: Belief, draws: number, rng: Rng) {
  const counts = DIMENSION_SIZES.map((size) => new Float64Array(size));
  for (let draw = 0; draw < draws; draw += 1) {
    thompson(belief, rng).indices.forEach((v, d) => {
      const count = counts[d];
      if (count) count[v] = (count[v] ?? 0) + 1;
    });
  }
  return Object.fromEntries(
    NAMES.map(({ dimension, values }, d) => [
      dimension,
      Object.fromEntries(values.map((value, v) => [value, at(counts, d, v) / draws])),
    ]),
  );
}

/**
 * Ridge estimates of the effects from rewards, with the true variances: the additive model of the
 * learner in its plainest form, by repeated fitting of one dimension after the other.
 */
export function fitEffects(
  posts: readonly { indices: readonly number[]; reward: number }[],
): ByValue {
  const effects = DIMENSION_SIZES.map((size) => new Float64Array(size));
  const rest = Float64Array.from(posts, ({ reward }) => reward);
  for (let round = 0; round < ROUNDS; round += 1) {
    effects.forEach((ofValues, d) => {
      const sums = new Float64Array(ofValues.length);
      const counts = new Float64Array(ofValues.length);
      posts.forEach(({ indices }, i) => {
        const v = indices[d] ?? 0;
        sums[v] = (sums[v] ?? 0) + (rest[i] ?? 0) + (ofValues[v] ?? 0);
        counts[v] = (counts[v] ?? 0) + 1;
      });
      const fitted = sums.map((sum, v) => sum / ((counts[v] ?? 0) + 1 / EFFECT_SD ** 2));
      posts.forEach(({ indices }, i) => {
        const v = indices[d] ?? 0;
        rest[i] = (rest[i] ?? 0) + (ofValues[v] ?? 0) - (fitted[v] ?? 0);
      });
      ofValues.set(fitted);
    });
  }
  return effects;
}

const ROUNDS = 15;

const named = (indices: readonly number[]): DimensionValues =>
  Object.fromEntries(indices.map((v, d) => [NAMES[d]?.dimension ?? '', NAMES[d]?.values[v] ?? '']));

const at = (values: ByValue, dimension: number, value: number) =>
  values[dimension]?.[value] ?? Number.NaN;
