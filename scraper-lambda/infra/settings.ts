import { z } from 'zod';
import { scraperEnvironmentSchema } from '../../shared/contracts/environment.ts';
import { InfraError } from './errors.ts';

const scraper = scraperEnvironmentSchema.shape;

const settingsSchema = z.object({
  /** Only https: the secret key travels in a header of every request. */
  supabaseUrl: z.url({ protocol: /^https$/, error: 'must be an https URL' }),
  xBaseUrl: scraper.X_BASE_URL,
  claimLimit: scraper.CLAIM_LIMIT,
  pageConcurrency: scraper.PAGE_CONCURRENCY,
  metricsSource: scraper.METRICS_SOURCE,
  /** Invocations at the same time; `none` for accounts whose quota leaves nothing to reserve. */
  reservedConcurrency: z
    .union([z.literal('none'), z.coerce.number().int().min(1).max(10)])
    .default(2),
  /** Who is told of an alarm: a new topic with this subscriber, a topic that exists, or both. */
  alarmEmail: z.email().optional(),
  alarmTopicArn: z
    .string()
    .regex(/^arn:[^:]+:sns:[^:]+:\d{12}:.+$/, 'must be the ARN of an SNS topic')
    .optional(),
});
export type Settings = z.infer<typeof settingsSchema>;

/**
 * Reads what a deploy may choose from the CDK context (`-c name=value` or `context` of cdk.json);
 * the project's URL may also come from the environment as SUPABASE_URL.
 *
 * Throws `setting_invalid`, naming every setting that is missing or wrong.
 */
export function readSettings(
  context: (name: string) => unknown,
  environment: Record<string, string | undefined>,
): Settings {
  const given = Object.keys(settingsSchema.shape).map((name) => [name, context(name)]);
  const candidate = Object.fromEntries(given);
  candidate.supabaseUrl ??= environment.SUPABASE_URL;

  const result = settingsSchema.safeParse(candidate);
  if (result.success) return result.data;

  const faults = result.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return candidate[name] === undefined
      ? `${name} is not set`
      : `${name} is ${JSON.stringify(candidate[name])}: ${issue.message}`;
  });
  throw new InfraError(
    'setting_invalid',
    `${faults.join('; ')}. Give the URL of the Supabase project by \`export SUPABASE_URL=…\` or ` +
      '`-c supabaseUrl=…`, the others by `-c name=value`; docs/scraper-deploy.md lists them.',
  );
}
