/** Recomputes, for every account whose posts changed, what each value of each dimension has shown. */
import { z } from 'zod';
import type { LearningRequest, PostloopError } from '../_shared/contracts.ts';
import { callDatabase, type DatabaseClient } from '../_shared/database.ts';
import type { Reply } from '../_shared/http.ts';
import {
  changedAlarms,
  type LearningStatistics,
  learnAccount,
  learningStatisticsSchema,
} from '../_shared/learning.ts';
import { momentOf, runJob, toPostloopError, type Work } from '../_shared/run.ts';

/** Keep one call within the platform's 2 s of CPU; the accounts beyond them stay due. */
const ACCOUNTS_PER_RUN = 50;
const FIT_MS_PER_RUN = 1000;

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
  const tally = { done: 0, failed: 0, superseded: 0, values: 0, leftOut: 0, fitMs: 0 };
  const errors: PostloopError[] = [];
  let taken = 0;
  for (const accountId of accountIds.slice(0, ACCOUNTS_PER_RUN)) {
    if (tally.fitMs > FIT_MS_PER_RUN) break;
    taken += 1;
    try {
      const { recorded, fitMs, leftOut } = await learnOne(database, accountId, now);
      tally.fitMs += fitMs;
      tally.leftOut += leftOut;
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
  const deferred = accountIds.length - taken;
  return {
    // What a run at the same time has learned from newer data was no longer this run's to do.
    expected: accountIds.length - tally.superseded,
    done: tally.done,
    failed: tally.failed,
    skipped: deferred > 0 ? { deferred } : {},
    ...(errors[0] === undefined ? {} : { error: errors[0] }),
    details: {
      values: tally.values,
      superseded: tally.superseded,
      ...(tally.leftOut > 0 ? { values_left_out: tally.leftOut } : {}),
    },
  };
}

async function learnOne(database: DatabaseClient, accountId: number, now: string) {
  const statistics = await statisticsOf(database, accountId, now);
  const startedAt = performance.now();
  const { rows, models } = learnAccount(statistics);
  const fitMs = performance.now() - startedAt;
  const recorded = await callDatabase(
    database,
    'record_performance',
    {
      p_account_id: accountId,
      p_data_version: statistics.data_version,
      p_finished_posts: statistics.finished_posts,
      p_rows: rows,
      p_models: models,
      p_now: now,
    },
    recordedSchema,
  );
  const leftOut = Object.values(statistics.left_out).reduce((sum, values) => sum + values, 0);
  return { recorded, fitMs, leftOut };
}

/** The account's sums, weighted with the alarms of drift that its posts of until now raise. */
async function statisticsOf(
  database: DatabaseClient,
  accountId: number,
  now: string,
): Promise<LearningStatistics> {
  const ask = () =>
    callDatabase(
      database,
      'learning_statistics',
      { p_account_id: accountId, p_now: now },
      learningStatisticsSchema,
    );
  const statistics = await ask();
  const drift = changedAlarms(statistics);
  if (!drift) return statistics;
  await callDatabase(
    database,
    'record_drift',
    { p_account_id: accountId, p_from: drift.from, p_alarms: drift.alarms, p_now: now },
    z.object({ added: z.int(), removed: z.int() }),
  );
  return await ask();
}
