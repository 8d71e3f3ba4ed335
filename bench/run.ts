/**
 * `npm run bench`: what the pipeline costs, measured against something. Each run makes its own
 * database; nothing that is there is touched.
 */
import { availableParallelism, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { attribution } from './attribution.ts';
import type { Benchmark } from './benchmark.ts';
import { learning } from './learning.ts';
import { recommend } from './recommend.ts';
import { type Report, report } from './report.ts';
import { scraper } from './scraper.ts';

const BENCHMARKS: Record<string, Benchmark> = { attribution, learning, recommend, scraper };
const LARGEST = 100_000_000;

class UsageError extends Error {}

function usage(): string {
  const list = Object.entries(BENCHMARKS).map(([name, { summary, options }]) => {
    const lines = Object.entries(options).map(
      ([option, { default: value, description }]) =>
        `    ${`--${option} <n>`.padEnd(26)}${description} (default ${value})`,
    );
    return [`  ${name}`, `    ${summary}`, ...lines].join('\n');
  });
  return `npm run bench -- <name> [options]\n\n${list.join('\n\n')}\n
  --json    one JSON object on stdout, progress on stderr
  --help    this text

Exits 1 when a bar is not met.`;
}

type Command = { name: string; benchmark: Benchmark; size: Record<string, number>; json: boolean };

/** The command, or undefined when only the list is asked for. */
function parseCommand(args: string[]): Command | undefined {
  const [name] = args;
  if (name === undefined || name === '--help' || name === '-h') return undefined;
  const chosen = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (!chosen) throw new UsageError(`There is no benchmark ${name}.`);
  const { values } = parse(chosen, args.slice(1));
  if (values.help) return undefined;
  const size = Object.entries(chosen.options).map(([option, { default: value, least = 1 }]) => {
    const given = values[option];
    return [option, given === undefined ? value : wholeNumber(option, String(given), least)];
  });
  return {
    name,
    benchmark: chosen,
    size: Object.fromEntries(size),
    json: values.json === true,
  };
}

function parse({ options }: Benchmark, args: string[]) {
  const names = Object.keys(options).map((name) => [name, { type: 'string' as const }]);
  try {
    return parseArgs({
      args,
      options: {
        json: { type: 'boolean' as const },
        help: { type: 'boolean' as const, short: 'h' },
        ...Object.fromEntries(names),
      } as Record<string, { type: 'string' | 'boolean'; short?: string }>,
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= LARGEST) return value;
  throw new UsageError(
    `--${option} takes a whole number from ${least} to ${LARGEST}, not ${text}.`,
  );
}

async function run({ name, benchmark, size, json }: Command): Promise<void> {
  const startedAt = performance.now();
  const progress = (step: string) => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
    console.error(pc.dim(`${seconds} s  ${step}`));
  };
  const result = await benchmark.run(size, progress);
  const machine = {
    cpus: availableParallelism(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  const { size: measured, measurements, bars } = result;
  const full: Report = { name, size: measured, machine, measurements, bars };
  console.log(json ? JSON.stringify(full) : report(full));
  if (full.bars.some(({ pass }) => !pass)) process.exitCode = 1;
}

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
