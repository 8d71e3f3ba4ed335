/** How well effects of values are found, from posts that habit or the policy itself chose. */
import {
  type AdditiveFit,
  fitAdditive,
  gramOf,
  postWeight,
  type WeightedMoments,
} from '../../shared/learning/additive.ts';
import {
  type Design,
  type DesignPost,
  designOf,
  standardised,
} from '../../shared/learning/design.ts';
import { contrasts, type DimensionGroup, type ValueEffect } from '../../shared/learning/effects.ts';
import { type JointModel, jointModelOf } from '../../shared/learning/joint-model.ts';
import { at } from '../../shared/learning/linear-algebra.ts';
import { mulberry32, normal, type Rng } from '../../shared/learning/random.ts';
import { drawJointSlate } from '../../shared/learning/slate.ts';
import {
  type Choice,
  type ContentWorld,
  choiceOf,
  DAY_MS,
  dimensionName,
  drawCalendar,
  drawNoise,
  drawTruth,
  habitualChoice,
  namedValues,
  SIX_DIMENSIONS,
  type Truth,
  valueName,
  vocabularyOf,
  worth,
} from '../worlds/content-world.ts';
import { learnMarginalEffects } from './marginal-learner.ts';
import { mean } from './scores.ts';

/** Posts between a post and its outcome, and between two fits. */
const DELAY = 12;
const REFIT_EVERY = 6;
const UNIFORM_START = 20;
const ROLLING_POSTS = 30;
/** A raw mean of fewer posts is not taken for the best. */
const LEAST_USES = 5;

/** Dimensions that matter more and less, in weeks, hours and an audience that move the outcome. */
export const LEARNING_WORLD: ContentWorld = {
  ...SIX_DIMENSIONS,
  effectSds: [0.4, 0.3, 0.3, 0.2, 0.2, 0.1],
  weekSd: 0.15,
  hourSd: 0.1,
  followerSlope: 0.2,
};

/** A post as the learner sees it, and its outcome. */
export type SimulatedPost = DesignPost & { choice: Choice; viralScore: number; y: number };

export type PostsFit = {
  fit: AdditiveFit;
  effects: ValueEffect[];
};

export type PostsFitOptions = {
  /** Adds week, hour, weekend, followers; by default all. */
  nuisances?: boolean;
  /** Adds the score that was made from the draft. */
  viralScore?: boolean;
  halfLifeDays?: number;
  tauWeight?: number;
  tauPrior?: number;
};

/** Fits the posts as known at the time of the last one; the half-life is infinite by default. */
export function fitPosts(
  posts: readonly SimulatedPost[],
  {
    nuisances = true,
    viralScore = false,
    halfLifeDays = Number.POSITIVE_INFINITY,
    ...priors
  }: PostsFitOptions = {},
): PostsFit {
  const seen = nuisances ? posts : posts.map((post) => ({ ...post, ...WITHOUT_NUISANCES }));
  const { design, moments } = sumsOf(seen, viralScore, halfLifeDays);
  const fit = fitAdditive(moments, design.groups, priors);
  return { fit, effects: contrasts(fit, dimensionGroups(design, moments), { seed: 1, draws: 1 }) };
}

const WITHOUT_NUISANCES = { postedAt: new Date(0), followers: null };

function sumsOf(posts: readonly SimulatedPost[], viralScore: boolean, halfLifeDays: number) {
  const design = viralScore ? withScore(designOf(posts), posts) : designOf(posts);
  const now = Math.max(...posts.map(({ postedAt }) => +postedAt));
  const rows = posts.map(({ y, postedAt }, index) => ({
    indices: design.rows[index]?.indices ?? [],
    values: design.rows[index]?.values ?? [],
    y,
    ...postWeight({ ageDays: (now - +postedAt) / DAY_MS }, halfLifeDays),
  }));
  return { design, moments: gramOf(rows, design.size) };
}

/** The design with the posts' scores as one more feature: it carries what topic and tone do, and takes it from them. */
function withScore({ size, groups, dimensions, rows }: Design, posts: readonly SimulatedPost[]) {
  const name = 'nuisance:viral_score';
  const scores = standardised(posts.map((post) => post.viralScore)) ?? [];
  return {
    size: size + 1,
    groups: [...groups, { name, first: size, features: [name] }],
    dimensions,
    rows: rows.map(({ indices, values }, post) => ({
      indices: [...indices, size],
      values: [...values, scores[post] ?? 0],
    })),
  };
}

