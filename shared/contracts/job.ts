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

/** What SQL's `pipeline_state` gives: each job's last run, and whether it is late. */
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
});

export const invariantStatusSchema = z.enum(['ok', 'warning', 'failing']);

/** The steps of the loop, in its order. */
export const stepNameSchema = z.enum([
  'decision',
  'post',
  'tracking_row',
  'due_reads',
  'metrics',
  'follower_snapshots',
  'attribution',
  'credit',
  'learning',
  'performance',
  'recommendation',
]);
export type StepName = z.infer<typeof stepNameSchema>;

/** The parts of the platform that the loop rests on, in the order in which they are shown. */
export const platformPartSchema = z.enum(['Vault', 'cron', 'pg_net', 'Lambda heartbeat', 'schema']);
export type PlatformPart = z.infer<typeof platformPartSchema>;

/** A moment of a row: PostgREST writes ISO 8601, the local REST layer as Postgres does. */
const rowMomentSchema = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a moment')
  .transform((text) => new Date(text).toISOString())
  .pipe(momentSchema);

/** Something that must hold for the loop to run: what was measured, against what, and what to do. */
export const invariantSchema = z.object({
  name: z.string(),
  status: invariantStatusSchema,
  measured: z.string().nullable(),
  threshold: z.string().nullable(),
  since: rowMomentSchema,
  what_to_do: z.string().nullable(),
  /** The step that is broken while it is failing. */
  step: stepNameSchema.nullable(),
  /** The part of the platform that it watches; with neither it concerns the whole pipeline. */
  part: platformPartSchema.nullable(),
});
export type Invariant = z.infer<typeof invariantSchema>;

/** What SQL's `loop_steps` says of a step. */
export const loopStepSchema = z.object({
  step: stepNameSchema,
  count_7d: z.int().nonnegative(),
  newest_at: rowMomentSchema.nullable(),
  /** empty: nothing has come this far, and nothing should have. */
  state: z.enum(['ok', 'empty', 'broken']),
  detail: z.string().nullable(),
  /** Names of the step's invariants in that status. */
  failing: z.array(z.string()),
  warnings: z.array(z.string()),
});
export type LoopStep = z.infer<typeof loopStepSchema>;

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
  jobs: pipelineStateSchema.shape.jobs.nullable(),
});
export type HealthReply = z.infer<typeof healthReplySchema>;
