/** Draws decisions from what an account has learned, and logs each with its exact propensity. */
import { z } from 'zod';
import {
  drawSlate,
  PostloopError,
  promptBlock,
  type RecommendReply,
  type RecommendRequest,
  recommendationInputsSchema,
} from '../_shared/contracts.ts';
import { callDatabase, type DatabaseClient } from '../_shared/database.ts';
import type { Reply } from '../_shared/http.ts';
import { momentOf } from '../_shared/run.ts';

/**
 * 200 with n decisions, each stored before it is answered.
 *
 * @throws PostloopError 404 account_unknown, 422 vocabulary_empty
 */
export async function recommend(body: RecommendRequest, database: DatabaseClient): Promise<Reply> {
  const inputs = await callDatabase(
    database,
    'recommendation_inputs',
    { p_account: body.account },
    recommendationInputsSchema,
  );
  if (inputs.code === 'account_unknown') {
    throw new PostloopError(
      404,
      'account_unknown',
      `No account ${body.account} is tracked. Add it: select register_account('${body.account}', '{"tone": ["…"]}');`,
    );
  }

  const drawn = Array.from({ length: body.n }, () => {
    const decisionId = crypto.randomUUID();
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    return { decisionId, draw: drawSlate(inputs, { seed }) };
  });
  const stored = await callDatabase(
    database,
    'store_decisions',
    {
      p_account_id: inputs.account_id,
      p_now: momentOf(body),
      p_decisions: drawn.map(({ decisionId, draw }) => ({
        decision_id: decisionId,
        kind: body.kind,
        assigned: draw.assigned,
        policy: draw.policy,
        propensity: draw.propensity,
        slate: draw.slate,
        rng_seed: draw.rngSeed,
      })),
    },
    z.object({ stored: z.int() }),
  );
  if (stored.stored !== drawn.length) {
    throw new PostloopError(
      500,
      'decisions_not_stored',
      'Not every decision was stored. Ask again.',
    );
  }

  const reply: RecommendReply = {
    account: inputs.handle,
    decisions: drawn.map(({ decisionId, draw }) => ({
      decision_id: decisionId,
      dimensions: draw.assigned,
      propensity: draw.propensity,
      policy: draw.policy,
      prompt: promptBlock(inputs, draw.assigned),
    })),
  };
  return { status: 200, body: reply };
}
