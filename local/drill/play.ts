/**
 * Plays a plan tick by tick, with its faults or without. In each tick the bot publishes, pg_cron
 * fires and the Lambda reads, all at the same time; the next tick comes when everything that was due
 * has been read and everything runs again.
 */
import { LocalError } from '../stack/errors.ts';
import { type Call, callOnce, isProblem, publish } from './calls.ts';
import { strike, untilMoment, type Work } from './faults.ts';
import type { Fault } from './plan.ts';
import { type Due, dueReads, letMinutePass, openReads } from './reads.ts';
import { patiently, type Stage } from './stage.ts';

/** A fault that struck, and what it took until everything due was read and everything ran again. */
export type Strike = {
  fault: Fault;
  /** Whether something of its tick was still under way when it struck. */
  amidWork: boolean;
  virtualMinutes: number;
  seconds: number;
};

export type Played = { calls: Call[]; strikes: Strike[] };

export type Progress = { tick: number; ticks: number; now: Date; faults: number };

/** More virtual minutes than any of the faults of one tick can take. */
const STUCK_AFTER_MINUTES = 240;

/**
 * @throws LocalError drill_stuck when reads that are due are not made however long is waited,
 *   bot_refused when a call is refused that must not be
 */
export async function play(
  stage: Stage,
  faults: Fault[],
  onProgress: (progress: Progress) => void,
): Promise<Played> {
  const played: Played = { calls: [], strikes: [] };
  const { ticks } = stage.plan;
  let firesAgainAt = 0;
  for (const [tick, now] of ticks.entries()) {
    const striking = faults.filter((fault) => fault.tick === tick);
    for (const fault of striking) {
      if (fault.kind === 'cron-late') firesAgainAt = Math.max(firesAgainAt, tick + fault.ticks);
    }
    await playTick(stage, tick, now, striking, tick >= firesAgainAt, played);
    onProgress({ tick: tick + 1, ticks: ticks.length, now, faults: played.strikes.length });
  }
  await conclude(stage, played);
  return played;
}

async function playTick(
  stage: Stage,
  tick: number,
  now: Date,
  faults: Fault[],
  fires: boolean,
  played: Played,
): Promise<void> {
  const { stack, world, site, plan } = stage;
  world.enter(tick);
  const due = await dueReads(stack, now);
  let minute = 0;
  let isOver = false;
  const note = (call: Call) => void played.calls.push(call);
  const work: Work = {
    stage,
    now,
    waited: () => minute,
    requestsBefore: site.traffic.requests,
    isOver: () => isOver,
    drain: () => noteSent(note, async () => ({ runs: [], sent: await stack.scheduler.drain(now) })),
    invoke: () => invoke(stage, now, note),
    note,
  };
  const struck = faults.map(async (fault) => {
    await untilMoment(fault.moment, work);
    const at = performance.now();
    const amidWork = !isOver;
    await strike(fault, work);
    return { fault, amidWork, at };
  });
  const done = Promise.all([
    ...plan.posts
      .filter((post) => post.tick === tick)
      .map((post) => publish(stack, post, now, note)),
    fires && noteSent(note, () => stack.scheduler.tick(now)),
    work.invoke(),
  ]).finally(() => {
    isOver = true;
  });
  const [strikes] = await Promise.all([Promise.all(struck), done]);

  for (;;) {
    const { open } = await openReads(stack, due);
    if (open === 0) break;
    minute += 1;
    if (minute > STUCK_AFTER_MINUTES) throw stuck(now, open, played);
    site.heal(minute);
    await letMinutePass(stack, due, minute);
    await invokeIfDue(stage, due, note);
  }
  site.heal(Number.POSITIVE_INFINITY);
  const recoveredAt = performance.now();
  played.strikes.push(
    ...strikes.map(({ fault, amidWork, at }) => ({
      fault,
      amidWork,
      virtualMinutes: minute,
      seconds: (recoveredAt - at) / 1000,
    })),
  );
}

/** The Lambda starts every minute; one that would find nothing due is left out, as it does nothing. */
async function invokeIfDue(stage: Stage, due: Due, note: (call: Call) => void): Promise<void> {
  const { claimable } = await openReads(stage.stack, due);
  if (claimable > 0) await invoke(stage, due.now, note);
}

async function invoke({ lambda }: Stage, now: Date, note: (call: Call) => void): Promise<void> {
  const from = Date.now();
  const invocation = await lambda.invoke(now);
  const problem = invocation.outcome === 'answered' ? null : invocation.reason;
  note({ name: 'scraper', from, until: Date.now(), problem });
}

type Fired = Awaited<ReturnType<Stage['stack']['scheduler']['tick']>>;

/** What pg_cron and pg_net do; a fire that Postgres does not survive is lost, as theirs are. */
async function noteSent(note: (call: Call) => void, fire: () => Promise<Fired>): Promise<void> {
  const from = Date.now();
  try {
    const { runs, sent } = await fire();
    const until = Date.now();
    for (const { jobname, status, message } of runs) {
      const name = jobname?.replace('postloop-', '') ?? '';
      if (status === 'failed') note({ name, from, until, problem: message });
    }
    for (const { url, status, error } of sent) {
      const name = url.split('/').at(-1) ?? '';
      const isWell = status !== null && !isProblem(name, status);
      note({ name, from, until, problem: isWell ? null : (error ?? String(status)) });
    }
  } catch (error) {
    note({ name: 'cron', from, until: Date.now(), problem: (error as Error).message });
  }
}

/**
 * The last word in both runs: growth curves, attribution and learning of every account at the end of
 * the plan. The nightly fit of growth goes by the real clock, which the plan is not in.
 * Then nobody comes back for two hours, after which cleanup closes what never reported its end.
 */
async function conclude({ stack, plan }: Stage, played: Played): Promise<void> {
  const now = (plan.ticks.at(-1) ?? plan.startsAt).toISOString();
  const accounts = await stack.sql<{ id: string }[]>`select id from public.x_accounts`;
  const last = { attribution: {}, learning: { account_ids: accounts.map(({ id }) => Number(id)) } };
  for (const [name, body] of Object.entries(last)) {
    if (name === 'learning') await stack.sql`select postloop.fit_growth(null, ${now})`;
    const call = await callOnce(stack, name, { now, ...body });
    played.calls.push(call);
    if (call.problem !== null) throw new LocalError('job_failed', `${name}: ${call.problem}`);
  }
  await patiently(() => stack.sql`select postloop.cleanup(now() + interval '2 hours')`);
}

function stuck(now: Date, open: number, { calls }: Played): LocalError {
  const last = calls.findLast(({ problem }) => problem !== null)?.problem ?? 'no call failed';
  return new LocalError(
    'drill_stuck',
    `${open} reads that were due at ${now.toISOString()} are not made after ` +
      `${STUCK_AFTER_MINUTES} virtual minutes. The last failed call: ${last}`,
  );
}
