/** One row of a table for many trials of an estimator. */
import type { TrialMeasures } from '../studies/off-policy-study.ts';

export const TRIAL_HEAD = ['bias', 'error', 'coverage', 'ESS', 'mean weight', 'alarms', 'refused'];

export const trialRow = (name: string, one: TrialMeasures) => [
  name,
  one.bias,
  one.meanAbsoluteError,
  one.coverage,
  one.ess,
  one.meanWeight,
  one.alarms,
  one.refused,
];
