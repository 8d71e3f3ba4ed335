/** How soon a change is noticed, and how long there is no false alarm. */
import { atLeast, atMost } from '../../local/terminal/bars.ts';
import { measureRunLengths, type RunLengths } from '../studies/drift-study.ts';
import type { SimulationResult } from '../topic.ts';
import type { Progress } from './part.ts';

export function judgeDrift(seeds: number, progress: Progress): SimulationResult {
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