/** How far scores of habitual posts are made from the draft: the score is its worth and some noise. */
const SCORE_NOISE = 0.3;

/** Posts of an account that does not randomise, and its truth. */
export function habitualPosts(world: ContentWorld, n: number, seed: number) {
  const rng = mulberry32(seed);
  const truth = drawTruth(world, rng);
  const write = writer(world, truth, rng);
  const posts = Array.from({ length: n }, (_, index) =>
    write(index, habitualChoice(world, truth, rng)),
  );
  return { truth, posts };
}

/** Posts whose values the product's own policy drew from what it had learned so far. */
export function thompsonPosts(world: ContentWorld, n: number, seed: number) {
  const rng = mulberry32(seed);
  const truth = drawTruth(world, rng);
  const write = writer(world, truth, rng);
  const dimensions = vocabularyOf(world);
  const posts: SimulatedPost[] = [];
  let model: JointModel | null = null;
  let fit: AdditiveFit | undefined;
  for (let index = 0; index < n; index += 1) {
    const known = posts.slice(0, Math.max(0, index - DELAY));
    if (index % REFIT_EVERY === 0 && known.length >= UNIFORM_START) {
      const { design, moments } = sumsOf(known, false, Number.POSITIVE_INFINITY);
      fit = fitAdditive(moments, design.groups, fit ? { start: fit } : {});
      model = jointModelOf(fit, design.dimensions, known.length);
    }
    const outcome = drawJointSlate(
      { dimensions, rules: [], model },
      { seed: Math.floor(rng() * 2 ** 32), minFinishedPosts: UNIFORM_START },
    );
    if (outcome.code !== 'drawn') throw new Error(`A slate must be drawn: ${outcome.code}.`);
    posts.push(write(index, choiceOf(world, outcome.assigned)));
  }
  return { truth, posts };
}

function writer(world: ContentWorld, truth: Truth, rng: Rng) {
  const calendar = drawCalendar(world, rng);
  return (index: number, choice: Choice): SimulatedPost => {
    const { postedAt, followers, level } = calendar(index);
    const value = worth(truth, choice);
    return {
      choice,
      values: namedValues(choice),
      postedAt,
      kind: 'single',
      followers,
      viralScore: value + SCORE_NOISE * normal(rng),
      y: value + level + drawNoise(world, rng),
    };
  };
}

/** An estimated effect beside the true one: both less the mean over the values that were used. */
export type Estimate = { effect: number; low90: number; high90: number; truth: number };

/** The estimates of a fit, in its order. */
export function estimatesOf({ effects }: PostsFit, truth: Truth): Estimate[] {
  return effects.map(({ dimension, value, effect, effect_low_90, effect_high_90 }) => {
    const average = mean(
      effects
        .filter((other) => other.dimension === dimension)
        .map((other) => trueEffect(truth, other.dimension, other.value)),
    );
    return {
      effect,
      low90: effect_low_90,
      high90: effect_high_90,
      truth: trueEffect(truth, dimension, value) - average,
    };
  });
}

/** The same for plain means of each value, without an interval. */
export function rawEstimates(posts: readonly SimulatedPost[], truth: Truth): Estimate[] {
  return rawMeans(posts).flatMap((values, dimension) => {
    const used = values.flatMap(({ uses, total }, value) =>
      uses === 0 ? [] : [{ raw: total / uses, truth: truth.effects[dimension]?.[value] ?? 0 }],
    );
    const raw = mean(used.map((one) => one.raw));
    const average = mean(used.map((one) => one.truth));
    return used.map((one) => ({
      effect: one.raw - raw,
      low90: Number.NaN,
      high90: Number.NaN,
      truth: one.truth - average,
    }));
  });
}

/**
 * The same for the marginal posterior, which takes each value by itself. Its effects are against
 * the mean over posts, and so is the truth that they are held against.
 */
