/** From what is known of an account to its next decision. */
import { z } from 'zod';
import type { DimensionValues } from '../contracts/identifiers.ts';
import type { Policy } from '../contracts/recommend.ts';
import { jointModelSchema } from './joint-model.ts';
import { choicesBlock, promptBlock, valueEvidenceSchema } from './prompt.ts';
import { mulberry32 } from './random.ts';
import { ruleSchema } from './rules.ts';
import { drawJointSlate } from './slate.ts';

export const readyInputsSchema = z.object({
  code: z.literal('ready'),
  account_id: z.int(),
  handle: z.string(),
  finished_posts: z.int().nonnegative(),
  rules: z.array(ruleSchema),
  /** The share of decisions that are given no evidence. */
  control_share: z.number().min(0).max(0.5),
  /** Null until something was learned. */
  model: jointModelSchema.safeExtend({ version: z.int().nonnegative() }).nullable(),
  /** In the order in which a prompt names them; values without those retired. */
  dimensions: z.array(
    z.object({ dimension: z.string().min(1), values: z.array(valueEvidenceSchema) }),
  ),
});
export type RecommendationInputs = z.infer<typeof readyInputsSchema>;

/** What the SQL function `recommendation_inputs` returns. */
export const recommendationInputsSchema = z.discriminatedUnion('code', [
  readyInputsSchema,
  z.object({ code: z.literal('account_unknown') }),
]);

/**
 * A decision and all that it takes to draw it again: the seed, and the version of the model, null
 * where the model had no part in it.
 */
export type DrawnDecision = {
  policy: Policy;
  modelVersion: number | null;
  rngSeed: number;
  slate: DimensionValues[];
  chosen: number;
  assigned: DimensionValues;
  propensity: number;
  /** False for the control share: `prompt` then names the choices alone. */
  prompted: boolean;
  prompt: string;
};

/** The refusals are those of `drawJointSlate`. */
export type DecisionOutcome =
  | ({ code: 'drawn' } & DrawnDecision)
  | { code: 'vocabulary_empty' }
  | { code: 'rules_unsatisfiable' };

/** Turns a seed into that of a second sequence: 2^32 divided by the golden ratio. */
const CONTROL_SALT = 0x9e3779b9;

/**
 * Draws the next decision of an account. The same inputs and seed give the same decision.
 *
 * Whether it belongs to the control share is drawn from a sequence of its own, so that it is
 * independent of the slate and of the pick, and is known from seed and share alone.
 *
 * @param seed an integer from 0 to 2^32 - 1
 */
export function decide(inputs: RecommendationInputs, seed: number): DecisionOutcome {
  const { rules, model, finished_posts: finishedPosts } = inputs;
  const dimensions = inputs.dimensions.map(({ dimension, values }) => ({
    dimension,
    values: values.map(({ value }) => value),
  }));
  const outcome = drawJointSlate({ dimensions, rules, model }, { seed });
  if (outcome.code !== 'drawn') return outcome;
  const prompted = !isControl(seed, inputs.control_share);
  const block = prompted ? promptBlock : choicesBlock;
  return {
    ...outcome,
    modelVersion: outcome.policy === 'uniform' ? null : (model?.version ?? null),
    prompted,
    prompt: block({ finishedPosts, dimensions: inputs.dimensions }, outcome.assigned),
  };
}

/** Whether the decision of a seed is one of the control share. */
function isControl(seed: number, share: number): boolean {
  return mulberry32((seed ^ CONTROL_SALT) >>> 0)() < share;
}
