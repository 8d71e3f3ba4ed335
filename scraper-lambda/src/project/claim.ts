/** Takes the reads that are due, under a lease. */
import { type Claim, claimSchema } from '../../../shared/contracts/read.ts';
import { ScraperError } from '../errors.ts';
import { callProject, reasonOf } from './call.ts';
import type { ProjectClient } from './client.ts';

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
  const called = await callProject(
    client,
    'claim_reads',
    { p_now: now, p_limit: limit, p_lease_seconds: leaseSeconds },
    claimSchema,
  );
  if (called.code === 'replied') return called.reply;
  const whatToDo =
    called.code === 'reply_unknown'
      ? 'Deploy the migrations and this function from the same version.'
      : 'Check SUPABASE_URL, the key, and that the migrations are applied.';
  throw new ScraperError('claim_failed', `claim_reads failed (${reasonOf(called)}). ${whatToDo}`);
}
