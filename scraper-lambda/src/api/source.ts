/** Reads accounts and posts from X's API v2, without a browser. */
import { snowflakeTime } from '../../../shared/snowflake.ts';
import type { AccountAsk, AccountRead, MetricsSource, RemainingMs } from '../source.ts';
import { type HttpAnswer, type PostRead, type Refusal, refuse } from '../x/outcome.ts';
import {
  isRefusedForFields,
  judgeAnswer,
  type PostsAnswer,
  readPosts,
  readUser,
} from './payloads.ts';

/** The API takes so many ids at a time. */
const IDS_PER_REQUEST = 100;

/** X tells non-public metrics for so long after a post, in milliseconds. */
const NON_PUBLIC_MS = 30 * 24 * 3_600_000;

/** How long an answer is waited for, in milliseconds. */
const PATIENCE_MS = 15_000;

/** A request that has less time than this is not made, in milliseconds. */
const SHORTEST_PATIENCE_MS = 1_000;

const POST_FIELDS = 'public_metrics,created_at,author_id,referenced_tweets,edit_history_tweet_ids';
const NON_PUBLIC_FIELDS = `${POST_FIELDS},non_public_metrics`;

export type ApiSourceOptions = {
  /** The API, without a slash at its end: `https://api.x.com`, or a stand-in. */
  baseUrl: string;
  /**
   * A bearer token of an app, which sees public metrics, or the OAuth 2.0 token of a user, which
   * sees the non-public metrics of the user's own posts as well.
   */
  token: string;
  /** The moment by which the age of a post is told. */
  now?: () => Date;
};

/** What one request gave: a body worth reading, or why there is none. */
type Answered =
  | { body: unknown; refused: null; isForFields: false }
  | { body: null; refused: Refusal; isForFields: boolean };

/** These refuse the token: no other request would fare better. */
const TOKEN_REFUSALS = new Set(['rate_limited', 'session_invalid', 'login_required', 'blocked']);

/**
 * A source over X's API v2: up to 100 posts a request, with the follower counts of their authors.
 * Non-public metrics (profile clicks) are asked for where X may tell them, and once more without
 * them where the token may not see them; then `profile_clicks` is null.
 * @returns the source; what the API refuses is a value, the token is in none of them
 */
