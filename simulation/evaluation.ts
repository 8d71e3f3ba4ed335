/** What is said of posts, policies and numbers, in worlds where it is known what comes true. */

import { atLeast, atMost, type Bar } from '../local/terminal/bars.ts';
import { measureRunLengths, type RunLengths } from './studies/drift-study.ts';
import { measureProjection, type ProjectionMeasures } from './studies/growth-study.ts';
import { type IntegrityMeasures, measureIntegrity } from './studies/integrity-study.ts';
import {
  ESTIMATORS,
  type Estimator,
  measureModelGain,
  measureTrials,
  offPolicyTrials,
  ownRowsTrials,
  type TrialMeasures,
  uniformTrials,
} from './studies/off-policy-study.ts';
import { mean } from './studies/scores.ts';
import type { FigureTable, Topic } from './topic.ts';
import {
  type EngagementWorld,
  type ImpressionWorld,
  makeUpCounts,
  simulateCounts,
  USUAL_IMPRESSIONS,
} from './worlds/impressions.ts';

const MATURE_POSTS = 180;
const FEW_MATURE_POSTS = 40;

const IMPRESSION_WORLDS: { name: string; world: ImpressionWorld; maturePosts: number }[] = [
  { name: 'usual', world: USUAL_IMPRESSIONS, maturePosts: MATURE_POSTS },
  {
    name: 'one in ten seen again',
    world: { ...USUAL_IMPRESSIONS, cascadeShare: 0.1 },
    maturePosts: MATURE_POSTS,
  },
  {
    name: 'one in four seen again',
    world: { ...USUAL_IMPRESSIONS, cascadeShare: 0.25 },
    maturePosts: MATURE_POSTS,
  },
  { name: '40 mature posts', world: USUAL_IMPRESSIONS, maturePosts: FEW_MATURE_POSTS },
  {
    name: 'tiny account',
    world: { ...USUAL_IMPRESSIONS, medianImpressions: 20 },
    maturePosts: MATURE_POSTS,
  },
  {
    name: 'big posts live longer',
    world: { ...USUAL_IMPRESSIONS, sizeHalfLifeCorrelation: 0.5 },
    maturePosts: MATURE_POSTS,
  },
];
const WARNED_WORLDS = ['usual', 'one in ten seen again'] as const;

/** Decisions in a log; those from 500 on are judged. */
const LOG_LENGTHS = [200, 500, 1_000, 3_000] as const;
const LEAST_JUDGED = 500;
const FITTED_LOG_LENGTH = 500;

/** Posts that the logging policy has learned from. */
const LEARNED_BEFORE_UNIFORM = [0, 1, 5, 20];
const LEARNED_BEFORE_GAIN = [20, 150, 600];

const ENGAGED: EngagementWorld = {
  ...USUAL_IMPRESSIONS,
  likesPerImpression: 0.01,
  rateLogSd: 0.5,
};
/** In those that are not judged, real posts do look drawn evenly: a limit of the rule. */
const REAL_POSTS: { name: string; world: EngagementWorld; isJudged: boolean }[] = [
  { name: 'usual', world: ENGAGED, isJudged: true },
  { name: 'small account', world: { ...ENGAGED, medianImpressions: 50 }, isJudged: true },
  { name: 'liked unlike', world: { ...ENGAGED, rateLogSd: 1 }, isJudged: true },
  { name: 'one in ten seen again', world: { ...ENGAGED, cascadeShare: 0.1 }, isJudged: true },
  { name: 'seen more alike', world: { ...ENGAGED, impressionsLogSd: 0.6 }, isJudged: true },
  { name: 'seen alike', world: { ...ENGAGED, impressionsLogSd: 0.3 }, isJudged: false },
  {
    name: 'seen alike, liked unlike',
    world: { ...ENGAGED, impressionsLogSd: 0.3, rateLogSd: 1 },
    isJudged: false,
  },
];

export const evaluation: Topic = {
  name: 'evaluation',
  summary: 'projections, warnings, off-policy estimates, drift and fakes, where the truth is known',
  seeds: 20,
  run({ seeds }, progress) {
    const parts = [
      judgeProjections(seeds, progress),
      judgeOffPolicy(seeds, progress),
      judgeUniform(seeds, progress),
      judgeIntegrity(seeds, progress),
      judgeDrift(seeds, progress),
    ];
    return {
      bars: parts.flatMap(({ bars }) => bars),
      tables: parts.flatMap(({ tables }) => tables),
    };
  },
};

type Part = { bars: Bar[]; tables: FigureTable[] };
type Progress = (step: string) => void;

