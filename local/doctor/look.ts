/** What a deployment says of itself, over HTTP alone: two database functions and six edge functions. */
import { z } from 'zod';
import { checkAnswer } from '../../shared/contracts/call.ts';
import { LocalError } from '../stack/errors.ts';

/** For an edge function, a cold start included. */
const FUNCTION_PATIENCE_MS = 10_000;
/** For a database function: each ends by its own statement timeout of 30 s. */
const DATABASE_PATIENCE_MS = 35_000;

/** The functions that a bot, the schedules and a person call. */
const FUNCTION_NAMES = [
  'track-post',
  'recommend',
  'policy-evaluation',
  'attribution',
  'learning',
  'health',
] as const;
export type FunctionName = (typeof FUNCTION_NAMES)[number];

export const STEP_NAMES = [
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
] as const;
export type StepName = (typeof STEP_NAMES)[number];

/** PostgREST writes ISO 8601; the local REST layer writes columns as Postgres does. */
const momentSchema = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a moment')
  .transform((text) => new Date(text).toISOString());

const stepSchema = z.object({
  step: z.enum(STEP_NAMES),
  count_7d: z.int().nonnegative(),
  newest_at: momentSchema.nullable(),
  state: z.enum(['ok', 'empty', 'broken']),
  waiting: z.int().nonnegative(),
  detail: z.string().nullable(),
  what_to_do: z.string().nullable(),
});
export type FoundStep = z.infer<typeof stepSchema>;

const invariantSchema = z.object({
  name: z.string(),
  status: z.enum(['ok', 'warning', 'failing']),
  measured: z.string().nullable(),
  threshold: z.string().nullable(),
  since: momentSchema.nullable(),
  what_to_do: z.string().nullable(),
});
export type Invariant = z.infer<typeof invariantSchema>;

type FunctionState =
  | 'ok'
  | 'not_deployed'
  | 'no_answer'
  | 'jwt_required'
  | 'open_to_all'
  | 'key_refused'
  | 'unexpected';

/** A function as found; `measured` says what it answered, `what_to_do` is null when it is well. */
export type FoundFunction = {
  name: FunctionName;
  state: FunctionState;
  measured: string;
  what_to_do: string | null;
};

/** What a database function returned, or why there is nothing: it may be older than this program. */
export type Answered<T> =
  | { code: 'read'; data: T }
  | { code: 'missing' }
  | { code: 'failed'; message: string };

export type Findings = {
  steps: Answered<FoundStep[]>;
  invariants: Answered<Invariant[]>;
  functions: FoundFunction[];
};

/** `url` without a slash at its end. */
export type Project = { url: string; key: string };

type Response_ = { status: number; body: unknown };

/**
 * Asks everything at once and writes nothing: the functions get a body that they refuse.
 *
 * @param now the moment at which the database is to look
 * @throws LocalError project_unreachable when nothing, or something else, answers at the address;
 *   key_refused when it is no secret key of the project
 */
export async function look(project: Project, now: Date): Promise<Findings> {
  const abort = new AbortController();
  const functions = Promise.all(
    FUNCTION_NAMES.map((name) => lookAtFunction(project, name, abort.signal)),
  );
  const moment = { p_now: now.toISOString() };
  try {
    const [steps, invariants] = await Promise.all([
      callDatabase(project, 'loop_steps', moment, z.array(stepSchema), abort.signal),
      callDatabase(project, 'check_pipeline', moment, z.array(invariantSchema), abort.signal),
    ]);
    return { steps, invariants, functions: await functions };
  } catch (error) {
    // What is still under way would hold up the message.
    abort.abort();
    throw error;
  }
}

async function callDatabase<Schema extends z.ZodType>(
  { url, key }: Project,
  name: string,
  args: object,
  schema: Schema,
  abort: AbortSignal,
): Promise<Answered<z.infer<Schema>>> {
  const address = `${url}/rest/v1/rpc/${name}`;
  let response: Response_;
  try {
    response = await post(address, args, key, DATABASE_PATIENCE_MS, abort);
  } catch (error) {
    throw unreachable(url, reasonOf(error, DATABASE_PATIENCE_MS));
  }
  const { status, body } = response;
  const { code, message } = errorOf(body);
  const error = status === 200 ? null : { code, message: message ?? 'no message' };
  const called = checkAnswer({ status, data: body, error }, schema);
  if (called.code === 'replied') return { code: 'read', data: called.reply };
  if (called.code === 'reply_unknown') {
    return { code: 'failed', message: 'it answered in a shape that this version does not know' };
  }
  if (code === 'PGRST202') return { code: 'missing' };
  if (code === '42501' && !key.startsWith('sb_secret_')) throw keyRefused(url, message);
  // A refusal of the API itself has no code of the database.
  if (status === 401 && code === undefined) throw keyRefused(url, message);
  // Something else may answer at the address, in a way of its own.
  if (code === undefined || called.code === 'unreachable') {
    throw unreachable(url, `it answered ${status}${message ? `, ${message}` : ''}`);
  }
  return { code: 'failed', message: `${called.error.message} (${code})` };
}

