import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { functionNames } from '../../local/stack/functions.ts';
import { call, refusal } from '../support/calls.ts';
import { registerAccount, T0, tableContents, trackPost } from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let before: Record<string, string>;
beforeAll(async () => {
  stack = await startTestStack();
  await registerAccount(stack.sql);
  await trackPost(stack.sql, { dimensions: { tone: 'dry' } });
  before = await tableContents(stack.sql);
});
afterAll(() => stack?.stop());

/** No run is opened, no row changed and no request queued by anything in this file. */
afterEach(async () => {
  expect(await tableContents(stack.sql)).toEqual(before);
});

const LIMIT = 1_000_000;

/** A JSON object of exactly that many bytes. */
const bodyOf = (bytes: number) => `{"padding":"${'x'.repeat(bytes - 14)}"}`;

/** The same text in pieces, so that it is sent without a content-length. */
function inChunks(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(sent, sent + 64_000));
      sent += 64_000;
    },
  });
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of Supabase's old kind of keys, for another project, as `alg` says it is signed. */
function tokenOfAnotherProject(alg: 'HS256' | 'none'): string {
  const claims = { iss: 'supabase', ref: 'abcdefghijklmnopqrst', role: 'service_role' };
  const times = { iat: 1_700_000_000, exp: 4_000_000_000 };
  const signed = `${base64({ alg, typ: 'JWT' })}.${base64({ ...claims, ...times })}`;
  if (alg === 'none') return `${signed}.`;
  const secret = 'the secret of another project, of 40 bytes';
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

it('serves every function of the project', () => {
  expect(stack.functions).toEqual(functionNames());
});

describe.each(functionNames())('%s', (name) => {
  it.each([
    ['no key', () => null],
    ['an empty key', () => ''],
    ['a wrong key', () => 'sb_secret_of_somebody_else'],
    ['the secret key and one letter more', () => `${stack.secretKey}x`],
    ['the secret key without its last letter', () => stack.secretKey.slice(0, -1)],
    ['the publishable key', () => stack.publishableKey],
    ['a signed token of another project as key', () => tokenOfAnotherProject('HS256')],
    ['an unsigned token as key', () => tokenOfAnotherProject('none')],
  ])('refuses a caller with %s', async (_, key) => {
    expect(await refusal(stack, name, {}, { key: key() })).toMatchObject({
      status: 401,
      code: expect.any(String),
      message: expect.stringMatching(/\w/),
    });
  });

  it.each([
    ['a signed token of another project', () => `Bearer ${tokenOfAnotherProject('HS256')}`],
    ['an unsigned token', () => `Bearer ${tokenOfAnotherProject('none')}`],
    ['the secret key itself', () => `Bearer ${stack.secretKey}`],
    ['the secret key as a password', () => `Basic ${btoa(`apikey:${stack.secretKey}`)}`],
  ])('refuses %s in the header Authorization', async (_, authorization) => {
    const headers = { authorization: authorization() };
    for (const key of [null, stack.publishableKey]) {
      expect(await refusal(stack, name, {}, { key, headers })).toMatchObject({ status: 401 });
    }
  });

  it('looks at the key first: without one, nothing else is told', async () => {
    const without = { key: null, contentType: 'text/plain' };
    for (const body of ['{', bodyOf(LIMIT + 1), inChunks(bodyOf(5 * LIMIT))]) {
      expect(await refusal(stack, name, body, without)).toMatchObject({ status: 401 });
    }
    for (const method of ['GET', 'OPTIONS']) {
      const answer = await call(stack, name, undefined, { key: null, method });
      expect(answer.status).toBe(401);
      expect([...answer.headers.keys()].filter((header) => /^access-control/.test(header))).toEqual(
        [],
      );
    }
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('refuses the method %s', async (method) => {
    const body = method === 'GET' ? undefined : {};
    const answer = await call(stack, name, body, { method });
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(answer.headers.get('allow')).toBe('POST');
  });

  it.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=iso-8859-1',
    'application/json; charset="utf-16"',
  ])('refuses a body of type %s', async (contentType) => {
    expect(await refusal(stack, name, '{}', { contentType })).toMatchObject({
      status: 415,
      code: 'content_type_not_json',
    });
  });

  it('refuses a body without a type', async () => {
    const body = new TextEncoder().encode('{}');
    expect(await refusal(stack, name, body, { contentType: null })).toMatchObject({
      status: 415,
      code: 'content_type_not_json',
    });
  });

  it.each([
    'application/json',
    'Application/JSON; Charset=UTF-8',
    'application/json;charset="utf-8"; profile=x',
  ])('reads a body of type %s', async (contentType) => {
    expect(await refusal(stack, name, '{"surprise": 1}', { contentType })).toMatchObject({
      status: 400,
      code: 'body_invalid',
    });
  });

  it.each([
    ['nothing but a brace', '{'],
    ['a bare word', 'now'],
    ['two objects', '{"now": 1}{}'],
    ['a trailing comma', '{"now": "x",}'],
    ['a bare newline in a string', '{"now": "\n"}'],
    ['only spaces', '  '],
    ['Latin-1', Buffer.from('{"account": "caf\xe9"}', 'latin1')],
    ['UTF-16', Buffer.from('{"account": "x"}', 'utf16le')],
    ['half a character', Buffer.from([0x7b, 0x22, 0xf0, 0x9f])],
  ])('refuses what is not JSON in UTF-8: %s', async (_, body) => {
    expect(await refusal(stack, name, body)).toMatchObject({ status: 400, code: 'body_not_json' });
  });

  it.each(['[]', '"text"', 'null', '7'])('refuses JSON that is no object: %s', async (text) => {
    expect(await refusal(stack, name, text)).toMatchObject({ status: 400, code: 'body_invalid' });
  });

  const now = T0.toISOString();
  it.each([
    ['a key twice', `{"now": "${now}", "now": "${now}"}`, 'twice'],
    ['a key twice, once escaped', `{"now": "${now}", "n\\u006fw": "${now}"}`, 'twice'],
    ['a key twice further in', '{"dimensions": {"tone": "dry", "tone": "warm"}}', 'twice'],
    ['lists nested 400,000 times', `${'['.repeat(400_000)}${']'.repeat(400_000)}`, 'nested'],
    ['objects nested 100,000 times', `${'{"now":'.repeat(1e5)}1${'}'.repeat(1e5)}`, 'nested'],
    ['a character that no column can hold', '{"dimensions": {"tone": "\\u0000"}}', 'U+0000'],
    ['half of a surrogate pair', '{"dimensions": {"tone": "\\ud83d"}}', 'surrogate'],
    ['the key __proto__', '{"__proto__": {"now": "x"}}', '__proto__'],
  ])('refuses JSON with %s', async (_, text, reason) => {
    const answer = await refusal(stack, name, text);
    expect(answer).toMatchObject({ status: 400, code: 'body_invalid' });
    expect(answer.message).toContain(reason);
  });

  it.each([
    ['with a content-length', (bytes: number) => bodyOf(bytes)],
    ['in chunks', (bytes: number) => inChunks(bodyOf(bytes))],
  ])('takes a body of a megabyte and refuses one of a byte more, sent %s', async (_, body) => {
    const large = await refusal(stack, name, body(LIMIT));
    expect(large).toMatchObject({ status: 400, code: 'body_invalid' });
    for (const bytes of [LIMIT + 1, 10 * LIMIT]) {
      const larger = await refusal(stack, name, body(bytes));
      expect(larger).toMatchObject({ status: 413, code: 'body_too_large' });
    }
  });

  it('refuses a field that it does not know, by its name', async () => {
    const answer = await refusal(stack, name, { account: 'somebot', post_id: '1', likes: 5 });
    expect(answer).toMatchObject({ status: 400, code: 'body_invalid' });
    expect(answer.message).toContain('likes');
  });

  it.each(['yesterday', '2026-03-01', 1_772_366_400])('refuses the moment %s', async (moment) => {
    const body = { account: 'somebot', post_id: '1', now: moment };
    const answer = await refusal(stack, name, body);
    expect(answer).toMatchObject({ status: 400, code: 'body_invalid' });
    expect(answer.message).toContain('now');
  });
});
