/** The Lambda: claims what is due, reads it from X, records it, until nothing is due. */
import {
  type LambdaReply,
  lambdaReplySchema,
  type ScraperEnvironment,
} from '../../shared/contracts/environment.ts';
import type { Claim, Outcome } from '../../shared/contracts/read.ts';
import { openSource, type RunningSource } from './choose-source.ts';
import { type Collected, collect, RECORD_RESERVE_MS } from './collect.ts';
import { parseEnvironment, parseEvent } from './environment.ts';
import { ScraperError } from './errors.ts';
import { log } from './log.ts';
import { publishMetrics } from './metrics.ts';
import { claimReads } from './project/claim.ts';
import { connect } from './project/client.ts';
import { recordReads } from './project/record.ts';
import { forgetSecret, readSecret } from './secret.ts';
import { closeOnSigterm, isShuttingDown, untilShutdown } from './shutdown.ts';

/** A lease outlives its invocation by this much, in seconds. */
const LEASE_MARGIN_SECONDS = 30;

/** With less time than this beside the recording nothing more is claimed, in milliseconds. */
const SHORTEST_CLAIM_MS = 10_000;

/** The part of Lambda's context that is used. */
export type InvocationContext = { getRemainingTimeInMillis(): number };

closeOnSigterm();

/**
 * One invocation. Without anything due it returns at once and starts no browser.
 * @param event `{ now? }`, the moment to replay; other fields, as EventBridge sends them, are ignored
 * @returns the first run, and of all runs how much was claimed and how many reads gave each outcome
 * @throws ScraperError whenever the reads could not be claimed, made or recorded, so that the
 *   invocation counts as failed
 */
export async function handler(event: unknown, context: InvocationContext): Promise<LambdaReply> {
  try {
    return await untilShutdown(() => run(event, context));
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
  const remainingMs = () =>
    isShuttingDown() ? Number.NEGATIVE_INFINITY : context.getRemainingTimeInMillis();

  // A secret that cannot be read is told as what it is, not as a call that failed.
  await readSecret(env);
  const client = connect(env.SUPABASE_URL, (isRefused) => {
    if (isRefused) forgetSecret();
    return readSecret(env);
  });
  const claimNext = () => {
    const leaseSeconds =
      Math.ceil(context.getRemainingTimeInMillis() / 1000) + LEASE_MARGIN_SECONDS;
    return claimReads(client, now(), env.CLAIM_LIMIT, leaseSeconds);
  };
  const first = await claimNext();
  const reply = emptyReply(first.run_id);
  if (isEmpty(first)) {
    log('info', 'nothing is due', { run_id: first.run_id, missed: first.missed });
    return reply;
  }

  const startedAt = performance.now();
  const source = await openSource({ env, client, now, secret: () => readSecret(env) });
  try {
    for (let claim = first; ; reply.runs += 1) {
      const collected = await collect(claim, source, {
        concurrency: env.PAGE_CONCURRENCY,
        remainingMs,
        now,
      });
      const recorded = await recordReads(client, claim.run_id, collected.batch, now());
      addTo(reply, claim, collected, recorded);
      const { status, discovered } = recorded;
      log('info', 'recorded', {
        run_id: claim.run_id,
        status,
        discovered,
        stopped: collected.stopped,
      });
      if (collected.failure) throw collected.failure;
      if (!mayClaimAgain(claim, collected, env, remainingMs())) break;
      claim = await claimNext();
      if (isEmpty(claim)) break;
    }
  } finally {
    await source.close();
    reply.browser_started = source.startedBrowser();
    report(reply, source, performance.now() - startedAt);
  }
  return lambdaReplySchema.parse(reply);
}

const isEmpty = (claim: Claim): boolean => claim.reads.length + claim.followers.length === 0;

/** Only a full claim leaves more behind; what was released would only be claimed once more. */
function mayClaimAgain(
  { reads, followers }: Claim,
  { stopped }: Collected,
  { CLAIM_LIMIT }: ScraperEnvironment,
  remainingMs: number,
): boolean {
  const isFull = reads.length >= CLAIM_LIMIT || followers.length >= CLAIM_LIMIT;
  return isFull && stopped === null && remainingMs > RECORD_RESERVE_MS + SHORTEST_CLAIM_MS;
}

function emptyReply(runId: string): LambdaReply {
  return {
    run_id: runId,
    runs: 1,
    claimed: 0,
    by_outcome: {},
    metrics_rows: 0,
    follower_snapshots: 0,
    browser_started: false,
  };
}

/** Adds a run to the reply; a follower count that only came along is no claimed read. */
function addTo(
  reply: LambdaReply,
  claim: Claim,
  { batch }: Collected,
  recorded: { metrics_rows?: number | undefined; follower_snapshots?: number | undefined },
): void {
  const accounts = new Set(claim.followers.map(({ account_id }) => account_id));
  const claimed = [
    ...batch.reads,
    ...batch.followers.filter(({ account_id }) => accounts.has(account_id)),
  ];
  for (const { outcome } of claimed) {
    reply.by_outcome[outcome] = (reply.by_outcome[outcome] ?? 0) + 1;
  }
  reply.claimed += claim.reads.length + claim.followers.length;
  reply.metrics_rows += recorded.metrics_rows ?? 0;
  reply.follower_snapshots += recorded.follower_snapshots ?? 0;
}

function report(reply: LambdaReply, source: RunningSource, readingMs: number): void {
  const pages = source.pagesOpened();
  log('info', 'read', { ...reply, pages, reading_ms: Math.round(readingMs) });
  const byOutcome = reply.by_outcome as Partial<Record<Outcome, number>>;
  publishMetrics({ byOutcome, pages, readingMs });
}
