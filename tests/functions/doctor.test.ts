import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Diagnosis, diagnose } from '../../local/doctor/diagnose.ts';
import { look } from '../../local/doctor/look.ts';
import { ago, report } from '../../local/doctor/report.ts';
import { runCommand } from '../../local/stack/commands.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import {
  claim,
  followersFound,
  found,
  minutes,
  record,
  registerAccount,
  reset,
  rowCounts,
  T0,
  trackPost,
} from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

/** A key that the API knows and that is none of the functions' business. */
const ANON_KEY = 'key_of_another_kind';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ keys: { [ANON_KEY]: { type: 'publishable', role: 'anon' } } });
  await tellByTable();
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  await reset(stack.sql);
  await told();
});

/**
 * Instead of most of the pipeline's own checks one that reads a table, and one that looks into Vault.
 * What else is known of the invariants stays.
 */
async function tellByTable(): Promise<void> {
  await stack.sql.unsafe(`
    create table postloop.told (name text primary key, status text, measured text, what_to_do text);
    grant select on postloop.told to service_role;
    create function postloop.check_told(p_now timestamptz)
    returns table (name text, status text, measured text, threshold text, what_to_do text)
    language sql stable set search_path = '' as $$
      select t.name, t.status, t.measured, 'as told', t.what_to_do from postloop.told t order by 1
    $$;
    -- as its owner, because Vault is not open to the API's roles
    create function postloop.check_vault_of_test(p_now timestamptz)
    returns table (name text, status text, measured text, threshold text, what_to_do text)
    language sql stable security definer set search_path = '' as $$
      select 'vault_secrets_present', case when count(*) = 2 then 'ok' else 'failing' end,
        count(*) || ' of 2 secrets', '2', 'Create the secrets with vault.create_secret.'
      from vault.decrypted_secrets s
      where s.name in ('postloop_project_url', 'postloop_secret_key') and s.decrypted_secret <> ''
    $$;
    insert into postloop.checks values ('told', 1), ('vault_of_test', 2);
    update postloop.invariants set check_name = 'told' where check_name <> 'due_reads';
    delete from postloop.checks where check_name not in ('told', 'vault_of_test', 'due_reads');`);
}

const PARTS = [
  'cron_jobs_scheduled',
  'cron_jobs_succeed',
  'heartbeat_scraper',
  'requests_answered',
  'schema_matches',
];

/** What the invariants say; those that the platform needs are ok where nothing else is said. */
async function told(rows: Record<string, 'ok' | 'warning' | 'failing'> = {}): Promise<void> {
  const { sql } = stack;
  await sql`delete from postloop.told`;
  const ok = Object.fromEntries(PARTS.map((name) => [name, 'ok']));
  for (const [name, status] of Object.entries({ ...ok, ...rows })) {
    const row = { name, status, measured: `${name} measured`, what_to_do: `Mend ${name}.` };
    await sql`insert into postloop.told ${sql(row)}`;
  }
}

/** The command as a child process, without what the tests' own environment may say. */
async function doctor(args: string[], env: Record<string, string> = {}) {
  const own = { NO_COLOR: '', FORCE_COLOR: '', CI: '1', SUPABASE_URL: '', SUPABASE_SECRET_KEY: '' };
  return runCommand(process.execPath, ['local/doctor/run.ts', ...args], {
    env: { ...own, ...env },
  });
}

const at = (now: Date, url = stack.apiUrl) => ['--url', url, '--now', now.toISOString()];

async function diagnosed(args: string[]): Promise<{ code: number; diagnosis: Diagnosis }> {
  const { code, stdout, stderr } = await doctor([...args, '--json']);
  expect(stderr).toBe('');
  return { code, diagnosis: JSON.parse(stdout) };
}

const post = snowflakeId(T0);

/** An account with a post of T0 whose first read and whose followers were read on time. */
async function live(): Promise<void> {
  const { sql } = stack;
  const accountId = await registerAccount(sql);
  await trackPost(sql, { dimensions: { tone: 'dry' } });
  const { run_id } = await claim(sql, minutes(31));
  await record(
    sql,
    run_id,
    {
      reads: [found(post, '30m', minutes(31), { impressions: 50, likes: 1 })],
      followers: [followersFound(accountId, minutes(31), 100)],
    },
    minutes(31),
  );
}

