/** The scraper's secret: where it comes from, which rights it needs, and that nobody else sees it. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { closeBrowser, openBrowser } from '../../scraper-lambda/src/browser/browser.ts';
import { sessionLabel } from '../../scraper-lambda/src/browser/sessions.ts';
import { connect } from '../../scraper-lambda/src/project/client.ts';
import { forgetSecret, readSecret } from '../../scraper-lambda/src/secret.ts';
import { scraperEnvironmentSchema } from '../../shared/contracts/environment.ts';
import type { ScraperSecret } from '../../shared/contracts/session.ts';
import { DUE_AT, plain, renameFollowers, type Scene, useScenes } from '../support/scraper.ts';

const AUTH_TOKEN = 'f00d'.repeat(10);
const CT0 = 'beef'.repeat(20);
const SESSIONS = [{ auth_token: AUTH_TOKEN, ct0: CT0, handle: 'somebot' }];
const SCRAPER_KEY = 'sb_secret_of_the_scraper_role';
const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:postloop';

const startScene = useScenes();
const closing: Server[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  forgetSecret();
  for (const server of closing.splice(0)) server.close();
});

type Answer = { status: number; body: unknown };

/** A server that answers from memory; its address. */
async function serve(answer: (request: IncomingMessage, body: string) => Answer): Promise<string> {
  const server = createServer((request, response) => {
    void text(request).then((given) => {
      const { status, body } = answer(request, given);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  closing.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a failing run', () => {
  let scene: Scene;
  let outputs: string[];
  beforeEach(async () => {
    await closeBrowser();
    outputs = [];
    scene = await startScene({ site: { sessions: [{ authToken: AUTH_TOKEN, ct0: CT0 }] } });
    vi.stubEnv('X_SESSIONS', JSON.stringify(SESSIONS));
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((line) => {
        outputs.push(String(line));
        return true;
      });
    }
  });
  afterEach(() => scene.stop());

  /** One invocation, and everything that it lets out: logs, its error, the database, /proc. */
  async function everythingSaid(): Promise<string> {
    const error = await scene.invoke().then(
      (reply) => reply,
      (failure: Error) => failure,
    );
    const { sql } = scene.stack;
    const tables = await sql<{ name: string }[]>`
      select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_schema in ('public', 'postloop', 'net', 'cron') and table_type = 'BASE TABLE'`;
    for (const { name } of tables) {
      const rows = await sql.unsafe(`select to_jsonb(t)::text as row from ${name} t`);
      outputs.push(...rows.map(({ row }) => row));
    }
    const label = sessionLabel(AUTH_TOKEN);
    const pid = process.env.CHROMIUM_PATH
      ? undefined
      : (await openBrowser({ label })).browser.process()?.pid;
    if (process.platform === 'linux' && pid !== undefined) {
      outputs.push(await readFile(`/proc/${pid}/cmdline`, 'utf8'));
      outputs.push(await readFile(`/proc/${pid}/environ`, 'utf8'));
    }
    return [inspect(error, { depth: 10 }), (error as Error).stack ?? '', ...outputs].join('\n');
  }

  const expectNoSecret = (said: string, ...more: string[]) => {
    for (const secret of [AUTH_TOKEN, CT0, ...more]) expect(said).not.toContain(secret);
  };

  it('on a session that X refuses tells no secret', async () => {
    scene.site.revoke(AUTH_TOKEN);
    await scene.track('somebot', [plain(), plain()]);
    const said = await everythingSaid();
    expect(said).toContain('session_invalid');
    expect(said).toContain(sessionLabel(AUTH_TOKEN));
    expectNoSecret(said, scene.stack.secretKey);
  });

  it('on an unknown shape tells no secret', async () => {
    await scene.track('somebot', [plain({ variant: 'broken-shape' })]);
    const said = await everythingSaid();
    expect(said).toContain('shape_changed');
    expectNoSecret(said, scene.stack.secretKey);
  });

  it('on a database that refuses tells no secret', async () => {
    await scene.track('somebot', [plain()]);
    await renameFollowers(scene);
    const said = await everythingSaid();
    expect(said).toContain('record_failed');
    expectNoSecret(said, scene.stack.secretKey);
  });

  it('on a key that the project refuses tells no secret', async () => {
    vi.stubEnv('POSTLOOP_SECRET_KEY', 'sb_secret_wrong_one');
    const said = await everythingSaid();
    expect(said).toContain('claim_failed');
    expectNoSecret(said, 'sb_secret_wrong_one');
  });

  it('on a browser that does not start tells no secret', async () => {
    vi.stubEnv('CHROMIUM_PATH', '/bin/false');
    await scene.track('somebot', [plain()]);
    const said = await everythingSaid();
    expect(said).toContain('browser_failed');
    expectNoSecret(said, scene.stack.secretKey);
  });

  it.each([
    ['that is not JSON', `[{"auth_token": "${AUTH_TOKEN}", ct0: ${CT0}`],
    ['of another form', JSON.stringify([{ auth_token: `x${AUTH_TOKEN}`, ct0: CT0, [CT0]: 1 }])],
  ])('on sessions %s tells no value of them', async (_, sessions) => {
    vi.stubEnv('X_SESSIONS', sessions);
    const said = await everythingSaid();
    expect(said).toContain('secret_unreadable');
    expectNoSecret(said, scene.stack.secretKey);
  });
});

describe('the least rights', () => {
  it('of the role scraper are enough for the whole handler', async () => {
    const keys = { [SCRAPER_KEY]: { type: 'secret' as const, role: 'scraper' } };
    const site = { sessions: [{ authToken: AUTH_TOKEN, ct0: CT0, handle: 'somebot' }] };
    const scene = await startScene({ keys, site, analytics: () => ({ profileVisits: 2 }) });
    vi.stubEnv('POSTLOOP_SECRET_KEY', SCRAPER_KEY);
    vi.stubEnv('X_SESSIONS', JSON.stringify(SESSIONS));
    await scene.track('somebot', [plain(), 'deleted'], new Date('2026-03-01T08:00:00Z'));
    const reply = await scene.invoke('2026-03-02T08:01:00.000Z');
    expect(reply.by_outcome).toEqual({ found: 2, deleted: 1 });
    expect(await scene.rows()).toMatchObject([{ profile_clicks: 2 }]);
    await scene.track('somebot', ['cookies-bad']);
    expect((await scene.invoke()).by_outcome).toEqual({ session_invalid: 1 });
    expect(await scene.stack.sql`select from scraper_sessions`).toHaveLength(1);
    expect(
      await scene.stack.sql`select from scraper_session_budgets where blocked_until is not null`,
    ).toHaveLength(1);
    await scene.stop();
  });

  it('are used when the secret has a JWT: it goes as bearer, the publishable key as apikey', async () => {
    const seen: unknown[] = [];
    const url = await serve(({ headers }) => {
      seen.push([headers.authorization, headers.apikey]);
      return { status: 200, body: { code: 'reported' } };
    });
    const secret: ScraperSecret = {
      POSTLOOP_SECRET_KEY: 'sb_secret_everything',
      POSTLOOP_SCRAPER_JWT: 'header.payload.signature',
      SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_one',
    };
    const client = connect(url, async () => secret);
    await client.rpc('claim_reads', { p_now: DUE_AT });
    expect(seen).toEqual([['Bearer header.payload.signature', 'sb_publishable_one']]);
  });
});

describe('the secret', () => {
  const environment = (more: object) =>
    scraperEnvironmentSchema.parse({ SUPABASE_URL: 'http://127.0.0.1:1', ...more });

  /** Points the AWS clients at a server here. */
  function stubAws(url: string): void {
    vi.stubEnv('AWS_ENDPOINT_URL', url);
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  }

  it.each([
    ['plain text', ' sb_secret_text\n', { POSTLOOP_SECRET_KEY: 'sb_secret_text' }],
    [
      'JSON',
      JSON.stringify({ POSTLOOP_SECRET_KEY: 'sb_secret_json', X_SESSIONS: SESSIONS }),
      { POSTLOOP_SECRET_KEY: 'sb_secret_json', X_SESSIONS: SESSIONS },
    ],
  ])('is read from Secrets Manager as %s, once', async (_, stored, secret) => {
    const asked: unknown[] = [];
    stubAws(
      await serve((request, body) => {
        asked.push([request.headers['x-amz-target'], JSON.parse(body)]);
        return { status: 200, body: { SecretString: stored } };
      }),
    );
    const env = environment({ POSTLOOP_SECRET_ARN: ARN });
    expect(await readSecret(env)).toEqual(secret);
    expect(await readSecret(env)).toEqual(secret);
    expect(asked).toEqual([['secretsmanager.GetSecretValue', { SecretId: ARN }]]);
  });

  it('that AWS refuses names the permission to give', async () => {
    stubAws(await serve(() => ({ status: 400, body: { __type: 'AccessDeniedException' } })));
    await expect(readSecret(environment({ POSTLOOP_SECRET_ARN: ARN }))).rejects.toMatchObject({
      code: 'secret_unreadable',
      message: expect.stringContaining('secretsmanager:GetSecretValue'),
    });
  });

  it('is fetched again once when the project refuses its key', async () => {
    const keys: unknown[] = [];
    const url = await serve(({ headers }) => {
      keys.push(headers.apikey);
      const isNew = headers.apikey === 'sb_secret_new';
      return isNew ? { status: 200, body: {} } : { status: 401, body: { message: 'no' } };
    });
    const client = connect(url, async (isRefused) => ({
      POSTLOOP_SECRET_KEY: isRefused ? 'sb_secret_new' : 'sb_secret_old',
    }));
    const { error } = await client.rpc('claim_reads', { p_now: DUE_AT });
    expect(error).toBeNull();
    await client.rpc('claim_reads', { p_now: DUE_AT });
    expect(keys).toEqual(['sb_secret_old', 'sb_secret_new', 'sb_secret_old']);
  });
});
