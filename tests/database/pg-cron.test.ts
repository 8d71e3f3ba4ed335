/**
 * The schedules under the real pg_cron, which is in no npm package: PG_CRON_BIN names the folder of
 * a Postgres that has it, for example /usr/lib/postgresql/15/bin with Debian's postgresql-15-cron
 * and the stand-ins of `local/extensions` for pg_net and Vault beside it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endProcess, guardProcess } from '../../local/guard.ts';
import { bootstrap, migrate } from '../../local/migrate.ts';
import { runAs } from '../../local/postgres-binaries.ts';

const BIN = process.env.PG_CRON_BIN;
const PORT = 54_399;
const url = (user: string) => `postgresql://${user}:postgres@127.0.0.1:${PORT}/postgres`;

describe.skipIf(!BIN)('the schedules under the real pg_cron (PG_CRON_BIN)', () => {
  let folder: string;
  let server: ChildProcess;
  let sql: postgres.Sql;

  beforeAll(async () => {
    const bin = BIN as string;
    const user = runAs();
    folder = mkdtempSync('/tmp/postloop-cron-');
    chmodSync(folder, 0o777);
    const data = join(folder, 'data');
    execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'supabase_admin', '-A', 'trust'], {
      ...user,
      cwd: '/',
    });
    const settings = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'fsync=off',
      'shared_preload_libraries=pg_cron',
      'cron.database_name=postgres',
      'cron.use_background_workers=on',
      'max_worker_processes=20',
    ];
    server = spawn(
      join(bin, 'postgres'),
      ['-D', data, '-p', String(PORT), ...settings.flatMap((setting) => ['-c', setting])],
      { ...user, cwd: '/', stdio: 'ignore' },
    );
    guardProcess(server, 'INT');
    await untilReachable();

    const admin = { adminUrl: () => url('supabase_admin') };
    await bootstrap(admin);
    const superuser = postgres(url('supabase_admin'), { max: 1, onnotice: () => {} });
    // Hosted projects let the role postgres create this extension and use its schema.
    await superuser.unsafe(`
      create extension pg_cron with schema pg_catalog;
      grant usage on schema cron to postgres;
      grant select on cron.job to postgres;
      grant select, delete on cron.job_run_details to postgres;
    `);
    await superuser.end();
    await migrate(url('postgres'));
    sql = postgres(url('postgres'), { max: 1, onnotice: () => {} });
    await sql`select vault.create_secret('http://127.0.0.1:54321', 'postloop_project_url')`;
    await sql`select vault.create_secret('sb_secret_test', 'postloop_secret_key')`;
  });

  afterAll(async () => {
    await sql?.end();
    if (server) await endProcess(server, 'SIGINT');
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  async function untilReachable(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const client = postgres(url('supabase_admin'), { max: 1, onnotice: () => {} });
      try {
        await client`select 1`;
        return;
      } catch (error) {
        if (attempt === 100) throw error;
        await sleep(100);
      } finally {
        await client.end();
      }
    }
  }

  it('accepts every schedule as the migrations write it', async () => {
    const jobs = await sql<{ jobname: string; schedule: string; active: boolean }[]>`
      select jobname, schedule, active from cron.job order by jobname`;
    expect([...jobs]).toEqual([
      { jobname: 'postloop-attribution', schedule: '5 */2 * * *', active: true },
      { jobname: 'postloop-cleanup', schedule: '20 3 * * *', active: true },
      { jobname: 'postloop-health', schedule: '*/15 * * * *', active: true },
      { jobname: 'postloop-learning', schedule: '35 */2 * * *', active: true },
    ]);
  });

  it('fires every job, whose request or run row is there afterwards', async () => {
    await sql`select cron.schedule(jobname, '* * * * *', command) from cron.job`;
    const [started] = await sql<[{ now: Date }]>`select clock_timestamp() as now`;
    const finished = () => sql<{ jobname: string; status: string; return_message: string }[]>`
      select distinct j.jobname, d.status, d.return_message
      from cron.job_run_details d
      join cron.job j using (jobid)
      where d.start_time >= ${started.now} and d.end_time is not null
      order by 1`;
    for (let waited = 0; (await finished()).length < 4 && waited < 80; waited += 1) {
      await sleep(1_000);
    }
    expect((await finished()).map(({ jobname, status }) => [jobname, status])).toEqual([
      ['postloop-attribution', 'succeeded'],
      ['postloop-cleanup', 'succeeded'],
      ['postloop-health', 'succeeded'],
      ['postloop-learning', 'succeeded'],
    ]);

    const requests = await sql<{ url: string; key: string; timeout_milliseconds: number }[]>`
      select distinct url, headers ->> 'apikey' as key, timeout_milliseconds
      from net.http_request_queue
      order by url`;
    expect([...requests]).toEqual(
      ['attribution', 'health', 'learning'].map((job) => ({
        url: `http://127.0.0.1:54321/functions/v1/${job}`,
        key: 'sb_secret_test',
        timeout_milliseconds: 120_000,
      })),
    );
    const [cleanup] = await sql`select status from public.pipeline_runs where job = 'cleanup'`;
    expect(cleanup).toEqual({ status: 'succeeded' });
  }, 120_000);
});
