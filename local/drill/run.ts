/**
 * `npm run drill`: faults at random moments against the local stack under a steady load, and whether
 * the tables are in the end those of a run without faults.
 */
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { LocalError } from '../stack/errors.ts';
import { stopOnSignals } from '../stack/guard.ts';
import { runDrill } from './drill.ts';
import type { Progress } from './play.ts';
import { report } from './report.ts';

const USAGE = `npm run drill -- [options]

  --faults <n>  how many faults strike (default 200)
  --seed <n>    another play and other moments (default 1)
  --json        one JSON object on stdout, progress on stderr
  --help        this text

Exits 1 when something was lost, doubled or left different, 2 for a wrong option.
`;

const MOST_FAULTS = 2_000;

type Options = { faults: number; seed: number; json: boolean };

function parseOptions(): Options | 'help' {
  const { values } = parse();
  if (values.help) return 'help';
  return {
    faults: wholeNumber('--faults', values.faults, 1, MOST_FAULTS),
    seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1),
    json: values.json,
  };
}

function parse() {
  try {
    return parseArgs({
      options: {
        faults: { type: 'string', default: '200' },
        seed: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw usageError((error as Error).message);
  }
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw usageError(`${name} takes a whole number from ${min} to ${max}, not ${text}`);
}

const usageError = (message: string) =>
  new LocalError('usage', `${message}. See npm run drill -- --help.`);

/** Progress on stderr: one line that is rewritten on a terminal, a line every virtual day elsewhere. */
function createProgress() {
  const isTerminal = process.stderr.isTTY;
  const startedAt = performance.now();
  const time = () => `${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s`;
  let isLineOpen = false;
  let shownDay = '';
  return {
    step(text: string) {
      if (isLineOpen) process.stderr.write('\n');
      isLineOpen = false;
      shownDay = '';
      console.error(pc.dim(`${time()}  ${text}`));
    },
    tick({ tick, ticks, now, faults }: Progress) {
      const moment = now.toISOString().slice(0, 16).replace('T', ' ');
      const text = `${time()}  tick ${tick}/${ticks}  ${moment}  ${faults} faults`;
      const day = moment.slice(0, 10);
      if (isTerminal) process.stderr.write(`\r${text}\u001b[K`);
      else if (day !== shownDay) console.error(text);
      isLineOpen = isTerminal;
      shownDay = day;
    },
    end: () => isLineOpen && process.stderr.write('\n'),
  };
}

async function run({ faults, seed, json }: Options): Promise<void> {
  const progress = createProgress();
  const result = await runDrill({
    faults,
    seed,
    onStep: progress.step,
    onProgress: progress.tick,
    onStart: stopOnSignals,
  });
  progress.end();
  console.log(json ? JSON.stringify(result) : report(result));
  if (result.bars.some(({ pass }) => !pass)) process.exitCode = 1;
}

try {
  const options = parseOptions();
  if (options === 'help') console.log(USAGE);
  else await run(options);
} catch (error) {
  console.error(error instanceof LocalError ? error.message : error);
  process.exitCode = error instanceof LocalError && error.code === 'usage' ? 2 : 1;
}
