/** The scraper's secret: the key of the project, and the sessions of X that it may use. */
import type { ZodError } from 'zod';
import type { ScraperEnvironment } from '../../shared/contracts/environment.ts';
import { type ScraperSecret, scraperSecretSchema } from '../../shared/contracts/session.ts';
import { ScraperError } from './errors.ts';

/** Where a secret is kept, and how it is fetched from there. */
type Place = { name: string; fetch(): Promise<string | undefined>; permission: string };

const known = new Map<string, ScraperSecret>();

/**
 * The secret from Secrets Manager or from the SSM parameter, fetched once per process; for a local
 * run from the environment itself. Its text is the project's secret key, or JSON as
 * `scraperSecretSchema` has it.
 * @throws ScraperError `secret_unreadable`; the message names what is wrong, never a value
 */
export async function readSecret(env: ScraperEnvironment): Promise<ScraperSecret> {
  const place = placeOf(env);
  if (!place) return secretOfEnvironment(env);
  const before = known.get(place.name);
  if (before) return before;
  const secret = parseSecret(await fetchFrom(place), place.name);
  known.set(place.name, secret);
  return secret;
}

/** Forgets what was fetched, because it has been refused; the next `readSecret` fetches it again. */
export function forgetSecret(): void {
  known.clear();
}

function placeOf(env: ScraperEnvironment): Place | null {
  const { POSTLOOP_SECRET_ARN: arn, POSTLOOP_SSM_PARAMETER: parameter } = env;
  if (env.POSTLOOP_SECRET_KEY || env.POSTLOOP_SCRAPER_JWT) return null;
  if (arn) {
    return {
      name: 'the secret of POSTLOOP_SECRET_ARN',
      permission: 'secretsmanager:GetSecretValue',
      fetch: () => fromSecretsManager(arn),
    };
  }
  if (!parameter) return null;
  return {
    name: 'the parameter of POSTLOOP_SSM_PARAMETER',
    permission: 'ssm:GetParameter',
    fetch: () => fromParameterStore(parameter),
  };
}

async function fromSecretsManager(arn: string): Promise<string | undefined> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import(
    '@aws-sdk/client-secrets-manager'
  );
  const client = new SecretsManagerClient({});
  return (await client.send(new GetSecretValueCommand({ SecretId: arn }))).SecretString;
}

async function fromParameterStore(name: string): Promise<string | undefined> {
  const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm');
  const command = new GetParameterCommand({ Name: name, WithDecryption: true });
  return (await new SSMClient({}).send(command)).Parameter?.Value;
}

async function fetchFrom({ name, fetch, permission }: Place): Promise<string | undefined> {
  try {
    return await fetch();
  } catch (error) {
    throw new ScraperError(
      'secret_unreadable',
      `AWS refused ${name} (${(error as Error).name}): allow this function ${permission} on it.`,
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

function parseSecret(text: string | undefined, name: string): ScraperSecret {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') throw unreadable(name, 'it is empty');
  return checkSecret(
    trimmed.startsWith('{') ? parseJson(trimmed) : { POSTLOOP_SECRET_KEY: trimmed },
    name,
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
