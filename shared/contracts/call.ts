/** One checked call of a database function, for the edge functions, the scraper and the doctor. */
import type { z } from 'zod';

/** What PostgREST, or a client of it, answers a call. `status` is 0 when nothing answered. */
type Answer = {
  status: number;
  data: unknown;
  error: { code?: string | undefined; message: string; hint?: string | null } | null;
};

/** The call came to nothing: no database answered, or the database refused or raised. */
export type FailedCall = {
  code: 'unreachable' | 'failed';
  status: number;
  error: NonNullable<Answer['error']>;
};

/** The reply is not what the code was written for: database and code differ in version. */
export type UnknownReply = {
  code: 'reply_unknown';
  reply: unknown;
  issues: z.core.$ZodIssue[];
};

/** What a call came to. A reply is never trusted before its schema has read it. */
export type Called<Reply> = { code: 'replied'; reply: Reply } | FailedCall | UnknownReply;

/** Judges the answer of a call, and reads its reply. */
export function checkAnswer<Schema extends z.ZodType>(
  { status, data, error }: Answer,
  replySchema: Schema,
): Called<z.infer<Schema>> {
  if (error)
    return { code: isUnreachable(status, error.code) ? 'unreachable' : 'failed', status, error };
  const reply = replySchema.safeParse(data);
  if (reply.success) return { code: 'replied', reply: reply.data };
  return { code: 'reply_unknown', reply: data, issues: reply.error.issues };
}

/**
 * Whether no database answered: the request came to nothing (status 0), a gateway or PostgREST says
 * so (502 and above), or Postgres itself was about to end the connection or had none to give.
 */
function isUnreachable(status: number, code: string | undefined): boolean {
  const isSqlState = /^[0-9A-Z]{5}$/.test(code ?? '');
  return isSqlState ? /^(08|53300|57P0)/.test(code ?? '') : status === 0 || status >= 502;
}
