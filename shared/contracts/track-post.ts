import { z } from 'zod';
import {
  countSchema,
  decisionIdSchema,
  dimensionValuesSchema,
  handleSchema,
  momentSchema,
  postIdSchema,
  postKindSchema,
} from './identifiers.ts';

/**
 * What a bot sends after it posted. Either `decision_id` (from `recommend`) or `account` names
 * whose post it is. `dimensions` overrides what the decision assigned, value by value, where the
 * text that was posted turned out otherwise. `posted_at` defaults to the time inside the post id.
 */
export const trackPostRequestSchema = z
  .strictObject({
    post_id: postIdSchema,
    decision_id: decisionIdSchema.optional(),
    account: handleSchema.optional(),
    posted_at: momentSchema.optional(),
    kind: postKindSchema.optional(),
    dimensions: dimensionValuesSchema.optional(),
    viral_score: z.number().optional(),
    now: momentSchema.optional(),
  })
  .refine((body) => body.decision_id !== undefined || body.account !== undefined, {
    message: 'send decision_id (from recommend) or account (the handle that posted)',
    path: ['decision_id'],
  });
export type TrackPostRequest = z.infer<typeof trackPostRequestSchema>;

export const trackedPostSchema = z.object({
  post_id: postIdSchema,
  account_id: z.int(),
  decision_id: decisionIdSchema.nullable(),
  posted_at: momentSchema,
  kind: postKindSchema,
  realised: dimensionValuesSchema,
  viral_score: z.number().nullable(),
  followers_before: countSchema,
});

export const scheduledReadSchema = z.object({
  phase: z.string(),
  due_at: momentSchema,
  expires_at: momentSchema,
  state: z.enum(['waiting', 'leased', 'done', 'ended', 'missed']),
});

/** 201 when the post is new, 200 when the same call was made before. */
export const trackPostReplySchema = z.object({
  code: z.enum(['created', 'linked', 'exists']),
  post: trackedPostSchema,
  collections: z.array(scheduledReadSchema),
});
