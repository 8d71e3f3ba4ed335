/**
 * `npm run simulate`: judges a method in simulated worlds, where the truth is known. The same seeds
 * give the same figures.
 */
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { barsTable, formatNumber } from '../local/terminal/bars.ts';
import { table } from '../local/terminal/table.ts';
import { attribution } from './attribution.ts';
import { evaluation } from './evaluation.ts';
import { learning } from './learning.ts';
import { policy } from './policy.ts';
import type { FigureTable, SimulationResult, Topic } from './topic.ts';

const TOPICS: Record<string, Topic> = Object.fromEntries(
  [attribution, learning, policy, evaluation].map((topic) => [topic.name, topic]),
);
const MOST_SEEDS = 10_000;

class UsageError extends Error {}

const usage = () => `npm run simulate -- <topic> [options]

${Object.values(TOPICS)
  .map(({ name, summary }) => `  ${name.padEnd(13)}${summary}`)
  .join('\n')}

  --seeds <n>  accounts or runs of each world (default ${Object.values(TOPICS)
    .map(({ name, seeds }) => `${name} ${seeds}`)
    .join(', ')})
  --json       one JSON object on stdout, progress on stderr
  --help       this text

Exits 1 when a bar is not met.`;

type Command = { topic: Topic; seeds: number; json: boolean };

/** The command, or undefined when only the list is asked for. */
function parseCommand(args: string[]): Command | undefined {
  const { values, positionals } = parse(args);
  const [name, ...more] = positionals;
  if (name === undefined || values.help) return undefined;
  const topic = Object.hasOwn(TOPICS, name) ? TOPICS[name] : undefined;
  if (!topic) throw new UsageError(`There is no topic ${name}.`);
  if (more.length > 0) throw new UsageError('Simulate one topic at a time.');
  const seeds = values.seeds === undefined ? topic.seeds : Number(values.seeds);
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > MOST_SEEDS) {
    throw new UsageError(
      `--seeds takes a whole number from 1 to ${MOST_SEEDS}, not ${values.seeds}.`,
    );
  }
  return { topic, seeds, json: values.json };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        seeds: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function run({ topic, seeds, json }: Command): Promise<void> {
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(0);
  const progress = (step: string) => {
    console.error(pc.dim(`${seconds().padStart(4)} s  ${step}`));
  };
  const result = await topic.run({ seeds }, progress);
  progress('Done');
  const { name } = topic;
  console.log(json ? JSON.stringify({ name, seeds, ...result }) : report(name, seeds, result));
  if (result.bars.some(({ pass }) => !pass)) process.exitCode = 1;
}

const report = (name: string, seeds: number, { bars, tables }: SimulationResult) =>
  [
    `${pc.bold(name)}  ${pc.dim(`${seeds} seeds of each world`)}`,
    ...tables.map(figures),
    barsTable(bars),
  ].join('\n');

const figures = ({ title, head, rows }: FigureTable) =>
  `\n${title}\n${table(
    head,
    rows.map((row) => row.map((cell) => (typeof cell === 'number' ? formatNumber(cell) : cell))),
  )}`;

try {
  const command = parseCommand(process.argv.slice(2));
  if (command) await run(command);
  else console.log(usage());
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${usage()}`);
    process.exitCode = 2;
  } else {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exitCode = 1;
  }
}
