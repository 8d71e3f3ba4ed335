/**
 * `npm run bench`: what the pipeline costs, measured against something. Each run makes its own
 * database; nothing that is there is touched.
 */
import { exitCodeOf } from '../local/terminal/bars.ts';
import { type Choice, runCommandSet } from '../local/terminal/command-line.ts';
import { wholeNumber } from '../local/terminal/options.ts';
import { commandLineOf, openResults, thisMachine, writeOption } from '../local/terminal/results.ts';
import { attribution } from './attribution.ts';
import type { Benchmark } from './benchmark.ts';
import { learning } from './learning.ts';
import { recommend } from './recommend.ts';
import { contents, type Report, report } from './report.ts';
import { scraper } from './scraper.ts';

const BENCHMARKS: Record<string, Benchmark> = { attribution, learning, recommend, scraper };
const LARGEST = 100_000_000;
const NAME = 'npm run bench';
const PAGE = 'docs/benchmarks.md';

function choiceOf(name: string, benchmark: Benchmark): Choice {
  const defaults = Object.entries(benchmark.options).map(([option, one]) => [option, one.default]);
  return {
    summary: benchmark.summary,
    options: Object.fromEntries(
      Object.entries(benchmark.options).map(([option, { default: value, least, description }]) => [
        option,
        wholeNumber({ description, default: value, from: least ?? 1, to: LARGEST }),
      ]),
    ),
    async run(values, { progress, show }) {
      const size = Object.fromEntries(
        Object.keys(benchmark.options).map((option) => [option, Number(values[option])]),
      );
      const commandLine = commandLineOf(NAME, name, size, Object.fromEntries(defaults));
      const write = values.write === true ? await openResults(PAGE, commandLine) : undefined;
      const result = await benchmark.run(size, progress.step);
      const { size: measured, measurements, bars } = result;
      const full: Report = { name, size: measured, machine: thisMachine(), measurements, bars };
      show(full, () => report(full));
      write?.(contents(full));
      return exitCodeOf(bars);
    },
  };
}

await runCommandSet({
  name: NAME,
  noun: 'benchmark',
  choices: Object.fromEntries(
    Object.entries(BENCHMARKS).map(([name, benchmark]) => [name, choiceOf(name, benchmark)]),
  ),
  options: { write: writeOption(PAGE) },
  notes:
    'Exits 1 when a bar is not met. Bars are set for the defaults; those on time, for an idle machine.',
});
