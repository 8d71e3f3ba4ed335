import { z } from 'zod';
import {
  decisionIdSchema,
  dimensionValuesSchema,
  handleSchema,
  momentSchema,
  postIdSchema,
  postKindSchema,
} from './identifiers.ts';

/** What a bot sends before it writes. */
export const recommendRequestSchema = z.strictObject({
  account: handleSchema,
  n: z.int().min(1).max(20).default(1),
  kind: postKindSchema.default('single'),
  now: momentSchema.optional(),
});
export type RecommendRequest = z.infer<typeof recommendRequestSchema>;

export const policySchema = z.enum(['uniform', 'thompson_joint']);
export type Policy = z.infer<typeof policySchema>;

/**
 * One decision. `propensity` is the exact probability of this combination given its slate:
 * its multiplicity among the slate's draws, divided by their number. `model_version` is that of the
 * model it was drawn from, null for a uniform draw. `prompt` is a block for the writer: what to
 * write, and, if `prompted`, the evidence for and against the values known so far.
 */
export const decisionSchema = z.object({
  decision_id: decisionIdSchema,
  dimensions: dimensionValuesSchema,
  propensity: z.number().gt(0).max(1),
  policy: policySchema,
  model_version: z.int().nonnegative().nullable(),
  prompted: z.boolean(),
  prompt: z.string(),
});
export type Decision = z.infer<typeof decisionSchema>;

/** A post that is likely to pass `threshold` impressions at 48 h, which one in twenty passes. */
export const risingPostSchema = z.object({
  post_id: postIdSchema,
  probability: z.number().min(0).max(1),
  threshold: z.number(),
  since: momentSchema,
});
export type RisingPost = z.infer<typeof risingPostSchema>;

export const recommendReplySchema = z.object({
  account: handleSchema,
  /** The most likely first. */
  rising: z.array(risingPostSchema),
  decisions: z.array(decisionSchema),
});
export type RecommendReply = z.infer<typeof recommendReplySchema>;
