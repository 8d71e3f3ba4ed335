/** The best of each slate by a newer model, estimated from the log of an older one. */
import { atLeast, atMost } from '../../local/terminal/bars.ts';
import {
  ESTIMATORS,
  type Estimator,
  measureTrials,
  offPolicyTrials,
  ownRowsTrials,
  type TrialMeasures,
} from '../studies/off-policy-study.ts';
import { mean } from '../studies/scores.ts';
import type { FigureTable, SimulationResult } from '../topic.ts';
import { type Progress, within } from './part.ts';
import { TRIAL_HEAD, trialRow } from './trials.ts';

/** Decisions in a log; those from 500 on are judged. */
const LOG_LENGTHS = [200, 500, 1_000, 3_000] as const;
export const LEAST_JUDGED = 500;
const FITTED_LOG_LENGTH = 500;

export function judgeOffPolicy(seeds: number, progress: Progress): SimulationResult {
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
