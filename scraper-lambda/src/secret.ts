/** The scraper's secret: the key of the project, and the sessions of X that it may use. */
import type { ZodError } from 'zod';
import type { ScraperEnvironment } from '../../shared/contracts/environment.ts';
import { type ScraperSecret, scraperSecretSchema } from '../../shared/contracts/session.ts';
import { ScraperError } from './errors.ts';

const STORED = 'the secret of POSTLOOP_SECRET_ARN';

let known: ScraperSecret | undefined;

/**
 * The secret from Secrets Manager, fetched once per process; for a local run from the environment
 * itself. Its text is the project's secret key, or JSON as `scraperSecretSchema` has it.
 * @throws ScraperError `secret_unreadable`; the message names what is wrong, never a value
 */
export async function readSecret(env: ScraperEnvironment): Promise<ScraperSecret> {
  const { POSTLOOP_SECRET_ARN: arn, POSTLOOP_SECRET_KEY, POSTLOOP_SCRAPER_JWT } = env;
  if (POSTLOOP_SECRET_KEY || POSTLOOP_SCRAPER_JWT || !arn) return secretOfEnvironment(env);
  known ??= parseSecret(await fetchSecret(arn));
  return known;
}

/** Forgets what was fetched, because it has been refused; the next `readSecret` fetches it again. */
export function forgetSecret(): void {
  known = undefined;
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
      `AWS refused ${STORED} (${(error as Error).name}): allow this function secretsmanager:GetSecretValue on it.`,
    );
  }
}

function unreadable(name: string, why: string): ScraperError {
  return new ScraperError(
    'secret_unreadable',
    `Store the project's secret key in ${name}, as text or as JSON: ${why}.`,
  );
}

/** The JSON of `text`, or undefined; the parser's own message would quote the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseSecret(text: string | undefined): ScraperSecret {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') throw unreadable(STORED, 'it is empty');
  return checkSecret(
    trimmed.startsWith('{') ? parseJson(trimmed) : { POSTLOOP_SECRET_KEY: trimmed },
    STORED,
  );
}

function checkSecret(secret: unknown, name: string): ScraperSecret {
  if (secret === undefined) throw unreadable(name, 'its JSON cannot be parsed');
  const parsed = scraperSecretSchema.safeParse(secret);
  if (parsed.success) return parsed.data;
  throw unreadable(name, describe(parsed.error));
}

/** A key that is not known may be a value that was put in the wrong place, so it is not named. */
function describe({ issues }: ZodError): string {
  return issues
    .map(({ code, path, message }) => {
      const what = code === 'unrecognized_keys' ? 'has an entry that is not known' : message;
      return [path.join('.'), what].filter(Boolean).join(': ');
    })
    .join('; ');
}

function secretOfEnvironment(env: ScraperEnvironment): ScraperSecret {
  const { POSTLOOP_SECRET_KEY, POSTLOOP_SCRAPER_JWT, SUPABASE_PUBLISHABLE_KEY, X_API_TOKEN } = env;
  // What is not JSON is refused as what it is: a text in the place of a list.
  const X_SESSIONS =
    env.X_SESSIONS === undefined ? undefined : (parseJson(env.X_SESSIONS) ?? env.X_SESSIONS);
  const given = {
    POSTLOOP_SECRET_KEY,
    POSTLOOP_SCRAPER_JWT,
    SUPABASE_PUBLISHABLE_KEY,
    X_SESSIONS,
    X_API_TOKEN,
  };
  return checkSecret(given, 'the environment');
}