describe('where nothing is broken', () => {
  it('shows every step and part and ends well', async () => {
    await live();
    const { code, stdout, stderr } = await doctor(at(minutes(45)));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const step of ['decision', 'tracking row', 'due reads', 'recommendation']) {
      expect(stdout).toMatch(new RegExp(`│ [✓·] │ ${step} `));
    }
    for (const part of ['Vault', 'cron', 'pg_net', 'Lambda heartbeat', 'schema', 'functions']) {
      expect(stdout).toMatch(new RegExp(`│ ✓ │ ${part} `));
    }
    expect(stdout).toContain('14 min ago');
    expect(stdout).not.toMatch(/✗|first broken|What to do/);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('The loop runs: nothing is broken.');
  });

  it('says the same as one JSON object', async () => {
    await live();
    const { code, diagnosis } = await diagnosed(at(minutes(45)));
    expect(code).toBe(0);
    expect(diagnosis).toMatchObject({
      url: stack.apiUrl,
      as_of: minutes(45).toISOString(),
      status: 'ok',
      first_broken: null,
      todo: [],
      watch: [],
    });
    expect(diagnosis.steps.map((one) => [one.step, one.state, one.count_7d])).toEqual([
      ['decision', 'ok', 1],
      ['post', 'ok', 1],
      ['tracking_row', 'ok', 1],
      ['due_reads', 'ok', 1],
      ['metrics', 'ok', 1],
      ['follower_snapshots', 'ok', 1],
      ['attribution', 'empty', 0],
      ['credit', 'empty', 0],
      ['learning', 'empty', 0],
      ['performance', 'empty', 0],
      ['recommendation', 'ok', 0],
    ]);
    expect(diagnosis.functions.map(({ name, state }) => [name, state])).toEqual(
      ['track-post', 'recommend', 'policy-evaluation', 'attribution', 'learning', 'health'].map(
        (name) => [name, 'ok'],
      ),
    );
    expect(diagnosis.invariants).toHaveLength(7);
  });

  it('writes nothing and opens no run', async () => {
    await live();
    const before = await rowCounts(stack.sql);
    await doctor(at(minutes(45)));
    expect(await rowCounts(stack.sql)).toEqual(before);
    const queued = await stack.sql`select from net.http_request_queue`;
    expect(queued).toHaveLength(0);
  });

  it('takes address and key from the environment', async () => {
    const { code, stdout } = await doctor(['--json'], {
      SUPABASE_URL: `${stack.apiUrl}/`,
      SUPABASE_SECRET_KEY: ` ${stack.secretKey}\n`,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).url).toBe(stack.apiUrl);
  });

  it('counts a warning and is well all the same', async () => {
    await told({ reads_succeed: 'warning', runs_end: 'warning' });
    const { code, stdout } = await doctor(at(T0));
    expect(code).toBe(0);
    expect(stdout).toMatch(/│ ! │ metrics .*reads_succeed measured/);
    expect(stdout).toMatch(/│ ! │ runs_end .*runs_end measured/);
    expect(stdout).toContain('1. metrics, reads_succeed: Mend reads_succeed.');
    expect(stdout.trimEnd()).toMatch(/The loop runs, with 2 warnings\.$/);
  });
});

