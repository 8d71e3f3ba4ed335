/** A post's result as the site serves it, logged with every number that it carries. */
import { authorOf, countsOf, type Site, splitAnswer } from './numbers.ts';
import { type Parent, type PostNumbers, type SitePost, tweetResult } from './payloads.ts';
import type { Variant } from './variants.ts';

/** How far the wrong post's id is from the one asked for. */
const WRONG_POST_OFFSET = 1n;

/** Who wrote a post that the provider does not know any more. */
const UNKNOWN_HANDLE = 'someoneelse';

/**
 * The result of a post, logged as served.
 * @param variant how it deviates; null serves it plainly
 */
export function servePost(
  site: Site,
  operation: string,
  id: string,
  post: SitePost,
  variant: Variant | null,
): object {
  const author = authorOf(site, post.handle);
  const counts = shownCounts(post, variant);
  const shownId = variant === 'wrong-post' ? String(BigInt(id) + WRONG_POST_OFFSET) : id;
  const shown = { ...post, ...counts };
  const result = tweetResult(shownId, shown, author, site.era, parentOf(site, post));
  if (variant === 'broken-shape') {
    const { favorite_count, ...legacy } = result.legacy;
    return { ...result, legacy: { ...legacy, favorites: { count: favorite_count } } };
  }
  site.log({
    operation,
    post_id: shownId,
    handle: post.handle,
    counts,
    followers: author.followers,
  });
  if (variant === 'ext-views') {
    const { views, ...rest } = result;
    return { ...rest, ext_views: views };
  }
  if (variant === 'with-visibility') {
    return { __typename: 'TweetWithVisibilityResults', tweet: result };
  }
  if (variant === 'retweet-wrapper') {
    const original = { ...result, rest_id: String(BigInt(id) - WRONG_POST_OFFSET) };
    const legacy = {
      ...result.legacy,
      favorite_count: 0,
      retweeted_status_result: { result: original },
    };
    return { ...result, legacy };
  }
  return result;
}

function shownCounts(post: SitePost, variant: Variant | null): PostNumbers {
  const counts = countsOf(post);
  if (variant === 'views-absent') return { ...counts, impressions: null };
  if (variant === 'degraded-zeros') {
    return { ...counts, likes: 0, retweets: 0, replies: 0, quotes: 0, bookmarks: 0 };
  }
  return counts;
}

/** The post that this one answers, and the first of their conversation. */
function parentOf(site: Site, post: SitePost): Parent | null {
  if (post.replyTo === undefined) return null;
  const parent = splitAnswer<SitePost>(site.numbers.post(post.replyTo), null).numbers;
  const before = parent && parentOf(site, parent);
  return {
    id: post.replyTo,
    handle: parent?.handle ?? UNKNOWN_HANDLE,
    conversationId: before?.conversationId ?? post.replyTo,
  };
}
