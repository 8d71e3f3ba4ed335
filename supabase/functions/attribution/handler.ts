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
  batches: z.int(),
  accounts_waiting: z.int(),
  more: z.boolean(),
});
type Attributed = z.infer<typeof attributedSchema>;

/** No part begins later: a part takes up to 55 s, learning follows, and pg_net waits for 120 s. */
const WORKING_TIME_MS = 45_000;

/** 200 with the run; the reply's details name the accounts that changed and their learning run. */
export async function attribute(body: JobRequest, database: DatabaseClient): Promise<Reply> {
  const now = momentOf(body);
  const expected = await callDatabase(database, 'attribution_backlog', { p_now: now }, z.int());
  const run = await runJob(database, 'attribution', now, expected, () => work(database, now));
  return { status: 200, body: run };
}

async function work(database: DatabaseClient, now: string): Promise<Work> {
  const { posts, batches, accountIds, rowsChanged, last } = await attributeInParts(database, now);
  const deferred = last.expected - last.done + last.accounts_waiting;
  // What is left of a backlog may be hours alone: then batches are the only work to count.
  const done: Work = last.more
    ? { expected: posts + batches + deferred, done: posts + batches, skipped: { deferred } }
    : { expected: posts, done: posts };
  const details = { rows_changed: rowsChanged, account_ids: accountIds };
  if (accountIds.length === 0) return { ...done, details };
  try {
    const learning = await learn(database, now);
    return { ...done, details: { ...details, learning_run_id: learning.run_id } };
  } catch (error) {
    // The attribution is stored; the accounts stay due, and the next learning run takes them.
    return { ...done, error: toPostloopError(error), details };
  }
}

/** Attributes part by part until nothing is left or the time is up; the next run takes the rest. */
async function attributeInParts(database: DatabaseClient, now: string) {
  const until = Date.now() + WORKING_TIME_MS;
  const parts: Attributed[] = [];
  let last: Attributed;
  do {
    const p_resume = parts.length > 0;
    last = await callDatabase(
      database,
      'attribute_posts',
      { p_now: now, p_resume },
      attributedSchema,
    );
    parts.push(last);
  } while (last.more && Date.now() < until);
  return {
    posts: parts.reduce((sum, { done }) => sum + done, 0),
    batches: parts.reduce((sum, one) => sum + one.batches, 0),
    rowsChanged: parts.reduce((sum, { rows_changed }) => sum + rows_changed, 0),
    accountIds: [...new Set(parts.flatMap(({ account_ids }) => account_ids))],
    last,
  };
}

async function learn(database: DatabaseClient, now: string) {
  const { data, error } = await database.functions.invoke('learning', { body: { now } });
  if (error) {
    const reply = error.context instanceof Response ? await error.context.text() : error.message;
    throw new PostloopError(502, 'learning_failed', `The learning function failed: ${reply}`);
  }
  return jobReplySchema.parse(data);
}
