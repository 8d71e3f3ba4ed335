/** What pipeline_runs says of the jobs, held against what the drill saw of them. */
import type postgres from 'postgres';
import type { Call } from './calls.ts';

type Run = {
  job: string;
  status: string;
  code: string | null;
  as_of: Date;
  /** The machine's time, in milliseconds. */
  started: number;
  finished: number | null;
  /** Whether it says that it did more than it left traces of. */
  overstates: boolean;
};

type JobTally = {
  job: string;
  runs: number;
  failed: number;
  abandoned: number;
  partial: number;
  /** Of the three before: how many a later run of the job has made good. */
  recovered: number;
};

export type JobsReport = {
  jobs: JobTally[];
  /** Runs that say they did work which is not there. */
  overstated: number;
  /** Runs that never got an end. */
  open: number;
  /** Virtual minutes from the failure of a job that pg_cron starts to its next success. */
  minutesToSuccess: number[];
  /** Calls of jobs that failed for the caller, by what pipeline_runs says of them. */
  failedCalls: {
    /** A run that failed, in part or in whole, or was abandoned. */
    shown: number;
    /** Nothing, as the database or the function could not be reached to open a run. */
    unopened: number;
    /** A run that succeeded: only its answer was lost. */
    finished: number;
  };
};

export async function reportJobs(sql: postgres.Sql, calls: Call[]): Promise<JobsReport> {
  const runs = await runsOf(sql);
  const jobs = [...new Set(runs.map(({ job }) => job))].sort();
  const isBad = ({ status }: Run) => status === 'failed' || status === 'partial';
  const successAfter = (run: Run) =>
    runs.find(
      (one) => one.job === run.job && one.started > run.started && one.status === 'succeeded',
    );
  return {
    jobs: jobs.map((job) => {
      const own = runs.filter((run) => run.job === job);
      const abandoned = own.filter(({ code }) => code === 'abandoned').length;
      return {
        job,
        runs: own.length,
        failed: own.filter(({ status }) => status === 'failed').length - abandoned,
        abandoned,
        partial: own.filter(({ status }) => status === 'partial').length,
        recovered: own.filter((run) => isBad(run) && successAfter(run)).length,
      };
    }),
    overstated: runs.filter(({ overstates }) => overstates).length,
    open: runs.filter(({ status }) => status === 'running').length,
    minutesToSuccess: runs
      .filter((run) => run.job !== 'scraper' && isBad(run))
      .map(
        (run) =>
          ((successAfter(run)?.as_of.getTime() ?? Number.NaN) - run.as_of.getTime()) / 60_000,
      )
      // A clock that was a day ahead, or the next one is.
      .filter((minutes) => minutes >= 0 && minutes < 24 * 60),
    failedCalls: tallyCalls(calls, runs),
  };
}

function tallyCalls(calls: Call[], runs: Run[]): JobsReport['failedCalls'] {
  const jobs = new Set(runs.map(({ job }) => job));
  const tally = { shown: 0, unopened: 0, finished: 0 };
  for (const { name, from, until, problem } of calls) {
    if (problem === null || !jobs.has(name)) continue;
    const own = runs.filter(
      (run) => run.job === name && run.started >= from && run.started <= until,
    );
    if (own.some(({ status }) => status !== 'succeeded')) tally.shown += 1;
    else if (own.length === 0) tally.unopened += 1;
    else tally.finished += 1;
  }
  return tally;
}

/** In order of their start. What a scraper run did must be found among the attempts. */
async function runsOf(sql: postgres.Sql): Promise<Run[]> {
  return sql<Run[]>`
    select r.job, r.status, r.error ->> 'code' as code, r.as_of,
      (extract(epoch from r.started_at) * 1000)::double precision as started,
      (extract(epoch from r.finished_at) * 1000)::double precision as finished,
      r.status in ('succeeded', 'partial') and (
        r.done + r.failed + coalesce((select sum(s.value::int) from jsonb_each_text(r.skipped) s), 0)
          <> r.expected
        or (r.job = 'scraper' and r.done <> (
          select count(*) from public.collection_attempts a
          join public.read_outcomes o on o.outcome = a.outcome
          where a.run_id = r.run_id and o.consequence in ('accept', 'end')))
      ) as overstates
    from public.pipeline_runs r
    order by r.started_at`;
}
