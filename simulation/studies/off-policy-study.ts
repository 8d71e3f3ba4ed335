/** How near off-policy estimates come to what the target policy would have earned. */
import {
  bestOfSlate,
  dr,
  fromMean,
  type LoggedChoice,
  type OffPolicyEstimate,
  snips,
  type WeightedChoice,
  weigh,
} from '../../shared/evaluation/off-policy.ts';
import {
  gainInModel,
  type MarginalChoice,
  uniformByMarginals,
} from '../../shared/evaluation/uniform-baseline.ts';
import { mulberry32, normal, type Rng } from '../../shared/learning/random.ts';
import {
  type ByValue,
  type Combination,
  drawEffects,
  drawSlateOf,
  fitEffects,
  learn,
  marginalsOf,
  NO_BELIEF,
  posteriorOf,
  SLATE_SIZE,
  thompson,
  uniformWorth,
  VOCABULARY,
  worth,
  worthOf,
} from './logged-slates.ts';
import { mean } from './scores.ts';

/** Posts that the logging policy and the newer model have learned from. */
const POSTS_BEFORE_LOG = 150;
const POSTS_OF_NEWER_MODEL = 600;

/** Logs drawn from the same slates: other picks, other noise. */
const LOGS_OF_A_WORLD = 20;

const FITTED_LOGS_OF_A_WORLD = 4;
const UNIFORM_LOGS_OF_A_WORLD = 10;

const MARGINAL_DRAWS = 4_000;
const POSTED = 200;
const FOLDS = 5;

export const ESTIMATORS = ['IPS', 'SNIPS', 'DR'] as const;
export type Estimator = (typeof ESTIMATORS)[number];

/** One estimate beside the truth. */
export type Trial = OffPolicyEstimate & { truth: number };

export type OffPolicyTrials = Record<Estimator, Trial[]> & {
  /** What the model alone says less the truth, and what the target gains over the log. */
  modelErrors: number[];
  gains: number[];
  /** Trials whose propensities were logged too large by half. */
  wrongPropensities: Trial[];
};

type Decision = { slate: Combination[]; row: LoggedChoice; indices: readonly number[] };

/** Thompson slates of an early model, and the best of each by a newer one as target. */
export function offPolicyTrials(seeds: number, n: number): OffPolicyTrials {
  const trials: OffPolicyTrials = {
    IPS: [],
    SNIPS: [],
    DR: [],
    modelErrors: [],
    gains: [],
    wrongPropensities: [],
  };
  for (let seed = 1; seed <= seeds; seed += 1) {
    const rng = mulberry32(seed);
    const effects = drawEffects(rng);
    const logging = learn(NO_BELIEF, effects, POSTS_BEFORE_LOG, rng);
    const newer = learn(logging, effects, POSTS_OF_NEWER_MODEL, rng);
    const slates = Array.from({ length: n }, () => drawSlateOf(logging, rng));
    const expected = (values: LoggedChoice['slate'][number]) => worthOf(newer.mean, values);
    const target = bestOfSlate(expected);
    const best = slates.map((slate) => bestBy(newer.mean, slate));
    const truth = mean(best.map(({ indices }) => worth(effects, indices)));
    const ofModel = mean(best.map(({ indices }) => worth(newer.mean, indices)));
    const ofLog = mean(slates.flat().map(({ indices }) => worth(effects, indices)));
    trials.modelErrors.push(ofModel - truth);
    trials.gains.push(truth - ofLog);
    for (let log = 0; log < LOGS_OF_A_WORLD; log += 1) {
      const rows = slates.map((slate) => pick(slate, effects, rng).row);
      const weighted = weigh(rows, target);
      trials.IPS.push({ ...ips(weighted), truth });
      trials.SNIPS.push({ ...snips(weighted), truth });
      trials.DR.push({ ...dr(weighted, expected), truth });
      if (log > 0) continue;
      const wrong = rows.map((row) => ({ ...row, propensity: Math.min(1, 1.5 * row.propensity) }));
      trials.wrongPropensities.push({ ...snips(weigh(wrong, target)), truth });
    }
  }
  return trials;
}

/**
 * What comes of a target that was fitted on the rows it is judged by, and of one whose folds were
 * left out: errors of SNIPS, each against that target's own truth; a few logs of each world.
 */
export function ownRowsTrials(
  seeds: number,
  n: number,
): { ownRows: Trial[]; crossFitted: Trial[] } {
  const ownRows: Trial[] = [];
  const crossFitted: Trial[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const rng = mulberry32(seed);
    const effects = drawEffects(rng);
    const logging = learn(NO_BELIEF, effects, POSTS_BEFORE_LOG, rng);
    for (let log = 0; log < FITTED_LOGS_OF_A_WORLD; log += 1) {
      const decisions = Array.from({ length: n }, (_, index) => {
        const decision = pick(drawSlateOf(logging, rng), effects, rng);
        return { ...decision, row: { ...decision.row, fold: index % FOLDS } };
      });
      const posts = decisions.map(({ indices, row }) => ({ indices, reward: row.reward, row }));
      const all = fitEffects(posts);
      const without = Array.from({ length: FOLDS }, (_, fold) =>
        fitEffects(posts.filter(({ row }) => row.fold !== fold)),
      );
      const judge = (model: (fold: number) => ByValue): Trial => {
        const rows = decisions.map(({ row }) => row);
        const target = bestOfSlate((values, fold) => worthOf(model(fold ?? 0), values));
        const truth = mean(
          decisions.map(({ slate, row }) => worth(effects, bestBy(model(row.fold), slate).indices)),
        );
        return { ...snips(weigh(rows, target)), truth };
      };
      ownRows.push(judge(() => all));
      crossFitted.push(judge((fold) => without[fold] ?? all));
    }
  }
  return { ownRows, crossFitted };
}

