/** What the scraper is told from outside: its environment, its event, and its key. */
import {
  type LambdaEvent,
  lambdaEventSchema,
  type ScraperEnvironment,
  scraperEnvironmentSchema,
} from '../../shared/contracts/environment.ts';
import { ScraperError } from './errors.ts';

type Issues = { issues: { path: PropertyKey[]; message: string }[] };

function describe({ issues }: Issues): string {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

/** @throws ScraperError `environment_invalid` naming each variable to set, without its value */
export function parseEnvironment(env: Record<string, string | undefined>): ScraperEnvironment {
  const parsed = scraperEnvironmentSchema.safeParse(env);
  if (parsed.success) return parsed.data;
  throw new ScraperError(
    'environment_invalid',
    `Set the function's environment: ${describe(parsed.error)}`,
  );
}

/** @throws ScraperError `event_invalid` when `now` is not a moment with an offset */
export function parseEvent(event: unknown): LambdaEvent {
  const parsed = lambdaEventSchema.safeParse(event ?? {});
  if (parsed.success) return parsed.data;
  throw new ScraperError('event_invalid', `Send a JSON object: ${describe(parsed.error)}`);
}

const secretsByArn = new Map<string, string>();

/**
 * The secret key of the Supabase project: from the environment, or from Secrets Manager, which is
 * asked once per process. The secret is the key as text, or JSON with `POSTLOOP_SECRET_KEY`.
 * @throws ScraperError `secret_unreadable`
 */
export async function readSecretKey(env: ScraperEnvironment): Promise<string> {
  if (env.POSTLOOP_SECRET_KEY) return env.POSTLOOP_SECRET_KEY;
  const arn = env.POSTLOOP_SECRET_ARN ?? '';
  const known = secretsByArn.get(arn);
  if (known) return known;
  const key = keyOf(await fetchSecret(arn));
  if (!key) {
    throw new ScraperError(
      'secret_unreadable',
      'Store the key in the secret of POSTLOOP_SECRET_ARN, as text or as JSON with an entry ' +
        'POSTLOOP_SECRET_KEY.',
    );
  }
  secretsByArn.set(arn, key);
  return key;
}

async function fetchSecret(arn: string): Promise<string | undefined> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import(
    '@aws-sdk/client-secrets-manager'
  );
  try {
    const client = new SecretsManagerClient({});
    return (await client.send(new GetSecretValueCommand({ SecretId: arn }))).SecretString;
  } catch (error) {
    throw new ScraperError(
      'secret_unreadable',
      `Secrets Manager refused (${(error as Error).name}): allow this function ` +
        'secretsmanager:GetSecretValue on the secret of POSTLOOP_SECRET_ARN.',
      { cause: error },
    );
  }
}

function keyOf(secret: string | undefined): string | undefined {
  const text = secret?.trim();
  if (!text?.startsWith('{')) return text;
  try {
    const { POSTLOOP_SECRET_KEY: key } = JSON.parse(text) as { POSTLOOP_SECRET_KEY?: unknown };
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}
