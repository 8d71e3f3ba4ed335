import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createScheduler, type Scheduler } from '../../local/stack/scheduler.ts';
import { DATABASE_SCHEMA } from '../../shared/database/schema.ts';
import { useDatabase } from '../support/database.ts';
import { invariant, scheduleJobs } from '../support/health.ts';
import { hours, json, minutes, only, T0 } from '../support/scenario.ts';

const database = useDatabase({
  prepare: async (sql) => {
    await sql`delete from vault.secrets`;
    await sql`delete from cron.job_run_details`;
    await sql`delete from postloop.job_requests`;
    await scheduleJobs(sql);
  },
});

const check = (name: string, now = T0) => invariant(database.sql, name, now);
const JOBS = [
  'postloop-attribution',
  'postloop-cleanup',
  'postloop-early-warning',
  'postloop-growth',
  'postloop-health',
  'postloop-learning',
  'postloop-watch',
];

describe('cron_jobs_scheduled', () => {
  const jobId = async (name: string) =>
    Number(only(await database.sql`select jobid from cron.job where jobname = ${name}`).jobid);

  /** Runs what the invariant says to do. */
  async function follow(whatToDo: string): Promise<void> {
    await database.sql.unsafe(whatToDo.replace('As the role postgres: ', ''));
  }

  it('is green when every listed job is scheduled', async () => {
    const { sql } = database;
    const listed =
      await sql`select cron_name from postloop.jobs where cron_name is not null order by 1`;
    expect(listed.map(({ cron_name }) => cron_name)).toEqual(JOBS);
    expect(await check('cron_jobs_scheduled')).toMatchObject({
      status: 'ok',
      measured: '7 of 7 are scheduled',
    });
  });

  it('stays green when a time is changed in postloop.jobs and scheduled, as documented', async () => {
    const { sql } = database;
    await sql`update postloop.jobs set schedule = '40 4 * * *' where job = 'cleanup'`;
    expect(await check('cron_jobs_scheduled')).toMatchObject({
      status: 'failing',
      measured: 'postloop-cleanup runs at 20 3 * * * instead of 40 4 * * *',
    });
    await sql`select postloop.schedule_jobs()`;
    await sql`select public.schema_drift(${json(sql, DATABASE_SCHEMA)}, ${T0})`;

    expect((await check('cron_jobs_scheduled')).status).toBe('ok');
    expect((await check('schema_matches')).status).toBe('ok');
    await sql`update postloop.jobs set schedule = '20 3 * * *' where job = 'cleanup'`;
    await sql`select postloop.schedule_jobs()`;
  });

  it.each(JOBS)('fails without %s, and what it says to do brings the job back', async (name) => {
    const { sql } = database;
    await sql`select cron.unschedule(${name})`;
    const failing = await check('cron_jobs_scheduled');
    expect(failing).toMatchObject({ status: 'failing', measured: `${name} is missing` });
    await follow(failing.what_to_do);
    expect((await check('cron_jobs_scheduled')).status).toBe('ok');
  });

  it('fails for a job that is switched off', async () => {
    const { sql } = database;
    await sql`select cron.alter_job(${await jobId('postloop-health')}, active := false)`;
    const failing = await check('cron_jobs_scheduled');
    expect(failing).toMatchObject({
      status: 'failing',
      measured: 'postloop-health is switched off',
    });
    await follow(failing.what_to_do);
    expect((await check('cron_jobs_scheduled')).status).toBe('ok');
  });

  it('fails for a job of another schedule or command, and names each', async () => {
    const { sql } = database;
    await sql`select cron.alter_job(${await jobId('postloop-health')}, schedule := '0 0 * * *')`;
    await sql`select cron.alter_job(${await jobId('postloop-learning')}, command := 'select 1')`;
    const failing = await check('cron_jobs_scheduled');
    expect(failing).toMatchObject({
      status: 'failing',
      measured:
        'postloop-health runs at 0 0 * * * instead of */15 * * * *, postloop-learning runs another command',
    });
    await follow(failing.what_to_do);
    expect((await check('cron_jobs_scheduled')).status).toBe('ok');
  });

  it('fails for a job that runs in another database', async () => {
    const { sql } = database;
    const id = await jobId('postloop-watch');
    await sql`select cron.alter_job(${id}, database := 'template1')`;
    const failing = await check('cron_jobs_scheduled');
    expect(failing).toMatchObject({
      status: 'failing',
      measured: 'postloop-watch runs in the database template1',
    });
    await follow(failing.what_to_do);
    expect((await check('cron_jobs_scheduled')).status).toBe('ok');
  });
});

