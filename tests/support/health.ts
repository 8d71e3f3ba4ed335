/** The invariants of pipeline_health, for tests that break them one at a time. */
import type postgres from 'postgres';
import { only } from './scenario.ts';

export type Invariant = {
  name: string;
  status: 'ok' | 'warning' | 'failing';
  measured: string;
  threshold: string;
  what_to_do: string;
};

/** Every invariant as `check_pipeline` finds it at a moment, in its order. */
export const invariants = (sql: postgres.Sql, now: Date) =>
  sql<Invariant[]>`
    select name, status, measured, threshold, what_to_do from public.check_pipeline(${now})`;

/** One invariant by its name. */
export async function invariant(sql: postgres.Sql, name: string, now: Date): Promise<Invariant> {
  return only((await invariants(sql, now)).filter((one) => one.name === name));
}

/** Schedules the listed cron jobs in this database: a copied one has its template's jobs. */
export async function scheduleJobs(sql: postgres.Sql): Promise<void> {
  await sql`select postloop.schedule_jobs()`;
}
