import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createScheduler, type Scheduler } from '../../local/stack/scheduler.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { hours, json, minutes, only, reset, T0 } from '../support/scenario.ts';

type Invariant = {
  name: string;
  status: string;
  measured?: string | null;
  threshold?: string | null;
  what_to_do?: string | null;
};

/** Part of the webhook's address that nobody may see. */
const TOKEN = 'T0P5ECRET9f3a';
const NOBODY = `http://127.0.0.1:1/hook/${TOKEN}`;

let database: TestDatabase;
let scheduler: Scheduler;
let receiver: Server;
let webhook: string;
/** Bodies that the webhook has received, in order. */
let received: ReturnType<typeof JSON.parse>[];
/** What it answers next; 200 when nothing is left. A 0 is no answer at all. */
let answers: number[];

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    received.push(JSON.parse(await text(request)));
    const status = answers.shift() ?? 200;
    if (status !== 0) response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook/${TOKEN}`;
});
afterAll(() => {
  receiver?.closeAllConnections();
  receiver?.close();
});

beforeEach(async () => {
  received = [];
  answers = [];
  database = await createDatabase();
  const { sql } = database;
  await reset(sql);
  await sql`delete from postloop.checks`;
  await sql`insert into postloop.checks values ('test', 1)`;
  await sql`create table public.found (name text, status text, measured text, threshold text,
    what_to_do text)`;
  await sql`
    create function postloop.check_test(p_now timestamptz)
    returns table (name text, status text, measured text, threshold text, what_to_do text)
    language sql set search_path = '' as 'select * from public.found'`;
  scheduler = createScheduler({ adminUrl: database.adminUrl, since: T0 });
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

async function configure(url: string | null): Promise<void> {
  const { sql } = database;
  await sql`delete from vault.secrets where name = 'postloop_alert_webhook'`;
  if (url !== null) await sql`select vault.create_secret(${url}, 'postloop_alert_webhook')`;
}

/** From now on the check finds these. */
async function find(...invariants: Invariant[]): Promise<void> {
  const { sql } = database;
  await sql`delete from public.found`;
  await sql`
    insert into public.found
    select * from jsonb_populate_recordset(null::public.found, ${json(sql, invariants)})`;
}

async function watch(now: Date) {
  const { reply } = only(await database.sql`select postloop.watch(${now}) as reply`);
  return reply;
}

/** One turn of the schedule: watch runs, then pg_net sends. */
async function turn(now: Date) {
  const reply = await watch(now);
  await scheduler.drain(now);
  return reply;
}

const alerts = () =>
  database.sql`
    select invariant, change, delivery, attempts, last_error from public.pipeline_alerts order by id`;
const deliveries = async () => (await alerts()).map(({ delivery }) => delivery);
const told = () =>
  received.map((body) =>
    body.alerts.map(
      (one: { change: string; invariant: string }) => `${one.change} ${one.invariant}`,
    ),
  );
const queued = () =>
  database.sql`
    select url, convert_from(body, 'utf8')::jsonb as body, timeout_milliseconds as timeout
    from net.http_request_queue order by id`;
const runs = () =>
  database.sql`
    select status, as_of, expected, done, error from public.pipeline_runs where job = 'watch'
    order by as_of`;

describe('an alert', () => {
  beforeEach(() => configure(webhook));

  it('goes out once when an invariant fails, and once more when it has recovered', async () => {
    await find({ name: 'reads_on_time', status: 'ok' });
    await turn(T0);
    expect(received).toEqual([]);
    await find({
      name: 'reads_on_time',
      status: 'failing',
      measured: '14 reads',
      threshold: '10 min',
      what_to_do: 'Look at the Lambda.',
    });
    for (const minute of [5, 10, 15]) await turn(minutes(minute));
    await find({ name: 'reads_on_time', status: 'ok', measured: '0 reads', threshold: '10 min' });
    for (const minute of [20, 25]) await turn(minutes(minute));

    expect(told()).toEqual([['failing reads_on_time'], ['recovered reads_on_time']]);
    expect(received[0]).toEqual({
      project: null,
      as_of: expect.any(String),
      alerts: [
        {
          id: expect.any(Number),
          change: 'failing',
          invariant: 'reads_on_time',
          status: 'failing',
          previous_status: 'ok',
          measured: '14 reads',
          threshold: '10 min',
          what_to_do: 'Look at the Lambda.',
          since: expect.any(String),
          created_at: expect.any(String),
        },
      ],
    });
    expect(new Date(received[0].as_of)).toEqual(minutes(5));
    expect(new Date(received[0].alerts[0].since)).toEqual(minutes(5));
    expect(await deliveries()).toEqual(['delivered', 'delivered']);
  });

  it.each([
    [null, 'ok', null],
    [null, 'warning', 'warning'],
    [null, 'failing', 'failing'],
    ['ok', 'ok', null],
    ['ok', 'warning', 'warning'],
    ['ok', 'failing', 'failing'],
    ['warning', 'failing', 'failing'],
    ['failing', 'warning', 'warning'],
    ['warning', 'warning', null],
    ['failing', 'failing', null],
    ['warning', 'ok', 'recovered'],
    ['failing', 'ok', 'recovered'],
  ])('from %s to %s is %s', async (before, after, change) => {
    const { sql } = database;
    if (before !== null) {
      await find({ name: 'it', status: before });
      await watch(T0);
    }
    const known = (await alerts()).length;
    await find({ name: 'it', status: after });
    await watch(minutes(5));
    expect(
      await sql`
        select change, status, previous_status, since, created_at from public.pipeline_alerts
        order by id offset ${known}`,
    ).toEqual(
      change === null
        ? []
        : [
            {
              change,
              status: after,
              previous_status: before,
              since: minutes(5),
              created_at: minutes(5),
            },
          ],
    );
  });

  it('is stored beside the state, which keeps since when it is so', async () => {
    const { sql } = database;
    const states = () =>
      sql`select name, status, measured, since, checked_at from public.invariant_states`;
    await find({ name: 'it', status: 'failing', measured: '1' });
    await watch(T0);
    await find({ name: 'it', status: 'failing', measured: '2' });
    await watch(minutes(5));
    expect(await states()).toEqual([
      { name: 'it', status: 'failing', measured: '2', since: T0, checked_at: minutes(5) },
    ]);
    await find({ name: 'it', status: 'warning', measured: '3' });
    await watch(minutes(10));
    expect(await states()).toEqual([
      { name: 'it', status: 'warning', measured: '3', since: minutes(10), checked_at: minutes(10) },
    ]);
  });

  it('is repeated once a day while it lasts, though the job starts some milliseconds early', async () => {
    await find({ name: 'it', status: 'failing' });
    await turn(new Date(T0.getTime() + 50));
    for (const minute of [5, 12 * 60, 24 * 60 - 5]) await turn(minutes(minute));
    expect(told()).toEqual([['failing it']]);
    for (const minute of [24 * 60, 24 * 60 + 5, 48 * 60 - 5, 48 * 60]) await turn(minutes(minute));
    expect(told()).toEqual([['failing it'], ['reminder it'], ['reminder it']]);
    expect(new Date(received[2].alerts[0].since).getTime()).toBe(T0.getTime() + 50);
    expect(received[2].alerts[0].status).toBe('failing');
  });

  it('shares one request with the others of its turn, what fails first', async () => {
    await find(
      { name: 'b', status: 'warning' },
      { name: 'a', status: 'failing' },
      { name: 'gone', status: 'failing' },
    );
    await turn(T0);
    await find(
      { name: 'b', status: 'ok' },
      { name: 'a', status: 'warning' },
      { name: 'c', status: 'failing' },
    );
    const reply = await turn(minutes(5));
    expect(told()).toEqual([
      ['failing a', 'failing gone', 'warning b'],
      ['failing c', 'warning a', 'recovered b', 'recovered gone'],
    ]);
    expect(reply).toMatchObject({ code: 'watched', checked: 3, alerts: 4, sent: 4, error: null });
  });

  it('tells of a check that raises, and then that it can be made again', async () => {
    const { sql } = database;
    await find({ name: 'of_test', status: 'failing' });
    await turn(T0);
    await sql`alter table public.found rename to away`;
    await turn(minutes(5));
    expect(received[1].alerts).toMatchObject([
      {
        change: 'failing',
        invariant: 'test',
        measured: expect.stringContaining('relation "public.found" does not exist'),
      },
    ]);
    await sql`alter table public.away rename to found`;
    await turn(minutes(10));
    // Its own invariant was unknown meanwhile, and never taken for recovered.
    expect(told()).toEqual([['failing of_test'], ['failing test'], ['recovered test']]);
    expect(await sql`select name from public.invariant_states`).toEqual([{ name: 'of_test' }]);
  });

  it('takes the worse of two rows of one name, and a status nobody knows for failing', async () => {
    await find(
      { name: 'twice', status: 'ok' },
      { name: 'twice', status: 'failing' },
      { name: 'odd', status: 'great' },
    );
    await turn(T0);
    expect(told()).toEqual([['failing odd', 'failing twice']]);
  });

  it('goes out when not even the checks can be asked, and the run is failed', async () => {
    const { sql } = database;
    await find({ name: 'it', status: 'failing' });
    await turn(T0);
    await sql`alter table postloop.checks rename to away`;
    const reply = await turn(minutes(5));
    await turn(minutes(10));
    expect(reply).toMatchObject({ code: 'failed', error: { code: 'checks_failed' } });
    expect((await runs())[1]).toMatchObject({
      status: 'failed',
      error: { code: 'checks_failed', message: expect.stringContaining('postloop.checks') },
    });
    await sql`alter table postloop.away rename to checks`;
    await turn(minutes(15));
    expect(told()).toEqual([['failing it'], ['failing checks_made'], ['recovered checks_made']]);
  });

  it('goes out when the checks take longer than a statement may', async () => {
    const { sql } = database;
    await sql`
      create or replace function postloop.check_test(p_now timestamptz)
      returns table (name text, status text, measured text, threshold text, what_to_do text)
      language sql as $$ select 'it', 'ok', pg_sleep(20)::text, '', '' $$`;
    await sql.begin(async (session) => {
      await session`set local statement_timeout = '2s'`;
      await session`select postloop.watch(${T0})`;
    });
    await scheduler.drain(T0);
    expect(received[0].alerts).toMatchObject([
      { invariant: 'checks_made', measured: expect.stringContaining('statement timeout') },
    ]);
  });

  it('goes out though the run cannot be recorded', async () => {
    const { sql } = database;
    await find({ name: 'it', status: 'failing' });
    await sql`alter table public.pipeline_runs rename column expected to planned`;
    const reply = await turn(T0);
    expect(reply).toMatchObject({ code: 'failed', run_id: null, sent: 1 });
    expect(reply.error.code).toBe('run_not_recorded');
    expect(told()).toEqual([['failing it']]);
  });

  it('names the project that Vault names', async () => {
    const { sql } = database;
    await sql`select vault.create_secret('https://abc.supabase.co/', 'postloop_project_url')`;
    await find({ name: 'it', status: 'failing' });
    await turn(T0);
    expect(received[0].project).toBe('https://abc.supabase.co');
  });

  it('is formatted for the host of the address in Vault', async () => {
    const { sql } = database;
    const bodies: unknown[] = [];
    const urls = ['https://hooks.slack.com/services/x', 'https://discord.com/api/webhooks/1/x'];
    for (const [n, url] of urls.entries()) {
      await configure(url);
      await find({ name: `it_${n}`, status: 'failing' });
      await watch(minutes(5 * n));
      const request = only(await queued());
      expect(request.url).toBe(url);
      bodies.push(request.body);
      await sql`delete from net.http_request_queue`;
      await sql`delete from public.pipeline_alerts`;
    }
    expect(bodies).toEqual([
      { text: 'Postloop\nFAILING it_0 since 12:00 UTC.' },
      {
        content:
          'Postloop\nFAILING it_1 since 12:05 UTC.\nRECOVERED it_0: no longer checked since 12:05 UTC.',
        allowed_mentions: { parse: [] },
      },
    ]);
  });

  it('is fired by pg_cron, with no edge function between', async () => {
    const { sql } = database;
    await find({ name: 'it', status: 'failing' });
    // A copy of the template database has the template's name in its jobs.
    await sql`
      select cron.alter_job(jobid, database := current_database()) from cron.job
      where jobname = 'postloop-watch'`;
    const { runs: fired } = await scheduler.tick(minutes(5));
    expect(fired).toMatchObject([
      { jobname: 'postloop-watch', due: minutes(5), status: 'succeeded', message: '1 row' },
    ]);
    expect(told()).toEqual([['failing it']]);
  });
});

describe('delivery', () => {
  beforeEach(async () => {
    await configure(webhook);
    await find({ name: 'it', status: 'failing' });
  });

  it('is tried again after an error, with a longer wait each time, until one is accepted', async () => {
    answers = [500, 429];
    const sentAt: number[] = [];
    for (let minute = 0; minute <= 60; minute += 5) {
      const { sent } = await turn(minutes(minute));
      if (sent > 0) sentAt.push(minute);
    }
    expect(sentAt).toEqual([0, 5, 15]);
    expect(received).toHaveLength(3);
    expect(await alerts()).toEqual([
      {
        invariant: 'it',
        change: 'failing',
        delivery: 'delivered',
        attempts: 3,
        last_error: 'The webhook answered HTTP 429.',
      },
    ]);
    expect(await database.sql`select delivered_at from public.pipeline_alerts`).toEqual([
      { delivered_at: minutes(15) },
    ]);
  });

  it('is tried again after a refused connection, at the address of then', async () => {
    await configure(NOBODY);
    await turn(T0);
    await configure(webhook);
    await watch(new Date(minutes(5).getTime() - 1_000));
    expect(await alerts()).toMatchObject([
      {
        delivery: 'pending',
        attempts: 1,
        last_error: expect.stringMatching(/^The webhook could not be reached; .* under id \d+\.$/),
      },
    ]);
    for (const minute of [5, 10, 15]) await turn(minutes(minute));
    expect(told()).toEqual([['failing it']]);
    expect(await deliveries()).toEqual(['delivered']);
  });

  it('waits 10 seconds for an answer, and is tried again after that', async () => {
    const { sql } = database;
    answers = [0];
    await watch(T0);
    expect(await queued()).toMatchObject([{ timeout: 10_000 }]);
    await sql`update net.http_request_queue set timeout_milliseconds = 200`;
    await scheduler.drain(T0);
    await turn(minutes(5));
    await turn(minutes(10));
    expect(await alerts()).toMatchObject([
      {
        delivery: 'delivered',
        attempts: 2,
        last_error: 'The webhook did not answer within 10 s.',
      },
    ]);
  });

  it('is tried again when the answer was lost', async () => {
    const { sql } = database;
    await turn(T0);
    await sql`delete from net._http_response`;
    await turn(minutes(5));
    expect(await alerts()).toMatchObject([
      { delivery: 'sent', attempts: 2, last_error: 'pg_net recorded no answer.' },
    ]);
    await turn(minutes(10));
    expect(await deliveries()).toEqual(['delivered']);
  });

  it('is not tried twice while pg_net has not begun with the first request', async () => {
    for (const minute of [0, 5, 10, 15]) await watch(minutes(minute));
    expect(await queued()).toHaveLength(1);
    await turn(minutes(20));
    await turn(minutes(25));
    expect(received).toHaveLength(1);
    expect(await alerts()).toMatchObject([{ delivery: 'delivered', attempts: 1 }]);
  });

  it('waits twice as long each time up to six hours, and gives up after a day', async () => {
    answers = Array(10).fill(500);
    const sentAt: number[] = [];
    for (let minute = 0; minute < 24 * 60; minute += 5) {
      const { sent } = await turn(minutes(minute));
      if (sent > 0) sentAt.push(minute);
    }
    expect(sentAt).toEqual([0, 5, 15, 35, 75, 155, 315, 635, 995, 1355]);
    await turn(hours(24));
    await turn(minutes(5, hours(24)));
    expect(await alerts()).toMatchObject([
      {
        change: 'failing',
        delivery: 'given_up',
        attempts: 10,
        last_error: 'The webhook answered HTTP 500.',
      },
      { change: 'reminder', delivery: 'delivered', attempts: 1 },
    ]);
    expect(told().at(-1)).toEqual(['reminder it']);
  });

  it('gives up after a day on a pg_net that never sends', async () => {
    await watch(T0);
    await find({ name: 'it', status: 'ok' });
    await watch(hours(24));
    expect((await alerts())[0]).toMatchObject({
      delivery: 'given_up',
      last_error: 'pg_net does not send what it is given.',
    });
  });

  it('takes what waits along with what is new, in the order in which it happened', async () => {
    answers = [500, 500];
    await turn(T0);
    await turn(minutes(5));
    await find({ name: 'it', status: 'ok' });
    await turn(minutes(10));
    await find({ name: 'it', status: 'warning' });
    await turn(minutes(15));
    expect(told()).toEqual([
      ['failing it'],
      ['failing it'],
      ['recovered it'],
      ['failing it', 'warning it'],
    ]);
  });

  it('happens once when two watch at the same time', async () => {
    const { sql, url } = database;
    const other = postgres(url, { max: 1, onnotice: () => {} });
    try {
      await sql.begin(async (session) => {
        await session`select postloop.watch(${T0})`;
        const { reply } = only(await other`select postloop.watch(${T0}) as reply`);
        expect(reply).toEqual({ code: 'busy' });
      });
      await find({ name: 'it', status: 'warning' });
      await Promise.all([
        sql`select postloop.watch(${minutes(5)})`,
        other`select postloop.watch(${minutes(5)})`,
      ]);
      await scheduler.drain(minutes(5));
    } finally {
      await other.end();
    }
    expect(told().sort()).toEqual([['failing it'], ['warning it']]);
  });

  it('is tried again when pg_net refuses the request', async () => {
    const admin = postgres(database.adminUrl, { max: 1, onnotice: () => {} });
    try {
      await admin.unsafe(`
        create function net.refuse() returns trigger language plpgsql as
          'begin raise exception ''no worker for %'', new.url; end';
        create trigger refuse before insert on net.http_request_queue
          for each row execute function net.refuse()`);
      await turn(T0);
      expect(await alerts()).toMatchObject([
        {
          delivery: 'pending',
          attempts: 1,
          last_error: 'pg_net did not take the request (SQLSTATE P0001).',
        },
      ]);
      await admin`drop trigger refuse on net.http_request_queue`;
    } finally {
      await admin.end();
    }
    await turn(minutes(5));
    await turn(minutes(10));
    expect(await deliveries()).toEqual(['delivered']);
  });

  it('says of a secret that is no web address what is wrong, without the secret', async () => {
    await configure(TOKEN);
    await turn(T0);
    expect(await queued()).toEqual([]);
    const { last_error } = only(await alerts());
    expect(last_error).toContain('postloop_alert_webhook');
    expect(last_error).not.toContain(TOKEN);
  });

  it('takes a secret that was pasted with a line break', async () => {
    await configure(`${webhook}\n`);
    await turn(T0);
    expect(told()).toEqual([['failing it']]);
  });
});

describe('without a webhook', () => {
  it.each([
    ['no secret', null],
    ['an empty one', ' '],
  ])('(%s) alerts are recorded, and never sent', async (_, secret) => {
    await configure(secret);
    await find({ name: 'it', status: 'failing' });
    expect(await turn(T0)).toMatchObject({ code: 'watched', alerts: 1, sent: 0 });
    await find({ name: 'it', status: 'ok' });
    await turn(minutes(5));
    await configure(webhook);
    await turn(minutes(10));
    expect(received).toEqual([]);
    expect(await alerts()).toMatchObject([
      { change: 'failing', delivery: 'not_configured', attempts: 0 },
      { change: 'recovered', delivery: 'not_configured', attempts: 0 },
    ]);
  });

  it('what still fails when there is one comes as a reminder, once', async () => {
    await find({ name: 'it', status: 'failing' });
    await turn(T0);
    await configure(webhook);
    for (const minute of [5, 10]) await turn(minutes(minute));
    expect(told()).toEqual([['reminder it']]);
  });

  it('nothing that waited is sent any more', async () => {
    await configure(NOBODY);
    await find({ name: 'it', status: 'failing' });
    await turn(T0);
    await configure(null);
    await turn(minutes(5));
    expect(await deliveries()).toEqual(['not_configured']);
  });
});

describe('the address of the webhook', () => {
  /** Tables of Postloop, and those of pg_cron and pg_net that outlive a request. */
  const tablesWith = async (word: string) => {
    const admin = postgres(database.adminUrl, { max: 1, onnotice: () => {} });
    try {
      const tables = await admin<{ name: string }[]>`
        select c.oid::regclass::text as name from pg_class c
        where c.relkind in ('r', 'p') and (
          c.relnamespace in ('public'::regnamespace, 'postloop'::regnamespace, 'cron'::regnamespace)
          or c.oid = 'net._http_response'::regclass)`;
      const found: string[] = [];
      for (const { name } of tables) {
        const { n } = only(
          await admin.unsafe(
            `select count(*)::int as n from ${name} t where strpos(to_jsonb(t)::text, $1) > 0`,
            [word],
          ),
        );
        if (n > 0) found.push(name);
      }
      return found;
    } finally {
      await admin.end();
    }
  };

  it('is in no table, whatever goes wrong', async () => {
    const { sql } = database;
    await sql`
      select cron.alter_job(jobid, database := current_database()) from cron.job
      where jobname = 'postloop-watch'`;
    const addresses = [
      webhook,
      NOBODY,
      `http://nowhere.invalid/${TOKEN}`,
      `http://[${TOKEN}/`,
      `ftp://${TOKEN}`,
      `https://hooks.slack.com/services/${TOKEN}`,
    ];
    for (const [n, address] of addresses.entries()) {
      await configure(address);
      answers = [500];
      await find({ name: `it_${n}`, status: 'failing' });
      // By pg_cron with the time of now, and by hand an hour and more later.
      await scheduler.tick(minutes(5 * (n + 1)));
      await watch(hours(n + 1, new Date()));
      await sql`delete from net.http_request_queue`;
    }
    await sql`alter table public.pipeline_alerts rename column threshold to away`;
    await scheduler.tick(minutes(40));
    expect(await tablesWith(TOKEN)).toEqual([]);
    expect(await tablesWith('it_5')).toContain('pipeline_alerts');
    expect(await tablesWith('postloop.watch')).toContain('cron.job_run_details');
  });
});

