import { createServer, type IncomingMessage, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createScheduler, type Scheduler } from '../../../local/stack/scheduler.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

const MIGRATIONS = fileURLToPath(new URL('../../fixtures/migrations', import.meta.url));
const at = (time: string) => new Date(`2026-03-01T${time}Z`);

type Received = { method: string; url: string; apikey: string | undefined; body: string };

let site: Server;
let address: string;
let received: Received[];
let database: TestDatabase;
let scheduler: Scheduler;

beforeAll(async () => {
  site = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const apikey = headers.apikey?.toString();
    received.push({ method, url, apikey, body: await text(request) });
    if (url === '/never') return;
    response.writeHead(url === '/broken' ? 500 : 201, { 'content-type': 'text/plain' });
    response.end('thank you');
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const bound = site.address();
  address = `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`;
});
afterAll(() => {
  site.closeAllConnections();
  site.close();
});

beforeEach(async () => {
  received = [];
  database = await createDatabase({ migrations: MIGRATIONS });
  scheduler = createScheduler({ adminUrl: database.adminUrl, since: at('00:00:00') });
});
afterEach(async () => {
  await scheduler.stop();
  await database.drop();
});

async function text(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

it('fires a job once for each minute of its schedule that has come, in GMT', async () => {
  const { sql } = database;
  await sql`select cron.schedule('note', '*/15 * * * *', 'insert into notes (body) values (1)')`;
  const early = await scheduler.tick(at('00:14:59'));
  expect(early.runs).toEqual([]);
  const first = await scheduler.tick(at('00:15:00'));
  expect(first.runs).toMatchObject([{ jobname: 'note', due: at('00:15:00'), message: '1 row' }]);
  const again = await scheduler.tick(at('00:15:59'));
  expect(again.runs).toEqual([]);
  expect(await sql`select count(*)::int as n from notes`).toEqual([{ n: 1 }]);
});

it('makes up for every missed minute once, in order of time over all jobs', async () => {
  const { sql } = database;
  await sql`select cron.schedule('quarter', '*/15 * * * *', 'select 1')`;
  await sql`select cron.schedule('hour', '30 * * * *', 'select 1')`;
  const { runs } = await scheduler.tick(at('01:00:10'));
  expect(runs.map((run) => `${run.due.toISOString().slice(11, 16)} ${run.jobname}`)).toEqual([
    '00:15 quarter',
    '00:30 quarter',
    '00:30 hour',
    '00:45 quarter',
    '01:00 quarter',
  ]);
});

it('leaves a job alone that is not active, and one of another database', async () => {
  const { sql } = database;
  await sql`select cron.schedule('off', '* * * * *', 'select 1')`;
  await sql`select cron.alter_job(jobid, active := false) from cron.job where jobname = 'off'`;
  await sql`select cron.schedule_in_database('there', '* * * * *', 'select 1', 'postgres')`;
  expect((await scheduler.tick(at('00:05:00'))).runs).toEqual([]);
});

it('runs a job as its user, and records how each run ended', async () => {
  const { sql } = database;
  await sql`select cron.schedule('who', '1 0 * * *',
    'insert into notes (body) select current_user || session_user')`;
  await sql`select cron.schedule('bad', '2 0 * * *', 'select 1 / 0')`;
  await scheduler.tick(at('00:02:00'));
  expect(await sql`select body from notes`).toEqual([{ body: 'postgrespostgres' }]);
  expect(
    await sql`
      select status, return_message, username, start_time, end_time >= start_time as ordered,
        job_pid > 0 as has_pid
      from cron.job_run_details order by runid`,
  ).toEqual([
    {
      status: 'succeeded',
      return_message: '1 row',
      username: 'postgres',
      start_time: at('00:01:00'),
      ordered: true,
      has_pid: true,
    },
    {
      status: 'failed',
      return_message: 'ERROR:  division by zero',
      username: 'postgres',
      start_time: at('00:02:00'),
      ordered: true,
      has_pid: true,
    },
  ]);
});

it('sends what is queued over HTTP and records the answer', async () => {
  const { sql } = database;
  await sql`select net.http_post(${`${address}/job`}, '{"a": 1}', headers := '{"apikey": "k"}')`;
  await sql`select net.http_get(${`${address}/broken`})`;
  const { sent } = await scheduler.tick(at('00:00:30'));
  expect(sent).toMatchObject([
    { url: `${address}/job`, status: 201, error: null },
    { url: `${address}/broken`, status: 500, error: null },
  ]);
  expect(received).toContainEqual({ method: 'POST', url: '/job', apikey: 'k', body: '{"a": 1}' });
  expect(
    await sql`
      select status_code, content_type, content, timed_out, error_msg, created
      from net._http_response order by id`,
  ).toEqual(
    [201, 500].map((status_code) => ({
      status_code,
      content_type: 'text/plain',
      content: 'thank you',
      timed_out: false,
      error_msg: null,
      created: at('00:00:30'),
    })),
  );
  expect(await sql`select from net.http_request_queue`).toHaveLength(0);
});

it('sends what a job queues before the next due minute, each request once', async () => {
  const { sql } = database;
  const command = `select net.http_post('${address}/job', jsonb_build_object('sent', (
    select count(*) from net._http_response)))`;
  await sql`select cron.schedule('post', '* * * * *', ${command})`;
  await scheduler.tick(at('00:03:00'));
  expect(received.map((request) => request.body)).toEqual([
    '{"sent": 0}',
    '{"sent": 1}',
    '{"sent": 2}',
  ]);
});

it('gives up after the time that the request allows, and says so', async () => {
  const { sql } = database;
  await sql`select net.http_get(${`${address}/never`}, timeout_milliseconds := 100)`;
  await sql`select net.http_get('http://127.0.0.1:1/nobody')`;
  await scheduler.drain(at('00:00:00'));
  expect(
    await sql`select status_code, timed_out, error_msg from net._http_response order by id`,
  ).toEqual([
    { status_code: null, timed_out: true, error_msg: 'Timeout of 100 ms reached' },
    { status_code: null, timed_out: null, error_msg: expect.any(String) },
  ]);
});

it('lets the caller add the virtual time to a body', async () => {
  const { sql } = database;
  const virtual = createScheduler({
    adminUrl: database.adminUrl,
    since: at('00:00:00'),
    changeBody: (body, { now }) => ({ ...(body as object), now: now.toISOString() }),
  });
  try {
    const command = `select net.http_post('${address}/job', '{"a": 1}')`;
    await sql`select cron.schedule('post', '5 * * * *', ${command})`;
    await virtual.tick(at('00:10:00'));
  } finally {
    await virtual.stop();
  }
  expect(received.map((request) => JSON.parse(request.body))).toEqual([
    { a: 1, now: '2026-03-01T00:05:00.000Z' },
  ]);
});

it('sends by itself once it is started, until it is stopped', async () => {
  const { sql } = database;
  const ticked = new Promise<number>((resolve) => {
    scheduler.start({ onTick: ({ sent }) => sent[0] && resolve(sent[0].status ?? 0) });
  });
  await sql`select net.http_get(${`${address}/job`})`;
  expect(await ticked).toBe(201);
  await scheduler.stop();
  await sql`select net.http_get(${`${address}/job`})`;
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(received).toHaveLength(1);
});
