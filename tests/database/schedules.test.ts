import { describe, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { hours, only, T0 } from '../support/scenario.ts';

const database = useDatabase({
  prepare: async (sql) => {
    await sql`delete from vault.secrets`;
  },
});

const KEY = 'sb_secret_of_these_tests';

it('runs attribution and learning every two hours, health every quarter, watch and early warning every five minutes, cleanup and growth every night', async () => {
  const { sql } = database;
  expect(
    await sql`select jobname, schedule, command, active from cron.job order by jobname`,
  ).toEqual([
    {
      jobname: 'postloop-attribution',
      schedule: '5 */2 * * *',
      command: "select postloop.invoke_job('attribution')",
      active: true,
    },
    {
      jobname: 'postloop-cleanup',
      schedule: '20 3 * * *',
      command: 'select postloop.cleanup()',
      active: true,
    },
    {
      jobname: 'postloop-early-warning',
      schedule: '*/5 * * * *',
      command: 'select postloop.warn_early(now()), postloop.settle_predictions(now())',
      active: true,
    },
    {
      jobname: 'postloop-growth',
      schedule: '50 2 * * *',
      command: 'select postloop.fit_growth(null, now())',
      active: true,
    },
    {
      jobname: 'postloop-health',
      schedule: '*/15 * * * *',
      command: "select postloop.invoke_job('health')",
      active: true,
    },
    {
      jobname: 'postloop-learning',
      schedule: '35 */2 * * *',
      command: "select postloop.invoke_job('learning')",
      active: true,
    },
    {
      jobname: 'postloop-watch',
      schedule: '*/5 * * * *',
      command: 'select postloop.watch()',
      active: true,
    },
  ]);
});

describe('invoke_job', () => {
  const invoke = async (job: string) =>
    only(await database.sql`select postloop.invoke_job(${job})::int as id`).id;
  const store = (name: string, secret: string) =>
    database.sql`select vault.create_secret(${secret}, ${name})`;
  const queue = () =>
    database.sql`
      select id::int, method, url, headers, convert_from(body, 'utf8') as body, timeout_milliseconds
      from net.http_request_queue`;

  it.each([
    ['both secrets', [], 'postloop_project_url'],
    ['the project URL', ['postloop_secret_key'], 'postloop_project_url'],
    ['the key', ['postloop_project_url'], 'postloop_secret_key'],
  ])(
    'sends nothing without %s, and writes a failed run that says what to do',
    async (_, stored, missing) => {
      const { sql } = database;
      for (const name of stored) await store(name, 'x');
      expect(await invoke('learning')).toBeNull();
      expect(await queue()).toEqual([]);
      const run = only(await sql`select job, status, error from public.pipeline_runs`);
      expect(run).toMatchObject({
        job: 'learning',
        status: 'failed',
        error: { code: 'vault_secret_missing' },
      });
      expect(run.error.message).toContain('vault.create_secret');
      expect(run.error.message).toContain(missing);
    },
  );

  it('takes an empty secret for a missing one', async () => {
    await store('postloop_project_url', '');
    await store('postloop_secret_key', KEY);
    expect(await invoke('health')).toBeNull();
    expect(await queue()).toEqual([]);
  });

  it('queues one request, with the key in its header and a timeout of its own', async () => {
    const { sql } = database;
    await store('postloop_project_url', 'https://project.example/');
    await store('postloop_secret_key', KEY);
    const requests = await sql.begin(async (transaction) => {
      const { id } = only(await transaction`select postloop.invoke_job('attribution')::int as id`);
      const queued = await transaction`
        select id::int, method, url, headers, convert_from(body, 'utf8') as body,
          timeout_milliseconds
        from net.http_request_queue`;
      expect(queued.map((request) => request.id)).toEqual([id]);
      await transaction`delete from net.http_request_queue`;
      return queued;
    });
    expect(only(requests)).toMatchObject({
      method: 'POST',
      url: 'https://project.example/functions/v1/attribution',
      headers: { apikey: KEY, 'Content-Type': 'application/json' },
      body: '{}',
      timeout_milliseconds: 120_000,
    });
    expect(await sql`select from public.pipeline_runs`).toHaveLength(0);
    const { leaked } = only(
      await sql`select bool_or(command like ${`%${KEY}%`}) as leaked from cron.job`,
    );
    expect(leaked).toBe(false);
  });
});

describe('cleanup', () => {
  const run = (job: string, at: Date, row: Record<string, unknown> = {}) => {
    const { sql } = database;
    const whole = { job, status: 'succeeded', as_of: at, started_at: at, finished_at: at, ...row };
    return sql`insert into public.pipeline_runs ${sql(whole)}`;
  };
  const days = (n: number) => hours(24 * n);
  const cleanup = (now = T0) => database.sql`select postloop.cleanup(${now})`;
  const runs = () =>
    database.sql`
      select job, status, as_of, expected, done, error ->> 'code' as code
      from public.pipeline_runs where job <> 'cleanup' order by as_of, job`;

  it("deletes old runs and yesterday's empty heartbeats, and nothing else", async () => {
    await run('attribution', days(-91));
    await run('attribution', days(-89));
    await run('scraper', days(-2), { expected: 4, done: 4 });
    await run('scraper', days(-2));
    await run('health', days(-2));
    await run('scraper', hours(-23));
    await cleanup();
    expect((await runs()).map((row) => [row.job, row.as_of, row.expected])).toEqual([
      ['attribution', days(-89), 0],
      ['health', days(-2), 0],
      ['scraper', days(-2), 4],
      ['scraper', hours(-23), 0],
    ]);
  });

  it('marks a run that nobody closed within 15 minutes as abandoned', async () => {
    await run('scraper', hours(-2), { status: 'running', finished_at: null, expected: 3 });
    await run('scraper', hours(-0.2), { status: 'running', finished_at: null, expected: 3 });
    await cleanup();
    expect((await runs()).map((row) => [row.status, row.code])).toEqual([
      ['failed', 'abandoned'],
      ['running', null],
    ]);
  });

  it('goes by when a run really started, not by the moment that it replays', async () => {
    const replay = { started_at: hours(-0.2) };
    await run('attribution', days(-200), replay);
    await run('scraper', days(-200), { ...replay, status: 'running', finished_at: null });
    await cleanup();
    expect((await runs()).map((row) => [row.job, row.status])).toEqual([
      ['attribution', 'succeeded'],
      ['scraper', 'running'],
    ]);
  });

  it('deletes cron records older than seven days', async () => {
    const { sql } = database;
    for (const [runid, at] of [days(-8), days(-6)].entries()) {
      await sql`
        insert into cron.job_run_details (jobid, runid, status, start_time, end_time)
        values (1, ${runid}, 'succeeded', ${at}, ${at})`;
    }
    await cleanup();
    expect(await sql`select runid::int, end_time from cron.job_run_details`).toEqual([
      { runid: 1, end_time: days(-6) },
    ]);
    await sql`delete from cron.job_run_details`;
  });

  it('writes a run of its own, also when there was nothing to do', async () => {
    const { sql } = database;
    await run('attribution', days(-91));
    await cleanup();
    await cleanup(hours(24));
    expect(
      await sql`
        select status, expected, done, as_of from public.pipeline_runs
        where job = 'cleanup' order by as_of`,
    ).toEqual([
      { status: 'succeeded', expected: 1, done: 1, as_of: T0 },
      { status: 'succeeded', expected: 0, done: 0, as_of: hours(24) },
    ]);
  });
});
