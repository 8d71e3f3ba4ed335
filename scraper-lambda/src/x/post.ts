/** Reads one post out of X's GraphQL payloads: pure, like `graphql.ts`. */
import type { Metrics } from '../../../shared/contracts/read.ts';
import { type Author, judgeTombstone, judgeUnavailable, type PostRead, refuse } from './outcome.ts';
import {
  describeIssues,
  followersOf,
  handleOf,
  isEmptyPlace,
  tweetSchema,
  userSchema,
  valueAt,
} from './payload-schemas.ts';
import { isOfAnotherTime, newestEdit } from './post-identity.ts';

/**
 * Reads what stands where a post belongs (`tweetResult`, `tweet_results`): a `Tweet`,
 * `TweetWithVisibilityResults`, a tombstone, `TweetUnavailable`, or `{}`.
 * @param asked the post id that it must be about; null accepts any
 * @param at the path of the place in its payload, for the evidence
 */
export function readPostPlace(place: unknown, asked: string | null, at: string): PostRead {
  if (isEmptyPlace(place)) return refuse('deleted', { missing: [`${at}.result`] });
  const prefix = `${at}.result`;
  const result = valueAt(place, ['result']);
  const typename = valueAt(result, ['__typename']);
  if (typename === 'TweetUnavailable') return judgeUnavailable(valueAt(result, ['reason']));
  if (typename === 'TweetTombstone') {
    const text = valueAt(result, ['tombstone', 'text', 'text']);
    return judgeTombstone(typeof text === 'string' ? text : null);
  }
  // Posts for subscribers show a preview without counts to everybody else.
  if (typename === 'TweetPreviewDisplay') return refuse('restricted', { typename });
  const isWrapped = typename === 'TweetWithVisibilityResults';
  const tweet = isWrapped ? valueAt(result, ['tweet']) : result;
  const path = isWrapped ? `${prefix}.tweet` : prefix;
  // The wrapper of a retweet shows the original's retweets and 0 likes: numbers of no post.
  if (isRetweet(tweet)) return refuse('wrong_post', { retweet: true });

  const parsed = tweetSchema.safeParse(tweet);
  if (!parsed.success) return refuse('shape_changed', describeIssues(parsed.error, tweet, path));
  const { rest_id, legacy, views, view_count_info, ext_views } = parsed.data;
  const ids = parsed.data.edit_control?.edit_tweet_ids ?? [];
  if ((legacy.id_str ?? rest_id) !== rest_id || (asked !== null && rest_id !== asked)) {
    const isEdit = asked !== null && ids.includes(asked);
    return refuse('wrong_post', { read: rest_id, ...(isEdit ? { edited: true } : {}) });
  }
  if (ids.length <= 1 && isOfAnotherTime(rest_id, legacy.created_at)) {
    return refuse('wrong_post', { read: rest_id, differing: [`${path}.legacy.created_at`] });
  }
  const newest = newestEdit(ids, rest_id);
  const metrics: Metrics = {
    likes: legacy.favorite_count,
    retweets: legacy.retweet_count,
    replies: legacy.reply_count,
    quotes: legacy.quote_count ?? null,
    bookmarks: legacy.bookmark_count ?? null,
    impressions: views?.count ?? view_count_info?.count ?? ext_views?.count ?? null,
    profile_clicks: null,
  };
  return {
    outcome: 'found',
    id: rest_id,
    source: 'graphql',
    quality: 'exact',
    metrics,
    author: readAuthor(tweet, legacy.user_id_str),
    ...(newest === null ? {} : { evidence: { edited_to: newest } }),
  };
}

function isRetweet(tweet: unknown): boolean {
  const inside = valueAt(tweet, ['legacy', 'retweeted_status_result']);
  const beside = valueAt(tweet, ['retweeted_status_result']);
  return (inside ?? beside ?? null) !== null;
}

/**
 * The author inside a tweet result. X may leave the user object out, on a profile page that of the
 * account itself; the post's own `user_id_str` then still says whose it is.
 */
function readAuthor(tweet: unknown, userId: string | undefined): Author | null {
  const core = valueAt(tweet, ['core']);
  const place = valueAt(core, ['user_results']) ?? valueAt(core, ['user_result']);
  const parsed = userSchema.safeParse(valueAt(place, ['result']));
  if (!parsed.success) {
    return userId === undefined ? null : { id: userId, handle: null, followers: null };
  }
  return {
    id: parsed.data.rest_id ?? userId ?? null,
    handle: handleOf(parsed.data),
    followers: followersOf(parsed.data),
  };
}
