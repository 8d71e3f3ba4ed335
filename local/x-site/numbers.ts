/** What the site is asked to serve, and what it did serve. */
import type { SiteAnalytics } from './analytics.ts';
import type { PostNumbers, SiteAccount, SitePost, UserEra } from './payloads.ts';
import type { Variant } from './variants.ts';

/** Numbers, numbers served in an unusual way, a bare refusal, or null for "does not exist". */
export type PostAnswer = (SitePost & { variant?: Variant }) | Variant | null;
type AccountAnswer = (SiteAccount & { variant?: Variant }) | Variant | null;

/** Asked at every request, so the numbers may grow from one page view to the next. */
export type NumbersProvider = {
  post(id: string): PostAnswer;
  account(handle: string): AccountAnswer;
  /** What the author of a post sees of it; null, or no such function: X has nothing yet. */
  analytics?(id: string): SiteAnalytics | null;
};

/** One payload or article that carried numbers out. `at` is ISO 8601, by the site's clock. */
export type Served = {
  operation: string;
  at: string;
  post_id?: string;
  handle: string;
  counts?: PostNumbers;
  followers?: number;
};

/** The site as its parts see it. */
export type Site = {
  numbers: NumbersProvider;
  era: UserEra;
  /** Guests too fetch posts with `TweetDetail`, as a logged-in reader does. */
  detail: boolean;
  /** The handle of each user id that was served: `UserTweets` asks by id. */
  handles: Map<string, string>;
  log(served: Omit<Served, 'at'>): void;
};

/** The variant and the numbers of an answer; a bare variant has no numbers. */
export function splitAnswer<Numbers extends object>(
  answer: (Numbers & { variant?: Variant }) | Variant | null,
  forced: Variant | null,
): { variant: Variant | null; numbers: Numbers | null } {
  if (answer === null) return { variant: forced, numbers: null };
  if (typeof answer === 'string') return { variant: forced ?? answer, numbers: null };
  return { variant: forced ?? answer.variant ?? null, numbers: answer };
}

export function countsOf(post: SitePost): PostNumbers {
  const { likes, retweets, replies, quotes, bookmarks, impressions } = post;
  return { likes, retweets, replies, quotes, bookmarks, impressions };
}

/** The author's account; an author that the provider does not know has no followers to show. */
export function authorOf(site: Site, handle: string): SiteAccount {
  return splitAnswer<SiteAccount>(site.numbers.account(handle), null).numbers ?? { followers: 0 };
}
