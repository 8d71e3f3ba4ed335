/** One run's own stack: Postgres, functions, the stand-in of X and the Lambda, all of it real processes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDatabase } from '../stack/database.ts';
import { guardFolder } from '../stack/guard.ts';
import type { Postgres } from '../stack/postgres.ts';
import { type Stack, startServices } from '../stack/stack.ts';
import { VOCABULARY } from '../start/audience.ts';
import { type Phase, scheduledPhases } from './expected.ts';
import { createLambda, type Lambda } from './lambda.ts';
import type { Plan } from './plan.ts';
import { type DrillSite, SESSION, startDrillSite } from './site.ts';
import { createWorld, type World } from './world.ts';

/**
 * What a hosted project promises of a crash, and a temporary folder gives up for speed: what was
 * committed is there, and no page is half written.
 */
const CRASH_SAFE = { synchronous_commit: 'on', full_page_writes: 'on' };

/** So few that one invocation has several runs, and a kill may fall between two of them. */
const CLAIM_LIMIT = 5;

export type Stage = {
  plan: Plan;
  world: World;
  database: Postgres;
  stack: Stack;
  site: DrillSite;
  lambda: Lambda;
  stop(): Promise<void>;
};

/**
 * @param planOf what is played, made when the database says at which ages posts are read
 * @throws LocalError of the part that did not start
 */
export async function startStage(planOf: (phases: Phase[]) => Plan): Promise<Stage> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (let one = stops.pop(); one; one = stops.pop()) await one();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), 'postloop-drill-'));
    const keep = guardFolder(folder);
    stops.push(async () => {
      rmSync(folder, { recursive: true, force: true });
      keep();
    });
    const database = await startDatabase({ fresh: true, settings: CRASH_SAFE });
    stops.push(database.stop);
    const plan = planOf(await scheduledPhases(database.url()));
    const world = createWorld(plan);
    const stack = await startServices(
      { databaseUrl: database.url(), adminUrl: database.adminUrl() },
      {
        port: 0,
        logFolder: folder,
        since: plan.startsAt,
        catchUp: 'last',
        changeBody: (body, { now }) => ({ ...(body as object), now: now.toISOString() }),
      },
    );
    stops.push(stack.stop);
    const site = await startDrillSite(world);
    stops.push(site.stop);
    const lambda = createLambda(folder, {
      SUPABASE_URL: stack.apiUrl,
      POSTLOOP_SECRET_KEY: stack.secretKey,
      X_BASE_URL: site.url,
      X_SESSIONS: JSON.stringify([SESSION]),
      CLAIM_LIMIT: String(CLAIM_LIMIT),
    });
    stops.push(lambda.stop);
    for (const handle of plan.handles) {
      const vocabulary = stack.sql.json(VOCABULARY);
      await stack.sql`
        select public.register_x_account(${handle}, ${vocabulary}, ${plan.startsAt})`;
    }
    return { plan, world, database, stack, site, lambda, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** How long the drill itself tries again what Postgres, which it has killed, does not answer. */
const PATIENCE_MS = 60_000;
const POLL_MS = 100;

/** Repeats `work`, which must bear that, until it does not throw. */
export async function patiently<Result>(work: () => PromiseLike<Result>): Promise<Result> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}
