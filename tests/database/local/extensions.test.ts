import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

const MIGRATIONS = fileURLToPath(new URL('../../fixtures/migrations', import.meta.url));

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase({ migrations: MIGRATIONS });
});
afterAll(() => database.drop());

async function columns(table: string): Promise<string[]> {
  const rows = await database.sql<{ column: string }[]>`
    select attname || ' ' || format_type(atttypid, null) as column
    from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped
    order by attnum`;
  return rows.map((row) => row.column);
}

async function signatures(schema: string): Promise<string[]> {
  const rows = await database.sql<{ signature: string }[]>`
    select proname || '(' || pg_get_function_arguments(oid) || ') ' || pg_get_function_result(oid)
      as signature
    from pg_proc where pronamespace = ${schema}::regnamespace and proname not like '\\_%'
    order by 1`;
  return rows.map((row) => row.signature);
}

describe('pg_cron', () => {
  it('has the tables of pg_cron', async () => {
    expect(await columns('cron.job')).toEqual([
      'jobid bigint',
      'schedule text',
      'command text',
      'nodename text',
      'nodeport integer',
      'database text',
      'username text',
      'active boolean',
      'jobname text',
    ]);
    expect(await columns('cron.job_run_details')).toEqual([
      'jobid bigint',
      'runid bigint',
      'job_pid integer',
      'database text',
      'username text',
      'command text',
      'status text',
      'return_message text',
      'start_time timestamp with time zone',
      'end_time timestamp with time zone',
    ]);
  });

  it('has the functions of pg_cron', async () => {
    expect(await signatures('cron')).toEqual([
      'alter_job(job_id bigint, schedule text DEFAULT NULL::text, command text DEFAULT NULL::text, ' +
        'database text DEFAULT NULL::text, username text DEFAULT NULL::text, ' +
        'active boolean DEFAULT NULL::boolean) void',
      'schedule(job_name text, schedule text, command text) bigint',
      'schedule(schedule text, command text) bigint',
      'schedule_in_database(job_name text, schedule text, command text, database text, ' +
        'username text DEFAULT NULL::text, active boolean DEFAULT true) bigint',
      'unschedule(job_id bigint) boolean',
      'unschedule(job_name text) boolean',
    ]);
  });

  it('overwrites a job of the same name and keeps its number', async () => {
    const { sql } = database;
    const [first] = await sql`select cron.schedule('twice', '5 * * * *', 'select 1') as id`;
    const [second] = await sql`select cron.schedule('twice', '6 * * * *', 'select 2') as id`;
    expect(second?.id).toBe(first?.id);
    expect(
      await sql`select schedule, command, username from cron.job where jobname = 'twice'`,
    ).toEqual([{ schedule: '6 * * * *', command: 'select 2', username: 'postgres' }]);
  });

  it('changes and removes a job by its number and by its name', async () => {
    const { sql } = database;
    const [job] = await sql`select cron.schedule('changing', '5 * * * *', 'select 1') as id`;
    await sql`select cron.alter_job(${job?.id}, active := false)`;
    expect(await sql`select schedule, active from cron.job where jobid = ${job?.id}`).toEqual([
      { schedule: '5 * * * *', active: false },
    ]);
    await sql`select cron.unschedule('changing')`;
    expect(await sql`select from cron.job where jobid = ${job?.id}`).toHaveLength(0);
    await expect(sql`select cron.unschedule('changing')`).rejects.toThrow('could not find');
  });

  it('refuses a schedule that is none', async () => {
    await expect(
      database.sql`select cron.schedule('never', 'every now and then', 'select 1')`,
    ).rejects.toThrow('invalid schedule');
  });

  it('lets nobody write the table of jobs directly', async () => {
    await expect(
      database.sql`insert into cron.job (schedule, command) values ('* * * * *', 'select 1')`,
    ).rejects.toThrow('permission denied');
  });
});

