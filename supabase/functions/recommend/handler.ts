/** Draws decisions from what an account has learned, and logs each with its exact propensity. */
import { z } from 'zod';
import {
  PostloopError,
  type RecommendReply,
  type RecommendRequest,
  risingPostSchema,
} from '../_shared/contracts.ts';
import { callDatabase, type DatabaseClient } from '../_shared/database.ts';
import type { Reply } from '../_shared/http.ts';
import {
  type DrawnDecision,
  decide,
  type RecommendationInputs,
  recommendationInputsSchema,
  risingBlock,
} from '../_shared/learning.ts';
import { accountUnknown } from '../_shared/refusals.ts';
import { momentOf } from '../_shared/run.ts';

/**
 * 200 with n decisions, each stored before it is answered.
 *
 * @throws PostloopError 404 account_unknown, 422 vocabulary_empty, 422 rules_unsatisfiable
 */
export async function recommend(body: RecommendRequest, database: DatabaseClient): Promise<Reply> {
  const inputs = await callDatabase(
    database,
    'recommendation_inputs',
    { p_account: body.account },
    recommendationInputsSchema,
  );
  if (inputs.code === 'account_unknown') throw accountUnknown(body.account);

  const decisions = Array.from({ length: body.n }, () => {
    const decisionId = crypto.randomUUID();
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    return { decisionId, draw: drawn(inputs, seed) };
  });
  const stored = await callDatabase(
    database,
    'store_decisions',
    {
      p_account_id: inputs.account_id,
      p_now: momentOf(body),
      p_decisions: decisions.map(({ decisionId, draw }) => ({
        decision_id: decisionId,
        kind: body.kind,
        assigned: draw.assigned,
        policy: draw.policy,
        propensity: draw.propensity,
        slate: draw.slate,
        chosen: draw.chosen,
        rng_seed: draw.rngSeed,
        model_version: draw.modelVersion,
        prompted: draw.prompted,
        control_share: inputs.control_share,
      })),
    },
    z.object({ stored: z.int(), rising: z.array(risingPostSchema) }),
  );
  if (stored.stored !== decisions.length) {
    throw new PostloopError(
      500,
      'decisions_not_stored',
      'Not every decision was stored. Ask again.',
    );
  }

  const news = risingBlock(stored.rising);
  const reply: RecommendReply = {
    account: inputs.handle,
    rising: stored.rising,
    decisions: decisions.map(({ decisionId, draw }) => ({
      decision_id: decisionId,
      dimensions: draw.assigned,
      propensity: draw.propensity,
      policy: draw.policy,
      model_version: draw.modelVersion,
      prompted: draw.prompted,
      prompt: draw.prompted && news !== '' ? `${draw.prompt}\n\n${news}` : draw.prompt,
    })),
  };
  return { status: 200, body: reply };
}

function drawn(inputs: RecommendationInputs, seed: number): DrawnDecision {
  const outcome = decide(inputs, seed);
  if (outcome.code === 'drawn') return outcome;
  const account = { account_id: inputs.account_id };
  if (outcome.code === 'vocabulary_empty') {
    throw new PostloopError(
      422,
      'vocabulary_empty',
      `Account ${inputs.handle} has no values to choose from. Add some: select register_x_account('${inputs.handle}', '{"tone": ["dry", "warm"]}'); at least two for each dimension to be learned.`,
      account,
    );
  }
  throw new PostloopError(
    422,
    'rules_unsatisfiable',
    `The rules of account ${inputs.handle} refuse every combination of its values in use. Take a rule back: select set_content_rules('${inputs.handle}', '[]'); removes all.`,
    { ...account, rules: inputs.rules },
  );
}
