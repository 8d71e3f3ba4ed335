import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal } from '../support/calls.ts';
import { registerAccount, rowCounts } from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let before: Record<string, number>;
beforeAll(async () => {
  stack = await startTestStack();
  await registerAccount(stack.sql);
  before = await rowCounts(stack.sql);
});
afterAll(() => stack?.stop());

const FUNCTIONS = ['track-post', 'recommend', 'attribution', 'learning', 'health'];

/** A JSON object of exactly that many bytes. */
const bodyOf = (bytes: number) => `{"padding":"${'x'.repeat(bytes - 14)}"}`;

describe.each(FUNCTIONS)('%s', (name) => {
  it('is served', () => {
    expect(stack.functions).toContain(name);
  });

  it.each([
    ['no key', () => null],
    ['an empty key', () => ''],
    ['a wrong key', () => 'sb_secret_of_somebody_else'],
    ['the publishable key', () => stack.publishableKey],
  ])('refuses a caller with %s', async (_, key) => {
    expect(await refusal(stack, name, {}, { key: key() })).toMatchObject({
      status: 401,
      code: expect.any(String),
      message: expect.stringMatching(/\w/),
    });
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE'])('refuses the method %s', async (method) => {
    const body = method === 'GET' ? undefined : {};
    expect(await refusal(stack, name, body, { method })).toMatchObject({
      status: 405,
      code: 'method_not_allowed',
    });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded'])(
    'refuses a body of type %s',
    async (contentType) => {
      expect(await refusal(stack, name, '{}', { contentType })).toMatchObject({
        status: 415,
        code: 'content_type_not_json',
      });
    },
  );

  it.each(['{', 'now', '{"now": 1}{}'])('refuses what is not JSON: %s', async (text) => {
    expect(await refusal(stack, name, text)).toMatchObject({ status: 400, code: 'body_not_json' });
  });

  it.each(['[]', '"text"', 'null', '7'])('refuses JSON that is no object: %s', async (text) => {
    expect(await refusal(stack, name, text)).toMatchObject({ status: 400, code: 'body_invalid' });
  });

  it('takes a body of a megabyte and refuses one of a byte more', async () => {
    const large = await refusal(stack, name, bodyOf(1_000_000));
    expect(large).toMatchObject({ status: 400, code: 'body_invalid' });
    const larger = await refusal(stack, name, bodyOf(1_000_001));
    expect(larger).toMatchObject({ status: 413, code: 'body_too_large' });
  });

  it('refuses a field that it does not know, by its name', async () => {
    const answer = await refusal(stack, name, { account: 'somebot', post_id: '1', likes: 5 });
    expect(answer).toMatchObject({ status: 400, code: 'body_invalid' });
    expect(answer.message).toContain('likes');
  });

  it.each(['yesterday', '2026-03-01', 1_772_366_400])('refuses the moment %s', async (now) => {
    const answer = await refusal(stack, name, { account: 'somebot', post_id: '1', now });
    expect(answer).toMatchObject({ status: 400, code: 'body_invalid' });
    expect(answer.message).toContain('now');
  });
});

it('writes nothing for any of them', async () => {
  for (const name of FUNCTIONS) await refusal(stack, name, { surprise: true });
  expect(await rowCounts(stack.sql)).toEqual(before);
});