describe('where the loop stops', () => {
  it('names reads that nobody claims as the first broken step, and what to do', async () => {
    await registerAccount(stack.sql);
    await trackPost(stack.sql, { dimensions: { tone: 'dry' } });
    const { code, stdout } = await doctor(at(minutes(65)));
    expect(code).toBe(1);
    const marked = stdout.split('\n').filter((line) => line.includes('◀ first broken'));
    expect(marked).toHaveLength(1);
    expect(marked[0]).toMatch(/│ ✗ │ due reads .*reads_on_time: 2 overdue, the oldest for 65 min/);
    expect(stdout).toMatch(/\n1\. due reads, reads_on_time: The scraper is not running/);
    expect(stdout.trimEnd()).toMatch(/1 thing to do\. The loop first breaks at: due reads\.$/);
  });

  it('says it in JSON too', async () => {
    await registerAccount(stack.sql);
    await trackPost(stack.sql, { dimensions: { tone: 'dry' } });
    const { code, diagnosis } = await diagnosed(at(minutes(65)));
    expect(code).toBe(1);
    expect(diagnosis).toMatchObject({ status: 'broken', first_broken: 'due_reads' });
    expect(diagnosis.todo).toMatchObject([{ step: 'due_reads', about: 'reads_on_time' }]);
  });

  it('lists what to do in the order of the loop, the platform before the step that needs it', async () => {
    await registerAccount(stack.sql);
    await trackPost(stack.sql, { dimensions: { tone: 'dry' } });
    await told({
      runs_end: 'failing',
      posts_learned: 'failing',
      requests_answered: 'failing',
      last_run_attribution: 'failing',
      heartbeat_scraper: 'failing',
      schema_matches: 'failing',
    });
    const { code, diagnosis } = await diagnosed(at(minutes(5)));
    expect(code).toBe(1);
    expect(diagnosis.todo.map(({ step, about }) => [step, about])).toEqual([
      ['decision', 'schema_matches'],
      ['due_reads', 'heartbeat_scraper'],
      ['attribution', 'requests_answered'],
      ['attribution', 'last_run_attribution'],
      ['learning', 'posts_learned'],
      [null, 'runs_end'],
    ]);
    expect(diagnosis.first_broken).toBe('due_reads');
    const broken = diagnosis.steps.filter(({ state }) => state === 'broken');
    expect(broken.map(({ step, failing }) => [step, failing])).toEqual([
      ['due_reads', ['heartbeat_scraper']],
      ['attribution', ['last_run_attribution']],
      ['learning', ['posts_learned']],
    ]);
    expect(diagnosis.platform.map(({ part, status }) => [part, status])).toEqual([
      ['Vault', 'ok'],
      ['cron', 'ok'],
      ['pg_net', 'failing'],
      ['Lambda heartbeat', 'failing'],
      ['schema', 'failing'],
    ]);
  });

  it('shows an invariant that it does not know under Pipeline', async () => {
    await told({ novelty_of_later: 'failing' });
    const { code, stdout } = await doctor(at(T0));
    expect(code).toBe(1);
    expect(stdout).toMatch(/Pipeline[\s\S]*│ ✗ │ novelty_of_later │ novelty_of_later measured/);
    expect(stdout).toContain('1. novelty_of_later: Mend novelty_of_later.');
  });

  it('says which Vault secret is gone', async () => {
    const { sql } = stack;
    const key = 'postloop_secret_key';
    await sql`delete from vault.secrets where name = ${key}`;
    try {
      const { code, stdout } = await doctor(at(T0));
      expect(code).toBe(1);
      expect(stdout).toMatch(/│ ✗ │ Vault +│ 1 of 2 secrets/);
      expect(stdout).toContain('Create the secrets with vault.create_secret.');
    } finally {
      await sql`select vault.create_secret(${stack.secretKey}, ${key})`;
    }
  });

  it('does not take a part for well that the database does not check', async () => {
    await stack.sql`delete from postloop.told where name = 'schema_matches'`;
    const { code, diagnosis } = await diagnosed(at(T0));
    expect(code).toBe(1);
    expect(diagnosis.platform.at(-1)).toEqual({
      part: 'schema',
      status: 'unknown',
      measured: 'the database does not check it',
    });
    expect(diagnosis.todo[0]?.what_to_do).toMatch(/does not check schema\. Apply the migrations/);
  });

  it('asks for the migrations where its database function is missing, and looks at the rest', async () => {
    const { sql } = stack;
    await sql`alter function public.loop_steps(timestamptz) rename to not_loop_steps`;
    try {
      const { code, stdout } = await doctor(at(T0));
      expect(code).toBe(1);
      expect(stdout).toContain('The steps could not be read.');
      expect(stdout).toMatch(/1\. loop_steps: Apply the migrations .*db push --remote/);
      expect(stdout).toMatch(/│ ✓ │ functions /);
    } finally {
      await sql`alter function public.not_loop_steps(timestamptz) rename to loop_steps`;
    }
  });

  it('passes on the error of a database function that fails', async () => {
    const { sql } = stack;
    await sql`alter table public.post_outcomes rename to not_post_outcomes`;
    try {
      const { code, diagnosis } = await diagnosed(at(T0));
      expect(code).toBe(1);
      expect(diagnosis.todo).toMatchObject([
        { about: 'loop_steps', what_to_do: expect.stringContaining('loop_steps failed: ') },
      ]);
    } finally {
      await sql`alter table public.not_post_outcomes rename to post_outcomes`;
    }
  });
});

