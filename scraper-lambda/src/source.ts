/** Where numbers come from. Reading X's pages in a browser is one source; others stand beside it. */
import type {
  ClaimedRead,
  DiscoveredPost,
  IntegrityEvent,
  PayloadShape,
  PostAnalytics,
} from '../../shared/contracts/read.ts';
import type { PostRead, ProfileRead } from './x/outcome.ts';

/** Which post to read. Without a handle X finds the author by itself. */
export type AskedPost = { id: string; handle: string | null };

/** What is due of one account: its posts, each once, and perhaps its follower count. */
export type AccountAsk = {
  accountId: number;
  handle: string;
  posts: Pick<ClaimedRead, 'post_id' | 'posted_at' | 'previous'>[];
  wantsFollowers: boolean;
};

/** What reading one account gave. */
export type AccountRead = {
  /** By post id. A post that was asked for and is missing here was not tried. */
  posts: Map<string, PostRead>;
  /** The follower count, also when it only came along; null when it was not tried. */
  profile: ProfileRead | null;
  /** Posts of the account that came along. */
  discovered: Omit<DiscoveredPost, 'account_id'>[];
  analytics: PostAnalytics[];
  shapes: PayloadShape[];
  events: IntegrityEvent[];
  /** Set when no more accounts can be read now: until when X refuses, if it said so. */
  exhausted: { retryAt: string | null } | null;
};

/** Milliseconds until the reading must be over; asked again before every page. */
export type RemainingMs = () => number;

export interface MetricsSource {
  /** Reads what is due of one account. What X refuses is a value; only a source that cannot work at all throws. */
  readAccount(ask: AccountAsk, remainingMs: RemainingMs): Promise<AccountRead>;
  /** Reads one post by itself. */
  readPost(asked: AskedPost, patienceMs?: number): Promise<PostRead>;
  /** Gives back what the source holds for a batch. */
  close(): Promise<void>;
}
