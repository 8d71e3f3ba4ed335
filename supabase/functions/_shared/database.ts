/** Checked calls of the database's functions. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { z } from 'zod';
import { type Database, PostloopError } from './contracts.ts';

export type DatabaseClient = SupabaseClient<Database>;
type Functions = Database['public']['Functions'];

/**
 * Calls a database function and parses what it returns.
 *
 * @throws PostloopError 503 database_unreachable when no database answers, 500 database_error when
 *   the call fails, 500 database_reply_unknown when the reply is not what the code was written for
 */
export async function callDatabase<Name extends keyof Functions & string, Schema extends z.ZodType>(
  database: DatabaseClient,
  name: Name,
  args: Functions[Name]['Args'],
  replySchema: Schema,
): Promise<z.infer<Schema>> {
  const { data, error, status } = await database.rpc(name, args as never);
  if (error) {
    if (isUnreachable(status, error.code)) {
      throw new PostloopError(
        503,
        'database_unreachable',
        `${name} did not reach the database: ${error.message}. See that the project is not paused and its database is up, then try again.`,
        { function: name, code: error.code },
      );
    }
    throw new PostloopError(
      500,
      'database_error',
      `${name} failed: ${error.message}. Check that every migration is applied (supabase db push).`,
      { function: name, code: error.code, hint: error.hint },
    );
  }
  const reply = replySchema.safeParse(data);
  if (!reply.success) {
    throw new PostloopError(
      500,
      'database_reply_unknown',
      `${name} answered in a shape this version does not know. Deploy functions and migrations together.`,
      { function: name, issues: reply.error.issues },
    );
  }
  return reply.data;
}

/**
 * Whether no database answered: the request came to nothing (status 0), a gateway or PostgREST says
 * so (502 and above), or Postgres itself was about to end the connection or had none to give.
 */
function isUnreachable(status: number, code: string | undefined): boolean {
  const isSqlState = /^[0-9A-Z]{5}$/.test(code ?? '');
  return isSqlState ? /^(08|53300|57P0)/.test(code ?? '') : status === 0 || status >= 502;
}
