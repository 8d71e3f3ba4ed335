/** Hands in what was read, in one call. */
import {
  type RecordBatch,
  type RecordReply,
  recordBatchSchema,
  recordReplySchema,
} from '../../../shared/contracts/read.ts';
import type { Json } from '../../../shared/database/types.ts';
import { ScraperError } from '../errors.ts';
import { type ProjectClient, RPC_PATIENCE_MS } from './client.ts';

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
  const { data, error } = await client
    .rpc('record_reads', {
      p_run_id: runId,
      p_batch: checked(batch),
      p_now: now,
    })
    .abortSignal(AbortSignal.timeout(RPC_PATIENCE_MS));
  if (error) {
    throw new ScraperError(
      'record_failed',
      `record_reads failed (${error.code || 'no code'}: ${error.message}). Nothing was stored; ` +
        'the reads are claimed again when their leases run out.',
    );
  }
  const parsed = recordReplySchema.safeParse(data);
  if (parsed.success && parsed.data.code === 'recorded') return parsed.data;
  const code = (data as { code?: unknown } | null)?.code;
  throw new ScraperError(
    'record_failed',
    `record_reads did not record run ${runId} (${typeof code === 'string' ? code : 'unknown reply'}).`,
  );
}

function checked(batch: RecordBatch): Json {
  const parsed = recordBatchSchema.safeParse(batch);
  if (parsed.success) return parsed.data as Json;
  const paths = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new ScraperError('record_failed', `a read does not fit its contract (${paths})`);
}
