/**
 * Reads X's GraphQL payloads: pure functions from a parsed JSON body to numbers or a typed refusal.
 * A count that X did not send is null, never 0, and ids stay text from end to end.
 */
import { type Headers, judgeBody, preferErrors } from './body.ts';
import { isPayloadDegraded, unbelieved } from './degraded.ts';
import { type PostRead, type ProfileRead, refuse } from './outcome.ts';
import {
  describeIssues,
  followersOf,
  handleOf,
  isEmptyPlace,
  userSchema,
  valueAt,
} from './payload-schemas.ts';
import { readPostPlace } from './post.ts';
import { collectItems, findInstructions, type TimelineItem } from './timeline.ts';
import { readItems } from './timeline-posts.ts';

const POST_OPERATIONS = new Set([
  'TweetDetail',
  'TweetResultByRestId',
  'TweetResultsByRestIds',
  'TweetResultById',
  'TweetResultsByIds',
]);
const PROFILE_OPERATIONS = new Set(['UserByScreenName', 'UserResultByScreenName']);
/** The posts of one account. */
const TIMELINE_OPERATIONS = new Set(['UserTweets', 'UserTweetsAndReplies', 'UserMedia']);

/** Where the operations that name a post put it, and those that name a user. */
const POST_PLACES = ['tweetResult', 'tweet_results', 'tweet_result'];
const USER_PLACES = ['user', 'user_results', 'user_result'];

/** A GraphQL call as its URL shows it. The hash in the path rotates, so only the name counts. */
export type Operation = { name: string; variables: Record<string, unknown> };

/** The operation of a URL such as `…/i/api/graphql/<hash>/TweetDetail?variables=…`, or null. */
export function operationOf(url: string): Operation | null {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return null;
  }
  // Some clients of X spell the same operation with `Query` at its end.
  const name = /\/graphql\/[^/]+\/([A-Za-z]+?)(?:Query)?\/?$/.exec(parsed.pathname)?.[1];
  if (!name) return null;
  let variables: unknown;
  try {
    variables = JSON.parse(parsed.searchParams.get('variables') ?? '{}');
  } catch {
    variables = {};
  }
  const isRecord = typeof variables === 'object' && variables !== null;
  return { name, variables: isRecord ? (variables as Record<string, unknown>) : {} };
}

export const isPostOperation = (name: string): boolean => POST_OPERATIONS.has(name);
export const isProfileOperation = (name: string): boolean => PROFILE_OPERATIONS.has(name);
export const isTimelineOperation = (name: string): boolean => TIMELINE_OPERATIONS.has(name);
/** `TweetActivityQuery` in the URL: `operationOf` takes the `Query` off. */
export const isAnalyticsOperation = (name: string): boolean => name === 'TweetActivity';

/** The entry `tweet-<id>` alone is the focal post: the others are its parents, replies and ads. */
function readFocalEntry(items: TimelineItem[], asked: string): PostRead {
  const at = 'data.threaded_conversation_with_injections_v2';
  const focal = items.find((item) => item.entryId === `tweet-${asked}`);
  if (focal) {
    return readPostPlace(focal.place, asked, `${at}.entries[tweet-${asked}].tweet_results`);
  }
  const other = items.find((item) => /^tweet-\d{1,20}$/.test(item.entryId));
  return other
    ? refuse('wrong_post', { read: other.entryId.slice('tweet-'.length) })
    : refuse('shape_changed', { missing: [`${at}.instructions.entries[tweet-${asked}]`] });
}

/** The focal post, unless the conversation around it is served with zeros. */
function readConversation(body: unknown, asked: string): PostRead {
  const items = collectItems(findInstructions(valueAt(body, ['data'])));
  const read = readFocalEntry(items, asked);
  if (read.outcome !== 'found') return read;
  return isPayloadDegraded(readItems(items).posts) ? unbelieved(read) : read;
}

/** The first of `keys` in `data`, with its path; the path of the first key when none is there. */
function findPlace(body: unknown, keys: string[]): { place: unknown; at: string } {
  const key = keys.find((one) => valueAt(body, ['data', one]) !== undefined) ?? keys[0] ?? '';
  return { place: valueAt(body, ['data', key]), at: `data.${key}` };
}

function readPlaces(body: unknown, asked: string): PostRead {
  const { place, at } = findPlace(body, POST_PLACES);
  if (!Array.isArray(place)) return readPostPlace(place, asked, at);
  const own = place.find((one) => {
    const result = valueAt(one, ['result']);
    const tweet = valueAt(result, ['tweet']) ?? result;
    return (valueAt(one, ['rest_id']) ?? valueAt(tweet, ['rest_id'])) === asked;
  });
  // An unavailable post carries no id: it is the one asked for only when nothing else was.
  const only = place.length === 1 ? place[0] : undefined;
  if (own === undefined && only === undefined) return refuse('wrong_post', { of: place.length });
  return readPostPlace(own ?? only, asked, `${at}[]`);
}

/**
 * Reads the post `asked` out of the body of a post operation. It is `degraded` in a `TweetDetail`
 * that is served with zeros as a whole.
 * @param headers of the HTTP answer; the rate limit is told in them
 */
export function readPostPayload(
  operation: string,
  body: unknown,
  asked: string,
  headers: Headers = {},
): PostRead {
  const refused = judgeBody(body, headers);
  if (refused) return refused;
  const read =
    operation === 'TweetDetail' ? readConversation(body, asked) : readPlaces(body, asked);
  return preferErrors(read, body, headers);
}

/**
 * Reads the follower count out of `UserByScreenName` or `UserResultByScreenName`.
 * @param handle the handle that was asked for; null accepts any
 */
export function readProfilePayload(
  body: unknown,
  handle: string | null,
  headers: Headers = {},
): ProfileRead {
  const refused = judgeBody(body, headers);
  if (refused) return refused;
  return preferErrors(readUserPlace(body, handle), body, headers);
}

function readUserPlace(body: unknown, handle: string | null): ProfileRead {
  const { place, at } = findPlace(body, USER_PLACES);
  const user = valueAt(place, ['result']);
  // An unknown handle is answered with nothing in the place of the user, or with no place at all.
  if (isEmptyPlace(place) || isEmptyPlace(valueAt(body, ['data']))) {
    return refuse('deleted', { missing: [`${at}.result`] });
  }
  if (valueAt(user, ['__typename']) === 'UserUnavailable') {
    return refuse('suspended', { typename: 'UserUnavailable' });
  }
  const parsed = userSchema.safeParse(user);
  if (!parsed.success) {
    return refuse('shape_changed', describeIssues(parsed.error, user, `${at}.result`));
  }
  const shown = handleOf(parsed.data);
  if (handle !== null && shown !== null && shown.toLowerCase() !== handle.toLowerCase()) {
    return refuse('wrong_post', { differing: [`${at}.result.core.screen_name`] });
  }
  const followers = followersOf(parsed.data);
  if (followers === null) {
    const paths = ['relationship_counts.followers', 'legacy.followers_count'];
    return refuse('shape_changed', { missing: paths.map((path) => `${at}.result.${path}`) });
  }
  const id = parsed.data.rest_id ?? null;
  return { outcome: 'found', id, handle: shown, source: 'graphql', followers, isExact: true };
}
