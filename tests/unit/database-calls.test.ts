/** Which errors of a call mean that no database answered, as a hosted project's API gives them. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { PostloopError } from '../../shared/contracts/error.ts';
import type { Database } from '../../shared/database/types.ts';
import { callDatabase } from '../../supabase/functions/_shared/database.ts';

let api: Server;
let answer: { status: number; body: string };
beforeAll(async () => {
  api = createServer((_, response) => {
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
});
afterAll(() => api?.close());

const failedCall = (url: string): Promise<PostloopError> => {
  const client = createClient<Database>(url, 'sb_secret_of_these_tests');
  const args = { p_now: '2026-03-01T12:00:00Z' };
  return callDatabase(client, 'attribution_backlog', args, z.int()).then(
    (reply) => {
      throw new Error(`The call answered ${reply}.`);
    },
    (error: PostloopError) => error,
  );
};

const failedAt = () => failedCall(`http://127.0.0.1:${(api.address() as AddressInfo).port}`);

it.each([
  ['PostgREST without a connection', 503, '{"code":"PGRST000","message":"no connection"}'],
  ['PostgREST without a schema', 503, '{"code":"PGRST002","message":"no schema cache"}'],
  ['PostgREST with a full pool', 504, '{"code":"PGRST003","message":"timed out"}'],
  ['Postgres refusing one more', 503, '{"code":"53300","message":"too many clients"}'],
  ['Postgres that shuts down', 500, '{"code":"57P01","message":"terminating connection"}'],
  ['a lost connection', 503, '{"code":"08006","message":"connection failure"}'],
  ['a gateway with nothing behind it', 502, '<html>Bad gateway</html>'],
  ['a project that is paused', 540, '{"message":"project paused"}'],
])('says database_unreachable for %s', async (_, status, body) => {
  answer = { status, body };
  expect(await failedAt()).toMatchObject({ status: 503, code: 'database_unreachable' });
});

it('says database_unreachable when nothing listens', async () => {
  expect(await failedCall('http://127.0.0.1:1')).toMatchObject({
    status: 503,
    code: 'database_unreachable',
  });
});

it.each([
  ['a column is missing', 400, '{"code":"42703","message":"no column likes"}'],
  ['the function is missing', 404, '{"code":"PGRST202","message":"no function"}'],
  ['the function raises', 400, '{"code":"P0001","message":"raised"}'],
  ['it takes too long', 500, '{"code":"57014","message":"canceling statement"}'],
  ['the disk is full', 503, '{"code":"53100","message":"no space left"}'],
  ['the key has no right', 401, '{"code":"42501","message":"permission denied"}'],
])('says database_error when %s', async (_, status, body) => {
  answer = { status, body };
  const { message } = JSON.parse(body);
  const error = await failedAt();
  expect(error).toMatchObject({ status: 500, code: 'database_error' });
  expect(error.message).toContain(message);
});
