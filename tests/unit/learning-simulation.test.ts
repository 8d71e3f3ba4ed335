/** A few seeds of what `npm run simulate -- learning` and `policy` judge with many. */
import { describe, expect, it } from 'vitest';
import {
  bestValueBias,
  coverage,
  estimatesOf,
  fitPosts,
  habitualPosts,
  LEARNING_WORLD,
  lessRollingMean,
  marginalEstimates,
  rawEstimates,
  rootMeanSquare,
  slope,
  thompsonPosts,
} from '../../simulation/studies/learner-study.ts';
import {
  epsilonGreedy,
  jointThompson,
  rawMeanRule,
  regretShares,
  USUAL_RUN,
} from '../../simulation/studies/policy-study.ts';
import { SIX_DIMENSIONS } from '../../simulation/worlds/content-world.ts';

const SEEDS = [1, 2, 3, 4];
const mean = (xs: number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
const overSeeds = (measure: (seed: number) => number) => mean(SEEDS.map(measure));

describe('the joint learner, from posts whose values mostly go together', () => {
  const accounts = SEEDS.map((seed) => habitualPosts(LEARNING_WORLD, 1000, seed));
  const joint = accounts.flatMap(({ posts, truth }) => estimatesOf(fitPosts(posts), truth));

  it('has 90 % intervals that hold the truth about as often', () => {
    expect(coverage(joint)).toBeGreaterThan(0.84);
    expect(coverage(joint)).toBeLessThan(0.96);
  });

  it('errs at most 0.7 times as much as raw means', () => {
    const raw = accounts.flatMap(({ posts, truth }) => rawEstimates(posts, truth));
    expect(rootMeanSquare(joint) / rootMeanSquare(raw)).toBeLessThan(0.7);
  });

  it('replaces intervals of single values that hold the truth far too rarely', () => {
    const marginal = accounts.flatMap(({ posts, truth }) => marginalEstimates(posts, truth));
    expect(coverage(marginal)).toBeLessThan(0.7);
  });

  it('loses effects to a score that was made from the draft, which is why the score is out', () => {
    const withScore = accounts.flatMap(({ posts, truth }) =>
      estimatesOf(fitPosts(posts, { viralScore: true }), truth),
    );
    expect(slope(withScore)).toBeLessThan(0.85 * slope(joint));
    expect(coverage(withScore)).toBeLessThan(coverage(joint));
  });
});

describe('the joint learner, from posts that its own policy chose', () => {
  const accounts = SEEDS.map((seed) => thompsonPosts(LEARNING_WORLD, 600, seed));

  it('does not overrate the best value of a dimension, as raw means do', () => {
    const biases = accounts.map(({ posts, truth }) => bestValueBias(posts, fitPosts(posts), truth));
    expect(Math.abs(mean(biases.map((bias) => bias.joint)))).toBeLessThan(0.1);
    expect(mean(biases.map((bias) => bias.raw))).toBeGreaterThan(0.3);
  });

  it('keeps effects that subtracting a rolling mean would erase', () => {
    const shares = (rolling: boolean) =>
      mean(
        accounts.map(({ posts, truth }) => {
          const fitted = rolling
            ? fitPosts(lessRollingMean(posts), { nuisances: false })
            : fitPosts(posts);
          const tried = estimatesOf(fitted, truth).filter(
            (_, index) => (fitted.effects[index]?.uses ?? 0) >= 30,
          );
          return slope(tried);
        }),
      );
    expect(shares(false)).toBeGreaterThan(0.6);
    expect(shares(true)).toBeLessThan(0.35);
  });
});

describe('the policy', () => {
  const run = { ...USUAL_RUN, posts: 500 };
  const joint = overSeeds((seed) => mean(regretShares(SIX_DIMENSIONS, run, jointThompson(), seed)));

  it('loses under half of what random choices lose over 500 posts', () => {
    expect(joint).toBeLessThan(0.45);
  });

  it('loses less than greedy choices and the rule of the first system', () => {
    for (const rival of [epsilonGreedy, rawMeanRule]) {
      const share = overSeeds((seed) => mean(regretShares(SIX_DIMENSIONS, run, rival, seed)));
      expect(joint).toBeLessThan(0.85 * share);
    }
  });

  it('starts ahead with 300 posts that habit chose', () => {
    const warm = overSeeds((seed) =>
      mean(regretShares(SIX_DIMENSIONS, { ...run, warmPosts: 300 }, jointThompson(), seed)),
    );
    expect(warm).toBeLessThan(0.6 * joint);
  });

  it('gives all policies of a seed the same account', () => {
    const shares = () =>
      regretShares(SIX_DIMENSIONS, { ...run, posts: 60 }, jointThompson(), 9, [30, 60]);
    expect(shares()).toEqual(shares());
  });
});
