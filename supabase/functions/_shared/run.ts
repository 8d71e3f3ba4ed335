/** A job's run: opened with what it expects, closed with what it did, and failed by any error. */
import { z } from 'zod';
import {
  errorBodySchema,
  type JobName,
  type JobReply,
  jobNameSchema,
  PostloopError,
  runStatusSchema,
  tallySchema,
} from './contracts.ts';
import { callDatabase, type DatabaseClient } from './database.ts';

const closedRunSchema = tallySchema.extend({
  run_id: z.uuid(),
  job: jobNameSchema,
  status: runStatusSchema,
  as_of: z.iso.datetime({ offset: true }),
  error: errorBodySchema.nullable(),
});
type ClosedRun = z.infer<typeof closedRunSchema>;

/** What a job did. `expected` corrects what was expected at the start, `error` fails the run. */
export type Work = {
  done: number;
  failed?: number;
  skipped?: Record<string, number>;
  expected?: number;
  error?: PostloopError;
  details?: Record<string, unknown>;
};

/**
 * Runs a job under a row of `pipeline_runs`.
 *
 * @returns the closed run, when it succeeded or did part of its work
 * @throws PostloopError with the run in its details when the run failed: its work threw, reported
 *   an error, or did nothing of what was expected
 */
export async function runJob(
  database: DatabaseClient,
  job: JobName,
  now: string,
  expected: number,
  work: () => Promise<Work>,
): Promise<JobReply> {
  const runId = await openRun(database, job, now, expected);
  const result = await work().catch(
    (error: unknown): Work => ({ done: 0, failed: expected, error: toPostloopError(error) }),
  );
  const { error, ...run } = await closeRun(database, runId, result);
  if (run.status === 'failed') {
    throw new PostloopError(
      result.error?.status ?? 500,
      error?.code ?? 'run_failed',
      error?.message ?? `The ${job} run failed.`,
      { run, ...(result.error?.details === undefined ? {} : { cause: result.error.details }) },
    );
  }
  return { ...run, details: result.details ?? {} };
}

/** Opens a run and returns its id. @throws PostloopError as callDatabase */
export async function openRun(
  database: DatabaseClient,
  job: JobName,
  now: string,
  expected: number,
): Promise<string> {
  return await callDatabase(
    database,
    'start_pipeline_run',
    { p_job: job, p_expected: expected, p_now: now },
    z.uuid(),
  );
}

/** Closes a run with what was done. @throws PostloopError as callDatabase */
export async function closeRun(
  database: DatabaseClient,
  runId: string,
  work: Work,
): Promise<ClosedRun> {
  return await callDatabase(
    database,
    'finish_pipeline_run',
    {
      p_run_id: runId,
      p_done: work.done,
      p_failed: work.failed ?? 0,
      p_skipped: work.skipped ?? {},
      ...(work.expected === undefined ? {} : { p_expected: work.expected }),
      ...(work.error === undefined ? {} : { p_error: work.error.toBody() as never }),
    },
    closedRunSchema,
  );
}

/** An error as the one class that replies and runs are made of. */
export function toPostloopError(error: unknown): PostloopError {
  if (error instanceof PostloopError) return error;
  return new PostloopError(500, 'internal', error instanceof Error ? error.message : String(error));
}

/** The moment that a call takes as now: the one it names, else the clock. */
export function momentOf(body: { now?: string | undefined }): string {
  return body.now ?? new Date().toISOString();
}
