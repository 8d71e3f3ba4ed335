/** One call of the project's database. */
import type { z } from 'zod';
import {
  type Called,
  checkAnswer,
  type FailedCall,
  type UnknownReply,
} from '../../../shared/contracts/call.ts';
import type { Database } from '../../../shared/database/types.ts';
import type { ProjectClient } from './client.ts';

type Functions = Database['public']['Functions'];

/** How long one call may take, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Calls a database function and reads its reply; what failed is a value too. */
export async function callProject<Name extends keyof Functions & string, Schema extends z.ZodType>(
  client: ProjectClient,
  name: Name,
  args: Functions[Name]['Args'],
  replySchema: Schema,
): Promise<Called<z.infer<Schema>>> {
  const call = client.rpc(name, args as never).abortSignal(AbortSignal.timeout(PATIENCE_MS));
  return checkAnswer(await call, replySchema);
}

/** Why a call has no reply, for a message; never the reply itself. */
export function reasonOf(called: FailedCall | UnknownReply): string {
  if (called.code === 'reply_unknown') {
    return `another shape: ${called.issues.map((issue) => issue.path.join('.')).join(', ')}`;
  }
  return `${called.error.code || 'no code'}: ${called.error.message}`;
}
