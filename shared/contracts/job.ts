import { z } from 'zod';
import { momentSchema } from './identifiers.ts';

export const jobNameSchema = z.enum(['scraper', 'attribution', 'learning', 'health', 'cleanup']);
export type JobName = z.infer<typeof jobNameSchema>;

/** The body of a job call. `now` replays the job as of that moment. */
export const jobRequestSchema = z.strictObject({
  now: momentSchema.optional(),
});
export type JobRequest = z.infer<typeof jobRequestSchema>;

/** A learning call may also name accounts to recompute whether or not they changed. */
export const learningRequestSchema = jobRequestSchema.extend({
  account_ids: z.array(z.int().positive()).max(1000).optional(),
});
export type LearningRequest = z.infer<typeof learningRequestSchema>;

export const runStatusSchema = z.enum(['running', 'succeeded', 'partial', 'failed']);
export type RunStatus = z.infer<typeof runStatusSchema>;

/** How much of what a job expected it did; done + failed + all skipped = expected. */
export const tallySchema = z.object({
  expected: z.int().nonnegative(),
  done: z.int().nonnegative(),
  skipped: z.record(z.string(), z.int().nonnegative()),
  failed: z.int().nonnegative(),
});
export type Tally = z.infer<typeof tallySchema>;

export const jobReplySchema = tallySchema.extend({
  run_id: z.uuid(),
  job: jobNameSchema,
  status: runStatusSchema,
  as_of: momentSchema,
  details: z.record(z.string(), z.unknown()),
});
export type JobReply = z.infer<typeof jobReplySchema>;
