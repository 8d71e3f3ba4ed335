/** The Lambda: claims what is due, reads it from X, records it. */
import { type LambdaReply, lambdaReplySchema } from '../../shared/contracts/environment.ts';
import type { Claim } from '../../shared/contracts/read.ts';
import { claimReads } from './claim.ts';
import { type Collected, collect } from './collect.ts';
import { connect } from './database.ts';
import { parseEnvironment, parseEvent, readSecretKey } from './environment.ts';
import { ScraperError } from './errors.ts';
import { log } from './log.ts';
import { recordReads } from './record.ts';

/** A lease outlives its invocation by this much, in seconds. */
const LEASE_MARGIN_SECONDS = 30;

/** The part of Lambda's context that is used. */
export type InvocationContext = { getRemainingTimeInMillis(): number };

/**
 * One invocation. Without anything due it returns at once and starts no browser.
 * @param event `{ now? }`, the moment to replay; other fields, as EventBridge sends them, are ignored
 * @returns the run, how much was claimed, and how many reads gave each outcome
 * @throws ScraperError whenever the reads could not be claimed, made or recorded, so that the
 *   invocation counts as failed
 */
export async function handler(event: unknown, context: InvocationContext): Promise<LambdaReply> {
  try {
    return await run(event, context);
  } catch (error) {
    const code = error instanceof ScraperError ? error.code : 'unexpected';
    log('error', 'the invocation failed', { code, reason: (error as Error).message });
    throw error;
  }
}

async function run(event: unknown, context: InvocationContext): Promise<LambdaReply> {
  const env = parseEnvironment(process.env);
  const { now: replayed } = parseEvent(event);
  const now = () => replayed ?? new Date().toISOString();
  const remainingMs = () => context.getRemainingTimeInMillis();

  const client = connect(env.SUPABASE_URL, await readSecretKey(env));
  const leaseSeconds = Math.ceil(remainingMs() / 1000) + LEASE_MARGIN_SECONDS;
  const claim = await claimReads(client, now(), env.CLAIM_LIMIT, leaseSeconds);
  if (claim.reads.length + claim.followers.length === 0) {
    log('info', 'nothing is due', { run_id: claim.run_id, missed: claim.missed });
    return reply(claim, null, {}, false);
  }

  // Imported only now: it brings the browser's driver along.
  const { createBrowserSource } = await import('./browser-source.ts');
  const source = createBrowserSource({ baseUrl: env.X_BASE_URL, chromiumPath: env.CHROMIUM_PATH });
  let collected: Collected;
  try {
    collected = await collect(claim, source, {
      concurrency: env.PAGE_CONCURRENCY,
      remainingMs,
      now,
    });
  } finally {
    await source.close();
  }
  const { reads, followers } = collected;
  const recorded = await recordReads(client, claim.run_id, reads, followers, now());
  const answer = reply(claim, collected, recorded, source.startedBrowser());
  log('info', 'recorded', { ...answer, status: recorded.status, stopped: collected.stopped });
  if (collected.failure) throw collected.failure;
  return answer;
}

function reply(
  claim: Claim,
  collected: Collected | null,
  recorded: { metrics_rows?: number | undefined; follower_snapshots?: number | undefined },
  browserStarted: boolean,
): LambdaReply {
  const accounts = new Set(claim.followers.map(({ account_id }) => account_id));
  const outcomes = [
    ...(collected?.reads ?? []),
    ...(collected?.followers ?? []).filter(({ account_id }) => accounts.has(account_id)),
  ].map(({ outcome }) => outcome);
  const byOutcome: Record<string, number> = {};
  for (const outcome of outcomes) byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
  return lambdaReplySchema.parse({
    run_id: claim.run_id,
    claimed: claim.reads.length + claim.followers.length,
    by_outcome: byOutcome,
    metrics_rows: recorded.metrics_rows ?? 0,
    follower_snapshots: recorded.follower_snapshots ?? 0,
    browser_started: browserStarted,
  });
}