export function createApiSource({
  baseUrl,
  token,
  now = () => new Date(),
}: ApiSourceOptions): MetricsSource {
  const root = baseUrl.replace(/\/+$/, '');
  /** Accounts whose non-public metrics this token may not see. */
  const publicOnly = new Set<string>();

  async function ask(path: string, query: Record<string, string>, ms: number): Promise<Answered> {
    const url = `${root}${path}?${new URLSearchParams(query)}`;
    let answer: HttpAnswer;
    try {
      const response = await fetch(url, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(ms),
      });
      const headers = Object.fromEntries(response.headers);
      answer = { status: response.status, headers, body: await response.text() };
    } catch (error) {
      const refused = refuse('transient', { request: (error as Error).name });
      return { body: null, refused, isForFields: false };
    }
    const body = parseJson(answer.body);
    const refused = judgeAnswer(answer, body);
    if (refused === null) return { body, refused, isForFields: false };
    return { body: null, refused, isForFields: isRefusedForFields(answer, body) };
  }

  /** Looks up to 100 posts up; null when there is no time left for it. */
  async function lookUp(
    ids: string[],
    fields: string,
    patience: () => number | null,
  ): Promise<PostsAnswer | { refused: Refusal } | null> {
    const ms = patience();
    if (ms === null) return null;
    const query = {
      ids: ids.join(','),
      'tweet.fields': fields,
      expansions: 'author_id',
      'user.fields': 'public_metrics',
    };
    const answered = await ask('/2/tweets', query, ms);
    if (answered.refused === null) return readPosts(answered.body, ids);
    if (answered.isForFields && fields === NON_PUBLIC_FIELDS) {
      return { posts: new Map(), authors: [], fieldRefused: ids };
    }
    return { refused: answered.refused };
  }

  /** Reads posts of one account into `into`; those that X refuses a field of are asked for again. */
  async function readChunk(
    handle: string | null,
    ids: string[],
    fields: string,
    patience: () => number | null,
    into: AccountRead,
  ): Promise<void> {
    const answer = await lookUp(ids, fields, patience);
    if (answer === null) return;
    if ('refused' in answer) {
      for (const id of ids) into.posts.set(id, answer.refused);
      note(answer.refused, into);
      return;
    }
    for (const [id, read] of answer.posts) {
      into.posts.set(id, read);
      if (read.outcome === 'shape_changed') note(read, into, id);
    }
    into.profile ??= profileAmong(answer, handle);
    const again = answer.fieldRefused;
    if (again.length === 0) return;
    if (handle !== null && again.length === ids.length) publicOnly.add(handle.toLowerCase());
    if (fields === NON_PUBLIC_FIELDS) {
      await readChunk(handle, again, POST_FIELDS, patience, into);
      return;
    }
    for (const id of again) into.posts.set(id, refuse('restricted', { problem: 'field' }));
  }

  async function readAll(
    handle: string | null,
    ids: string[],
    patience: () => number | null,
    into: AccountRead,
  ): Promise<void> {
    const mayTellMore = handle === null || !publicOnly.has(handle.toLowerCase());
    const since = now().getTime() - NON_PUBLIC_MS;
    const isYoung = (id: string) => (snowflakeTime(id)?.getTime() ?? 0) > since;
    const young = mayTellMore ? ids.filter(isYoung) : [];
    const rest = ids.filter((id) => !young.includes(id));
    const chunks = [
      ...chunksOf(young).map((chunk) => ({ chunk, fields: NON_PUBLIC_FIELDS })),
      ...chunksOf(rest).map((chunk) => ({ chunk, fields: POST_FIELDS })),
    ];
    for (const { chunk, fields } of chunks) {
      if (into.exhausted) return;
      await readChunk(handle, chunk, fields, patience, into);
    }
  }

  async function readFollowers(
    handle: string,
    patience: () => number | null,
    into: AccountRead,
  ): Promise<void> {
    const ms = patience();
    if (ms === null) return;
    const path = `/2/users/by/username/${encodeURIComponent(handle)}`;
    const answered = await ask(path, { 'user.fields': 'public_metrics' }, ms);
    into.profile = answered.refused ?? readUser(answered.body, handle);
    if (into.profile.outcome !== 'found') note(into.profile, into);
  }

  return {
    async readAccount(asked: AccountAsk, remainingMs: RemainingMs): Promise<AccountRead> {
      const into = emptyRead();
      const patience = () => {
        const ms = Math.min(PATIENCE_MS, remainingMs());
        return ms < SHORTEST_PATIENCE_MS ? null : ms;
      };
      const ids = asked.posts.map(({ post_id }) => post_id);
      await readAll(asked.handle, ids, patience, into);
      if (asked.wantsFollowers && into.profile === null && !into.exhausted) {
        await readFollowers(asked.handle, patience, into);
      }
      return into;
    },
    async readPost({ id, handle }, patienceMs = PATIENCE_MS): Promise<PostRead> {
      const into = emptyRead();
      await readAll(handle, [id], () => patienceMs, into);
      return into.posts.get(id) ?? refuse('transient', { request: 'no time left' });
    },
    async close() {},
  };
}

function emptyRead(): AccountRead {
  return {
    posts: new Map(),
    profile: null,
    discovered: [],
    analytics: [],
    shapes: [],
    events: [],
    exhausted: null,
  };
}

/** What a person should know of a refusal, and whether it ends the reading. */
function note({ outcome, retry_at, evidence = {} }: Refusal, into: AccountRead, id?: string): void {
  if (TOKEN_REFUSALS.has(outcome)) into.exhausted = { retryAt: retry_at ?? null };
  if (outcome === 'shape_changed' || outcome === 'session_invalid') {
    const about = id === undefined ? {} : { post_id: id };
    into.events.push({ kind: outcome, ...about, details: { ...evidence, source: 'api' } });
  }
}

/** The follower count of the account, where it came along with one of its posts. */
function profileAmong({ authors }: PostsAnswer, handle: string | null): AccountRead['profile'] {
  for (const { id, handle: name, followers } of authors) {
    if (followers === null || name?.toLowerCase() !== handle?.toLowerCase()) continue;
    return { outcome: 'found', id, handle: name, source: 'api', followers, isExact: true };
  }
  return null;
}

function chunksOf(ids: string[]): string[][] {
  const chunks: string[][] = [];
  for (let from = 0; from < ids.length; from += IDS_PER_REQUEST) {
    chunks.push(ids.slice(from, from + IDS_PER_REQUEST));
  }
  return chunks;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
