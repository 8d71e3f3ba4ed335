import { z } from 'zod';
import { momentSchema } from './identifiers.ts';

export const jobNameSchema = z.enum([
  'scraper',
  'attribution',
  'learning',
  'health',
  'cleanup',
  'watch',
  'upgrade',
]);
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

/** How much of what a job expected it did; done + failed + all skipped = expected. */
export const tallySchema = z.object({
  expected: z.int().nonnegative(),
  done: z.int().nonnegative(),
  skipped: z.record(z.string(), z.int().nonnegative()),
  failed: z.int().nonnegative(),
});

export const jobReplySchema = tallySchema.extend({
  run_id: z.uuid(),
  job: jobNameSchema,
  status: runStatusSchema,
  as_of: momentSchema,
  details: z.record(z.string(), z.unknown()),
});
export type JobReply = z.infer<typeof jobReplySchema>;

const jobStateSchema = z.enum(['ok', 'partial', 'failed', 'late', 'running', 'never_ran']);

/** What SQL's `pipeline_state` gives: each job's last run, the rows of each table, what is waiting. */
export const pipelineStateSchema = z.object({
  as_of: momentSchema,
  jobs: z.array(
    z.object({
      job: jobNameSchema,
      state: jobStateSchema,
      every_seconds: z.number().positive(),
      last_status: runStatusSchema.nullable(),
      last_run_at: momentSchema.nullable(),
      last_success_at: momentSchema.nullable(),
      expected: z.int().nullable(),
      done: z.int().nullable(),
      failed: z.int().nullable(),
      error: z.record(z.string(), z.unknown()).nullable(),
    }),
  ),
  tables: z.record(z.string(), z.int().nonnegative()),
  waiting: z.record(z.string(), z.union([z.int(), momentSchema]).nullable()),
});

export const invariantStatusSchema = z.enum(['ok', 'warning', 'failing']);

/** Something that must hold for the loop to run: what was measured, against what, and what to do. */
export const invariantSchema = z.object({
  name: z.string(),
  status: invariantStatusSchema,
  measured: z.string().nullable(),
  threshold: z.string().nullable(),
  since: momentSchema,
  what_to_do: z.string().nullable(),
});
export type Invariant = z.infer<typeof invariantSchema>;

/** One way in which the live database is not what the code needs; `found` is null for nothing. */
export const schemaFindingSchema = z.object({
  kind: z.enum([
    'table_missing',
    'view_missing',
    'column_missing',
    'column_retyped',
    'column_nullability',
    'function_missing',
    'function_changed',
  ]),
  object: z.string(),
  expected: z.string(),
  found: z.string().nullable(),
});
export type SchemaFinding = z.infer<typeof schemaFindingSchema>;

const state = pipelineStateSchema.shape;

/**
 * What `health` answers: 503 when `status` is failing, else 200. A part that could not be read is
 * null, and the invariant `state_readable` then says why.
 */
export const healthReplySchema = z.object({
  run_id: z.uuid().nullable(),
  as_of: momentSchema,
  /** The worst status of the invariants. */
  status: invariantStatusSchema,
  invariants: z.array(invariantSchema),
  drift: z.array(schemaFindingSchema).nullable(),
  jobs: state.jobs.nullable(),
  tables: state.tables.nullable(),
  waiting: state.waiting.nullable(),
});
export type HealthReply = z.infer<typeof healthReplySchema>;
