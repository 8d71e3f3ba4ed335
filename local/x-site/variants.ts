/** The ways in which the site refuses, each as X does it. */
import { errors, tombstone, unavailable, userUnavailable } from './payloads.ts';

const VARIANTS = [
  'deleted',
  'deleted-empty',
  'deleted-tombstone',
  'suspended',
  'suspended-tombstone',
  'protected',
  'nsfw-logged-out',
  'nsfw-no-age',
  'blocked-by-author',
  'exclusive',
  'rate-limited',
  'rate-limited-code',
  'session-banned',
  'session-locked',
  'cookies-bad',
  'login-wall',
  'guest-refused',
  'cloudflare',
  'script-shell',
  'server-error',
  'broken-shape',
  'wrong-post',
  'retweet-wrapper',
  'with-visibility',
  'views-absent',
  'degraded-zeros',
  'ext-views',
  'dom-only',
  'dom-only-ja',
  'dom-only-tr',
  'silent',
  'slow',
] as const;

/** One way in which the site deviates from serving the numbers plainly. */
export type Variant = (typeof VARIANTS)[number];

export const isVariant = (text: string): text is Variant =>
  (VARIANTS as readonly string[]).includes(text);

/** An HTTP answer of the GraphQL endpoint. */
export type Answer = { status: number; headers?: Record<string, string>; body: string };

export const json = (
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(body),
});

/** The end of the rate-limit window that the site tells, as X tells it: epoch seconds. */
export const RATE_LIMIT_RESET = 1_790_000_000;

/** The headers with which X tells how much of an operation is left, and until when. */
export const limitHeaders = (limit: number, remaining: number, reset: number) => ({
  'x-rate-limit-limit': String(limit),
  'x-rate-limit-remaining': String(remaining),
  'x-rate-limit-reset': String(reset),
});

const limit = (remaining: number) => limitHeaders(50, remaining, RATE_LIMIT_RESET);

/** What stands in `result` in place of a post. */
const RESULTS: Partial<Record<Variant, unknown>> = {
  'deleted-tombstone': tombstone('This Post was deleted by the Post author. Learn more'),
  suspended: unavailable('Suspended'),
  'suspended-tombstone': tombstone('This Post is from a suspended account. Learn more'),
  protected: unavailable('Protected'),
  'nsfw-logged-out': unavailable('NsfwLoggedOut'),
  'nsfw-no-age': unavailable('NsfwViewerHasNoStatedAge'),
  'blocked-by-author': unavailable('Blocked'),
  exclusive: unavailable('ExclusiveTweet'),
};

export const refusedResult = (variant: Variant): unknown => RESULTS[variant];

export const refusedUser = (variant: Variant): unknown =>
  variant === 'suspended' ? userUnavailable() : undefined;

/** The whole answer of the GraphQL endpoint where a variant refuses below the payload. */
export function refusedAnswer(variant: Variant): Answer | null {
  switch (variant) {
    case 'deleted':
      return json({ ...errors(144), data: {} });
    case 'rate-limited':
      return { status: 429, headers: limit(0), body: 'Rate limit exceeded\n' };
    case 'rate-limited-code':
      return json(errors(88), 429, limit(0));
    case 'session-banned':
      return json(errors(88), 429, limit(37));
    case 'session-locked':
      return json(errors(326), 403);
    case 'cookies-bad':
      return json(errors(32), 401);
    case 'guest-refused':
      return { status: 404, body: '' };
    case 'server-error':
      return { status: 503, headers: { 'content-type': 'text/plain' }, body: 'Over capacity' };
    default:
      return null;
  }
}