function judgeProjections(seeds: number, progress: Progress): Part {
  const measured = new Map<string, ProjectionMeasures[]>();
  for (const { name, world, maturePosts } of IMPRESSION_WORLDS) {
    progress(`Young posts: ${name}`);
    measured.set(name, measureProjection(seeds, world, maturePosts));
  }
  const at2h = (name: string, key: 'spread' | 'coverage' | 'calibrationError' | 'auroc') =>
    measured.get(name)?.find(({ phase }) => phase === '2h')?.[key] ?? Number.NaN;
  const coverages2h = IMPRESSION_WORLDS.map(({ name }) => at2h(name, 'coverage'));
  const coverages = [...measured.values()].flat().map((one) => one.coverage);
  return {
    bars: [
      atMost('R1 spread of the projection at 2 h', at2h('usual', 'spread'), 0.25),
      ...within('R1 coverage of 90 % at 2 h', [at2h('usual', 'coverage')], 0.86, 0.94),
      ...within('R1 coverage of 90 % at 2 h, 6 worlds', coverages2h, 0.86, 0.94),
      // no upper bar: where a count hardly moves any more, ranges of whole numbers hold too much
      atLeast('R1 coverage of 90 % at any age, 6 worlds, least', Math.min(...coverages), 0.86),
      ...WARNED_WORLDS.flatMap((name) => [
        atMost(`V1 ${name}: calibration error at 2 h`, at2h(name, 'calibrationError'), 0.05),
        atLeast(`V1 ${name}: AUROC at 2 h`, at2h(name, 'auroc'), 0.95),
      ]),
    ],
    tables: [
      {
        title: 'Posts projected to 48 h, and the warning that one will be among the best 5 %',
        head: ['world', 'age', 'share seen', 'spread', 'coverage', 'calibration error', 'AUROC'],
        rows: [...measured].flatMap(([name, phases]) =>
          phases.map((one, index) => [
            index === 0 ? name : '',
            one.phase,
            one.share,
            one.spread,
            one.coverage,
            one.calibrationError,
            one.auroc,
          ]),
        ),
      },
    ],
  };
}

function judgeOffPolicy(seeds: number, progress: Progress): Part {
  const rows: FigureTable['rows'] = [];
  const judged: { estimator: Estimator; measures: TrialMeasures }[] = [];
  const wrong: TrialMeasures[] = [];
  for (const n of LOG_LENGTHS) {
    progress(`Off-policy: ${n} decisions`);
    const trials = offPolicyTrials(seeds, n);
    for (const estimator of ESTIMATORS) {
      const measures = measureTrials(trials[estimator]);
      rows.push(trialRow(`${n}, ${estimator}`, measures));
      if (n >= LEAST_JUDGED) judged.push({ estimator, measures });
    }
    rows.push([`${n}, the model alone`, mean(trials.modelErrors), ...TRIAL_HEAD.slice(1).fill('')]);
    const measures = measureTrials(trials.wrongPropensities);
    rows.push(trialRow(`${n}, SNIPS, propensities off by half`, measures));
    if (n >= 2 * LEAST_JUDGED) wrong.push(measures);
  }
  progress('Off-policy: a target fitted on its own rows');
  const fitted = ownRowsTrials(seeds, FITTED_LOG_LENGTH);
  rows.push(
    trialRow(`${FITTED_LOG_LENGTH}, SNIPS, cross-fitted target`, measureTrials(fitted.crossFitted)),
    trialRow(`${FITTED_LOG_LENGTH}, SNIPS, fitted on its rows`, measureTrials(fitted.ownRows)),
  );
  const coverages = (estimator: Estimator) =>
    judged.filter((one) => one.estimator === estimator).map(({ measures }) => measures.coverage);
  const all = judged.map(({ measures }) => measures);
  return {
    bars: [
      ...within('O1 SNIPS coverage of 90 %, 500 decisions on', coverages('SNIPS'), 0.85, 0.95),
      ...within('O1 DR coverage of 90 %, 500 decisions on', coverages('DR'), 0.85, 0.95),
      ...within(
        'O1 mean weight',
        all.map(({ meanWeight }) => meanWeight),
        0.95,
        1.05,
      ),
      atMost('O1 alarms at right propensities', Math.max(...all.map(({ alarms }) => alarms)), 0.02),
      atLeast(
        'O1 alarms at wrong propensities, 1,000 decisions on',
        Math.min(...wrong.map(({ alarms }) => alarms)),
        0.95,
      ),
    ],
    tables: [
      {
        title: 'The best of each slate by a newer model, estimated from the log of an older one',
        head: ['decisions', ...TRIAL_HEAD],
        rows,
      },
    ],
  };
}

