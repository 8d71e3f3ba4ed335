/** Takes the reads that are due, under a lease. */
import { type Claim, claimSchema } from '../../../shared/contracts/read.ts';
import { ScraperError } from '../errors.ts';
import { type ProjectClient, RPC_PATIENCE_MS } from './client.ts';

/**
 * Claims at most `limit` due reads of posts, and the follower counts that are due.
 * @param now the moment as of which reads are due, ISO 8601
 * @param leaseSeconds after that long another run may take what this one did not record
 * @throws ScraperError `claim_failed`
 */
export async function claimReads(
  client: ProjectClient,
  now: string,
  limit: number,
  leaseSeconds: number,
): Promise<Claim> {
  const { data, error } = await client
    .rpc('claim_reads', { p_now: now, p_limit: limit, p_lease_seconds: leaseSeconds })
    .abortSignal(AbortSignal.timeout(RPC_PATIENCE_MS));
  if (error) {
    throw new ScraperError(
      'claim_failed',
      `claim_reads failed (${error.code || 'no code'}: ${error.message}). Check SUPABASE_URL, ` +
        'the key, and that the migrations are applied.',
    );
  }
  const parsed = claimSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const paths = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new ScraperError(
    'claim_failed',
    `claim_reads answered in another shape (${paths}): deploy the migrations and this function ` +
      'from the same version.',
  );
}