/** The value of uniform choice over the vocabulary, by logs of a policy that learned from so many posts. */
export function uniformTrials(
  seeds: number,
  n: number,
  learned: number,
): { plain: Trial[]; withModel: Trial[] } {
  const plain: Trial[] = [];
  const withModel: Trial[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const rng = mulberry32(seed);
    const effects = drawEffects(rng);
    const logging = learn(NO_BELIEF, effects, learned, rng);
    const newer = learn(logging, effects, POSTS_OF_NEWER_MODEL, rng);
    const marginals = marginalsOf(logging, MARGINAL_DRAWS, rng);
    const truth = uniformWorth(effects);
    const model = {
      expected: (values: MarginalChoice['assigned']) => worthOf(newer.mean, values),
      uniformMean: () => uniformWorth(newer.mean),
    };
    for (let log = 0; log < UNIFORM_LOGS_OF_A_WORLD; log += 1) {
      const rows: MarginalChoice[] = [];
      while (rows.length < n) {
        const { indices, values } = thompson(logging, rng);
        // too rare for the draws that the marginals were counted in
        const isCounted = Object.entries(values).every(([d, v]) => (marginals[d]?.[v] ?? 0) > 0);
        if (!isCounted) continue;
        rows.push({ assigned: values, marginals, reward: worth(effects, indices) + normal(rng) });
      }
      plain.push({ ...uniformByMarginals(rows), truth });
      withModel.push({ ...uniformByMarginals(rows, model), truth });
    }
  }
  return { plain, withModel };
}

export type GainMeasures = {
  /** True gain of what was posted over uniform choice, in residual standard deviations. */
  gain: number;
  bias: number;
  /** Share of 90 % ranges that held the true gain. */
  coverage: number;
};

/** The gain over uniform choice by the model that the posts were drawn from, of many accounts. */
export function measureModelGain(seeds: number, learned: number): GainMeasures {
  const gains: number[] = [];
  const errors: number[] = [];
  const held: number[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const rng = mulberry32(seed);
    for (let account = 0; account < LOGS_OF_A_WORLD; account += 1) {
      const effects = drawEffects(rng);
      const belief = learn(NO_BELIEF, effects, learned, rng);
      const posted = Array.from({ length: POSTED }, () => thompson(belief, rng));
      const truth =
        mean(posted.map(({ indices }) => worth(effects, indices))) - uniformWorth(effects);
      const { gain, low90, high90 } = gainInModel(
        posted.map(({ values }) => values),
        VOCABULARY,
        posteriorOf(belief),
      );
      gains.push(truth);
      errors.push(gain - truth);
      held.push(Number(low90 <= truth && truth <= high90));
    }
  }
  return { gain: mean(gains), bias: mean(errors), coverage: mean(held) };
}

export type TrialMeasures = {
  /** Mean error, and mean absolute error, in residual standard deviations. */
  bias: number;
  meanAbsoluteError: number;
  /** Share of 90 % ranges that held the truth. */
  coverage: number;
  ess: number;
  meanWeight: number;
  /** Shares of trials with an alarm, and refused. */
  alarms: number;
  refused: number;
};

/** Summary of trials; errors and coverage are of those that were not refused. */
export function measureTrials(trials: readonly Trial[]): TrialMeasures {
  const errors: number[] = [];
  let held = 0;
  for (const { estimate, low90, high90, truth } of trials) {
    if (estimate === null || low90 === null || high90 === null) continue;
    errors.push(estimate - truth);
    if (low90 <= truth && truth <= high90) held += 1;
  }
  return {
    bias: mean(errors),
    meanAbsoluteError: mean(errors.map(Math.abs)),
    coverage: held / errors.length,
    ess: mean(trials.map(({ ess }) => ess)),
    meanWeight: mean(trials.map(({ meanWeight }) => meanWeight)),
    alarms: mean(trials.map(({ weightAlarm }) => Number(weightAlarm))),
    refused: mean(trials.map(({ refused }) => Number(refused !== undefined))),
  };
}

function pick(slate: Combination[], effects: ByValue, rng: Rng): Decision {
  const chosen = Math.floor(rng() * SLATE_SIZE);
  const indices = slate[chosen]?.indices ?? [];
  const same = slate.filter((other) => other.indices.every((v, d) => v === indices[d]));
  return {
    slate,
    indices,
    row: {
      slate: slate.map(({ values }) => values),
      chosen,
      propensity: same.length / SLATE_SIZE,
      reward: worth(effects, indices) + normal(rng),
    },
  };
}

function bestBy(effects: ByValue, slate: readonly Combination[]): Combination {
  return slate.reduce((best, one) =>
    worth(effects, one.indices) > worth(effects, best.indices) ? one : best,
  );
}

/** Inverse propensity scoring: mean(w r). Unbiased, and the most scattered of the three. */
export function ips(rows: readonly WeightedChoice[]): OffPolicyEstimate {
  return fromMean(
    rows.map(({ weight, reward }) => weight * reward),
    rows.map(({ weight }) => weight),
  );
}