describe('pg_net', () => {
  it('has the tables of pg_net, unlogged', async () => {
    expect(await columns('net.http_request_queue')).toEqual([
      'id bigint',
      'method net.http_method',
      'url text',
      'headers jsonb',
      'body bytea',
      'timeout_milliseconds integer',
    ]);
    expect(await columns('net._http_response')).toEqual([
      'id bigint',
      'status_code integer',
      'content_type text',
      'headers jsonb',
      'content text',
      'timed_out boolean',
      'error_msg text',
      'created timestamp with time zone',
    ]);
    expect(
      await database.sql`
        select relpersistence from pg_class
        where oid in ('net.http_request_queue'::regclass, 'net._http_response'::regclass)`,
    ).toEqual([{ relpersistence: 'u' }, { relpersistence: 'u' }]);
  });

  it('has the functions of pg_net', async () => {
    expect(await signatures('net')).toEqual(
      expect.arrayContaining([
        "http_get(url text, params jsonb DEFAULT '{}'::jsonb, headers jsonb DEFAULT '{}'::jsonb, " +
          'timeout_milliseconds integer DEFAULT 5000) bigint',
        "http_post(url text, body jsonb DEFAULT '{}'::jsonb, params jsonb DEFAULT '{}'::jsonb, " +
          'headers jsonb DEFAULT \'{"Content-Type": "application/json"}\'::jsonb, ' +
          'timeout_milliseconds integer DEFAULT 5000) bigint',
        "http_delete(url text, params jsonb DEFAULT '{}'::jsonb, " +
          "headers jsonb DEFAULT '{}'::jsonb, timeout_milliseconds integer DEFAULT 5000, " +
          'body jsonb DEFAULT NULL::jsonb) bigint',
      ]),
    );
  });

  it('queues a request with its parameters encoded and its content type filled in', async () => {
    const { sql } = database;
    const [request] = await sql`
      select net.http_post('http://127.0.0.1:9/x?a=1', '{"n": 1}', '{"q": "ä &"}',
        '{"apikey": "k"}', 900) as id`;
    const rows = await sql`
      select method, url, headers, convert_from(body, 'UTF8')::jsonb as body, timeout_milliseconds
      from net.http_request_queue where id = ${request?.id}`;
    expect(rows).toEqual([
      {
        method: 'POST',
        url: 'http://127.0.0.1:9/x?a=1&q=%C3%A4%20%26',
        headers: { apikey: 'k', 'Content-Type': 'application/json' },
        body: { n: 1 },
        timeout_milliseconds: 900,
      },
    ]);
  });

  it('posts nothing but JSON', async () => {
    await expect(
      database.sql`
        select net.http_post('http://127.0.0.1:9', headers := '{"content-type": "text/plain"}')`,
    ).rejects.toThrow('must be "application/json"');
  });
});

describe('supabase_vault', () => {
  it('gives back what was stored under a name, and the newer value after an update', async () => {
    const { sql } = database;
    const [secret] = await sql`select vault.create_secret('one', 'a_name', 'what it is for') as id`;
    await sql`select vault.update_secret(${secret?.id}, 'two')`;
    expect(
      await sql`
        select name, description, decrypted_secret from vault.decrypted_secrets
        where name = 'a_name'`,
    ).toEqual([{ name: 'a_name', description: 'what it is for', decrypted_secret: 'two' }]);
  });

  it('keeps a name for one secret only', async () => {
    await database.sql`select vault.create_secret('one', 'taken')`;
    await expect(database.sql`select vault.create_secret('two', 'taken')`).rejects.toThrow(
      'duplicate key',
    );
  });

  it('shows nothing to the callers of the API', async () => {
    await expect(
      database.sql.begin(async (sql) => {
        await sql`set local role anon`;
        await sql`select * from vault.decrypted_secrets`;
      }),
    ).rejects.toThrow('permission denied');
  });
});
