import { z } from 'zod';
import {
  decisionIdSchema,
  dimensionValuesSchema,
  handleSchema,
  momentSchema,
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

export const policySchema = z.enum(['uniform', 'thompson_marginal']);
export type Policy = z.infer<typeof policySchema>;

/**
 * One decision. `propensity` is the exact probability of this combination given its slate:
 * its multiplicity among the slate's draws, divided by their number. `prompt` is a block for the
 * writer: what to write, and the evidence for and against the values known so far.
 */
export const decisionSchema = z.object({
  decision_id: decisionIdSchema,
  dimensions: dimensionValuesSchema,
  propensity: z.number().gt(0).max(1),
  policy: policySchema,
  prompt: z.string(),
});
export type Decision = z.infer<typeof decisionSchema>;

export const recommendReplySchema = z.object({
  account: handleSchema,
  decisions: z.array(decisionSchema),
});
export type RecommendReply = z.infer<typeof recommendReplySchema>;
