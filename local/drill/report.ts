/** A drill's result as tables that a person reads. */
import Table from 'cli-table3';
import pc from 'picocolors';
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
        count(tally.injected),
        count(tally.amid_work),
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
          count(result.posts.expected),
          count(result.posts.tracked),
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
        count(job.runs),
        count(job.failed),
        count(job.abandoned),
        count(job.partial),
        count(job.recovered),
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
        count(one.rows),
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
  if (missed.length === 0) return `${pc.green('Nothing lost, nothing double.')} ${pc.dim(time)}`;
  const names = missed.map(({ name, value, bar }) => `${name}: ${value}, bar ${bar}`);
  return `${pc.red('NOT MET')} ${names.join('; ')} ${pc.dim(time)}`;
}

function foundCells(found: DrillReport['reads']): string[] {
  const { expected, recorded, lost, duplicated, wrong } = found;
  return [count(expected), count(recorded), none(lost), none(duplicated), none(wrong)];
}

const spreadCells = ({ p50, p95, max }: Spread) => [p50, p95, max].map((n) => tenths(n));

function heading(title: string, explanation: string): string {
  return `\n${pc.bold(title)}  ${pc.dim(explanation)}`;
}

function table(head: string[], rows: string[][]): string {
  const view = new Table({
    head: head.map((text) => pc.dim(text)),
    colAligns: head.map((_, index) => (index === 0 ? 'left' : 'right')),
    style: { head: [], border: pc.isColorSupported ? ['gray'] : [], compact: true },
  });
  view.push(...rows);
  return view.toString();
}

const count = (n: number) => n.toLocaleString('en-US');
const none = (n: number) => (n === 0 ? '0' : pc.red(count(n)));
const tenths = (n: number) => n.toLocaleString('en-US', { maximumFractionDigits: 1 });
