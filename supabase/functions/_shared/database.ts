/** Checked calls of the database's functions. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { z } from 'zod';
import { checkAnswer, type Database, PostloopError } from './contracts.ts';

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
  const called = checkAnswer(await database.rpc(name, args as never), replySchema);
  if (called.code === 'replied') return called.reply;
  if (called.code === 'reply_unknown') {
    throw new PostloopError(
      500,
      'database_reply_unknown',
      `${name} answered in a shape this version does not know. Deploy functions and migrations together.`,
      { function: name, issues: called.issues },
    );
  }
  const { code, message, hint } = called.error;
  if (called.code === 'unreachable') {
    throw new PostloopError(
      503,
      'database_unreachable',
      `${name} did not reach the database: ${message}. See that the project is not paused and its database is up, then try again.`,
      { function: name, code },
    );
  }
  throw new PostloopError(
    500,
    'database_error',
    `${name} failed: ${message}. Check that every migration is applied (supabase db push).`,
    { function: name, code, hint },
  );
}
