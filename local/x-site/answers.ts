/** What the site's GraphQL endpoint answers to one operation. */
import { answerAnalytics } from './analytics.ts';
import { type Site, splitAnswer } from './numbers.ts';
import {
  type SiteAccount,
  type SitePost,
  tweetDetail,
  tweetResultByRestId,
  userByScreenName,
  userResult,
} from './payloads.ts';
import { servePost } from './posts.ts';
import type { Reader } from './readers.ts';
import { answerTimeline } from './timeline.ts';
import {
  type Answer,
  json,
  refusedAnswer,
  refusedResult,
  refusedUser,
  type Variant,
} from './variants.ts';

/**
 * Answers one GraphQL call.
 * @param reader who asks; only an author sees analytics
 * @param forced a variant that overrides what the provider says
 * @returns null when the call is never answered
 */
export function answerCall(
  site: Site,
  operation: string,
  variables: Record<string, unknown>,
  reader: Reader,
  forced: Variant | null,
): Answer | null {
  if (operation === 'TweetResultByRestId' || operation === 'TweetDetail') {
    return answerPost(site, operation, String(variables.tweetId ?? variables.focalTweetId), forced);
  }
  if (operation === 'UserByScreenName') {
    return answerUser(site, String(variables.screen_name ?? ''), forced);
  }
  if (operation === 'UserTweets') return answerTimeline(site, variables, forced);
  if (operation === 'TweetActivityQuery') {
    return answerAnalytics(site, String(variables.restId), reader, forced);
  }
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

function answerUser(site: Site, handle: string, forced: Variant | null): Answer | null {
  const { variant, numbers } = splitAnswer<SiteAccount>(site.numbers.account(handle), forced);
  if (variant === 'silent' || variant?.startsWith('dom-only')) return null;
  const refused = variant && refusedAnswer(variant);
  if (refused) return refused;
  const replacement = variant ? refusedUser(variant) : undefined;
  if (replacement !== undefined) return json(userByScreenName(replacement));
  if (numbers === null || variant === 'deleted-empty') return json(userByScreenName());
  const user = userResult(handle, numbers, site.era, variant === 'protected');
  site.handles.set(user.rest_id, handle);
  if (variant === 'broken-shape') {
    return json(userByScreenName({ ...user, legacy: {}, relationship_counts: { followed: 1 } }));
  }
  site.log({ operation: 'UserByScreenName', handle, followers: numbers.followers });
  return json(userByScreenName(user));
}
