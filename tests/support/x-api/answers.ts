/** What the stand-in of X's API v2 answers: bodies of the shape that X documents. */

import { userIdOf } from '../../../local/x-site/payloads.ts';
import { snowflakeTime } from '../../../shared/snowflake.ts';

/** The counts of one post. `profileClicks` and `linkClicks` are for its author alone. */
export type ApiPost = {
  handle: string;
  likes: number;
  retweets: number;
  replies: number;
  quotes: number;
  bookmarks: number;
  impressions: number;
  profileClicks: number;
  linkClicks: number;
  isRetweet?: boolean;
  /** All ids of an edited post, oldest first. */
  edits?: string[];
};

/** Why the API does not give a post or user. */
export type Problem = 'not-found' | 'not-authorized' | 'suspended';

/** Asked at every request, so the numbers may grow from one to the next; null does not exist. */
export type ApiNumbers = {
  post(id: string): ApiPost | Problem | null;
  account(handle: string): { followers: number } | Problem | null;
};

export type ApiAnswer = { status: number; headers?: Record<string, string>; body: unknown };

/** X tells non-public metrics for so long after a post, in milliseconds. */
const NON_PUBLIC_MS = 30 * 24 * 3_600_000;
const IDS_PER_REQUEST = 100;
const NO_FOLLOWERS = { followers: 0 };

const PROBLEMS_URI = 'https://api.x.com/2/problems';

/** A refusal of a whole request, as `application/problem+json`. */
export function problem(status: number, title: string, type = 'about:blank'): ApiAnswer {
  return { status, body: { title, type, status, detail: title } };
}

function invalidRequest(parameter: string, values: string[]): ApiAnswer {
  const title = 'Invalid Request';
  return {
    status: 400,
    body: {
      errors: [{ parameters: { [parameter]: values }, message: `\`${parameter}\` is not valid` }],
      title,
      detail: 'One or more parameters to your request was invalid.',
      type: `${PROBLEMS_URI}/invalid-request`,
    },
  };
}

/** One entry of `errors` about a post or user; X calls a suspended user "not found" as well. */
function resourceProblem(why: Problem, resource: 'tweet' | 'user', parameter: string, id: string) {
  const about = { value: id, resource_id: id, resource_type: resource, parameter, section: 'data' };
  if (why === 'not-authorized') {
    return {
      ...about,
      title: 'Authorization Error',
      detail: `Sorry, you are not authorized to see the ${resource} with ${parameter}: [${id}].`,
      type: `${PROBLEMS_URI}/not-authorized-for-resource`,
    };
  }
  return {
    ...about,
    title: why === 'suspended' ? 'Forbidden' : 'Not Found Error',
    detail:
      why === 'suspended'
        ? `User has been suspended: [${id}].`
        : `Could not find ${resource} with ${parameter}: [${id}].`,
    type: `${PROBLEMS_URI}/resource-not-found`,
  };
}

function fieldProblem(field: string, id: string) {
  return {
    resource_type: 'tweet',
    field,
    parameter: 'ids',
    resource_id: id,
    title: 'Field Authorization Error',
    section: 'data',
    detail: `Sorry, you are not authorized to access '${field}' on the Tweet with ids : [${id}].`,
    value: id,
    type: `${PROBLEMS_URI}/not-authorized-for-field`,
  };
}

const listOf = (query: URLSearchParams, name: string): string[] =>
  (query.get(name) ?? '').split(',').filter((one) => one !== '');

/**
 * `GET /2/tweets`.
 * @param viewer the handle whose token asks; null for a token of an app
 * @param now the moment by which the age of a post is told
 */
export function answerPosts(
  numbers: ApiNumbers,
  query: URLSearchParams,
  viewer: string | null,
  now: Date,
): ApiAnswer {
  const ids = listOf(query, 'ids');
  const isValid = ids.every((id) => /^\d{1,19}$/.test(id));
  if (ids.length === 0 || ids.length > IDS_PER_REQUEST || !isValid) {
    return invalidRequest('ids', ids);
  }
  const fields = new Set(listOf(query, 'tweet.fields'));
  const data: object[] = [];
  const errors: object[] = [];
  const authors = new Set<string>();
  for (const id of ids) {
    const post = numbers.post(id) ?? 'not-found';
    if (typeof post === 'string') {
      errors.push(resourceProblem(post, 'tweet', 'ids', id));
      continue;
    }
    const age = now.getTime() - (snowflakeTime(id)?.getTime() ?? 0);
    const isTold = viewer?.toLowerCase() === post.handle.toLowerCase() && age < NON_PUBLIC_MS;
    if (fields.has('non_public_metrics') && !isTold) {
      errors.push(
        fieldProblem('non_public_metrics.impression_count', id),
        fieldProblem('non_public_metrics.user_profile_clicks', id),
      );
      continue;
    }
    authors.add(post.handle);
    data.push(postBody(id, post, fields));
  }
  const wantsUsers = listOf(query, 'expansions').includes('author_id');
  const userFields = new Set(listOf(query, 'user.fields'));
  const users = [...authors].map((handle) => {
    const account = numbers.account(handle);
    const known = typeof account === 'object' && account !== null ? account : NO_FOLLOWERS;
    return userBody(handle, known, userFields);
  });
  return {
    status: 200,
    body: {
      ...(data.length > 0 ? { data } : {}),
      ...(wantsUsers && users.length > 0 ? { includes: { users } } : {}),
      ...(errors.length > 0 ? { errors } : {}),
    },
  };
}

function postBody(id: string, post: ApiPost, fields: Set<string>): object {
  const all = {
    author_id: userIdOf(post.handle),
    created_at: snowflakeTime(id)?.toISOString(),
    public_metrics: {
      retweet_count: post.retweets,
      reply_count: post.replies,
      like_count: post.likes,
      quote_count: post.quotes,
      bookmark_count: post.bookmarks,
      impression_count: post.impressions,
    },
    non_public_metrics: {
      impression_count: post.impressions,
      url_link_clicks: post.linkClicks,
      user_profile_clicks: post.profileClicks,
    },
    referenced_tweets: post.isRetweet ? [{ type: 'retweeted', id: '1' }] : undefined,
  };
  return {
    id,
    text: 'redacted',
    edit_history_tweet_ids: post.edits ?? [id],
    ...Object.fromEntries(Object.entries(all).filter(([name]) => fields.has(name))),
  };
}

function userBody(handle: string, { followers }: { followers: number }, fields: Set<string>) {
  const metrics = {
    followers_count: followers,
    following_count: 80,
    tweet_count: 340,
    listed_count: 2,
    like_count: 12,
  };
  return {
    id: userIdOf(handle),
    name: handle,
    username: handle,
    ...(fields.has('public_metrics') ? { public_metrics: metrics } : {}),
  };
}

/** `GET /2/users/by/username/:handle`. */
export function answerUser(numbers: ApiNumbers, handle: string, query: URLSearchParams): ApiAnswer {
  const account = numbers.account(handle) ?? 'not-found';
  if (typeof account === 'string') {
    return {
      status: 200,
      body: { errors: [resourceProblem(account, 'user', 'username', handle)] },
    };
  }
  const fields = new Set(listOf(query, 'user.fields'));
  return { status: 200, body: { data: userBody(handle, account, fields) } };
}
