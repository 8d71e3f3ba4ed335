/** Reports the state of every job and table. */
import { type HealthReply, healthReplySchema, type JobRequest } from '../_shared/contracts.ts';
import { callDatabase, type DatabaseClient } from '../_shared/database.ts';
import type { Reply } from '../_shared/http.ts';
import { momentOf, runJob } from '../_shared/run.ts';

const stateSchema = healthReplySchema.omit({ run_id: true });

/** 200 with the state; its one unit of work is to have read all of it. */
export async function reportHealth(body: JobRequest, database: DatabaseClient): Promise<Reply> {
  const now = momentOf(body);
  const run = await runJob(database, 'health', now, 1, async () => ({
    done: 1,
    details: await callDatabase(database, 'pipeline_state', { p_now: now }, stateSchema),
  }));
  const reply: HealthReply = { run_id: run.run_id, ...stateSchema.parse(run.details) };
  return { status: 200, body: reply };
}
