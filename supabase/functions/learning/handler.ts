/** Recomputes, for every account whose posts changed, what each value of each dimension has shown. */
import { z } from 'zod';
import {
  type LearningRequest,
  learningStatisticsSchema,
  learnMarginals,
  type PostloopError,
} from '../_shared/contracts.ts';
import { callDatabase, type DatabaseClient } from '../_shared/database.ts';
import type { Reply } from '../_shared/http.ts';
import { momentOf, runJob, toPostloopError, type Work } from '../_shared/run.ts';

/** Keeps one call within the platform's CPU limit; the accounts beyond it stay due. */
const ACCOUNTS_PER_RUN = 50;

const recordedSchema = z.discriminatedUnion('code', [
  z.object({ code: z.literal('recorded'), written: z.int(), removed: z.int() }),
  z.object({ code: z.literal('superseded') }),
]);

/** 200 with the run: one unit of work is one account. */
export async function learn(body: LearningRequest, database: DatabaseClient): Promise<Reply> {
  const now = momentOf(body);
  const accountIds = await callDatabase(
    database,
    'learning_backlog',
    body.account_ids === undefined ? {} : { p_account_ids: body.account_ids },
    z.array(z.int()),
  );
  const run = await runJob(database, 'learning', now, accountIds.length, () =>
    work(database, accountIds, now),
  );
  return { status: 200, body: run };
}

async function work(database: DatabaseClient, accountIds: number[], now: string): Promise<Work> {
  const taken = accountIds.slice(0, ACCOUNTS_PER_RUN);
  const tally = { done: 0, failed: 0, superseded: 0, values: 0 };
  const errors: PostloopError[] = [];
  for (const accountId of taken) {
    try {
      const recorded = await learnAccount(database, accountId, now);
      if (recorded.code === 'superseded') tally.superseded += 1;
      else {
        tally.done += 1;
        tally.values += recorded.written;
      }
    } catch (error) {
      tally.failed += 1;
      errors.push(toPostloopError(error));
    }
  }
  const deferred = accountIds.length - taken.length;
  return {
    // What a run at the same time has learned from newer data was no longer this run's to do.
    expected: accountIds.length - tally.superseded,
    done: tally.done,
    failed: tally.failed,
    skipped: deferred > 0 ? { deferred } : {},
    ...(errors[0] === undefined ? {} : { error: errors[0] }),
    details: { values: tally.values, superseded: tally.superseded },
  };
}

async function learnAccount(database: DatabaseClient, accountId: number, now: string) {
  const statistics = await callDatabase(
    database,
    'learning_statistics',
    { p_account_id: accountId, p_now: now },
    learningStatisticsSchema,
  );
  const { priors, rows } = learnMarginals(statistics);
  return await callDatabase(
    database,
    'record_performance',
    {
      p_account_id: accountId,
      p_data_version: statistics.data_version,
      p_finished_posts: statistics.finished_posts,
      p_priors: priors,
      p_rows: rows,
      p_now: now,
    },
    recordedSchema,
  );
}
