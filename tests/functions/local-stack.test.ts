import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startDatabase } from '../../local/stack/database.ts';
import { startGateway } from '../../local/stack/gateway.ts';
import { startServices } from '../../local/stack/stack.ts';
import { DATABASE_PREFIX } from '../support/database.ts';
import { PATIENTLY } from '../support/patience.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const MIGRATIONS = fixture('migrations');

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({
    migrations: MIGRATIONS,
    functions: fixture('functions'),
    env: { GREETING: 'good morning' },
  });
});
afterAll(() => stack?.stop());

const client = (key: string) =>
  createClient(stack.apiUrl, key, { auth: { persistSession: false, autoRefreshToken: false } });

function call(name: string, body: unknown, key?: string): Promise<Response> {
  return fetch(`${stack.apiUrl}/functions/v1/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key ? { apikey: key } : {}) },
    body: JSON.stringify(body),
  });
}

describe('the REST layer', () => {
  it('stores and reads a row for the secret key', async () => {
    const supabase = client(stack.secretKey);
    const row = { body: 'first', extra: { tags: ['a', { b: null }] } };
    const inserted = await supabase.from('notes').insert(row).select().single();
    expect(inserted).toMatchObject({ status: 201, data: row });
    const read = await supabase.from('notes').select('body, extra').eq('id', inserted.data.id);
    expect(read.data).toEqual([row]);
  });

  it.each([
    [{ a: [1, { b: null }], text: 'ä "quoted"' }, 'object'],
    [[1, 'two'], 'array'],
    ['plain', 'string'],
    [7, 'number'],
  ])('hands a jsonb argument over as it is: %j', async (payload, type) => {
    const { data, error } = await client(stack.secretKey).rpc('describe', { payload });
    expect(error).toBeNull();
    expect(data).toEqual({ type, payload, role: 'service_role' });
  });

  it('answers a write to a column that is missing with PGRST204', async () => {
    const { error, status } = await client(stack.secretKey).from('notes').insert({ nothing: 1 });
    expect({ status, code: error?.code }).toEqual({ status: 400, code: 'PGRST204' });
    expect(error?.message).toContain("'nothing' column of 'notes'");
  });

  it('enforces the grants of service_role too', async () => {
    const update = await client(stack.secretKey).from('notes').update({ body: 'x' }).gt('id', 0);
    expect({ status: update.status, code: update.error?.code }).toEqual({
      status: 403,
      code: '42501',
    });
    expect((await client(stack.secretKey).rpc('forbidden')).error?.code).toBe('42501');
  });

  it('shows the publishable key nothing that anon was not granted', async () => {
    const { error } = await client(stack.publishableKey).from('notes').select();
    expect(error?.code).toBe('42501');
    const [row] = await stack.sql`
      select has_table_privilege('anon', 'public.notes', 'select') as granted`;
    expect(row?.granted).toBe(false);
  });

  it('refuses a key that it does not know', async () => {
    const { status, error } = await client('sb_secret_of_somebody_else').from('notes').select();
    expect({ status, message: error?.message }).toEqual({
      status: 401,
      message: 'Invalid API key',
    });
  });

  it('notices a new column by itself', async () => {
    await stack.sql`alter table public.notes add column later text`;
    await vi.waitFor(async () => {
      const { error } = await client(stack.secretKey)
        .from('notes')
        .insert({ body: 'x', later: 'y' });
      expect(error).toBeNull();
    }, PATIENTLY);
  });
});

describe('REST that is closed', () => {
  const read = () =>
    fetch(`${stack.apiUrl}/rest/v1/notes`, { headers: { apikey: stack.secretKey } });

  it('answers 503 until it is opened', async () => {
    const open = stack.closeRest('starting');
    expect((await read()).status).toBe(503);
    open();
    expect((await read()).status).toBe(200);
  });

  it('has its connections cut until it is opened', async () => {
    const open = stack.closeRest('cut');
    await expect(read()).rejects.toThrow('fetch failed');
    open();
    expect((await read()).status).toBe(200);
  });
});

describe('a function', () => {
  it('runs in Deno, checks its key, has its environment and writes to the database', async () => {
    const response = await call('echo', { text: 'from a function' }, stack.secretKey);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      note: { body: 'from a function' },
      key: 'default',
      greeting: 'good morning',
    });
  });

  it.each([
    ['no key', undefined, 'MISSING_CREDENTIALS'],
    ['a wrong key', 'sb_secret_of_somebody_else', 'INVALID_API_KEY'],
  ])('refuses a caller with %s', async (_, key, code) => {
    const response = await call('echo', { text: 'x' }, key);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code });
  });

  it('is called with its name as path, and with the headers and the body as they were', async () => {
    const response = await fetch(`${stack.apiUrl}/functions/v1/fragile/deeper?a=1`, {
      method: 'PUT',
      headers: { 'x-test': 'one' },
      body: 'text',
    });
    expect(await response.json()).toMatchObject({
      pathname: '/fragile/deeper',
      method: 'PUT',
      header: 'one',
      body: 'text',
    });
  });

  it('sees no variable and reaches no host that it was not given', async () => {
    const elsewhere = encodeURIComponent('http://192.0.2.1/');
    const response = await fetch(`${stack.apiUrl}/functions/v1/fragile?reach=${elsewhere}`);
    expect(await response.json()).toMatchObject({ home: null, reached: 'NotCapable' });
  });

  it('is started again after a crash, and its callers are told meanwhile', async () => {
    const crash = await fetch(`${stack.apiUrl}/functions/v1/fragile?crash`);
    expect(crash.status).toBe(502);
    await crash.body?.cancel();
    const statuses = new Set<number>();
    await vi.waitFor(async () => {
      const response = await fetch(`${stack.apiUrl}/functions/v1/fragile`);
      statuses.add(response.status);
      expect(response.status).toBe(200);
    }, PATIENTLY);
    expect([...statuses]).toContain(503);
  });

  it('is started again after it was killed', async () => {
    const reach = () => fetch(`${stack.apiUrl}/functions/v1/fragile`);
    const before = await (await reach()).json();
    stack.killFunction('fragile');
    await vi.waitFor(() => expect(stack.isReady('fragile')).toBe(false), PATIENTLY);
    await vi.waitFor(() => expect(stack.isReady('fragile')).toBe(true), PATIENTLY);
    const after = await (await reach()).json();
    expect(after.pid).not.toBe(before.pid);
  });

  it('that is unknown is a 404 with code and message', async () => {
    const response = await call('unheard-of', {}, stack.secretKey);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      code: 'not_found',
      message: 'There is no function named unheard-of.',
    });
  });

  it('that does not start fails the stack with its last words, and nothing stays behind', async () => {
    const own = () => stack.sql`
      select datname from pg_database where starts_with(datname, ${DATABASE_PREFIX}) order by 1`;
    const stillThere = await own();
    await expect(
      startTestStack({ migrations: MIGRATIONS, functions: fixture('broken-functions') }),
    ).rejects.toMatchObject({
      code: 'function_failed',
      message: expect.stringMatching(/broken ended with 1[\s\S]*the table of contents is missing/),
    });
    expect(await own()).toEqual(stillThere);
  });
});

describe('the stack', () => {
  it('serves again after Postgres has crashed, and notices a later change of the schema', async () => {
    const database = await startDatabase({ fresh: true, migrations: MIGRATIONS });
    const restarted = await startServices(
      { databaseUrl: database.url(), adminUrl: database.adminUrl() },
      { port: 0, functions: fixture('functions') },
    );
    const write = async (columns: object) => {
      const response = await fetch(`${restarted.apiUrl}/rest/v1/notes`, {
        method: 'POST',
        headers: { apikey: restarted.secretKey, 'content-type': 'application/json' },
        body: JSON.stringify({ body: 'x', ...columns }),
      });
      return response.status;
    };
    try {
      expect(await write({})).toBe(201);
      await database.crash();
      expect(await write({})).toBeGreaterThanOrEqual(500);
      await database.restart();
      await vi.waitFor(async () => expect(await write({})).toBe(201), PATIENTLY);
      await restarted.sql`alter table public.notes add column later text`;
      await vi.waitFor(async () => expect(await write({ later: 'y' })).toBe(201), PATIENTLY);
    } finally {
      await restarted.stop();
      await database.stop();
    }
  });

  it('lets pg_cron call a function through pg_net, with address and key from Vault', async () => {
    const since = new Date('2026-03-01T00:00:00Z');
    const scheduled = await startTestStack({
      migrations: MIGRATIONS,
      functions: fixture('functions'),
      since,
    });
    try {
      await scheduled.sql`select cron.schedule('echo', '30 * * * *', ${`
        select net.http_post(
          (select decrypted_secret from vault.decrypted_secrets
            where name = 'postloop_project_url') || '/functions/v1/echo',
          '{"text": "scheduled"}',
          headers := jsonb_build_object('apikey', (
            select decrypted_secret from vault.decrypted_secrets
            where name = 'postloop_secret_key')),
          timeout_milliseconds := 10000)`})`;
      const { sent } = await scheduled.scheduler.tick(new Date('2026-03-01T01:45:00Z'));
      // Due at 00:30 and 01:30.
      expect(sent).toMatchObject([
        { status: 200, error: null },
        { status: 200, error: null },
      ]);
      expect(await scheduled.sql`select body from notes`).toEqual([
        { body: 'scheduled' },
        { body: 'scheduled' },
      ]);
      expect(readFileSync(join(scheduled.logFolder, 'rest.log'), 'utf8')).toBe('');
    } finally {
      await scheduled.stop();
    }
  });

  it('says which port is taken, and how to find by whom', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const none = { rest: () => undefined, function: () => undefined };
    try {
      await expect(startGateway(none, port)).rejects.toMatchObject({
        code: 'port_taken',
        message: expect.stringContaining(`lsof -i :${port}`),
      });
    } finally {
      other.close();
    }
  });

  it('ends its functions and frees its port when it is stopped', async () => {
    const short = await startTestStack({
      migrations: MIGRATIONS,
      functions: fixture('functions'),
    });
    const { pid } = await (await fetch(`${short.apiUrl}/functions/v1/fragile`)).json();
    expect(() => process.kill(pid, 0)).not.toThrow();
    await short.stop();
    await short.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(fetch(short.apiUrl)).rejects.toThrow();
  });
});
