/**
 * `npm run simulate`: judges a method in simulated worlds, where the truth is known. The same seeds
 * give the same figures.
 */
import { barsContent, barsTable, exitCodeOf } from '../local/terminal/bars.ts';
import { colors } from '../local/terminal/colors.ts';
import { type Choice, runCommandSet } from '../local/terminal/command-line.ts';
import { formatNumber } from '../local/terminal/numbers.ts';
import { wholeNumber } from '../local/terminal/options.ts';
import { commandLineOf, openResults, writeOption } from '../local/terminal/results.ts';
import { type TableContent, table } from '../local/terminal/table.ts';
import { attribution } from './attribution.ts';
import { evaluation } from './evaluation.ts';
import { learning } from './learning.ts';
import { policy } from './policy.ts';
import type { FigureTable, SimulationResult, Topic } from './topic.ts';

const TOPICS: readonly Topic[] = [attribution, learning, policy, evaluation];
const MOST_SEEDS = 10_000;
const NAME = 'npm run simulate';
const PAGE = 'docs/simulation.md';

const choiceOf = ({ name, summary, seeds: usual, run }: Topic): Choice => ({
  summary,
  options: {
    seeds: wholeNumber({
      description: 'accounts or runs of each world',
      default: usual,
      to: MOST_SEEDS,
    }),
  },
  async run(values, { progress, show }) {
    const seeds = Number(values.seeds);
    const commandLine = commandLineOf(NAME, name, { seeds }, { seeds: usual });
    const write = values.write === true ? await openResults(PAGE, commandLine) : undefined;
    const result = await run({ seeds }, progress.step);
    progress.step('Done');
    show({ name, seeds, ...result }, () => report(name, seeds, result));
    write?.([barsContent(result.bars), ...result.tables.map(contentOf)]);
    return exitCodeOf(result.bars);
  },
});

const report = (name: string, seeds: number, { bars, tables }: SimulationResult) =>
  [
    `${colors.bold(name)}  ${colors.dim(`${seeds} seeds of each world`)}`,
    ...tables.map(contentOf).map(({ title, head, rows }) => `\n${title}\n${table(head, rows)}`),
    barsTable(bars),
  ].join('\n');

const contentOf = ({ title, head, rows }: FigureTable): TableContent => ({
  title,
  head,
  rows: rows.map((row) =>
    row.map((cell) => (typeof cell === 'number' ? formatNumber(cell) : cell)),
  ),
});

await runCommandSet({
  name: NAME,
  noun: 'topic',
  choices: Object.fromEntries(TOPICS.map((topic) => [topic.name, choiceOf(topic)])),
  options: { write: writeOption(PAGE) },
  notes: 'Exits 1 when a bar is not met. Bars are set for the default seeds.',
});
