/** Says what another policy would have earned on the decisions that an account has posted. */
import type { PolicyEvaluationReply, PolicyEvaluationRequest } from '../_shared/contracts.ts';
import { callDatabase, type DatabaseClient } from '../_shared/database.ts';
import { evaluatePolicy, loggedSlatesSchema } from '../_shared/evaluation.ts';
import type { Reply } from '../_shared/http.ts';
import { accountUnknown } from '../_shared/refusals.ts';
import { momentOf } from '../_shared/run.ts';

/** What two seconds of CPU are enough for; the newest count. */
const MOST_DECISIONS = 5000;

/**
 * 200 with the estimates, those that the log is too small for refused. Writes nothing.
 *
 * @throws PostloopError 404 account_unknown
 */
export async function evaluate(
  body: PolicyEvaluationRequest,
  database: DatabaseClient,
): Promise<Reply> {
  const now = momentOf(body);
  const log = await callDatabase(
    database,
    'logged_slates',
    {
      p_account: body.account,
      p_since: body.since ?? '-infinity',
      p_now: now,
      p_limit: MOST_DECISIONS,
    },
    loggedSlatesSchema,
  );
  if (log.code === 'account_unknown') throw accountUnknown(body.account);
  const reply: PolicyEvaluationReply = {
    account: log.handle,
    policy: body.policy,
    since: body.since ?? null,
    as_of: now,
    ...evaluatePolicy(log, body.policy),
  };
  return { status: 200, body: reply };
}
