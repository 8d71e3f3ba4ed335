/**
 * A migrated Postgres with the real pg_cron and plpgsql_check, which are in no npm package:
 * PG_CRON_BIN names the folder of its binaries, for example /usr/lib/postgresql/15/bin with Debian's
 * postgresql-15-cron and postgresql-15-plpgsql-check, and the stand-ins of `local/stack/extensions` for
 * pg_net and Vault beside them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { endProcess, guardFolder, guardProcess } from '../../local/stack/guard.ts';
import { bootstrap, migrate } from '../../local/stack/migrate.ts';
import { freePort } from '../../local/stack/postgres.ts';
import { runAs } from '../../local/stack/postgres-binaries.ts';

/** Folder of the binaries; undefined on a machine without them, where their tests are skipped. */
export const DEBIAN_BIN = process.env.PG_CRON_BIN;

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=off',
  'shared_preload_libraries=pg_cron',
  'cron.database_name=postgres',
  'cron.use_background_workers=on',
  'max_worker_processes=20',
];

export type DebianPostgres = {
  /** Connection string of the role `postgres`. */
  url: string;
  /** Connection string of the superuser. */
  adminUrl: string;
  /** A client as the role `postgres`. */
  sql: postgres.Sql;
  stop(): Promise<void>;
};

/** Starts one in a temporary folder, with all migrations applied as the role `postgres`. */
export async function startDebianPostgres(bin: string): Promise<DebianPostgres> {
  const user = runAs();
  const folder = mkdtempSync('/tmp/postloop-debian-');
  const keep = guardFolder(folder);
  chmodSync(folder, 0o777);
  const data = join(folder, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'supabase_admin', '-A', 'trust'], {
    ...user,
    cwd: '/',
  });
  const port = await freePort(0);
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...SETTINGS.flatMap((setting) => ['-c', setting])],
    { ...user, cwd: '/', stdio: 'ignore' },
  );
  guardProcess(server, 'INT');
  const at = (name: string) => `postgresql://${name}:postgres@127.0.0.1:${port}/postgres`;
  const [url, adminUrl] = [at('postgres'), at('supabase_admin')];
  const stopServer = async () => {
    await endProcess(server, 'SIGINT');
    rmSync(folder, { recursive: true, force: true });
    keep();
  };
  try {
    await untilReachable(adminUrl);
    await bootstrap({ adminUrl: () => adminUrl });
    const admin = client(adminUrl);
    // Hosted projects let the role postgres create these extensions and use the schema cron.
    await admin.unsafe(`
      create extension pg_cron with schema pg_catalog;
      create extension plpgsql_check with schema extensions;
      grant usage on schema cron to postgres;
      grant select on cron.job to postgres;
      grant select, delete on cron.job_run_details to postgres;
    `);
    await admin.end();
    await migrate(url);
  } catch (error) {
    await stopServer();
    throw error;
  }
  const sql = client(url);
  const stop = async () => {
    await sql.end();
    await stopServer();
  };
  return { url, adminUrl, sql, stop };
}

const client = (url: string) => postgres(url, { max: 1, onnotice: () => {} });

/** Of 0.1 s each: only a server that does not start needs them all. */
const MOST_ATTEMPTS = 1_200;

async function untilReachable(url: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const sql = client(url);
    try {
      await sql`select 1`;
      return;
    } catch (error) {
      if (attempt === MOST_ATTEMPTS) throw error;
      await sleep(100);
    } finally {
      await sql.end();
    }
  }
}