function judgeUniform(seeds: number, progress: Progress): Part {
  const rows: FigureTable['rows'] = [];
  for (const learned of LEARNED_BEFORE_UNIFORM) {
    progress(`Uniform choice: estimated after ${learned} posts`);
    const { plain, withModel } = uniformTrials(seeds, LEAST_JUDGED, learned);
    rows.push(
      trialRow(`learned from ${learned}`, measureTrials(plain)),
      trialRow(`learned from ${learned}, with a model`, measureTrials(withModel)),
    );
  }
  progress('Uniform choice: in the model');
  const gains = LEARNED_BEFORE_GAIN.map((learned) => ({
    learned,
    ...measureModelGain(seeds, learned),
  }));
  return {
    bars: within(
      'Gain over uniform choice in the model, coverage of 90 %',
      gains.map(({ coverage }) => coverage),
      0.85,
      0.95,
    ),
    tables: [
      {
        title: `Uniform choice over the vocabulary, reweighed by value from ${LEAST_JUDGED} posts`,
        head: ['logging policy', ...TRIAL_HEAD],
        rows,
      },
      {
        title: 'What was posted, over uniform choice, by the model itself',
        head: ['learned from', 'true gain', 'bias', 'coverage'],
        rows: gains.map(({ learned, gain, bias, coverage }) => [learned, gain, bias, coverage]),
      },
    ],
  };
}

function judgeIntegrity(seeds: number, progress: Progress): Part {
  progress('Made up numbers');
  const fakes = measureIntegrity(seeds, (rng) => makeUpCounts(rng, false));
  const sorted = measureIntegrity(seeds, (rng) => makeUpCounts(rng, true));
  const real = REAL_POSTS.map(({ name, world, isJudged }) => {
    progress(`Real posts: ${name}`);
    const measures = measureIntegrity(seeds, (rng) => simulateCounts(world, rng));
    return { name, isJudged, measures };
  });
  const falseAlarms = real
    .filter(({ isJudged }) => isJudged)
    .map(({ measures }) => measures.suspected);
  return {
    bars: [
      atLeast('D1 made up accounts flagged within 30 posts', fakes.flagged, 0.99),
      atLeast('D1 the same where no count falls', sorted.flagged, 0.9),
      atMost('D1 real accounts suspected, most of 5 worlds', Math.max(...falseAlarms), 0.01),
    ],
    tables: [
      {
        title: 'Shares of accounts with 30 posts that are flagged, and by which rule',
        head: [
          'numbers',
          'flagged',
          'or warned of',
          'uniform',
          'impossible',
          'falling',
          'posts that fall',
        ],
        rows: [
          integrityRow('made up', fakes),
          integrityRow('made up, each count sorted by age', sorted),
          ...real.map(({ name, measures }) => integrityRow(`real, ${name}`, measures)),
        ],
      },
    ],
  };
}

function judgeDrift(seeds: number, progress: Progress): Part {
  const measure = (name: string, world: Parameters<typeof measureRunLengths>[1]) => {
    progress(`Drift: ${name}`);
    return { name, ...measureRunLengths(seeds, world) };
  };
  const still = measure('no change', {});
  const shifted = measure('all posts of a day, 1 sd of a day', { dayShift: 1 });
  const values = measure('no change, every value watched', { byValue: true });
  const runs: (RunLengths & { name: string })[] = [
    still,
    measure('no change, heavy tails', { heavyTails: true }),
    measure('no change, weeks differ by 0.3 sd of a post', { weekSd: 0.3 }),
    measure('all posts of a day, 0.5 sd of a day', { dayShift: 0.5 }),
    shifted,
    values,
    measure('the posts with one value in 12, 1 sd of a post', { byValue: true, valueShift: 1 }),
  ];
  return {
    bars: [
      atLeast('CUSUM days to a false alarm', still.mean, 200),
      atLeast('CUSUM days to a false alarm of any value', values.mean, 200),
      atMost('CUSUM days to the alarm after a shift of 1 sd', shifted.mean, 20),
    ],
    tables: [
      {
        title: 'Days until the first alarm, at six posts a day',
        head: ['', 'mean', 'median'],
        rows: runs.map(({ name, mean, median }) => [name, mean, median]),
      },
    ],
  };
}

/** Two bars for the least and the largest of some values. */
function within(name: string, values: readonly number[], least: number, most: number): Bar[] {
  return [
    atLeast(values.length > 1 ? `${name}, least` : name, Math.min(...values), least),
    atMost(values.length > 1 ? `${name}, largest` : name, Math.max(...values), most),
  ];
}

const TRIAL_HEAD = ['bias', 'error', 'coverage', 'ESS', 'mean weight', 'alarms', 'refused'];

const trialRow = (name: string, one: TrialMeasures) => [
  name,
  one.bias,
  one.meanAbsoluteError,
  one.coverage,
  one.ess,
  one.meanWeight,
  one.alarms,
  one.refused,
];

const integrityRow = (name: string, one: IntegrityMeasures) => [
  name,
  one.flagged,
  one.suspected,
  one.uniform,
  one.impossible,
  one.falling,
  one.fallingPosts,
];
