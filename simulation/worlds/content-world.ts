/**
 * Accounts whose posts have values of dimensions with known effects on an outcome in units of its
 * noise, at times with effects of their own. No audience fatigue and no effect of one post on
 * the next: what is judged here holds in such worlds.
 */
import type { DesignPost } from '../../shared/learning/design.ts';
import { weekOf } from '../../shared/learning/design.ts';
import { normal, type Rng } from '../../shared/learning/random.ts';

export const DAY_MS = 86_400_000;
/** A Monday. */
const START_MS = Date.UTC(2025, 0, 6);
const HOUR_BANDS = 8;

export type ContentWorld = {
  /** Values of each dimension. */
  sizes: readonly number[];
  /** Standard deviation of the effects of a dimension's values, by dimension. */
  effectSds: readonly number[];
  /** That of the effects of pairs of values of two dimensions. */
  interactionSd: number;
  noise: number;
  /** Degrees of freedom of the noise's Student t, scaled to `noise`; normal when absent. */
  noiseDf?: number;
  /** Level of a week, of an hour band; effect of ln followers. */
  weekSd: number;
  hourSd: number;
  followerSlope: number;
  /**
   * Probability that a value is the one that usually goes with the post's first dimension, in posts
   * that nobody randomised.
   */
  confounding: number;
  postsPerDay: number;
};

/** The example of six dimensions: 43 values, 92,160 combinations. */
export const SIX_DIMENSIONS: ContentWorld = {
  sizes: [12, 8, 6, 5, 4, 8],
  effectSds: [0.3, 0.3, 0.3, 0.3, 0.3, 0.3],
  interactionSd: 0,
  noise: 1,
  weekSd: 0,
  hourSd: 0,
  followerSlope: 0,
  confounding: 0.7,
  postsPerDay: 6,
};

/** Index of the value of each dimension. */
export type Choice = readonly number[];

/** What only a simulator knows. */
export type Truth = {
  /** Effects by dimension and value; the mean of each dimension is 0. */
  effects: readonly (readonly number[])[];
  /** Effects of pairs by dimension, other dimension, value, other value. */
  interactions: readonly (readonly (readonly number[])[])[];
  /** The value that goes with each value of the first dimension, by dimension. */
  habits: readonly (readonly number[])[];
};

export function drawTruth(world: ContentWorld, rng: Rng): Truth {
  const effects = world.sizes.map((size, dimension) => {
    const drawn = Array.from(
      { length: size },
      () => (world.effectSds[dimension] ?? 0) * normal(rng),
    );
    const mean = drawn.reduce((sum, value) => sum + value, 0) / size;
    return drawn.map((value) => value - mean);
  });
  const first = world.sizes[0] ?? 0;
  const habits = world.sizes.map((size, dimension) =>
    Array.from({ length: first }, (_, value) =>
      dimension === 0 ? value : uniformIndex(size, rng),
    ),
  );
  const interactions = dimensionPairs(world.sizes).map(([a, b]) =>
    world.interactionSd === 0
      ? []
      : Array.from({ length: world.sizes[a] ?? 0 }, () =>
          Array.from({ length: world.sizes[b] ?? 0 }, () => world.interactionSd * normal(rng)),
        ),
  );
  return { effects, interactions, habits };
}

/** What a choice is worth: the expected outcome but for time. */
export function worth(truth: Truth, choice: Choice): number {
  let sum = 0;
  choice.forEach((value, dimension) => {
    sum += truth.effects[dimension]?.[value] ?? 0;
  });
  let pair = 0;
  for (let a = 0; a < choice.length; a += 1) {
    for (let b = a + 1; b < choice.length; b += 1) {
      sum += truth.interactions[pair]?.[choice[a] ?? 0]?.[choice[b] ?? 0] ?? 0;
      pair += 1;
    }
  }
  return sum;
}

