/** How each kind of fault is done to a running stack. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '../stack/stack.ts';
import { type Call, callOnce } from './calls.ts';
import { CRON_JOBS, type Fault, type Moment } from './plan.ts';
import { patiently, type Stage } from './stage.ts';

const POLL_MS = 5;
const DAY_MS = 86_400_000;
const REST_PATIENCE_MS = 2_000;

/** The work of a tick, as a fault meets it. */
export type Work = {
  stage: Stage;
  now: Date;
  /** Virtual minutes waited in this tick so far. */
  waited: () => number;
  /** Requests that X had answered before this tick. */
  requestsBefore: number;
  /** Over when what was begun at the tick has ended. */
  isOver: () => boolean;
  /** Sends what pg_net holds, and notes what came back. */
  drain: () => Promise<void>;
  invoke: () => Promise<void>;
  note: (call: Call) => void;
};

/** Waits for the moment; the end of the work is the last one. */
export async function untilMoment(moment: Moment, work: Work): Promise<void> {
  const startedAt = performance.now();
  const hasCome = () =>
    'afterMs' in moment
      ? performance.now() - startedAt >= moment.afterMs
      : work.stage.site.traffic.requests - work.requestsBefore >= moment.afterRequests;
  while (!hasCome() && !work.isOver()) await sleep(POLL_MS);
}

/**
 * Strikes, and resolves when what lasts for seconds is over: a process that was killed runs again,
 * REST answers. What lasts for virtual minutes goes on.
 */
export async function strike(fault: Fault, work: Work): Promise<void> {
  const { stack, database, lambda, site } = work.stage;
  switch (fault.kind) {
    case 'function-killed':
      stack.killFunction(fault.name);
      // Its end is noticed a moment after the signal.
      while (stack.isReady(fault.name)) await sleep(POLL_MS);
      while (!stack.isReady(fault.name)) await sleep(POLL_MS);
      return;
    case 'scraper-killed':
      return lambda.kill();
    case 'postgres-killed':
      await database.crash();
      await sleep(fault.downMs);
      await database.restart();
      return untilRestAnswers(stack);
    case 'rest-down': {
      const open = stack.closeRest(fault.how);
      await sleep(fault.downMs);
      open();
      return untilRestAnswers(stack);
    }
    case 'cron-doubled':
      await queue(work, fault.job);
      await queue(work, fault.job);
      return work.drain();
    case 'cron-overlapping': {
      await queue(work, fault.job);
      const first = work.drain();
      await sleep(fault.apartMs);
      await queue(work, fault.job);
      await work.drain();
      return first;
    }
    case 'cron-late':
      // Its tick begins without fires: they are held back where ticks are played.
      return;
    case 'scraper-doubled':
      await sleep(fault.apartMs);
      return work.invoke();
    case 'x-slow':
      return site.suffer(
        { kind: 'slow', latencyMs: fault.latencyMs },
        work.waited() + fault.minutes,
      );
    case 'x-outage':
      return site.suffer({ kind: fault.how }, work.waited() + fault.minutes);
    case 'x-rate-limited': {
      const until = new Date(work.now.getTime() + fault.minutes * 60_000);
      return site.suffer({ kind: 'rate-limited', until }, work.waited() + fault.minutes);
    }
    case 'clock-ahead':
      return fireAhead(work);
  }
}

/** A minute that is waited costs nothing here, so none may pass while REST is still starting. */
async function untilRestAnswers({ apiUrl, secretKey }: Stack): Promise<void> {
  await patiently(async () => {
    const response = await fetch(`${apiUrl}/rest/v1/x_accounts?select=id&limit=1`, {
      headers: { apikey: secretKey },
      signal: AbortSignal.timeout(REST_PATIENCE_MS),
    });
    if (!response.ok) throw new Error(`REST answered ${response.status}.`);
  });
}

/** As pg_cron does: the request waits in pg_net's queue. */
async function queue({ stage }: Work, job: string): Promise<void> {
  await patiently(() => stage.stack.sql`select postloop.invoke_job(${job})`);
}

/**
 * Every job once with a clock that is a day ahead. The jobs that are functions are told the virtual
 * moment; those that pg_cron runs in the database compare with stamps of the database's own clock.
 */
async function fireAhead({ stage, now, note }: Work): Promise<void> {
  const { stack } = stage;
  const ahead = new Date(now.getTime() + DAY_MS).toISOString();
  for (const job of CRON_JOBS) note(await callOnce(stack, job, { now: ahead }));
  const commands = await patiently(
    () => stack.sql<{ name: string }[]>`
      select substring(command from '^select (postloop[.][a-z_]+)[(][)]$') as name
      from cron.job where command ~ '^select postloop[.][a-z_]+[(][)]$' order by 1`,
  );
  for (const { name } of commands) {
    await patiently(() => stack.sql.unsafe(`select ${name}(now() + interval '1 day')`));
  }
}
