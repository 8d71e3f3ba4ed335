/** Refusals that several functions give in the same words. */
import { PostloopError } from './contracts.ts';

export function accountUnknown(handle: string | undefined): PostloopError {
  return new PostloopError(
    404,
    'account_unknown',
    `No account ${handle} is tracked. Add it: select register_x_account('${handle}', '{"tone": ["…"]}');`,
  );
}
