/** What policies lose against the best choice, in worlds where that is known. */
import {
  type AdditiveFit,
  addRow,
  emptyMoments,
  type FeatureGroup,
  fitAdditive,
  INTERCEPT_VARIANCE,
  type WeightedMoments,
} from '../../shared/learning/additive.ts';
import { type JointModel, jointModelOf } from '../../shared/learning/joint-model.ts';
import { at } from '../../shared/learning/linear-algebra.ts';
import type { StudentT } from '../../shared/learning/marginal.ts';
import { mulberry32, type Rng } from '../../shared/learning/random.ts';
import { drawJointSlate } from '../../shared/learning/slate.ts';
import {
  type Choice,
  type ContentWorld,
  choiceOf,
  dimensionName,
  drawNoise,
  drawTruth,
  extremes,
  habitualChoice,
  type Truth,
  uniformChoice,
  valueName,
  vocabularyOf,
  worth,
} from '../worlds/content-world.ts';
import { studentT } from '../worlds/draws.ts';
import { learnMarginalEffects, type ValueSums } from './marginal-learner.ts';

export type PolicyRun = {
  posts: number;
  /** Posts between a post and its outcome. */
  delay: number;
  /** Posts between two fits. */
  refitEvery: number;
  /** Habitual posts whose outcomes are known before the first choice. */
  warmPosts: number;
  /** All effects are drawn anew after so many posts. */
  shiftAt?: number;
};

export const USUAL_RUN: PolicyRun = { posts: 1000, delay: 12, refitEvery: 6, warmPosts: 0 };

/** A policy at work: outcomes are told in order of the posts, some time after the choice. */
type Player = {
  choose(): Choice;
  tell(choice: Choice, outcome: number): void;
  /** Fits what was told; `age` is the number of posts since the last fit. */
  refit(age: number): void;
};
export type Policy = (world: ContentWorld, rng: Rng) => Player;

/**
 * Regret of a policy as a share of that of uniformly random choices, summed over the posts up to each
 * of `checkpoints`. The same seed gives all policies the same account.
 */
export function regretShares(
  world: ContentWorld,
  run: PolicyRun,
  policy: Policy,
  seed: number,
  checkpoints: readonly number[] = [run.posts],
): number[] {
  const truths = [drawTruth(world, mulberry32(seed)), drawTruth(world, mulberry32(seed + 1e9))];
  const noise = mulberry32(seed + 2e9);
  let truth = truths[0] as Truth;
  let { best, random } = extremes(world, truth);
  const player = policy(world, mulberry32(seed + 3e9));
  const habits = mulberry32(seed + 4e9);
  for (let post = 0; post < run.warmPosts; post += 1) {
    const choice = habitualChoice(world, truth, habits);
    player.tell(choice, worth(truth, choice) + drawNoise(world, noise));
    if (post % run.refitEvery === 0) player.refit(run.refitEvery);
  }
  if (run.warmPosts > 0) player.refit(0);
  const waiting: { choice: Choice; outcome: number }[] = [];
  const shares: number[] = [];
  let lost = 0;
  let lostByRandom = 0;
  for (let post = 0; post < run.posts; post += 1) {
    if (post === run.shiftAt) {
      truth = truths[1] as Truth;
      ({ best, random } = extremes(world, truth));
    }
    const choice = player.choose();
    lost += best - worth(truth, choice);
    lostByRandom += best - random;
    waiting.push({ choice, outcome: worth(truth, choice) + drawNoise(world, noise) });
    if (waiting.length > run.delay) {
      const known = waiting.shift();
      if (known) player.tell(known.choice, known.outcome);
    }
    if (post % run.refitEvery === run.refitEvery - 1) player.refit(run.refitEvery);
    if (checkpoints.includes(post + 1)) shares.push(lost / lostByRandom);
  }
  return shares;
}

/** Outcomes after which the product's policies stop being uniform. */
const UNIFORM_START = 20;

export type JointOptions = {
  alpha?: number;
  /** Half-life in posts after so many posts; infinite forgets nothing. */
  halfLifePosts?: (post: number) => number;
  tauWeight?: number;
  tauPrior?: number;
};

/** 90 days at six posts a day. */
export const USUAL_HALF_LIFE_POSTS = 540;

/** Thompson sampling from the joint posterior, with the product's own fit and slate. */
export function jointThompson({
  alpha = 0.5,
  halfLifePosts = () => USUAL_HALF_LIFE_POSTS,
  ...priors
}: JointOptions = {}): Policy {
  return (world, rng) => {
    const groups = groupsOf(world);
    const dimensions = groups.slice(1);
    const size = 1 + world.sizes.reduce((sum, x) => sum + x, 0);
    const moments = emptyMoments(size);
    const vocabulary = vocabularyOf(world);
    let told = 0;
    let seen = 0;
    let fit: AdditiveFit | undefined;
    let model: JointModel | null = null;
    return {
      choose() {
        const outcome = drawJointSlate(
          { dimensions: vocabulary, rules: [], model },
          { seed: Math.floor(rng() * 2 ** 32), alpha, minFinishedPosts: UNIFORM_START },
        );
        if (outcome.code !== 'drawn') throw new Error(`A slate must be drawn: ${outcome.code}.`);
        return choiceOf(world, outcome.assigned);
      },
      tell(choice, y) {
        told += 1;
        const indices = [0, ...choice.map((value, d) => (dimensions[d]?.first ?? 0) + value)];
        addRow(moments, { indices, values: indices.map(() => 1), y, discount: 1, weight: 1 });
      },
      refit(age) {
        seen += age;
        scaleMoments(moments, 2 ** (-age / halfLifePosts(seen)));
        if (told < UNIFORM_START) return;
        fit = fitAdditive(moments, groups, { ...priors, ...(fit ? { start: fit } : {}) });
        model = jointModelOf(fit, dimensions, told);
      },
    };
  };
}

