/** Reads the answers of X's API v2: pure functions from an HTTP answer to numbers or a refusal. */
import { z } from 'zod';
import { postIdSchema } from '../../../shared/contracts/identifiers.ts';
import {
  type Author,
  type HttpAnswer,
  judgeHttp,
  type PostRead,
  type ProfileRead,
  type Refusal,
  refuse,
} from '../x/outcome.ts';
import { count, describeIssues } from '../x/payload-schemas.ts';
import { isOfAnotherTime, newestEdit } from '../x/post-identity.ts';

/** `type` is a URI such as `https://api.x.com/2/problems/resource-not-found`. */
const problemSchema = z.object({
  type: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  value: z.string().optional(),
  resource_id: z.string().optional(),
  field: z.string().optional(),
});
type Problem = z.infer<typeof problemSchema>;

const postSchema = z.object({
  id: postIdSchema,
  author_id: z.string().optional(),
  created_at: z.string().optional(),
  referenced_tweets: z.array(z.object({ type: z.string() })).optional(),
  edit_history_tweet_ids: z.array(postIdSchema).optional(),
  public_metrics: z.object({
    like_count: count,
    retweet_count: count,
    reply_count: count,
    quote_count: count.nullish(),
    bookmark_count: count.nullish(),
    impression_count: count.nullish(),
  }),
  non_public_metrics: z
    .object({
      impression_count: count.nullish(),
      user_profile_clicks: count.nullish(),
    })
    .nullish(),
});

const userSchema = z.object({
  id: z.string(),
  username: z.string(),
  public_metrics: z.object({ followers_count: count }),
});

/** What one lookup of posts gave. */
export type PostsAnswer = {
  /** By id; a post that the answer does not speak of is a changed shape. */
  posts: Map<string, PostRead>;
  /** The authors of the posts, with their follower counts. */
  authors: Author[];
  /** Posts that were refused only because the token may not see all fields that were asked for. */
  fieldRefused: string[];
};

/** The errors beside or instead of the data; what is none of them is left out. */
function problemsOf(body: unknown): Problem[] {
  const parsed = z.object({ errors: z.array(z.unknown()) }).safeParse(body);
  const list = parsed.success ? parsed.data.errors : [body];
  return list.flatMap((one) => {
    const problem = problemSchema.safeParse(one);
    return problem.success ? [problem.data] : [];
  });
}

const nameOf = ({ type }: Problem): string => /[\w-]+$/.exec(type ?? '')?.[0] ?? 'unknown';

/** The token may see the post or user, but not a field of it. */
const isFieldRefusal = (problem: Problem): boolean =>
  /^(not-authorized-for-field|field-unauthorized)$/.test(nameOf(problem));

/**
 * What a problem with one post or user means. X calls a suspended user "not found" and tells it
 * apart in the detail alone; the detail itself is never kept.
 */
function judgeProblem(problem: Problem): Refusal {
  const name = nameOf(problem);
  const evidence = { problem: name };
  if (/suspended/i.test(problem.detail ?? '')) return refuse('suspended', evidence);
  if (name === 'resource-not-found') return refuse('deleted', evidence);
  if (name === 'not-authorized-for-resource') return refuse('restricted', evidence);
  if (name === 'disallowed-resource') return refuse('restricted', evidence);
  if (/^(resource-unavailable|internal-error|field-hydration-failure)$/.test(name)) {
    return refuse('transient', evidence);
  }
  return refuse('shape_changed', evidence);
}

/**
 * What an answer as a whole means, or null when it has posts or users, or errors about them. 401
 * and a 403 of the API itself refuse the token; one of Cloudflare is `blocked`.
 * @param body the parsed JSON of the answer, undefined when it is not JSON
 */
export function judgeAnswer(answer: HttpAnswer, body: unknown): Refusal | null {
  if (answer.status === 404) return judgeProblem(problemsOf(body)[0] ?? {});
  if (answer.status === 403 && body !== undefined) {
    return refuse('session_invalid', { status: 403, problems: problemsOf(body).map(nameOf) });
  }
  const refused = judgeHttp(answer, body);
  if (refused) {
    if (refused.outcome !== 'shape_changed') return refused;
    return refuse('shape_changed', {
      status: answer.status,
      problems: problemsOf(body).map(nameOf),
    });
  }
  return body === undefined ? refuse('transient', { bytes: answer.body.length }) : null;
}

/** Whether an answer as a whole was refused because of the fields that were asked for. */
export function isRefusedForFields({ status }: HttpAnswer, body: unknown): boolean {
  return (status === 400 || status === 403) && problemsOf(body).some(isFieldRefusal);
}

