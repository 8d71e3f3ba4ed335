/**
 * The worker behind the stand-ins for pg_cron and pg_net: fires the rows of `cron.job` by their
 * schedule and sends what `net.http_request_queue` holds. The clock is the caller's: a fortnight
 * passes in seconds when `tick` is given the times of a virtual one.
 */
import { Cron } from 'croner';
import postgres from 'postgres';
import { type Sent, sendQueued } from './http-queue.ts';

/** One firing of one job. */
type JobRun = {
  jobid: number;
  jobname: string | null;
  /** The moment of the schedule that was due. */
  due: Date;
  status: 'succeeded' | 'failed';
  message: string;
};

type Tick = { runs: JobRun[]; sent: Sent[] };

export type SchedulerOptions = {
  /** Connection string of the superuser: jobs run as their own users. */
  adminUrl: string;
  /** What was due until this moment has been fired already. */
  since: Date;
  /**
   * What a jump of the clock fires: `every` due minute of a job (the default), or only its `last`,
   * as pg_cron does not make up for minutes in which it did not run.
   */
  catchUp?: 'every' | 'last';
  /** May change the JSON body of a request before it is sent, to add the virtual `now` to it. */
  changeBody?: (body: unknown, request: { url: string; now: Date }) => unknown;
};

export type Scheduler = {
  /**
   * Fires every active job that became due after the last tick and until `now`, in order of time
   * and once for each due minute, and sends what it queued before the next minute is looked at.
   */
  tick(now: Date): Promise<Tick>;
  /** Sends what is queued, without firing anything. */
  drain(now: Date): Promise<Sent[]>;
  /**
   * Ticks once a second by the wall clock from now on, whatever was ticked before; requests do not
   * hold up the next tick.
   */
  start(listener?: { onTick?: (tick: Tick) => void; onError?: (error: Error) => void }): void;
  /** Ends the ticking, waits for what runs and closes the connection. */
  stop(): Promise<void>;
};

type Job = {
  jobid: number;
  jobname: string | null;
  schedule: string;
  command: string;
  database: string;
  username: string;
};

const TICK_MS = 1_000;
/** A connection that a crash of the server cut in the middle of a query never ends by itself. */
const END_PATIENCE_S = 2;

export function createScheduler(options: SchedulerOptions): Scheduler {
  const sql = postgres(options.adminUrl, {
    max: 4,
    onnotice: () => {},
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
  });
  const abort = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  let last = options.since;
  let timer: NodeJS.Timeout | undefined;
  let ticking = false;

  const drain = (now: Date) => sendQueued(sql, now, abort.signal, options.changeBody);

  const fireUntil = async (now: Date, send: (due: Date) => Promise<void>): Promise<JobRun[]> => {
    const runs: JobRun[] = [];
    const from = last;
    last = now > last ? now : last;
    const jobs = await activeJobs(sql);
    for (const due of dueMoments(jobs, from, now, options.catchUp ?? 'every')) {
      for (const job of due.jobs) runs.push(await run(sql, options.adminUrl, job, due.at));
      await send(due.at);
    }
    return runs;
  };

  const keep = (work: Promise<unknown>) => {
    underWay.add(work);
    work.finally(() => underWay.delete(work)).catch(() => {});
  };

  const tick = async (now: Date): Promise<Tick> => {
    const sent: Sent[] = [];
    const send = async (at: Date) => {
      sent.push(...(await drain(at)));
    };
    const runs = await fireUntil(now, send);
    // Requests of others than jobs, or of a request that has just been answered.
    await send(now);
    return { runs, sent };
  };

  const wallTick = async (onTick: (tick: Tick) => void, onError: (error: Error) => void) => {
    if (ticking) return;
    ticking = true;
    try {
      const now = new Date();
      const runs = await fireUntil(now, async () => {});
      if (runs.length > 0) onTick({ runs, sent: [] });
      const sending = drain(now).then((sent) => sent.length > 0 && onTick({ runs: [], sent }));
      keep(sending.catch(onError));
    } catch (error) {
      if (!abort.signal.aborted) onError(error as Error);
    } finally {
      ticking = false;
    }
  };

  return {
    drain,
    tick: (now) => {
      const work = tick(now);
      keep(work);
      return work;
    },
    start: ({
      onTick = () => {},
      onError = (error: Error) => console.error(error.message),
    } = {}) => {
      if (timer) return;
      last = new Date();
      timer = setInterval(() => keep(wallTick(onTick, onError)), TICK_MS);
    },
    stop: async () => {
      clearInterval(timer);
      abort.abort();
      await Promise.allSettled(underWay);
      await sql.end({ timeout: END_PATIENCE_S });
    },
  };
}