describe('a run of watch', () => {
  it('is recorded with the number of invariants that it checked', async () => {
    await find({ name: 'a', status: 'ok' }, { name: 'b', status: 'failing' });
    const reply = await watch(T0);
    expect(await runs()).toEqual([
      { status: 'succeeded', as_of: T0, expected: 2, done: 2, error: null },
    ]);
    const { run_id } = only(await database.sql`select run_id from public.pipeline_runs`);
    expect(reply).toMatchObject({ code: 'watched', run_id, checked: 2 });
  });

  it('succeeds when there is nothing to check', async () => {
    await watch(T0);
    expect(await runs()).toMatchObject([{ status: 'succeeded', expected: 0 }]);
  });

  it('that fails says why in its row, and leaves states and alerts as they were', async () => {
    const { sql } = database;
    await configure(webhook);
    await find({ name: 'it', status: 'ok' });
    await watch(T0);
    await find({ name: 'it', status: 'failing' });
    await sql`alter table public.pipeline_alerts rename column threshold to away`;
    expect(await watch(minutes(5))).toMatchObject({ code: 'failed', checked: 0, alerts: 0 });
    expect((await runs())[1]).toMatchObject({
      status: 'failed',
      error: { code: 'watch_failed', message: expect.stringContaining('threshold') },
    });
    expect(await sql`select status, checked_at from public.invariant_states`).toEqual([
      { status: 'ok', checked_at: T0 },
    ]);
    await sql`alter table public.pipeline_alerts rename column away to threshold`;
    await turn(minutes(10));
    expect(told()).toEqual([['failing it']]);
  });

  it('closes the runs that nobody closed within 15 minutes, and no others', async () => {
    const { sql } = database;
    const open = (job: string, minute: number) =>
      sql`insert into public.pipeline_runs (job, as_of, started_at, expected)
        values (${job}, ${minutes(minute)}, ${minutes(minute)}, 3)`;
    await open('scraper', -16);
    await open('learning', -300);
    await open('scraper', -14);
    expect(await watch(T0)).toMatchObject({ abandoned: 2 });
    expect(
      await sql`
        select job, as_of, status, error ->> 'code' as code from public.pipeline_runs
        where job <> 'watch' order by as_of`,
    ).toEqual([
      { job: 'learning', as_of: minutes(-300), status: 'failed', code: 'abandoned' },
      { job: 'scraper', as_of: minutes(-16), status: 'failed', code: 'abandoned' },
      { job: 'scraper', as_of: minutes(-14), status: 'running', code: null },
    ]);
  });

  it('forgets alerts after 90 days, and runs of its own that went well after one', async () => {
    const { sql } = database;
    const run = (at: Date, row: Record<string, unknown>) => {
      const whole = { status: 'succeeded', as_of: at, started_at: at, finished_at: at, ...row };
      return sql`insert into public.pipeline_runs ${sql(whole)}`;
    };
    const failed = { job: 'watch', status: 'failed', error: json(sql, { code: 'watch_failed' }) };
    await run(hours(-25), { job: 'watch' });
    await run(hours(-23), { job: 'watch' });
    await run(hours(-25), failed);
    await run(hours(-25), { job: 'learning' });
    for (const day of [-91, -89]) {
      await sql`
        insert into public.pipeline_alerts (created_at, change, invariant, status, since, delivery,
          next_attempt_at)
        values (${hours(24 * day)}, 'failing', 'it', 'failing', ${T0}, 'not_configured', ${T0})`;
    }
    await watch(T0);
    expect(
      await sql`
        select job, status, as_of from public.pipeline_runs where as_of < ${T0}
        order by as_of, job, status`,
    ).toEqual([
      { job: 'learning', status: 'succeeded', as_of: hours(-25) },
      { job: 'watch', status: 'failed', as_of: hours(-25) },
      { job: 'watch', status: 'succeeded', as_of: hours(-23) },
    ]);
    expect(await sql`select created_at from public.pipeline_alerts`).toEqual([
      { created_at: hours(24 * -89) },
    ]);
  });

  it('can be had by service_role, who reads alerts and writes none', async () => {
    const { sql } = database;
    await configure(NOBODY);
    await find({ name: 'it', status: 'failing' });
    await sql.begin(async (session) => {
      await session`set local role service_role`;
      const { reply } = only(await session`select postloop.watch(${T0}) as reply`);
      expect(reply).toMatchObject({ code: 'watched', sent: 1 });
      expect(await session`select invariant from public.pipeline_alerts`).toEqual([
        { invariant: 'it' },
      ]);
    });
    await expect(
      sql.begin(async (session) => {
        await session`set local role service_role`;
        await session`delete from public.pipeline_alerts`;
      }),
    ).rejects.toMatchObject({ code: '42501' });
  });
});