/** Reads the body of `GET /2/tweets` that was asked for `ids`. */
export function readPosts(body: unknown, ids: string[]): PostsAnswer {
  const answer: PostsAnswer = { posts: new Map(), authors: authorsOf(body), fieldRefused: [] };
  const asked = new Set(ids);
  const listed = z.object({ data: z.array(z.unknown()) }).safeParse(body);
  for (const one of listed.success ? listed.data.data : []) {
    const id = z.object({ id: postIdSchema }).safeParse(one);
    if (id.success && asked.has(id.data.id)) {
      answer.posts.set(id.data.id, readPost(one, answer.authors));
    }
  }
  const refusals = new Map<string, Problem[]>();
  for (const problem of problemsOf(body)) {
    const id = problem.resource_id ?? problem.value ?? '';
    if (!answer.posts.has(id)) refusals.set(id, [...(refusals.get(id) ?? []), problem]);
  }
  for (const id of ids) {
    if (answer.posts.has(id)) continue;
    const problems = refusals.get(id) ?? [];
    const problem = problems.find((one) => !isFieldRefusal(one));
    if (problem) answer.posts.set(id, judgeProblem(problem));
    else if (problems.length > 0) answer.fieldRefused.push(id);
    else answer.posts.set(id, refuse('shape_changed', { missing: ['data[].id'] }));
  }
  return answer;
}

/** The users beside the posts; one of another shape is left out, and its posts have no handle. */
function authorsOf(body: unknown): Author[] {
  const listed = z.object({ includes: z.object({ users: z.array(z.unknown()) }) }).safeParse(body);
  return (listed.success ? listed.data.includes.users : []).flatMap((one) => {
    const user = userSchema.safeParse(one);
    if (!user.success) return [];
    const { id, username, public_metrics } = user.data;
    return [{ id, handle: username, followers: public_metrics.followers_count }];
  });
}

function readPost(data: unknown, authors: Author[]): PostRead {
  const parsed = postSchema.safeParse(data);
  if (!parsed.success) {
    return refuse('shape_changed', describeIssues(parsed.error, data, 'data[]'));
  }
  const { id, author_id, created_at, public_metrics, non_public_metrics } = parsed.data;
  // A retweet has the original's retweets and 0 likes: numbers of no post.
  if (parsed.data.referenced_tweets?.some(({ type }) => type === 'retweeted')) {
    return refuse('wrong_post', { retweet: true });
  }
  const ids = parsed.data.edit_history_tweet_ids ?? [];
  const newest = newestEdit(ids, id);
  if (ids.length <= 1 && isOfAnotherTime(id, created_at)) {
    return refuse('wrong_post', { differing: ['data[].created_at'] });
  }
  return {
    outcome: 'found',
    id,
    source: 'api',
    quality: 'exact',
    metrics: {
      likes: public_metrics.like_count,
      retweets: public_metrics.retweet_count,
      replies: public_metrics.reply_count,
      quotes: public_metrics.quote_count ?? null,
      bookmarks: public_metrics.bookmark_count ?? null,
      impressions: public_metrics.impression_count ?? non_public_metrics?.impression_count ?? null,
      profile_clicks: non_public_metrics?.user_profile_clicks ?? null,
    },
    author:
      authors.find((author) => author.id === author_id) ??
      (author_id === undefined ? null : { id: author_id, handle: null, followers: null }),
    ...(newest === null ? {} : { evidence: { edited_to: newest } }),
  };
}

/** Reads the body of `GET /2/users/by/username/:handle`. */
export function readUser(body: unknown, handle: string): ProfileRead {
  const placed = z.object({ data: z.unknown() }).safeParse(body);
  const data = placed.success ? placed.data.data : undefined;
  if (data === undefined || data === null) {
    const problem = problemsOf(body).find(({ type }) => type !== undefined);
    return problem ? judgeProblem(problem) : refuse('shape_changed', { missing: ['data'] });
  }
  const parsed = userSchema.safeParse(data);
  if (!parsed.success) return refuse('shape_changed', describeIssues(parsed.error, data, 'data'));
  const { id, username, public_metrics } = parsed.data;
  if (username.toLowerCase() !== handle.toLowerCase()) {
    return refuse('wrong_post', { differing: ['data.username'] });
  }
  const followers = public_metrics.followers_count;
  return { outcome: 'found', id, handle: username, source: 'api', followers, isExact: true };
}
