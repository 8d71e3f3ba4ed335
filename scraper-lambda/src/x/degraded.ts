/**
 * X sometimes serves zeros in the place of counts: in one capture 31 of 36 posts with 97 to 8,648
 * views show 0 likes, where the same page shows 1 to 80 three weeks later. The views are right, so
 * they are the measure. A count that falls to anything but zero is ordinary and is believed.
 */
import type { ClaimedRead, Evidence, Metrics } from '../../../shared/contracts/read.ts';
import { type PostFound, type Refusal, refuse } from './outcome.ts';

/** The counts that X serves as zeros. Views and what only the author sees are not among them. */
const SECONDARY = ['likes', 'retweets', 'replies', 'quotes', 'bookmarks'] as const;

/** From here on, a post on which nobody did anything at all is out of the ordinary, in views. */
const LOUD_VIEWS = 1_000;

/** So many loud posts without anything cannot be chance. */
const LOUD_POSTS = 3;

/** Views over which a page of posts draws something, even from the quietest audience. */
const SILENT_PAGE_VIEWS = 5_000;

const isZero = (metrics: Metrics): boolean =>
  SECONDARY.every((name) => (metrics[name] ?? 0) === 0) && metrics.likes === 0;

/**
 * Why a post's numbers are not believed against those that were accepted before, or null when they
 * are: a count that was not 0 is 0 now, although the views did not fall. Where the views are not
 * known, they did not fall. A count that was not read says nothing.
 * @returns the reason, and the names of the counts with their values before and now
 */
export function judgeDegraded(
  previous: ClaimedRead['previous'],
  read: PostFound,
): { reason: string; details: Evidence } | null {
  if (previous === null) return null;
  const before = previous.metrics;
  const now = read.metrics;
  const haveViewsFallen =
    before.impressions !== null && now.impressions !== null && now.impressions < before.impressions;
  if (haveViewsFallen) return null;
  const fallen = SECONDARY.filter((name) => now[name] === 0 && (before[name] ?? 0) > 0);
  if (fallen.length === 0) return null;
  return {
    reason: 'fell_to_zero',
    details: {
      previous_at: previous.captured_at,
      counts: Object.fromEntries(fallen.map((name) => [name, { before: before[name], now: 0 }])),
      impressions: { before: before.impressions, now: now.impressions },
    },
  };
}

/**
 * Whether a whole payload is served with zeros, so that none of its posts is believed. Two signs,
 * either is enough:
 * - no post has any count beside its views, and there are two posts or more with 5,000 views
 *   together or more;
 * - three posts or more of 1,000 views or more have nothing, and they are most of those that reach
 *   1,000 views.
 * A new or small account whose posts have tens of views and no likes shows neither. A single post
 * is judged against its own past alone.
 * @param posts all posts of one payload, other people's included
 */
export function isPayloadDegraded(posts: PostFound[]): boolean {
  const seen = posts.map(({ metrics }) => ({
    views: metrics.impressions ?? 0,
    isZero: isZero(metrics),
  }));
  const shown = seen.filter(({ views }) => views > 0);
  const views = shown.reduce((sum, post) => sum + post.views, 0);
  const isSilent = shown.length >= 2 && seen.every((post) => post.isZero);
  if (isSilent && views >= SILENT_PAGE_VIEWS) return true;
  const loud = shown.filter((post) => post.views >= LOUD_VIEWS);
  const loudZeros = loud.filter((post) => post.isZero).length;
  return loudZeros >= LOUD_POSTS && loudZeros * 2 > loud.length;
}

/** The refusal of a post out of a payload of zeros; the evidence holds the numbers refused. */
export function unbelieved({ metrics, source }: PostFound): Refusal {
  return refuse('degraded', { reason: 'payload_of_zeros', source, refused: metrics });
}