/** Thompson sampling with each dimension on its own: what came before the joint model. */
export const marginalThompson: Policy = (world, rng) => {
  const learner = marginalLearner(world);
  let learned: StudentT[][] | undefined;
  return {
    choose: () =>
      learned?.map((values) =>
        indexOfMax(values.map(({ mean, scale, df }) => mean + scale * studentT(rng, df))),
      ) ?? uniformChoice(world, rng),
    tell: learner.tell,
    refit() {
      learned = learner.learned();
    },
  };
};

/** Nine times in ten the value of each dimension with the best shrunken mean, else all at random. */
export const epsilonGreedy: Policy = (world, rng) => {
  const learner = marginalLearner(world);
  let greedy: Choice | undefined;
  return {
    choose: () => (greedy === undefined || rng() < 0.1 ? uniformChoice(world, rng) : greedy),
    tell: learner.tell,
    refit() {
      greedy = learner.learned()?.map((values) => indexOfMax(values.map(({ mean }) => mean)));
    },
  };
};

/**
 * The rule that the first system was built on: the value with the largest raw mean times
 * uses / 30 (at most 1) of those with at least five uses, else any.
 */
export const rawMeanRule: Policy = (world, rng) => {
  const sums = world.sizes.map((size) =>
    Array.from({ length: size }, () => ({ uses: 0, total: 0 })),
  );
  return {
    choose: () =>
      sums.map((values) => {
        const scores = values.map(({ uses, total }) =>
          uses < 5 ? Number.NEGATIVE_INFINITY : (total / uses) * Math.min(1, uses / 30),
        );
        return scores.some(Number.isFinite)
          ? indexOfMax(scores)
          : Math.floor(rng() * values.length);
      }),
    tell(choice, outcome) {
      choice.forEach((value, dimension) => {
        const sum = sums[dimension]?.[value];
        if (!sum) return;
        sum.uses += 1;
        sum.total += outcome;
      });
    },
    refit() {},
  };
};

/** The intercept and the dimensions of a world, all values whether tried or not. */
function groupsOf({ sizes }: ContentWorld): FeatureGroup[] {
  let first = 1;
  const dimensions = sizes.map((size, dimension) => {
    const features = Array.from({ length: size }, (_, value) => valueName(value));
    first += size;
    return { name: dimensionName(dimension), first: first - size, features };
  });
  return [
    { name: 'intercept', first: 0, features: ['intercept'], variance: INTERCEPT_VARIANCE },
    ...dimensions,
  ];
}

/** The marginal learner, told one post after the other. */
function marginalLearner(world: ContentWorld) {
  const sums = new Map<string, ValueSums>();
  let told = 0;
  return {
    tell(choice: Choice, outcome: number) {
      told += 1;
      choice.forEach((value, dimension) => {
        const key = `${dimension} ${value}`;
        const sum = sums.get(key) ?? emptySums(dimension, value);
        sum.n += 1;
        sum.s1 += outcome;
        sum.s2 += outcome * outcome;
        sums.set(key, sum);
      });
    },
    /** What each value's mean outcome is believed to be; undefined during the uniform start. */
    learned(): StudentT[][] | undefined {
      if (told < UNIFORM_START) return undefined;
      const { priors, effects } = learnMarginalEffects([...sums.values()]);
      const posteriorOf = new Map(
        effects.map(({ dimension, value, posterior }) => [`${dimension} ${value}`, posterior]),
      );
      return vocabularyOf(world).map(({ dimension, values: names }) =>
        names.map(
          (value) =>
            posteriorOf.get(`${dimension} ${value}`) ??
            priors[dimension] ?? { mean: 0, scale: 1, df: 4 },
        ),
      );
    },
  };
}

const emptySums = (dimension: number, value: number): ValueSums => ({
  dimension: dimensionName(dimension),
  value: valueName(value),
  n: 0,
  s1: 0,
  s2: 0,
});

const indexOfMax = (xs: readonly number[]) => xs.indexOf(Math.max(...xs));

/** Lets every post in the sums count `factor` times as much: sums of an earlier day, aged. */
export function scaleMoments(moments: WeightedMoments, factor: number): void {
  for (let i = 0; i < moments.gram.length; i += 1) {
    moments.gram[i] = at(moments.gram, i) * factor;
  }
  for (let i = 0; i < moments.rhs.length; i += 1) moments.rhs[i] = at(moments.rhs, i) * factor;
  moments.yy *= factor;
  moments.n *= factor;
}