/** What the best choice is worth, and what a uniformly random one is on average. */
export function extremes(world: ContentWorld, truth: Truth): { best: number; random: number } {
  if (world.interactionSd === 0) {
    return { best: sumOf(truth.effects.map((effects) => Math.max(...effects))), random: 0 };
  }
  const choice = world.sizes.map(() => 0);
  let best = Number.NEGATIVE_INFINITY;
  const visit = (dimension: number) => {
    if (dimension === choice.length) {
      best = Math.max(best, worth(truth, choice));
      return;
    }
    for (let value = 0; value < (world.sizes[dimension] ?? 0); value += 1) {
      choice[dimension] = value;
      visit(dimension + 1);
    }
  };
  visit(0);
  const random = sumOf(truth.interactions.map((table) => meanOf(table.map(meanOf))));
  return { best, random };
}

export function uniformChoice(world: ContentWorld, rng: Rng): Choice {
  return world.sizes.map((size) => uniformIndex(size, rng));
}

/** A choice as an account makes it that does not randomise: most values go with the first. */
export function habitualChoice(world: ContentWorld, truth: Truth, rng: Rng): Choice {
  const first = uniformIndex(world.sizes[0] ?? 1, rng);
  return world.sizes.map((size, dimension) => {
    if (dimension === 0) return first;
    const habit = truth.habits[dimension]?.[first] ?? 0;
    return rng() < world.confounding ? habit : uniformIndex(size, rng);
  });
}

/** The noise of one outcome. */
export function drawNoise({ noise, noiseDf }: ContentWorld, rng: Rng): number {
  if (noiseDf === undefined) return noise * normal(rng);
  let chiSquare = 0;
  for (let i = 0; i < noiseDf; i += 1) chiSquare += normal(rng) ** 2;
  const scale = noiseDf > 2 ? Math.sqrt((noiseDf - 2) / noiseDf) : 1;
  return (noise * scale * normal(rng)) / Math.sqrt(chiSquare / noiseDf);
}

/** When posts go out, and what that adds to their outcomes. */
export type Calendar = (index: number) => {
  postedAt: Date;
  followers: number;
  /** Level of the outcome at that time. */
  level: number;
};

/** Posts at even distances with random minutes; followers grow by 0.3 % a day. */
export function drawCalendar(world: ContentWorld, rng: Rng): Calendar {
  const weeks = new Map<number, number>();
  const hours = Array.from({ length: HOUR_BANDS }, () => world.hourSd * normal(rng));
  return (index) => {
    const day = (index + rng()) / world.postsPerDay;
    const postedAt = new Date(START_MS + day * DAY_MS);
    const week = weekOf(postedAt);
    if (!weeks.has(week)) weeks.set(week, world.weekSd * normal(rng));
    const followers = Math.round(5000 * Math.exp(0.003 * day));
    const band = Math.floor((postedAt.getUTCHours() * HOUR_BANDS) / 24);
    const level =
      (weeks.get(week) ?? 0) +
      (hours[band] ?? 0) +
      world.followerSlope * Math.log(followers / 5000);
    return { postedAt, followers, level };
  };
}

/** Names that sort as their indices do. */
export const dimensionName = (dimension: number) => `d${dimension}`;
export const valueName = (value: number) => `v${`${value}`.padStart(2, '0')}`;

export const namedValues = (choice: Choice): DesignPost['values'] =>
  Object.fromEntries(
    choice.map((value, dimension) => [dimensionName(dimension), valueName(value)]),
  );

/** The choice that names stand for. */
export const choiceOf = (world: ContentWorld, values: DesignPost['values']): Choice =>
  world.sizes.map((_, dimension) => Number(values[dimensionName(dimension)]?.slice(1)));

export const vocabularyOf = ({ sizes }: ContentWorld) =>
  sizes.map((size, dimension) => ({
    dimension: dimensionName(dimension),
    values: Array.from({ length: size }, (_, value) => valueName(value)),
  }));

const uniformIndex = (length: number, rng: Rng) => Math.floor(rng() * length);

function dimensionPairs(sizes: readonly number[]): [number, number][] {
  return sizes.flatMap((_, a) =>
    sizes.slice(a + 1).map((_, index): [number, number] => [a, a + 1 + index]),
  );
}

const sumOf = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0);
const meanOf = (xs: readonly number[]) => (xs.length === 0 ? 0 : sumOf(xs) / xs.length);
