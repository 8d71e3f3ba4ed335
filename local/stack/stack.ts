/** Everything that a Supabase project gives Postloop, on this machine and without Docker. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { type DatabaseOptions, startDatabase } from './database.ts';
import { FUNCTIONS, functionNames, type RunningFunctions, startFunctions } from './functions.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { guardFolder } from './guard.ts';
import { type ApiKeys, type Rest, startRest } from './rest.ts';
import { createScheduler, type Scheduler, type SchedulerOptions } from './scheduler.ts';

/** The keys of a local stack: the same everywhere, and worth nothing anywhere else. */
export const LOCAL_SECRET_KEY = 'sb_secret_postloop_local_only';
const LOCAL_PUBLISHABLE_KEY = 'sb_publishable_postloop_local_only';

export type ServicesOptions = {
  /** Port of the API on 127.0.0.1: 54321 by default, 0 takes a free one. */
  port?: number;
  /** Folder of the edge functions. Default: `supabase/functions`. */
  functions?: string;
  /** Names of those that are served. Default: all of the folder. */
  serve?: string[];
  /** More environment for the functions. */
  env?: Record<string, string>;
  /** Hosts that the functions may reach beside the API. */
  allowNet?: string[];
  /** More API keys: a key for the scraper's role, for instance. */
  keys?: ApiKeys;
  /** Where the logs go. Default: a temporary folder. */
  logFolder?: string;
  /** The scheduler's clock starts here. Default: now. */
  since?: Date;
  changeBody?: SchedulerOptions['changeBody'];
  catchUp?: SchedulerOptions['catchUp'];
  /** Receives each step as it begins, for the caller to print. */
  onProgress?: (step: string) => void;
};

export type StackOptions = DatabaseOptions & ServicesOptions & { postgresPort?: number };

export type Stack = {
  /** Connection string of the role `postgres`. */
  databaseUrl: string;
  /** http://127.0.0.1:<port>: what createClient and the functions are given. */
  apiUrl: string;
  secretKey: string;
  publishableKey: string;
  /** A client on `databaseUrl`; ended by `stop`. */
  sql: postgres.Sql;
  /** Not started: `tick` it by a virtual clock, or `start` it. */
  scheduler: Scheduler;
  /** Names of the functions that are served. */
  functions: string[];
  /** Whether a function listens now. */
  isReady(name: string): boolean;
  /** Ends the process of a function with SIGKILL; it is started again as after any crash. */
  killFunction(name: string): void;
  /** REST answers 503 or its connections are cut, until the returned function is called. */
  closeRest(how: 'starting' | 'cut'): () => void;
  logFolder: string;
  /** Ends everything in reverse order. May be called twice. */
  stop(): Promise<void>;
};

/**
 * Starts Postgres with the migrations applied, the REST layer, the functions and the gateway. If a
 * part fails, what was started before is stopped. `port` is the API's, `postgresPort` Postgres'.
 *
 * @throws LocalError of the part that failed
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { postgresPort, port, ...rest } = options;
  const progress = options.onProgress ?? (() => {});
  progress('Starting Postgres and applying the migrations');
  const database = await startDatabase({
    ...rest,
    ...(postgresPort === undefined ? {} : { port: postgresPort }),
  });
  try {
    const urls = { databaseUrl: database.url(), adminUrl: database.adminUrl() };
    const logFolder = options.logFolder ?? (options.fresh ? undefined : LOGS);
    const services = await startServices(urls, {
      ...rest,
      ...(port === undefined ? {} : { port }),
      ...(logFolder === undefined ? {} : { logFolder }),
    });
    const stop = async () => {
      await services.stop();
      await database.stop();
    };
    return { ...services, stop };
  } catch (error) {
    await database.stop();
    throw error;
  }
}

const LOGS = fileURLToPath(new URL('../../.postloop/logs', import.meta.url));

/**
 * The same over a migrated database that runs already.
 *
 * @throws LocalError of the part that failed
 */