function keyRefused(url: string, message: string | undefined): LocalError {
  return new LocalError(
    'key_refused',
    `${url} refuses the key${message ? ` (${message})` : ''}. Give a secret key of this project, ` +
      'sb_secret_… from Settings, API keys, with SUPABASE_SECRET_KEY or --key.',
  );
}

function unreachable(url: string, reason: string): LocalError {
  const { hostname } = new URL(url);
  const next = isLocal(hostname)
    ? 'Start the local stack with npm start, or name a project with --url and --key.'
    : 'Check the address (Settings, Data API), and that the project is not paused.';
  return new LocalError('project_unreachable', `No Supabase API at ${url}: ${reason}. ${next}`);
}

/** Whether a host name is this machine's own. */
export const isLocal = (hostname: string) => ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);

/** Two calls: one without a key, which must be refused, and one whose body must be. */
async function lookAtFunction(
  { url, key }: Project,
  name: FunctionName,
  abort: AbortSignal,
): Promise<FoundFunction> {
  const address = `${url}/functions/v1/${name}`;
  // Not a field of any request: validation refuses it before a run is opened or a row is written.
  const body = { doctor: 1 };
  const call = (as: string | null) => post(address, body, as, FUNCTION_PATIENCE_MS, abort);
  try {
    const [without, withKey] = await Promise.all([call(null), call(key)]);
    return { name, ...judge(name, without, withKey) };
  } catch (error) {
    return {
      name,
      state: 'no_answer',
      measured: reasonOf(error, FUNCTION_PATIENCE_MS),
      what_to_do: `Read the log of the function ${name} in the dashboard; deploy it again when it does not start.`,
    };
  }
}

/** What the function's own check of the key answers; the platform's refusals have other codes. */
const OWN_REFUSALS = ['MISSING_CREDENTIALS', 'INVALID_API_KEY', 'INVALID_CREDENTIALS'];

function judge(
  name: FunctionName,
  without: Response_,
  withKey: Response_,
): Omit<FoundFunction, 'name'> {
  const deploy = `npx supabase functions deploy ${name} --use-api`;
  const own = (reply: Response_) => OWN_REFUSALS.includes(errorOf(reply.body).code ?? '');
  const refused = withKey.status === 400 && errorOf(withKey.body).code === 'body_invalid';

  if (without.status === 404 && withKey.status === 404) {
    return {
      state: 'not_deployed',
      measured: 'not deployed',
      what_to_do: `Deploy the function: ${deploy}`,
    };
  }
  if (without.status === 401 && refused) {
    return { state: 'ok', measured: 'answers the secret key only', what_to_do: null };
  }
  if (without.status === 401 && !own(without)) {
    return {
      state: 'jwt_required',
      measured: `the platform refuses callers without a JWT before ${name} is asked (${said(without)})`,
      what_to_do: `Deploy it from the repository, whose supabase/config.toml has verify_jwt = false for ${name}: ${deploy}`,
    };
  }
  if (without.status === 400 && refused) {
    return {
      state: 'open_to_all',
      measured: 'it takes calls without a key',
      what_to_do: `Deploy this version of the function, which accepts secret keys only: ${deploy}`,
    };
  }
  if (withKey.status === 401 && own(withKey)) {
    return {
      state: 'key_refused',
      measured: `it refuses the key that the database accepts (${said(withKey)})`,
      what_to_do: `Deploy the function again so that it knows the project's present secret keys: ${deploy}`,
    };
  }
  const odd = without.status === 401 ? withKey : without;
  const how = odd === withKey ? 'with the key' : 'without a key';
  return {
    state: 'unexpected',
    measured: `${how} it answered ${said(odd)}`,
    what_to_do: `Read the log of the function ${name} in the dashboard, and deploy this version: ${deploy}`,
  };
}

/** A reply in a few words: status, code and the beginning of the message. */
function said({ status, body }: Response_): string {
  const { code, message } = errorOf(body);
  return [status, code, message?.slice(0, 120)].filter((part) => part !== undefined).join(' ');
}

const errorSchema = z.object({
  // the platform's gateway writes numbers
  code: z.union([z.string(), z.number().transform(String)]).optional(),
  message: z.string().optional(),
});

/** Code and message of a refusal, each undefined where the body has none. */
function errorOf(body: unknown): { code?: string | undefined; message?: string | undefined } {
  const parsed = errorSchema.safeParse(body);
  return parsed.success ? parsed.data : {};
}

/** Redirects are not followed: the key would go along to wherever they lead. */
async function post(
  address: string,
  body: object,
  key: string | null,
  patienceMs: number,
  abort: AbortSignal,
): Promise<Response_> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { apikey: key }) },
    body: JSON.stringify(body),
    redirect: 'manual',
    signal: AbortSignal.any([abort, AbortSignal.timeout(patienceMs)]),
  });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: undefined };
  }
}

function reasonOf(error: unknown, patienceMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `it did not answer within ${patienceMs / 1000} s`;
  const cause = error.cause as (Error & { code?: string }) | undefined;
  if (cause?.code === 'ECONNREFUSED') return 'nothing listens there';
  if (cause?.code === 'ENOTFOUND') return 'there is no such host';
  return cause?.message || error.message;
}