export function marginalEstimates(posts: readonly SimulatedPost[], truth: Truth): Estimate[] {
  const values = rawMeans(posts).flatMap((means, dimension) =>
    means.flatMap(({ uses, total, squares }, value) =>
      uses === 0
        ? []
        : [
            {
              dimension: dimensionName(dimension),
              value: valueName(value),
              n: uses,
              s1: total,
              s2: squares,
            },
          ],
    ),
  );
  const { effects } = learnMarginalEffects(values);
  return effects.map(({ dimension, value, effect, effect_low_90, effect_high_90 }) => {
    const average =
      values
        .filter((other) => other.dimension === dimension)
        .reduce((sum, other) => sum + other.n * trueEffect(truth, dimension, other.value), 0) /
      posts.length;
    return {
      effect,
      low90: effect_low_90,
      high90: effect_high_90,
      truth: trueEffect(truth, dimension, value) - average,
    };
  });
}

/** By how much the best value of a dimension is overrated, on average over the dimensions. */
export function bestValueBias(posts: readonly SimulatedPost[], fitted: PostsFit, truth: Truth) {
  const estimates = estimatesOf(fitted, truth);
  const joint = vocabularyOf({ ...LEARNING_WORLD, sizes: truth.effects.map((e) => e.length) }).map(
    ({ dimension }) => {
      const own = estimates.filter((_, i) => fitted.effects[i]?.dimension === dimension);
      const best = own.reduce((a, b) => (b.effect > a.effect ? b : a));
      return best.effect - best.truth;
    },
  );
  const raw = rawMeans(posts).map((values, dimension) => {
    let best = Number.NEGATIVE_INFINITY;
    let worthOfBest = 0;
    values.forEach(({ uses, total }, value) => {
      if (uses < LEAST_USES || total / uses <= best) return;
      best = total / uses;
      worthOfBest = truth.effects[dimension]?.[value] ?? 0;
    });
    return best - worthOfBest;
  });
  return { joint: mean(joint), raw: mean(raw) };
}

/** The posts with their outcomes less the mean of those of the 30 posts before. */
export function lessRollingMean(posts: readonly SimulatedPost[]): SimulatedPost[] {
  return posts.map((post, index) => {
    const before = posts.slice(Math.max(0, index - ROLLING_POSTS), index);
    return { ...post, y: post.y - (before.length === 0 ? 0 : mean(before.map(({ y }) => y))) };
  });
}

/** Share of the true effects that the estimates have on average: least squares through 0. */
export function slope(estimates: readonly Estimate[]): number {
  const both = estimates.reduce((sum, { effect, truth }) => sum + effect * truth, 0);
  return both / estimates.reduce((sum, { truth }) => sum + truth * truth, 0);
}

export function coverage(estimates: readonly Estimate[]): number {
  return mean(
    estimates.map(({ low90, high90, truth }) => (low90 <= truth && truth <= high90 ? 1 : 0)),
  );
}

export function rootMeanSquare(estimates: readonly Estimate[]): number {
  return Math.sqrt(mean(estimates.map(({ effect, truth }) => (effect - truth) ** 2)));
}

function rawMeans(posts: readonly SimulatedPost[]) {
  const sums: { uses: number; total: number; squares: number }[][] = [];
  for (const { choice, y } of posts) {
    choice.forEach((value, dimension) => {
      sums[dimension] ??= [];
      const values = sums[dimension];
      while (values.length <= value) values.push({ uses: 0, total: 0, squares: 0 });
      const sum = values[value];
      if (!sum) return;
      sum.uses += 1;
      sum.total += y;
      sum.squares += y * y;
    });
  }
  return sums;
}

function trueEffect(truth: Truth, dimension: string, value: string): number {
  return truth.effects[Number(dimension.slice(1))]?.[Number(value.slice(1))] ?? 0;
}

/** A design's dimensions with what `contrasts` needs of the sums. */
export function dimensionGroups(
  { dimensions, rows, size }: Design,
  { gram }: WeightedMoments,
): DimensionGroup[] {
  const uses = new Array<number>(size).fill(0);
  for (const { indices } of rows) {
    for (const index of indices) uses[index] = (uses[index] ?? 0) + 1;
  }
  return dimensions.map((group) => {
    const last = group.first + group.features.length;
    return {
      ...group,
      uses: uses.slice(group.first, last),
      effectiveN: group.features.map((_, index) => at(gram, (group.first + index) * (size + 1))),
    };
  });
}
