/** Takes new reads to their posts, splits follower growth among them, and has the changes learned. */
import { z } from 'zod';
import { type JobRequest, jobReplySchema, PostloopError } from '../_shared/contracts.ts';
import { callDatabase, type DatabaseClient } from '../_shared/database.ts';
import type { Reply } from '../_shared/http.ts';
import { momentOf, runJob, toPostloopError, type Work } from '../_shared/run.ts';

const attributedSchema = z.object({
  code: z.literal('attributed'),
  expected: z.int(),
  done: z.int(),
  rows_changed: z.int(),
  account_ids: z.array(z.int()),
});

/** 200 with the run; the reply's details name the accounts that changed and their learning run. */
export async function attribute(body: JobRequest, database: DatabaseClient): Promise<Reply> {
  const now = momentOf(body);
  const expected = await callDatabase(database, 'attribution_backlog', { p_now: now }, z.int());
  const run = await runJob(database, 'attribution', now, expected, () => work(database, now));
  return { status: 200, body: run };
}

async function work(database: DatabaseClient, now: string): Promise<Work> {
  const result = await callDatabase(database, 'attribute_posts', { p_now: now }, attributedSchema);
  const done = { expected: result.expected, done: result.done };
  const details = { rows_changed: result.rows_changed, account_ids: result.account_ids };
  if (result.account_ids.length === 0) return { ...done, details };
  try {
    const learning = await learn(database, now);
    return { ...done, details: { ...details, learning_run_id: learning.run_id } };
  } catch (error) {
    // What was attributed stands; the accounts stay due and the next learning run takes them.
    return { ...done, error: toPostloopError(error), details };
  }
}

async function learn(database: DatabaseClient, now: string) {
  const { data, error } = await database.functions.invoke('learning', { body: { now } });
  if (error) {
    const reply = error.context instanceof Response ? await error.context.text() : error.message;
    throw new PostloopError(502, 'learning_failed', `The learning function failed: ${reply}`);
  }
  return jobReplySchema.parse(data);
}