describe('cron_jobs_succeed', () => {
  let scheduler: Scheduler;
  beforeAll(() => {
    scheduler = createScheduler({ adminUrl: database.adminUrl, since: hours(-1) });
  });
  afterAll(() => scheduler?.stop());

  it('fails while the last run of a job failed, says how, and recovers with the next', async () => {
    const { sql } = database;
    await sql`select cron.unschedule(jobname) from cron.job where jobname <> 'postloop-cleanup'`;
    await sql`alter table public.pipeline_runs rename column job to job_name`;
    await scheduler.tick(hours(24));
    await sql`alter table public.pipeline_runs rename column job_name to job`;
    const failing = await check('cron_jobs_succeed', hours(24));
    expect(failing).toMatchObject({
      status: 'failing',
      measured: expect.stringMatching(/^last run failed: postloop-cleanup: ERROR: .*job/),
    });
    expect(failing.what_to_do).toContain('select postloop.cleanup();');
    await scheduler.tick(hours(48));
    expect(await check('cron_jobs_succeed', hours(48))).toMatchObject({
      status: 'ok',
      measured: 'no last run failed',
    });
  });

  it('looks past the run that is under way, and at runs that never started', async () => {
    const { sql } = database;
    const run = (id: number, status: string, startedAt: Date | null) =>
      sql`
        insert into cron.job_run_details
          (jobid, runid, database, username, status, return_message, start_time)
        select j.jobid, ${id}, current_database(), current_user, ${status}, 'job startup timeout',
          ${startedAt}
        from cron.job j where j.jobname = 'postloop-watch'`;
    await run(900_001, 'succeeded', minutes(-10));
    await run(900_002, 'failed', null);
    await run(900_003, 'running', T0);
    expect(await check('cron_jobs_succeed')).toMatchObject({
      status: 'failing',
      measured: 'last run failed: postloop-watch: job startup timeout',
    });
    await run(900_004, 'succeeded', minutes(5));
    expect((await check('cron_jobs_succeed')).status).toBe('failing');
    expect((await check('cron_jobs_succeed', minutes(5))).status).toBe('ok');
  });
});

