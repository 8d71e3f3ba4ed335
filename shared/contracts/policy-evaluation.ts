import { z } from 'zod';
import { handleSchema, momentSchema } from './identifiers.ts';

/**
 * `best_of_slate` takes of each slate what the present kind of model expects most of. `uniform`
 * chooses at random among all values in use.
 */
const targetPolicySchema = z.enum(['best_of_slate', 'uniform']);

/** Which policy is judged, and by which decisions: those made since a moment, all without one. */
export const policyEvaluationRequestSchema = z.strictObject({
  account: handleSchema,
  policy: targetPolicySchema.default('best_of_slate'),
  since: momentSchema.optional(),
  now: momentSchema.optional(),
});
export type PolicyEvaluationRequest = z.infer<typeof policyEvaluationRequestSchema>;

const figure = z.number().nullable();

/**
 * What a policy would have earned, as the mean reward of a post. `snips` and `dr` reweigh what was
 * decided; `model` is the mean reward less what the choices gained by the additive model;
 * `uniform_draws` is the mean reward of the decisions that were drawn uniformly. The figures are null
 * where `refused` says why there are none.
 */
const policyEstimateSchema = z.object({
  method: z.enum(['snips', 'dr', 'model', 'uniform_draws']),
  estimate: figure,
  standard_error: figure,
  low_90: figure,
  high_90: figure,
  /** Decisions that it rests on. */
  decisions: z.int().nonnegative(),
  /** How many decisions under the judged policy they are worth; null for `model`. */
  effective_n: figure,
  /** Near 1 where the logged propensities are right; null for what is not reweighed. */
  mean_weight: figure,
  /** The mean weight says that the logged propensities are wrong. */
  weight_alarm: z.boolean(),
  refused: z.enum(['effective_sample_too_small', 'values_never_drawn']).nullable(),
});
export type PolicyEstimate = z.infer<typeof policyEstimateSchema>;

export const policyEvaluationReplySchema = z.object({
  account: handleSchema,
  policy: targetPolicySchema,
  since: momentSchema.nullable(),
  as_of: momentSchema,
  /** Mean reward of the decisions as they were made; null below two. */
  logged: z
    .object({
      decisions: z.int(),
      mean: z.number(),
      standard_error: z.number(),
      low_90: z.number(),
      high_90: z.number(),
    })
    .nullable(),
  estimates: z.array(policyEstimateSchema),
});
export type PolicyEvaluationReply = z.infer<typeof policyEvaluationReplySchema>;