describe('where it cannot look', () => {
  // of a server that has gone
  let unused: string;
  beforeAll(async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    unused = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, 'close');
  });

  it.each([
    [
      'the key is wrong',
      () => ['--key', 'sb_secret_of_somebody_else'],
      /refuses the key.*SUPABASE_SECRET_KEY/,
    ],
    [
      'the key is of a role without rights',
      () => ['--key', ANON_KEY],
      /refuses the key.*permission denied/,
    ],
    [
      'the key is publishable',
      () => ['--key', stack.publishableKey],
      /publishable key.*sb_secret_/,
    ],
    ['the key is a JWT', () => ['--key', 'eyJhbGciOiJIUzI1NiJ9.e30.x'], /JWT of the older kind/],
    [
      'nothing listens',
      () => ['--url', unused],
      /nothing listens there\. Start the local stack with npm start/,
    ],
    ['no key is known', () => ['--url', 'https://x.example'], /no key for https:\/\/x\.example/],
    ['the address is none', () => ['--url', 'localhost:54321'], /is not an address/],
    [
      'the moment is none',
      () => ['--now', 'yesterday'],
      /--now takes a time such as .*, not yesterday/,
    ],
    ['an option is unknown', () => ['--jsn'], /--jsn.*npm run doctor -- --help/],
  ])('ends with 2 and says what to do when %s', async (_, args, message) => {
    const { code, stdout, stderr } = await doctor(['--url', stack.apiUrl, ...args()]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(message);
  });

  it('does not send the key of the environment to the default address', async () => {
    const { code, stderr } = await doctor([], { SUPABASE_SECRET_KEY: 'sb_secret_of_a_project' });
    expect(code).toBe(2);
    expect(stderr).toContain('There is a key and no address');
  });

  it('says that the host does not exist, and what to check', async () => {
    const { code, stderr } = await doctor([
      '--url',
      'http://nowhere.invalid',
      '--key',
      'sb_secret_x',
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/No Supabase API at http:\/\/nowhere\.invalid: .*Check the address/);
  });

  it('explains itself on request', async () => {
    const { code, stdout } = await doctor(['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(
      'Exit code: 0 nothing is broken, 1 something is, 2 it could not look.',
    );
  });
});

/** What only a hosted platform answers, in front of the real stack: a reply for each function. */
type Answer = (request: IncomingMessage, response: ServerResponse, name: string) => void;

describe('the functions', () => {
  let platform: Server | undefined;
  afterEach(() => {
    platform?.closeAllConnections();
    platform?.close();
  });

  async function startPlatform(answer: Answer): Promise<string> {
    platform = createServer((request, response) => {
      const name = /^\/functions\/v1\/([^/]+)/.exec(request.url ?? '')?.[1];
      if (name) answer(request, response, name);
      else pass(request, response);
    }).listen(0, '127.0.0.1');
    await once(platform, 'listening');
    return `http://127.0.0.1:${(platform.address() as AddressInfo).port}`;
  }

  const refuse = (response: ServerResponse, status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };

  /** On to the real stack, as it came. */
  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { apikey } = request.headers;
    const answer = await fetch(`${stack.apiUrl}${request.url}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(apikey ? { apikey: String(apikey) } : {}),
      },
      body: Buffer.concat(chunks),
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(await answer.text());
  }

  const BODY_INVALID = { code: 'body_invalid', message: 'body: Unrecognized key: "doctor"' };

  it.each<[string, Answer, string, RegExp]>([
    [
      'is not deployed',
      (_, response) => refuse(response, 404, { code: 'NOT_FOUND', message: 'not found' }),
      'not_deployed',
      /supabase functions deploy learning --use-api/,
    ],
    [
      'has the platform ask for a JWT',
      (_, response) =>
        refuse(response, 401, { code: 401, message: 'Missing authorization header' }),
      'jwt_required',
      /verify_jwt = false/,
    ],
    [
      'has a later platform ask for a JWT',
      (_, response) => refuse(response, 401, { code: 'UNAUTHORIZED_NO_AUTH_HEADER', message: '' }),
      'jwt_required',
      /verify_jwt = false/,
    ],
    [
      'takes anybody',
      (_, response) => refuse(response, 400, BODY_INVALID),
      'open_to_all',
      /accepts secret keys only/,
    ],
    [
      'does not know the key',
      (_, response) => refuse(response, 401, { code: 'INVALID_API_KEY', message: 'no' }),
      'key_refused',
      /present secret keys/,
    ],
    [
      'does not start',
      (_, response) => refuse(response, 503, { code: 'BOOT_ERROR', message: 'failed to start' }),
      'unexpected',
      /log of the function learning/,
    ],
    [
      'is another one of the same name',
      ({ headers }, response) =>
        headers.apikey
          ? refuse(response, 200, { hello: 'world' })
          : refuse(response, 401, { code: 'MISSING_CREDENTIALS', message: 'no' }),
      'unexpected',
      /log of the function learning/,
    ],
    [
      'sends its callers elsewhere',
      (_, response) => {
        response.writeHead(307, { location: 'http://127.0.0.1:9/' });
        response.end();
      },
      'unexpected',
      /log of the function learning/,
    ],
    ['does not answer', () => {}, 'no_answer', /log of the function learning/],
  ])('are told apart: one that %s', async (_, answer, state, advice) => {
    const url = await startPlatform((request, response, name) => {
      if (name === 'learning') answer(request, response, name);
      else pass(request, response);
    });
    const { code, diagnosis } = await diagnosed([...at(T0, url), '--key', stack.secretKey]);
    expect(code).toBe(1);
    const others = diagnosis.functions.filter(({ name }) => name !== 'learning');
    expect(others.map((one) => one.state)).toEqual(Array(others.length).fill('ok'));
    expect(diagnosis.functions.find(({ name }) => name === 'learning')).toMatchObject({ state });
    expect(diagnosis.first_broken).toBe('learning');
    expect(diagnosis.todo).toMatchObject([
      { step: 'learning', about: 'function learning', what_to_do: expect.stringMatching(advice) },
    ]);
  });

  it('are well behind a gateway that refuses callers without a key itself', async () => {
    const url = await startPlatform((request, response) => {
      if (request.headers.apikey) pass(request, response);
      else refuse(response, 401, { message: 'No API key found in request' });
    });
    expect((await diagnosed([...at(T0, url), '--key', stack.secretKey])).code).toBe(0);
  });

  it('are all missed where other ones are deployed', async () => {
    const functions = fileURLToPath(new URL('../fixtures/functions', import.meta.url));
    const other = await startTestStack({ functions });
    try {
      const { code, diagnosis } = await diagnosed(at(T0, other.apiUrl));
      expect(code).toBe(1);
      expect(new Set(diagnosis.functions.map(({ state }) => state))).toEqual(
        new Set(['not_deployed']),
      );
      expect(diagnosis.first_broken).toBe('tracking_row');
    } finally {
      await other.stop();
    }
  });

  it('are no reason to call something else a Supabase project', async () => {
    const server = createServer((_, response) => {
      response.writeHead(404, { 'content-type': 'text/html' });
      response.end('<h1>Nothing here</h1>');
    }).listen(0, '127.0.0.1');
    platform = server;
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await doctor(['--url', url]);
    expect(code).toBe(2);
    expect(stderr).toContain(`No Supabase API at ${url}: it answered 404.`);
  });
});

describe('the report', () => {
  it('has colours where they are wanted and the same words where not', async () => {
    await live();
    await told({ heartbeat_scraper: 'failing', runs_end: 'warning' });
    const project = { url: stack.apiUrl, key: stack.secretKey };
    const diagnosis = diagnose(project.url, minutes(45), await look(project, minutes(45)));
    const coloured = report(diagnosis, pc.createColors(true));
    const plain = report(diagnosis, pc.createColors(false));
    expect(coloured).toContain(pc.createColors(true).red('✗'));
    expect(stripVTControlCharacters(plain)).toBe(plain);
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  it('has no colours in a pipe, whatever the environment says, and never the key', async () => {
    await told({ heartbeat_scraper: 'failing' });
    const { stdout } = await doctor(at(T0), { FORCE_COLOR: '1' });
    expect(stripVTControlCharacters(stdout)).toBe(stdout);
    expect(stdout).not.toContain(stack.secretKey);
  });

  it.each([
    ['2026-03-01T12:00:00Z', 'now'],
    ['2026-03-01T11:58:59Z', '1 min ago'],
    ['2026-03-01T10:01:00Z', '119 min ago'],
    ['2026-03-01T10:00:00Z', '2 h ago'],
    ['2026-02-27T13:00:00Z', '47 h ago'],
    ['2026-02-22T12:00:00Z', '7 d ago'],
    ['2026-03-01T12:00:30Z', 'now'],
  ])('tells the age of %s', (moment, age) => {
    expect(ago(T0.toISOString(), moment)).toBe(age);
  });
});