async function activeJobs(sql: postgres.Sql): Promise<Job[]> {
  // A database without the extension has no jobs yet.
  const [table] = await sql`select to_regclass('cron.job') is not null as exists`;
  if (!table?.exists) return [];
  return sql<Job[]>`
    select jobid, jobname, schedule, command, database, username
    from cron.job where active and database = current_database() order by jobid`;
}

/** The moments in (from, until] at which something is due, each with its jobs. */
function dueMoments(
  jobs: Job[],
  from: Date,
  until: Date,
  catchUp: 'every' | 'last',
): { at: Date; jobs: Job[] }[] {
  const moments = new Map<number, Job[]>();
  for (const job of jobs) {
    const due = [...occurrences(job.schedule, from, until)];
    for (const at of catchUp === 'last' ? due.slice(-1) : due) {
      moments.set(at, [...(moments.get(at) ?? []), job]);
    }
  }
  return [...moments.entries()]
    .sort(([a], [b]) => a - b)
    .map(([at, due]) => ({ at: new Date(at), jobs: due }));
}

/** Schedules are in GMT, as pg_cron's; "n seconds" counts from the full minute of the epoch. */
function* occurrences(schedule: string, from: Date, until: Date): Generator<number> {
  const seconds = /^\s*(\d+)\s+seconds?\s*$/i.exec(schedule)?.[1];
  if (seconds !== undefined) {
    const step = Number(seconds) * 1000;
    const first = (Math.floor(from.getTime() / step) + 1) * step;
    for (let at = first; at <= until.getTime(); at += step) yield at;
    return;
  }
  // pg_cron writes the last day of the month as $.
  const cron = new Cron(schedule.trim().replace('$', 'L'), { timezone: 'UTC', paused: true });
  for (let at = cron.nextRun(from); at && at <= until; at = cron.nextRun(at)) yield at.getTime();
}

/** Runs a job's command in a session of its own, as its user, and writes its run details. */
async function run(sql: postgres.Sql, adminUrl: string, job: Job, due: Date): Promise<JobRun> {
  const started = performance.now();
  const session = postgres(adminUrl, {
    max: 1,
    database: job.database,
    fetch_types: false,
    onnotice: () => {},
  });
  let outcome: Pick<JobRun, 'status' | 'message'>;
  let pid: number | null = null;
  try {
    await session.unsafe(`set session authorization ${quoteIdentifier(job.username)}`);
    const [backend] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`;
    pid = backend?.pid ?? null;
    const result = await session.unsafe(job.command).simple();
    const rows = result.count ?? 0;
    outcome = { status: 'succeeded', message: `${rows} row${rows === 1 ? '' : 's'}` };
  } catch (error) {
    outcome = { status: 'failed', message: `ERROR:  ${(error as Error).message}` };
  } finally {
    await session.end({ timeout: END_PATIENCE_S });
  }
  const ended = new Date(due.getTime() + performance.now() - started);
  await sql`
    insert into cron.job_run_details
      (jobid, runid, job_pid, database, username, command, status, return_message, start_time,
       end_time)
    values (${job.jobid}, nextval('cron.runid_seq'), ${pid}, ${job.database}, ${job.username},
      ${job.command}, ${outcome.status}, ${outcome.message}, ${due}, ${ended})`;
  return { jobid: job.jobid, jobname: job.jobname, due, ...outcome };
}

const quoteIdentifier = (name: string) => `"${name.replaceAll('"', '""')}"`;
