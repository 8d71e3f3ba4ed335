/** What the body of a GraphQL answer says before its post, user or timeline is looked for: pure. */
import {
  errorCodes,
  judgeErrorCodes,
  type PostRead,
  type ProfileRead,
  type Refusal,
  refuse,
} from './outcome.ts';
import { valueAt } from './payload-schemas.ts';

/** Of an HTTP answer, by lower-case name. */
export type Headers = Record<string, string>;

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
export function preferErrors<Read extends PostRead | ProfileRead>(
  read: Read,
  body: unknown,
  headers: Headers,
): Read | Refusal {
  return read.outcome === 'deleted' ? (judgeErrors(body, headers) ?? read) : read;
}