export async function startServices(
  database: { databaseUrl: string; adminUrl: string },
  options: ServicesOptions = {},
): Promise<Stack> {
  const stops: (() => Promise<unknown>)[] = [];
  // The newest first; each once, also when called again.
  const stop = async () => {
    for (let one = stops.pop(); one; one = stops.pop()) await one();
  };
  try {
    return await start(database, options, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  { databaseUrl, adminUrl }: { databaseUrl: string; adminUrl: string },
  options: ServicesOptions,
  stops: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Stack> {
  const progress = options.onProgress ?? (() => {});
  const logFolder = prepareLogFolder(options.logFolder, stops);
  const folder = options.functions ?? FUNCTIONS;
  const names = options.serve ?? functionNames(folder);

  let rest: Rest | undefined;
  let closed: 'starting' | 'cut' | undefined;
  let functions: RunningFunctions | undefined;
  const gateway: Gateway = await startGateway(
    {
      rest: () => closed ?? rest?.port ?? 'starting',
      function: (name) => {
        if (functions) return functions.find(name);
        return names.includes(name) ? 'starting' : undefined;
      },
    },
    options.port,
  );
  stops.push(gateway.stop);

  progress('Starting the REST layer');
  rest = await startRest({
    adminUrl,
    keys: {
      [LOCAL_SECRET_KEY]: { type: 'secret', role: 'service_role' },
      [LOCAL_PUBLISHABLE_KEY]: { type: 'publishable', role: 'anon' },
      ...options.keys,
    },
    logFile: join(logFolder, 'rest.log'),
  });
  stops.push(rest.stop);

  if (names.length > 0) progress(`Starting the functions ${names.join(', ')}`);
  const served = await startFunctions({
    folder,
    names,
    apiUrl: gateway.url,
    secretKey: LOCAL_SECRET_KEY,
    publishableKey: LOCAL_PUBLISHABLE_KEY,
    logFolder,
    ...(options.env ? { env: options.env } : {}),
    ...(options.allowNet ? { allowNet: options.allowNet } : {}),
  });
  functions = served;
  stops.push(served.stop);

  const sql = postgres(databaseUrl, { max: 5, onnotice: () => {} });
  // A connection that a crash of the server cut in the middle of a query never ends by itself.
  stops.push(() => sql.end({ timeout: 2 }));
  await storeSecrets(sql, {
    postloop_project_url: gateway.url,
    postloop_secret_key: LOCAL_SECRET_KEY,
  });

  const scheduler = createScheduler({
    adminUrl,
    since: options.since ?? new Date(),
    ...(options.changeBody ? { changeBody: options.changeBody } : {}),
    ...(options.catchUp ? { catchUp: options.catchUp } : {}),
  });
  stops.push(scheduler.stop);

  return {
    databaseUrl,
    apiUrl: gateway.url,
    secretKey: LOCAL_SECRET_KEY,
    publishableKey: LOCAL_PUBLISHABLE_KEY,
    sql,
    scheduler,
    functions: names,
    isReady: (name) => typeof served.find(name) === 'number',
    killFunction: served.kill,
    closeRest: (how) => {
      closed = how;
      return () => {
        closed = undefined;
      };
    },
    logFolder,
    stop,
  };
}

function prepareLogFolder(given: string | undefined, stops: (() => Promise<unknown>)[]): string {
  if (given !== undefined) {
    mkdirSync(given, { recursive: true });
    return given;
  }
  const folder = mkdtempSync(join(tmpdir(), 'postloop-logs-'));
  const keep = guardFolder(folder);
  stops.push(async () => {
    rmSync(folder, { recursive: true, force: true });
    keep();
  });
  return folder;
}

/** The scheduled calls read the project's address and key from Vault, as on a hosted project. */
async function storeSecrets(sql: postgres.Sql, secrets: Record<string, string>): Promise<void> {
  for (const [name, secret] of Object.entries(secrets)) {
    await sql`
      with known as (select id from vault.secrets where name = ${name})
      select case
        when exists (select from known)
          then (select vault.update_secret(id, ${secret})::text from known)
        else vault.create_secret(${secret}, ${name})::text
      end`;
  }
}
