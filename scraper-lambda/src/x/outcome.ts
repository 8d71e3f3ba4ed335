/**
 * What reading X can give, as values: the numbers, or a typed refusal. Also the meaning of what X
 * says when it does not serve a post: HTTP statuses, error codes, reasons and tombstones.
 */
import type {
  Evidence,
  Metrics,
  Outcome,
  Quality,
  Source,
} from '../../../shared/contracts/read.ts';

/** The user object inside a payload. Null where X did not say. */
export type Author = { id: string | null; handle: string | null; followers: number | null };

/** Why there are no numbers. `retry_at` is ISO 8601, given when X said until when it refuses. */
export type Refusal = {
  outcome: Exclude<Outcome, 'found' | 'released'>;
  retry_at?: string;
  evidence?: Evidence;
};

/**
 * The numbers of one post, and the author as the same payload shows them. Evidence, where there is
 * any: `edited_to`, the id under which X shows the post since it was edited, and `bounds`, the
 * lowest and highest value that each rounded number may stand for (the number itself is the lowest).
 */
export type PostFound = {
  outcome: 'found';
  id: string;
  source: Source;
  quality: Quality;
  metrics: Metrics;
  author: Author | null;
  evidence?: Evidence;
};
export type PostRead = PostFound | Refusal;

/**
 * The follower count of one account. When it is not exact, X showed it abbreviated: the number is
 * the lowest that it may be, and the evidence has the `bounds`.
 */
type ProfileFound = {
  outcome: 'found';
  /** X's id of the user; null where the page did not tell it. */
  id: string | null;
  handle: string | null;
  source: Source;
  followers: number;
  isExact: boolean;
  evidence?: Evidence;
};
export type ProfileRead = ProfileFound | Refusal;

/** What an HTTP answer carries beside its JSON. Header names are lower case. */
export type HttpAnswer = { status: number; headers: Record<string, string>; body: string };

export function refuse(outcome: Refusal['outcome'], evidence?: Evidence): Refusal {
  return evidence === undefined ? { outcome } : { outcome, evidence };
}

const CODE_OUTCOMES: Record<number, Refusal['outcome']> = {
  29: 'transient',
  32: 'session_invalid',
  50: 'deleted',
  63: 'suspended',
  64: 'session_invalid',
  89: 'session_invalid',
  130: 'transient',
  131: 'transient',
  144: 'deleted',
  179: 'restricted',
  326: 'session_invalid',
  353: 'session_invalid',
};

/** X's own code for "rate limit exceeded"; it also answers with it for a banned session. */
const RATE_LIMIT_CODE = 88;

function rateLimit(headers: Record<string, string>, evidence: Evidence): Refusal {
  const reset = headers['x-rate-limit-reset'];
  const refusal = refuse('rate_limited', evidence);
  // A reset of more than 10 digits would be milliseconds: not what X documents, so not trusted.
  if (reset !== undefined && /^\d{9,10}$/.test(reset)) {
    refusal.retry_at = new Date(Number(reset) * 1000).toISOString();
  }
  return refusal;
}

/** So many codes say enough. */
const MAX_CODES = 20;

/** The numeric `code` of the entries of a GraphQL body's `errors`. */
export function errorCodes(body: unknown): number[] {
  if (typeof body !== 'object' || body === null) return [];
  const errors = (body as { errors?: unknown }).errors;
  if (!Array.isArray(errors)) return [];
  return errors
    .map((error) => (error as { code?: unknown } | null)?.code)
    .filter((code): code is number => typeof code === 'number')
    .slice(0, MAX_CODES);
}

/**
 * What X's error codes mean, or null when none of them is known.
 * @param headers of the answer that carried them, for the rate limit
 */
export function judgeErrorCodes(codes: number[], headers: Record<string, string>): Refusal | null {
  const evidence = { codes };
  if (codes.includes(RATE_LIMIT_CODE)) {
    const remaining = headers['x-rate-limit-remaining'];
    return remaining !== undefined && Number(remaining) > 0
      ? refuse('session_invalid', { ...evidence, remaining: Number(remaining) })
      : rateLimit(headers, evidence);
  }
  for (const code of codes) {
    const outcome = CODE_OUTCOMES[code];
    if (outcome) return refuse(outcome, evidence);
  }
  return null;
}

/** Cloudflare's own pages, which stand in front of X's. */
function isCloudflarePage(text: string): boolean {
  return /Attention Required! \| Cloudflare|Just a moment\.\.\.|cf-error-details/.test(text);
}

/**
 * What an HTTP answer means before its JSON is looked at, or null when it is worth parsing.
 * @param body the parsed JSON of the answer, undefined when it is not JSON
 */
export function judgeHttp(answer: HttpAnswer, body: unknown): Refusal | null {
  const { status, headers } = answer;
  const evidence = { status };
  if (isCloudflarePage(answer.body)) return refuse('blocked', evidence);
  const byCode = judgeErrorCodes(errorCodes(body), headers);
  if (status === 429) return byCode ?? rateLimit(headers, evidence);
  if (status === 200) return null;
  if (byCode) return byCode;
  if (status === 404 && answer.body.trim() === '') return refuse('login_required', evidence);
  if (status === 401) return refuse('session_invalid', evidence);
  if (status === 403) return refuse('blocked', evidence);
  if (status >= 500) return refuse('transient', evidence);
  return refuse('shape_changed', { ...evidence, codes: errorCodes(body) });
}

const RESTRICTED_REASONS = /^(Protected|Nsfw\w*|Blocked|BlockedBy|ExclusiveTweet)$/;

/** What the `reason` of a `TweetUnavailable` means. An unknown reason is an unknown shape. */
export function judgeUnavailable(reason: unknown): Refusal {
  const evidence = { reason: typeof reason === 'string' ? reason.slice(0, 60) : typeof reason };
  if (reason === 'Suspended') return refuse('suspended', evidence);
  if (reason === 'Deleted') return refuse('deleted', evidence);
  if (typeof reason === 'string' && RESTRICTED_REASONS.test(reason)) {
    return refuse('restricted', evidence);
  }
  return refuse('shape_changed', evidence);
}

// The order matters: "from an account that no longer exists" must not read as a deleted post.
const TOMBSTONES: [RegExp, Refusal['outcome']][] = [
  [/suspended account|account is suspended|account that no longer exists/i, 'suspended'],
  [/deleted by the (Post|Tweet) author|violated the (X|Twitter) Rules/i, 'deleted'],
  [/limits who can (view|see)|age-restricted|sensitive|subscribers|unable to view/i, 'restricted'],
  [/(Post|Tweet) is unavailable/i, 'restricted'],
];

/** What the text of a tombstone means. The text itself is never kept. */
export function judgeTombstone(text: string | null): Refusal {
  for (const [pattern, outcome] of TOMBSTONES) {
    if (text !== null && pattern.test(text)) return refuse(outcome, { tombstone: outcome });
  }
  return refuse('shape_changed', { tombstone: 'unknown', length: text?.length ?? 0 });
}
