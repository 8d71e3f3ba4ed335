/** The schedules under the real pg_cron. */
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DEBIAN_BIN,
  type DebianPostgres,
  startDebianPostgres,
} from '../support/debian-postgres.ts';

describe.skipIf(!DEBIAN_BIN)('the schedules under the real pg_cron (PG_CRON_BIN)', () => {
  let server: DebianPostgres;
  let sql: postgres.Sql;

  beforeAll(async () => {
    server = await startDebianPostgres(DEBIAN_BIN as string);
    sql = server.sql;
    await sql`select vault.create_secret('http://127.0.0.1:54321', 'postloop_project_url')`;
    await sql`select vault.create_secret('sb_secret_test', 'postloop_secret_key')`;
  });
  afterAll(() => server?.stop());

  it('accepts every schedule as the migrations write it', async () => {
    const jobs = await sql<{ jobname: string; schedule: string; active: boolean }[]>`
      select jobname, schedule, active from cron.job order by jobname`;
    expect([...jobs]).toEqual([
      { jobname: 'postloop-attribution', schedule: '5 */2 * * *', active: true },
      { jobname: 'postloop-cleanup', schedule: '20 3 * * *', active: true },
      { jobname: 'postloop-early-warning', schedule: '*/5 * * * *', active: true },
      { jobname: 'postloop-growth', schedule: '50 2 * * *', active: true },
      { jobname: 'postloop-health', schedule: '*/15 * * * *', active: true },
      { jobname: 'postloop-learning', schedule: '35 */2 * * *', active: true },
      { jobname: 'postloop-watch', schedule: '*/5 * * * *', active: true },
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
    while ((await finished()).length < 7) await sleep(1_000);
    expect((await finished()).map(({ jobname, status }) => [jobname, status])).toEqual([
      ['postloop-attribution', 'succeeded'],
      ['postloop-cleanup', 'succeeded'],
      ['postloop-early-warning', 'succeeded'],
      ['postloop-growth', 'succeeded'],
      ['postloop-health', 'succeeded'],
      ['postloop-learning', 'succeeded'],
      ['postloop-watch', 'succeeded'],
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
    const own = await sql`
      select distinct job, status from public.pipeline_runs where job in ('cleanup', 'watch')
      order by job`;
    expect([...own]).toEqual([
      { job: 'cleanup', status: 'succeeded' },
      { job: 'watch', status: 'succeeded' },
    ]);
  });
});
