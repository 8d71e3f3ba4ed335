/** How well the learner finds effects of values, in accounts where they are known. */

import { atLeast, atMost, type Bar } from '../local/terminal/bars.ts';
import {
  bestValueBias,
  coverage,
  type Estimate,
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
} from './studies/learner-study.ts';
import { mean } from './studies/scores.ts';
import type { FigureTable, Topic } from './topic.ts';

const SIZES = [100, 300, 1000, 3000] as const;
const THOMPSON_POSTS = 1000;
/** Uses from which the confidence of a value is 1. */
const FULLY_TRIED = 30;

const WORLDS = {
  usual: LEARNING_WORLD,
  'all dimensions alike': { ...LEARNING_WORLD, effectSds: [0.3, 0.3, 0.3, 0.3, 0.3, 0.3] },
  'heavy tails (t3)': { ...LEARNING_WORLD, noiseDf: 3 },
};

const VARIANTS = {
  'as it is': {},
  'half-life 90 days': { halfLifeDays: 90 },
  'prior of tau a quarter as heavy, at 0.2': { tauWeight: 1, tauPrior: 0.2 },
  'without week, hour, followers': { nuisances: false },
  'with a score made from the draft': { viralScore: true },
};

export const learning: Topic = {
  name: 'learning',
  summary: 'effects of values found by the joint learner, against known ones',
  seeds: 40,
  run({ seeds }, progress) {
    const tables: FigureTable[] = [];
    const bars: Bar[] = [];
    const coverages: number[] = [];
    const worlds: FigureTable = {
      title: 'Habitual posts, confounding 0.7: 90 % coverage and error (root mean square)',
      head: ['world', 'posts', 'joint covers', 'marginal covers', 'joint', 'raw means', 'slope'],
      rows: [],
    };
    for (const [name, world] of Object.entries(WORLDS)) {
      progress(`World: ${name}`);
      for (const posts of SIZES) {
        const measured = eachSeed(seeds, (seed) => {
          const account = habitualPosts(world, posts, seed);
          return {
            joint: estimatesOf(fitPosts(account.posts), account.truth),
            marginal: marginalEstimates(account.posts, account.truth),
            raw: rawEstimates(account.posts, account.truth),
          };
        });
        const of = (key: keyof (typeof measured)[number], score: (e: Estimate[]) => number) =>
          mean(measured.map((one) => score(one[key])));
        const covered = of('joint', coverage);
        const error = of('joint', rootMeanSquare);
        const rawError = of('raw', rootMeanSquare);
        const marginalCovered = of('marginal', coverage);
        worlds.rows.push([
          name,
          posts,
          covered,
          marginalCovered,
          error,
          rawError,
          of('joint', slope),
        ]);
        if (world !== LEARNING_WORLD) continue;
        coverages.push(covered);
        bars.push(atLeast(`L1 coverage of 90 %, ${posts} posts`, covered, 0.87));
        bars.push(atMost(`L1 coverage of 90 %, ${posts} posts`, covered, 0.94));
        if (posts >= 300) {
          bars.push(atMost(`L2 error / raw means, ${posts} posts`, error / rawError, 0.7));
        }
        if (posts === 3000) {
          bars.push(atMost('L3 the marginal covers, 3000 posts (control)', marginalCovered, 0.75));
        }
      }
    }
    tables.push(worlds);
    bars.push(atLeast('L1 coverage of 90 %, mean', mean(coverages), 0.87));
    bars.push(atMost('L1 coverage of 90 %, mean', mean(coverages), 0.93));

    const variants: FigureTable = {
      title: 'Other ways to fit the same posts, 300 and 1000 of them',
      head: ['fit', 'posts', 'covers', 'error', 'slope'],
      rows: [],
    };
    for (const [name, options] of Object.entries(VARIANTS)) {
      progress(`Fit: ${name}`);
      for (const posts of [300, 1000]) {
        const measured = eachSeed(seeds, (seed) => {
          const account = habitualPosts(LEARNING_WORLD, posts, seed);
          return estimatesOf(fitPosts(account.posts, options), account.truth);
        });
        const of = (score: (e: Estimate[]) => number) => mean(measured.map(score));
        variants.rows.push([name, posts, of(coverage), of(rootMeanSquare), of(slope)]);
      }
    }
    tables.push(variants);

    progress(`${THOMPSON_POSTS} posts that the policy chose`);
    const chosen = eachSeed(seeds, (seed) => {
      const { truth, posts } = thompsonPosts(LEARNING_WORLD, THOMPSON_POSTS, seed);
      const fits = {
        'week, hour, followers in the model': fitPosts(posts),
        'rolling mean of 30 posts subtracted': fitPosts(lessRollingMean(posts), {
          nuisances: false,
        }),
        neither: fitPosts(posts, { nuisances: false }),
      };
      const scores = Object.values(fits).map((fitted) => {
        const all = estimatesOf(fitted, truth);
        const tried = all.filter((_, i) => (fitted.effects[i]?.uses ?? 0) >= FULLY_TRIED);
        return [slope(tried), slope(all), coverage(all)];
      });
      const bias = bestValueBias(posts, fits['week, hour, followers in the model'], truth);
      return { names: Object.keys(fits), scores, bias };
    });
    const scoreOf = (fit: number, score: number) =>
      mean(chosen.map(({ scores }) => scores[fit]?.[score] ?? Number.NaN));
    tables.push({
      title: `${THOMPSON_POSTS} posts that the policy chose: share of the true effects found, 90 % coverage`,
      head: ['fit', `${FULLY_TRIED} uses or more`, 'all values', 'covers'],
      rows: (chosen[0]?.names ?? []).map((name, fit) => [
        name,
        ...[0, 1, 2].map((score) => scoreOf(fit, score)),
      ]),
    });
    const joint = mean(chosen.map(({ bias }) => bias.joint));
    const raw = mean(chosen.map(({ bias }) => bias.raw));
    bars.push(
      atMost('L4 bias of the best value, either way', Math.abs(joint), 0.05),
      atLeast('L4 the same of raw means (control)', raw, 0.3),
      atLeast('L5 share of the effects found, values tried 30 times', scoreOf(0, 0), 0.6),
      atMost('L5 the same, rolling mean subtracted (control)', scoreOf(1, 0), 0.35),
    );
    return { bars, tables };
  },
};

function eachSeed<T>(seeds: number, measure: (seed: number) => T): T[] {
  return Array.from({ length: seeds }, (_, index) => measure(index + 1));
}
