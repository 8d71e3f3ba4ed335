/**
 * Reads X's GraphQL payloads: pure functions from a parsed JSON body to numbers or a typed refusal.
 * A count that X did not send is null, never 0, and ids stay text from end to end.
 */
import type { Metrics } from '../../../shared/contracts/read.ts';
import {
  type Author,
  errorCodes,
  judgeErrorCodes,
  judgeTombstone,
  judgeUnavailable,
  type PostRead,
  type ProfileRead,
  type Refusal,
  refuse,
} from './outcome.ts';
import {
  describeIssues,
  followersOf,
  handleOf,
  tweetSchema,
  userSchema,
  valueAt,
} from './shapes.ts';
import { collectItems, findInstructions } from './timeline.ts';

export type Headers = Record<string, string>;

const POST_OPERATIONS = new Set([
  'TweetDetail',
  'TweetResultByRestId',
  'TweetResultsByRestIds',
  'TweetResultById',
  'TweetResultsByIds',
]);
const PROFILE_OPERATIONS = new Set(['UserByScreenName', 'UserResultByScreenName']);

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

/** `{}` is how X says that there is nothing; a place with other keys has moved its result. */
function isEmptyPlace(place: unknown): boolean {
  return typeof place === 'object' && place !== null && Object.keys(place).length === 0;
}

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

  const parsed = tweetSchema.safeParse(tweet);
  if (!parsed.success) return refuse('shape_changed', describeIssues(parsed.error, tweet, path));
  const { rest_id, legacy, views, view_count_info, ext_views } = parsed.data;
  if (asked !== null && (rest_id !== asked || (legacy.id_str ?? asked) !== asked)) {
    return refuse('wrong_post', { read: rest_id });
  }
  // The wrapper of a retweet shows the original's retweets and 0 likes: numbers of no post.
  if (valueAt(tweet, ['legacy', 'retweeted_status_result']) !== undefined) {
    return refuse('wrong_post', { read: rest_id, retweet: true });
  }
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
  };
}

/**
 * What the body's errors say where there is nothing to read; null when it has no errors. Errors
 * without a code, such as `DeadlineExceeded`, are X's own trouble and say nothing of the post.
 */
function judgeErrors(body: unknown, headers: Headers): Refusal | null {
  const errors = valueAt(body, ['errors']);
  if (!Array.isArray(errors) || errors.length === 0) return null;
  const codes = errorCodes(body);
  if (codes.length === 0) return refuse('transient', { errors: errors.length });
  return judgeErrorCodes(codes, headers) ?? refuse('shape_changed', { codes });
}

/** What a body means before its post or user is looked for; null when it has data to look into. */
export function judgeBody(body: unknown, headers: Headers): Refusal | null {
  const errors = judgeErrors(body, headers);
  const data = valueAt(body, ['data']);
  if (typeof data !== 'object' || data === null) {
    return errors ?? refuse('shape_changed', { missing: ['data'] });
  }
  const isEmpty = Object.keys(data).length === 0;
  return errors && (isEmpty || errors.outcome === 'rate_limited') ? errors : null;
}

/** Where nothing stands beside an error, the error is what it means. */
function preferErrors<Read extends PostRead | ProfileRead>(
  read: Read,
  body: unknown,
  headers: Headers,
): Read | Refusal {
  return read.outcome === 'deleted' ? (judgeErrors(body, headers) ?? read) : read;
}

/** The entry `tweet-<id>` alone is the focal post: the others are its parents, replies and ads. */
function readFocalEntry(body: unknown, asked: string): PostRead {
  const at = 'data.threaded_conversation_with_injections_v2';
  const items = collectItems(findInstructions(valueAt(body, ['data'])));
  const focal = items.find((item) => item.entryId === `tweet-${asked}`);
  if (focal) {
    return readPostPlace(focal.place, asked, `${at}.entries[tweet-${asked}].tweet_results`);
  }
  const other = items.find((item) => /^tweet-\d+$/.test(item.entryId));
  return other
    ? refuse('wrong_post', { read: other.entryId.slice('tweet-'.length) })
    : refuse('shape_changed', { missing: [`${at}.instructions.entries[tweet-${asked}]`] });
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
 * Reads the post `asked` out of the body of a post operation.
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
  const read = operation === 'TweetDetail' ? readFocalEntry(body, asked) : readPlaces(body, asked);
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
  return { outcome: 'found', handle: shown, source: 'graphql', followers };
}
