/** Hands in what was read, in one call. */
import {
  type RecordBatch,
  type RecordReply,
  recordBatchSchema,
  recordReplySchema,
} from '../../../shared/contracts/read.ts';
import type { Json } from '../../../shared/database/types.ts';
import { ScraperError } from '../errors.ts';
import { callProject, reasonOf } from './call.ts';
import type { ProjectClient } from './client.ts';

/**
 * Records everything that a run read. It is checked against the contract before it is sent, and
 * only an answer that says `recorded` counts.
 * @param now the moment of the record, ISO 8601
 * @throws ScraperError `record_failed`; the leases then run out and the reads are claimed again
 */
export async function recordReads(
  client: ProjectClient,
  runId: string,
  batch: RecordBatch,
  now: string,
): Promise<RecordReply> {
  const called = await callProject(
    client,
    'record_reads',
    { p_run_id: runId, p_batch: checked(batch), p_now: now },
    recordReplySchema,
  );
  if (called.code === 'replied') {
    if (called.reply.code === 'recorded') return called.reply;
    throw new ScraperError(
      'record_failed',
      `record_reads did not record run ${runId} (${called.reply.code}).`,
    );
  }
  throw new ScraperError(
    'record_failed',
    `record_reads failed (${reasonOf(called)}). What was not stored is claimed again when its ` +
      'lease runs out.',
  );
}

function checked(batch: RecordBatch): Json {
  const parsed = recordBatchSchema.safeParse(batch);
  if (parsed.success) return parsed.data as Json;
  const paths = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new ScraperError('record_failed', `a read does not fit its contract (${paths})`);
}
