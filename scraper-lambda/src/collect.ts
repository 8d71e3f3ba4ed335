/** Reads what was claimed, several pages at a time, and stops in time. */
import type {
  Claim,
  ClaimedRead,
  FollowerReadResult,
  FollowerSnapshot,
  PostReadResult,
} from '../../shared/contracts/read.ts';
import { ScraperError } from './errors.ts';
import type { MetricsSource } from './source.ts';
import type { PostRead, ProfileRead, Refusal } from './x/outcome.ts';

/** Kept free at the end of an invocation for recording what was read, in milliseconds. */
const RECORD_RESERVE_MS = 12_000;

/** A page that has less time than this is not opened, in milliseconds. */
const SHORTEST_PATIENCE_MS = 3_000;

/** No page is waited for longer than this, in milliseconds. */
const LONGEST_PATIENCE_MS = 15_000;

export type CollectOptions = {
  /** Pages open at the same time. */
  concurrency: number;
  /** Milliseconds until the invocation ends. */
  remainingMs: () => number;
  /** The moment that a read is stamped with, ISO 8601. */
  now: () => string;
};

export type Collected = {
  reads: PostReadResult[];
  /** Claimed follower counts, and those that the posts of other accounts carried along. */
  followers: FollowerReadResult[];
  /** Why the rest was released; null when everything was read. */
  stopped: 'rate_limited' | 'time' | 'source_failed' | null;
  /** What the source threw, when it could not work at all. */
  failure: ScraperError | null;
};

/** Runs `work` over `items`, a few at a time, until `isStopped`. */
async function forEachAtOnce<Item>(
  items: Item[],
  concurrency: number,
  isStopped: () => boolean,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      await work(item);
      if (isStopped()) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}

/** The author's follower count, when the payload named the account that was claimed. */
function carriedFollowers(
  claimed: ClaimedRead,
  read: PostRead,
  at: string,
): FollowerSnapshot | null {
  if (read.outcome !== 'found' || read.author === null) return null;
  const { handle, followers } = read.author;
  if (followers === null || handle?.toLowerCase() !== claimed.handle.toLowerCase()) return null;
  return { captured_at: at, followers, is_exact: true, source: read.source };
}

function refusalFields({ outcome, retry_at, evidence }: Refusal) {
  return { outcome, ...(retry_at ? { retry_at } : {}), ...(evidence ? { evidence } : {}) };
}

function postResult(claimed: ClaimedRead, read: PostRead, at: string): PostReadResult {
  const key = { post_id: claimed.post_id, phase: claimed.phase };
  if (read.outcome !== 'found') return { ...key, ...refusalFields(read) };
  const { source, quality, metrics } = read;
  return { ...key, outcome: 'found', read: { captured_at: at, source, quality, metrics } };
}

function profileResult(accountId: number, read: ProfileRead, at: string): FollowerReadResult {
  if (read.outcome !== 'found') return { account_id: accountId, ...refusalFields(read) };
  const { source, followers } = read;
  const snapshot = { captured_at: at, followers, is_exact: true, source };
  return { account_id: accountId, outcome: 'found', snapshot };
}

/**
 * Reads every claimed post once, however many of its phases are due, then the profiles whose
 * follower count no post carried. A rate limit, the end of the time, or a source that cannot work
 * stops the batch; what was not read then has the outcome `released`.
 */
export async function collect(
  claim: Claim,
  source: MetricsSource,
  options: CollectOptions,
): Promise<Collected> {
  const collected: Collected = { reads: [], followers: [], stopped: null, failure: null };
  const carried = new Map<number, FollowerSnapshot>();
  const isStopped = () => collected.stopped !== null;

  /** Reads one thing unless the batch has stopped, and stops it when that is what came back. */
  async function attempt<Read extends PostRead | ProfileRead>(
    read: (patienceMs: number) => Promise<Read>,
  ): Promise<Read | null> {
    if (isStopped()) return null;
    const patience = Math.min(LONGEST_PATIENCE_MS, options.remainingMs() - RECORD_RESERVE_MS);
    if (patience < SHORTEST_PATIENCE_MS) {
      collected.stopped = 'time';
      return null;
    }
    try {
      const result = await read(patience);
      if (result.outcome === 'rate_limited') collected.stopped = 'rate_limited';
      return result;
    } catch (error) {
      if (!(error instanceof ScraperError)) throw error;
      collected.stopped = 'source_failed';
      collected.failure = error;
      return null;
    }
  }

  const posts = [...Map.groupBy(claim.reads, (read) => read.post_id).values()];
  await forEachAtOnce(posts, options.concurrency, isStopped, async (phases) => {
    const [first] = phases;
    if (first === undefined) return;
    const read = await attempt((patience) =>
      source.readPost({ id: first.post_id, handle: first.handle }, patience),
    );
    if (read === null) return;
    const at = options.now();
    collected.reads.push(...phases.map((claimed) => postResult(claimed, read, at)));
    const snapshot = carriedFollowers(first, read, at);
    if (snapshot) carried.set(first.account_id, snapshot);
  });
  for (const [account_id, snapshot] of carried) {
    collected.followers.push({ account_id, outcome: 'found', snapshot });
  }

  const profiles = claim.followers.filter(({ account_id }) => !carried.has(account_id));
  await forEachAtOnce(profiles, options.concurrency, isStopped, async ({ account_id, handle }) => {
    const read = await attempt((patience) => source.readProfile(handle, patience));
    if (read !== null) collected.followers.push(profileResult(account_id, read, options.now()));
  });

  release(claim, collected);
  return collected;
}

/** Adds `released` for everything claimed that has no result. */
function release(claim: Claim, collected: Collected): void {
  const readKeys = new Set(collected.reads.map(({ post_id, phase }) => `${post_id} ${phase}`));
  for (const { post_id, phase } of claim.reads) {
    if (!readKeys.has(`${post_id} ${phase}`)) {
      collected.reads.push({ post_id, phase, outcome: 'released' });
    }
  }
  const accounts = new Set(collected.followers.map(({ account_id }) => account_id));
  for (const { account_id } of claim.followers) {
    if (!accounts.has(account_id)) collected.followers.push({ account_id, outcome: 'released' });
  }
}
