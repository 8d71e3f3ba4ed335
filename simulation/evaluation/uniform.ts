/** What uniform choice would have earned, and what was posted over it. */
import { measureModelGain, measureTrials, uniformTrials } from '../studies/off-policy-study.ts';
import type { FigureTable, SimulationResult } from '../topic.ts';
import { LEAST_JUDGED } from './off-policy.ts';
import { type Progress, within } from './part.ts';
import { TRIAL_HEAD, trialRow } from './trials.ts';

/** Posts that the logging policy has learned from. */
const LEARNED_BEFORE_UNIFORM = [0, 1, 5, 20];
const LEARNED_BEFORE_GAIN = [20, 150, 600];

export function judgeUniform(seeds: number, progress: Progress): SimulationResult {
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
