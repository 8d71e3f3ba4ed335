/** What the site's GraphQL endpoint answers to one operation. */
import { authorOf, countsOf, type Site, splitAnswer } from './numbers.ts';
import {
  type SiteAccount,
  type SitePost,
  tweetDetail,
  tweetResult,
  tweetResultByRestId,
  userByScreenName,
  userResult,
  userTweets,
} from './payloads.ts';
import {
  type Answer,
  json,
  refusedAnswer,
  refusedResult,
  refusedUser,
  type Variant,
} from './variants.ts';

/** X shows about 20 posts on one load of a profile. */
const POSTS_PER_PROFILE = 20;

/** How far the wrong post's id is from the one asked for. */
const WRONG_POST_OFFSET = 1n;

/**
 * Answers one GraphQL call.
 * @param forced a variant that overrides what the provider says
 * @returns null when the call is never answered
 */
export function answerCall(
  site: Site,
  operation: string,
  variables: Record<string, unknown>,
  forced: Variant | null,
): Answer | null {
  if (operation === 'TweetResultByRestId' || operation === 'TweetDetail') {
    return answerPost(site, operation, String(variables.tweetId ?? variables.focalTweetId), forced);
  }
  const handle = String(variables.screen_name ?? '');
  if (operation === 'UserByScreenName') return answerUser(site, handle, forced);
  if (operation === 'UserTweets') return answerTimeline(site, handle, forced);
  return { status: 404, body: '' };
}

function answerPost(
  site: Site,
  operation: string,
  id: string,
  forced: Variant | null,
): Answer | null {
  const { variant, numbers } = splitAnswer<SitePost>(site.numbers.post(id), forced);
  if (variant === 'silent' || variant?.startsWith('dom-only')) return null;
  const refused = variant && refusedAnswer(variant);
  if (refused) return refused;
  const replacement = variant ? refusedResult(variant) : undefined;
  if (replacement !== undefined) return postBody(site, operation, id, replacement, null);
  if (numbers === null || variant === 'deleted-empty') {
    return operation === 'TweetDetail'
      ? json({ errors: [{ code: 144, message: 'redacted' }], data: {} })
      : json(tweetResultByRestId());
  }
  const result = servePost(site, operation, id, numbers, variant);
  return postBody(site, operation, id, result, numbers.replyTo ?? null);
}

/** The body of a post operation; a reply's parent stands before it in `TweetDetail`. */
function postBody(
  site: Site,
  operation: string,
  id: string,
  result: unknown,
  parentId: string | null,
): Answer {
  if (operation !== 'TweetDetail') return json(tweetResultByRestId(result));
  const parent = parentId && splitAnswer<SitePost>(site.numbers.post(parentId), null).numbers;
  const before = parent
    ? [{ id: parentId, result: servePost(site, operation, parentId, parent, null) }]
    : [];
  return json(tweetDetail([...before, { id, result }]));
}

/** The result of a post, logged as served. */
function servePost(
  site: Site,
  operation: string,
  id: string,
  post: SitePost,
  variant: Variant | null,
): unknown {
  const author = authorOf(site, post.handle);
  const counts = countsOf(post);
  const shownId = variant === 'wrong-post' ? String(BigInt(id) + WRONG_POST_OFFSET) : id;
  const result = tweetResult(shownId, post, author, site.era);
  if (variant === 'broken-shape') {
    const { favorite_count, ...legacy } = result.legacy;
    return { ...result, legacy: { ...legacy, favorites: { count: favorite_count } } };
  }
  if (variant === 'views-absent') counts.impressions = null;
  site.log({
    operation,
    post_id: shownId,
    handle: post.handle,
    counts,
    followers: author.followers,
  });
  if (variant === 'views-absent') return { ...result, views: { state: 'Enabled' } };
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

function answerUser(site: Site, handle: string, forced: Variant | null): Answer | null {
  const { variant, numbers } = splitAnswer<SiteAccount>(site.numbers.account(handle), forced);
  if (variant === 'silent' || variant?.startsWith('dom-only')) return null;
  const refused = variant && refusedAnswer(variant);
  if (refused) return refused;
  const replacement = variant ? refusedUser(variant) : undefined;
  if (replacement !== undefined) return json(userByScreenName(replacement));
  if (numbers === null || variant === 'deleted-empty') return json(userByScreenName());
  const user = userResult(handle, numbers, site.era);
  if (variant === 'broken-shape') {
    return json(userByScreenName({ ...user, legacy: {}, relationship_counts: { followed: 1 } }));
  }
  site.log({ operation: 'UserByScreenName', handle, followers: numbers.followers });
  return json(userByScreenName(user));
}

function answerTimeline(site: Site, handle: string, forced: Variant | null): Answer | null {
  const { variant, numbers } = splitAnswer<SiteAccount>(site.numbers.account(handle), forced);
  if (variant === 'silent') return null;
  const refused = variant && refusedAnswer(variant);
  if (refused) return refused;
  const posts = (numbers?.posts ?? []).slice(0, POSTS_PER_PROFILE).flatMap((id) => {
    const post = splitAnswer<SitePost>(site.numbers.post(id), null).numbers;
    return post ? [{ id, result: servePost(site, 'UserTweets', id, post, null) }] : [];
  });
  return json(userTweets(posts));
}
