/** One drill: the same plan without faults and with them, and what the two have in common. */
import { atLeast, type Bar } from '../terminal/bars.ts';
import { compareTables, type TableComparison } from './compare.ts';
import {
  checkFollowers,
  checkReads,
  type Expected,
  expectedOf,
  type Found,
  scheduledPhases,
} from './expected.ts';
import { type JobsReport, reportJobs } from './jobs.ts';
import { createPlan, FAULT_KINDS, type Plan } from './plan.ts';
import { type Played, type Progress, play, type Strike } from './play.ts';
import { type Stage, startStage } from './stage.ts';

export type Spread = { p50: number; p95: number; max: number };

export type DrillReport = {
  name: 'drill';
  seed: number;
  play: { accounts: number; posts: number; ticks: number; virtual_hours: number };
  faults: {
    requested: number;
    injected: number;
    /** Those that struck while the work of their tick was under way. */
    amid_work: number;
    by_kind: Record<string, { injected: number; amid_work: number }>;
  };
  reads: Found;
  followers: Found;
  posts: { expected: number; tracked: number };
  jobs: JobsReport['jobs'];
  failed_calls: JobsReport['failedCalls'];
  /** Calls that a bot had to repeat. */
  repeated_calls: number;
  recovery: {
    /** Virtual minutes until everything that was due was read. */
    reads_virtual_minutes: Spread;
    /** The same by the clock of this machine, and until every process ran again. */
    seconds: Spread;
    /** Virtual minutes from a failed run of pg_cron's jobs to the next one that succeeded. */
    jobs_virtual_minutes: Spread;
  };
  tables: TableComparison[];
  bars: Bar[];
  seconds: number;
};

export type DrillOptions = {
  faults: number;
  seed: number;
  onStep: (step: string) => void;
  onProgress: (progress: Progress) => void;
  /** Told how to end what has been started, for whoever is told to end. */
  onStart: (stop: () => Promise<void>) => void;
};

/**
 * Runs the twin without faults first, then the drill, each on a stack of its own.
 *
 * @throws LocalError when a part does not start, or a play cannot go on
 */
export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const startedAt = performance.now();
  const stages: Stage[] = [];
  const stop = async () => {
    for (let stage = stages.pop(); stage; stage = stages.pop()) await stage.stop();
  };
  options.onStart(stop);
  try {
    options.onStep('Starting the stack of the run without faults');
    // The ages of the reads are in the database; until it runs, nobody knows when something is due.
    const twin = await startStage((phases) =>
      createPlan(
        options.seed,
        options.faults,
        phases.map(({ minutes }) => minutes),
      ),
    );
    stages.push(twin);
    const { plan } = twin;
    const expected = expectedOf(plan, await scheduledPhases(twin.database.url()));
    options.onStep(`Playing ${plan.ticks.length} ticks without faults`);
    await play(twin, [], options.onProgress);

    options.onStep('Starting the stack of the run with faults');
    const drilled = await startStage(() => plan);
    stages.push(drilled);
    options.onStep(`Playing the same with ${plan.faults.length} faults`);
    const played = await play(drilled, plan.faults, options.onProgress);
    return await reportOf(options, plan, expected, played, { twin, drilled }, startedAt);
  } finally {
    await stop();
  }
}

async function reportOf(
  { faults, seed }: DrillOptions,
  plan: Plan,
  expected: Expected,
  played: Played,
  { twin, drilled }: { twin: Stage; drilled: Stage },
  startedAt: number,
): Promise<DrillReport> {
  const { sql } = drilled.stack;
  const reads = await checkReads(sql, expected);
  const followers = await checkFollowers(sql, expected);
  const [tracked] = await sql<{ count: number }[]>`
    select count(*)::int as count from public.post_attribution p
    where p.decision_id is not null and p.post_id = any (${plan.posts.map(({ id }) => id)})`;
  const posts = { expected: plan.posts.length, tracked: tracked?.count ?? 0 };
  const jobs = await reportJobs(sql, played.calls);
  const tables = await compareTables(sql, twin.stack.sql);
  const { strikes, calls } = played;
  const bots = calls.filter(({ name }) => name === 'recommend' || name === 'track-post');
  const start = plan.startsAt.getTime();
  return {
    name: 'drill',
    seed,
    play: {
      accounts: plan.handles.length,
      posts: plan.posts.length,
      ticks: plan.ticks.length,
      virtual_hours: ((plan.ticks.at(-1)?.getTime() ?? start) - start) / 3_600_000,
    },
    faults: { requested: faults, ...tallyOf(strikes), by_kind: byKind(strikes) },
    reads,
    followers,
    posts,
    jobs: jobs.jobs,
    failed_calls: jobs.failedCalls,
    repeated_calls: bots.filter(({ problem }) => problem !== null).length,
    recovery: {
      reads_virtual_minutes: spread(strikes.map(({ virtualMinutes }) => virtualMinutes)),
      seconds: spread(strikes.map(({ seconds }) => seconds)),
      jobs_virtual_minutes: spread(jobs.minutesToSuccess),
    },
    tables,
    bars: barsOf(faults, strikes.length, reads, followers, posts, jobs, tables),
    seconds: (performance.now() - startedAt) / 1000,
  };
}

function barsOf(
  requested: number,
  injected: number,
  reads: Found,
  followers: Found,
  posts: DrillReport['posts'],
  jobs: JobsReport,
  tables: TableComparison[],
): Bar[] {
  const none = (name: string, value: number): Bar => ({ name, value, bar: 0, pass: value === 0 });
  const bad = jobs.jobs.map(({ failed, abandoned, partial, recovered }) =>
    Math.max(0, failed + abandoned + partial - recovered),
  );
  return [
    atLeast('faults injected', injected, requested),
    none('reads lost', reads.lost),
    none('reads duplicated', reads.duplicated),
    none('reads with other numbers than X showed', reads.wrong),
    none('follower counts lost', followers.lost),
    none('follower counts other than X showed', followers.wrong),
    none('posts lost', posts.expected - posts.tracked),
    none(
      'failed runs without a later success',
      bad.reduce((sum, one) => sum + one, 0),
    ),
    none('runs that claim work which is not there', jobs.overstated),
    none('runs without an end', jobs.open),
    ...tables.map(({ table, onlyWithFaults, onlyWithout, different }) =>
      none(`differing rows of ${table}`, onlyWithFaults + onlyWithout + different),
    ),
  ];
}

function byKind(strikes: Strike[]): DrillReport['faults']['by_kind'] {
  return Object.fromEntries(
    FAULT_KINDS.map((kind) => [kind, tallyOf(strikes.filter(({ fault }) => fault.kind === kind))]),
  );
}

const tallyOf = (strikes: Strike[]) => ({
  injected: strikes.length,
  amid_work: strikes.filter(({ amidWork }) => amidWork).length,
});

/** Nearest rank; zeros when nothing was measured. */
function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}
