/** Reads what was claimed, account by account, and stops in time. */
import type {
  Claim,
  ClaimedRead,
  FollowerReadResult,
  PostReadResult,
  recordBatchSchema,
} from '../../shared/contracts/read.ts';
import { ScraperError } from './errors.ts';
import { judgeRead } from './judge.ts';
import type { AccountAsk, AccountRead, MetricsSource } from './source.ts';
import type { PostRead, ProfileRead, Refusal } from './x/outcome.ts';

/** Kept free at the end of an invocation for recording what was read, in milliseconds. */
export const RECORD_RESERVE_MS = 12_000;

/** An account that has less time than this is not begun, in milliseconds. */
const SHORTEST_TURN_MS = 3_000;

export type CollectOptions = {
  /** Accounts read at the same time. */
  concurrency: number;
  /** Milliseconds until the invocation ends. */
  remainingMs: () => number;
  /** The moment that a read is stamped with, ISO 8601. */
  now: () => string;
};

/** A batch with all of its parts. */
type Batch = ReturnType<typeof recordBatchSchema.parse>;

export type Collected = {
  batch: Batch;
  /** Why the rest was released; null when everything was read. */
  stopped: 'exhausted' | 'time' | 'source_failed' | null;
  /** What the source threw, when it could not work at all. */
  failure: ScraperError | null;
};

/** What is due of one account, and the claims that stand behind it. */
type Due = Omit<AccountAsk, 'posts'> & { posts: ClaimedRead[]; claims: ClaimedRead[] };

/** Groups a claim by account: each post once, however many of its phases are due. */
function byAccount(claim: Claim): Due[] {
  const due = new Map<number, Due>();
  const of = (accountId: number, handle: string): Due => {
    const known = due.get(accountId);
    if (known) return known;
    const fresh: Due = { accountId, handle, posts: [], wantsFollowers: false, claims: [] };
    due.set(accountId, fresh);
    return fresh;
  };
  for (const read of claim.reads) {
    const account = of(read.account_id, read.handle);
    account.claims.push(read);
    if (!account.posts.some(({ post_id }) => post_id === read.post_id)) account.posts.push(read);
  }
  for (const { account_id, handle } of claim.followers)
    of(account_id, handle).wantsFollowers = true;
  return [...due.values()];
}

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
      if (isStopped()) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}

/**
 * Reads every claimed account once. When X refuses every reader, the time ends, or the source
 * cannot work, the batch stops; what was not tried then has the outcome `released`.
 */
export async function collect(
  claim: Claim,
  source: MetricsSource,
  options: CollectOptions,
): Promise<Collected> {
  const batch: Batch = {
    reads: [],
    followers: [],
    discovered: [],
    analytics: [],
    shapes: [],
    events: [],
  };
  const collected: Collected = { batch, stopped: null, failure: null };
  const remainingMs = () => options.remainingMs() - RECORD_RESERVE_MS;

  await forEachAtOnce(
    byAccount(claim),
    options.concurrency,
    () => collected.stopped !== null,
    async (due) => {
      if (remainingMs() < SHORTEST_TURN_MS) {
        collected.stopped = 'time';
        return;
      }
      try {
        const read = await source.readAccount(due, remainingMs);
        addAccount(batch, due, read, options.now());
        if (read.exhausted) collected.stopped = 'exhausted';
        else if (due.posts.some(({ post_id }) => !read.posts.has(post_id))) {
          collected.stopped ??= 'time';
        }
      } catch (error) {
        if (!(error instanceof ScraperError)) throw error;
        collected.stopped = 'source_failed';
        collected.failure ??= error;
      }
    },
  );
  batch.shapes = [
    ...new Map(batch.shapes.map((shape) => [`${shape.operation} ${shape.hash}`, shape])).values(),
  ];
  release(claim, batch);
  return collected;
}

function addAccount(batch: Batch, due: Due, read: AccountRead, at: string): void {
  const { accountId: account_id } = due;
  batch.analytics.push(...read.analytics);
  batch.shapes.push(...read.shapes);
  batch.discovered.push(...read.discovered.map((post) => ({ ...post, account_id })));
  batch.events.push(...read.events.map((event) => ({ ...event, account_id })));

  for (const claimed of due.posts) {
    const given = read.posts.get(claimed.post_id);
    if (!given) continue;
    const judged = given.outcome === 'found' ? (judgeRead(claimed, given) ?? given) : given;
    const clicks = read.analytics.find(({ post_id }) => post_id === claimed.post_id);
    const phases = due.claims.filter(({ post_id }) => post_id === claimed.post_id);
    batch.reads.push(
      ...phases.map((phase) => postResult(phase, judged, clicks?.profile_visits ?? null, at)),
    );
    if (judged.outcome === 'degraded') {
      const details = judged.evidence ?? {};
      batch.events.push({ kind: 'degraded', account_id, post_id: claimed.post_id, details });
    }
  }
  const followers = followersResult(due, read, at);
  if (followers) batch.followers.push(followers);
}

function refusalFields({ outcome, retry_at, evidence }: Refusal) {
  return { outcome, ...(retry_at ? { retry_at } : {}), ...(evidence ? { evidence } : {}) };
}

function postResult(
  claimed: ClaimedRead,
  read: PostRead,
  profileClicks: number | null,
  at: string,
): PostReadResult {
  const key = { post_id: claimed.post_id, phase: claimed.phase };
  if (read.outcome !== 'found') return { ...key, ...refusalFields(read) };
  const { source, quality, evidence } = read;
  const metrics = {
    ...read.metrics,
    profile_clicks: read.metrics.profile_clicks ?? profileClicks,
  };
  return {
    ...key,
    outcome: 'found',
    read: { captured_at: at, source, quality, metrics },
    ...(evidence ? { evidence } : {}),
  };
}

/** The follower count of the profile, or the one that a post of the account carried along. */
function followersResult(due: Due, read: AccountRead, at: string): FollowerReadResult | null {
  const profile = read.profile?.outcome === 'found' ? read.profile : carried(due, read);
  const { accountId: account_id } = due;
  if (profile) {
    const { source, followers, isExact } = profile;
    const snapshot = { captured_at: at, followers, is_exact: isExact, source };
    return { account_id, outcome: 'found', snapshot };
  }
  const refused = read.profile as Exclude<ProfileRead, { outcome: 'found' }> | null;
  return refused && due.wantsFollowers ? { account_id, ...refusalFields(refused) } : null;
}

function carried({ handle }: Due, { posts }: AccountRead) {
  for (const read of posts.values()) {
    if (read.outcome !== 'found' || read.author === null) continue;
    const { handle: author, followers } = read.author;
    if (followers === null || author?.toLowerCase() !== handle.toLowerCase()) continue;
    return { source: read.source, followers, isExact: read.quality === 'exact' };
  }
  return null;
}

/** Adds `released` for everything claimed that has no result. */
function release(claim: Claim, { reads, followers }: Batch): void {
  const readKeys = new Set(reads.map(({ post_id, phase }) => `${post_id} ${phase}`));
  for (const { post_id, phase } of claim.reads) {
    if (!readKeys.has(`${post_id} ${phase}`)) reads.push({ post_id, phase, outcome: 'released' });
  }
  const accounts = new Set(followers.map(({ account_id }) => account_id));
  for (const { account_id } of claim.followers) {
    if (!accounts.has(account_id)) followers.push({ account_id, outcome: 'released' });
  }
}