describe('requests_answered', () => {
  let server: Server;
  let status = 200;
  let scheduler: Scheduler;
  beforeAll(async () => {
    server = createServer((_, response) => {
      response.statusCode = status;
      response.end('{}');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    scheduler = createScheduler({ adminUrl: database.adminUrl, since: new Date() });
  });
  afterAll(async () => {
    await scheduler?.stop();
    server?.close();
  });
  beforeEach(async () => {
    const { port } = server.address() as AddressInfo;
    await store(`http://127.0.0.1:${port}`);
  });

  async function store(url: string): Promise<void> {
    const { sql } = database;
    await sql`delete from vault.secrets`;
    await sql`select vault.create_secret(${url}, 'postloop_project_url')`;
    await sql`select vault.create_secret('sb_secret_of_these_tests', 'postloop_secret_key')`;
  }

  const invoke = (job: string) => database.sql`select postloop.invoke_job(${job})`;

  /** Calls a job, which is answered with a status. */
  async function call(job: string, answer: number): Promise<void> {
    status = answer;
    await invoke(job);
    await scheduler.drain(new Date());
  }

  it('is green before the first request, and when the last of each job is answered', async () => {
    expect(await check('requests_answered', new Date())).toMatchObject({
      status: 'ok',
      measured: 'no request yet',
    });
    for (const job of ['attribution', 'learning', 'health']) await call(job, 200);
    expect(await check('requests_answered', new Date())).toMatchObject({
      status: 'ok',
      measured: 'the last requests of 3 jobs are answered',
    });
  });

  it.each([
    [401, 'The key in Vault is wrong'],
    [404, 'npx supabase functions deploy learning'],
    [500, 'last_run_learning'],
    [503, 'last_run_learning'],
    [400, 'Deploy the function learning'],
  ])('fails on a %i, and says what to do', async (answer, remedy) => {
    await call('attribution', 200);
    await call('learning', answer);
    const failing = await check('requests_answered', new Date());
    expect(failing).toMatchObject({ status: 'failing', measured: `learning: ${answer}` });
    expect(failing.what_to_do).toContain(remedy);
    expect(failing.what_to_do).toMatch(/then run select postloop\.invoke_job\('learning'\);$/);
    await call('learning', 200);
    expect((await check('requests_answered', new Date())).status).toBe('ok');
  });

  it('takes a 503 of health for what it says of others, and no other status', async () => {
    await call('health', 503);
    expect((await check('requests_answered', new Date())).status).toBe('ok');
    await call('health', 500);
    expect((await check('requests_answered', new Date())).status).toBe('failing');
  });

  it('fails when nobody listens at the URL in Vault', async () => {
    await store('http://127.0.0.1:9');
    await call('health', 200);
    const failing = await check('requests_answered', new Date());
    expect(failing.status).toBe('failing');
    expect(failing.measured).toMatch(/^health: .+/);
    expect(failing.what_to_do).toContain('postloop_project_url');
  });

  it('fails on a timeout', async () => {
    const { sql } = database;
    await invoke('attribution');
    await sql`delete from net.http_request_queue`;
    await sql`
      insert into net._http_response (id, timed_out, error_msg)
      select request_id, true, 'Timeout of 120000 ms reached' from postloop.job_requests`;
    expect(await check('requests_answered', new Date())).toMatchObject({
      status: 'failing',
      measured: 'attribution: timed out',
      what_to_do: expect.stringContaining('longer than 120 s'),
    });
  });

  it('fails from three minutes to six hours after a request that nobody sends', async () => {
    const { sql } = database;
    await invoke('attribution');
    await sql`update postloop.job_requests set requested_at = ${T0}`;
    expect((await check('requests_answered', minutes(3))).status).toBe('ok');
    expect(await check('requests_answered', minutes(4))).toMatchObject({
      status: 'failing',
      measured: 'attribution: no answer for 4 min',
      what_to_do: expect.stringContaining('net.worker_restart()'),
    });
    expect((await check('requests_answered', hours(6))).status).toBe('ok');
    await sql`delete from net.http_request_queue`;
  });

  it('keeps the last answer while the next request is under way', async () => {
    await call('learning', 500);
    await invoke('learning');
    expect((await check('requests_answered', new Date())).measured).toBe('learning: 500');
    status = 200;
    await scheduler.drain(new Date());
  });

  it('survives that the ids of pg_net begin again', async () => {
    const { sql } = database;
    await call('learning', 500);
    const { id } = only(await sql`select request_id::int as id from postloop.job_requests`);
    await sql`update postloop.job_requests set requested_at = ${T0}`;
    await sql`update net._http_response set created = ${T0} where id = ${id}`;
    await sql`select setval('net.http_request_queue_id_seq', ${id - 1})`;
    await call('health', 200);
    expect(await sql`select request_id::int as id, job from postloop.job_requests`).toEqual([
      { id, job: 'health' },
    ]);
    expect((await check('requests_answered', new Date())).status).toBe('ok');
  });

  it('notes no request that was not sent, and forgets the noted after seven days', async () => {
    const { sql } = database;
    await call('health', 200);
    await sql`delete from vault.secrets`;
    await invoke('learning');
    const noted = () => sql`select job from postloop.job_requests order by job`;
    expect(await noted()).toEqual([{ job: 'health' }]);
    const now = new Date();
    await sql`select postloop.cleanup(${hours(24 * 7 - 1, now)})`;
    expect(await noted()).toHaveLength(1);
    await sql`select postloop.cleanup(${hours(24 * 7 + 1, now)})`;
    expect(await noted()).toHaveLength(0);
    expect(
      only(
        await sql`select done from public.pipeline_runs where job = 'cleanup'
          order by as_of desc limit 1`,
      ).done,
    ).toBeGreaterThan(0);
  });
});

describe('vault_secrets_present', () => {
  const store = (name: string, secret: string) =>
    database.sql`select vault.create_secret(${secret}, ${name})`;

  it('is green with both secrets', async () => {
    await store('postloop_project_url', 'https://project.example');
    await store('postloop_secret_key', 'sb_secret_of_these_tests');
    const ok = await check('vault_secrets_present');
    expect(ok).toMatchObject({ status: 'ok', measured: 'both are there' });
    expect(JSON.stringify(ok)).not.toContain('sb_secret_of_these_tests');
  });

  it.each(['postloop_project_url', 'postloop_secret_key'])(
    'fails when %s is deleted, and names it',
    async (name) => {
      const { sql } = database;
      await store('postloop_project_url', 'https://project.example');
      await store('postloop_secret_key', 'sb_secret_of_these_tests');
      await sql`delete from vault.secrets where name = ${name}`;
      const failing = await check('vault_secrets_present');
      expect(failing).toMatchObject({ status: 'failing', measured: `${name} is missing` });
      expect(failing.what_to_do).toContain(`select vault.create_secret('…', '${name}');`);
    },
  );

  it('fails when one is empty', async () => {
    await store('postloop_project_url', 'https://project.example');
    await store('postloop_secret_key', '');
    const failing = await check('vault_secrets_present');
    expect(failing).toMatchObject({ status: 'failing', measured: 'postloop_secret_key is empty' });
    expect(failing.what_to_do).toContain('vault.update_secret');
  });
});
