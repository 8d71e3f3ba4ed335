import { z } from 'zod';
import { momentSchema } from './identifiers.ts';

/**
 * What the scraper Lambda reads from its environment. POSTLOOP_SECRET_ARN names a secret of Secrets
 * Manager; for a local run the parts of that secret are given as they are.
 */
export const scraperEnvironmentSchema = z
  .object({
    SUPABASE_URL: z.url(),
    POSTLOOP_SECRET_ARN: z.string().startsWith('arn:').optional(),
    POSTLOOP_SECRET_KEY: z.string().min(1).optional(),
    POSTLOOP_SCRAPER_JWT: z.string().min(1).optional(),
    SUPABASE_PUBLISHABLE_KEY: z.string().min(1).optional(),
    X_SESSIONS: z.string().min(1).optional(),
    X_API_TOKEN: z.string().min(1).optional(),
    METRICS_SOURCE: z.enum(['browser', 'api']).default('browser'),
    X_BASE_URL: z.url().default('https://x.com'),
    X_API_BASE_URL: z.url().default('https://api.x.com'),
    CHROMIUM_PATH: z.string().min(1).optional(),
    CLAIM_LIMIT: z.coerce.number().int().min(1).max(500).default(40),
    PAGE_CONCURRENCY: z.coerce.number().int().min(1).max(8).default(2),
    PAGE_RECYCLE_AFTER: z.coerce.number().int().min(1).default(500),
    BROWSER_MEMORY_LIMIT_MB: z.coerce.number().int().min(10).default(900),
  })
  .refine((env) => env.POSTLOOP_SECRET_ARN || env.POSTLOOP_SECRET_KEY || env.POSTLOOP_SCRAPER_JWT, {
    message: 'set POSTLOOP_SECRET_ARN (or POSTLOOP_SECRET_KEY for a local run)',
    path: ['POSTLOOP_SECRET_ARN'],
  });
export type ScraperEnvironment = z.infer<typeof scraperEnvironmentSchema>;

/**
 * The event that starts the Lambda. EventBridge sends its own envelope, whose fields are not
 * needed; `now` replays the invocation as of that moment.
 */
export const lambdaEventSchema = z.looseObject({ now: momentSchema.optional() });
export type LambdaEvent = z.infer<typeof lambdaEventSchema>;

/** What the Lambda answers: the sum of its claims, of which each is a run of its own. */
export const lambdaReplySchema = z.object({
  /** The first run; an invocation that drains a long queue has several. */
  run_id: z.uuid(),
  runs: z.int().positive(),
  claimed: z.int().nonnegative(),
  by_outcome: z.record(z.string(), z.int().nonnegative()),
  metrics_rows: z.int().nonnegative(),
  follower_snapshots: z.int().nonnegative(),
  browser_started: z.boolean(),
});
export type LambdaReply = z.infer<typeof lambdaReplySchema>;
