/** A drill's result as tables that a person reads. */
import { colors } from '../terminal/colors.ts';
import { formatNumber } from '../terminal/numbers.ts';
import { heading, table } from '../terminal/table.ts';
import type { DrillReport, Spread } from './drill.ts';

export function report(result: DrillReport): string {
  const { faults, play, recovery, failed_calls: calls } = result;
  return [
    heading(
      'Faults',
      `seed ${result.seed}, ${play.ticks} ticks in ${play.virtual_hours} virtual hours`,
    ),
    table(
      ['fault', 'injected', 'amid work'],
      [...Object.entries(faults.by_kind), ['all', faults] as const].map(([kind, tally]) => [
        kind,
        formatNumber(tally.injected),
        formatNumber(tally.amid_work),
      ]),
    ),
    heading('Recorded', `${play.posts} posts of ${play.accounts} accounts`),
    table(
      ['', 'expected', 'recorded', 'lost', 'duplicated', 'wrong'],
      [
        ['reads', ...foundCells(result.reads)],
        ['follower counts, hourly', ...foundCells(result.followers)],
        [
          'posts',
          formatNumber(result.posts.expected),
          formatNumber(result.posts.tracked),
          none(result.posts.expected - result.posts.tracked),
          '',
          '',
        ],
      ],
    ),
    heading('Jobs', 'what failed, and whether a later run made it good'),
    table(
      ['job', 'runs', 'failed', 'abandoned', 'partial', 'recovered'],
      result.jobs.map((job) => [
        job.job,
        formatNumber(job.runs),
        formatNumber(job.failed),
        formatNumber(job.abandoned),
        formatNumber(job.partial),
        formatNumber(job.recovered),
      ]),
    ),
    `Of the calls of jobs that failed for their caller, ${calls.shown} have a failed run, ` +
      `${calls.unopened} could not open one, and ${calls.finished} had done their work. ` +
      `Bots repeated ${result.repeated_calls} calls.`,
    heading('Recovery', 'from the fault until all that was due is read and all runs again'),
    table(
      ['', 'p50', 'p95', 'max'],
      [
        ['reads, virtual minutes', ...spreadCells(recovery.reads_virtual_minutes)],
        ['reads and processes, seconds here', ...spreadCells(recovery.seconds)],
        ['jobs of pg_cron, virtual minutes', ...spreadCells(recovery.jobs_virtual_minutes)],
      ],
    ),
    heading('Tables', 'beside those of the run without faults'),
    table(
      ['table', 'rows', 'only with faults', 'only without', 'different'],
      result.tables.map((one) => [
        one.table,
        formatNumber(one.rows),
        none(one.onlyWithFaults),
        none(one.onlyWithout),
        none(one.different),
      ]),
    ),
    ...result.tables.flatMap(({ table: name, example }) =>
      example ? [`${name}: ${example}`] : [],
    ),
    '',
    verdict(result),
  ].join('\n');
}

function verdict({ bars, seconds }: DrillReport): string {
  const missed = bars.filter(({ pass }) => !pass);
  const time = `${Math.round(seconds)} s`;
  if (missed.length === 0)
    return `${colors.green('Nothing lost, nothing double.')} ${colors.dim(time)}`;
  const names = missed.map(({ name, value, bar }) => `${name}: ${value}, bar ${bar}`);
  return `${colors.red('NOT MET')} ${names.join('; ')} ${colors.dim(time)}`;
}

function foundCells(found: DrillReport['reads']): string[] {
  const { expected, recorded, lost, duplicated, wrong } = found;
  return [
    formatNumber(expected),
    formatNumber(recorded),
    none(lost),
    none(duplicated),
    none(wrong),
  ];
}

const spreadCells = ({ p50, p95, max }: Spread) => [p50, p95, max].map(formatNumber);

const none = (n: number) => (n === 0 ? '0' : colors.red(formatNumber(n)));
