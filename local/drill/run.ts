/**
 * `npm run drill`: faults at random moments against the local stack under a steady load, and whether
 * the tables are in the end those of a run without faults.
 */
import { stopOnSignals } from '../stack/guard.ts';
import { exitCodeOf } from '../terminal/bars.ts';
import { runCommandLine } from '../terminal/command-line.ts';
import { seed, wholeNumber } from '../terminal/options.ts';
import { runDrill } from './drill.ts';
import { report } from './report.ts';

await runCommandLine({
  name: 'npm run drill',
  options: {
    faults: wholeNumber({ description: 'how many faults strike', default: 200, to: 2_000 }),
    seed: seed('another play and other moments'),
  },
  notes: 'Exits 1 when something was lost, doubled or left different.',
  async run({ faults, seed }, { progress, show }) {
    const result = await runDrill({
      faults,
      seed,
      onStep: progress.step,
      onProgress({ tick, ticks, now, faults }) {
        const moment = now.toISOString().slice(0, 16).replace('T', ' ');
        progress.advance({
          text: `tick ${tick}/${ticks}  ${moment}  ${faults} faults`,
          group: moment.slice(0, 10),
          share: tick / ticks,
        });
      },
      onStart: stopOnSignals,
    });
    show(result, () => report(result));
    return exitCodeOf(result.bars);
  },
});
