import { createClient } from '@supabase/supabase-js';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { jobReplySchema } from '../../shared/contracts/job.ts';
import { lastRun, reply } from '../support/calls.ts';
import { hours } from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

/** Imported as what it is for Node: its types are those of Deno's modules. */
const HANDLER = new URL('../../supabase/functions/attribution/handler.ts', import.meta.url).href;

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ serve: ['attribution'] });
});
afterAll(() => stack?.stop());
afterEach(() => vi.restoreAllMocks());

/** Lets `attribute_posts` answer with the given parts in turn, for a backlog takes too long to make. */
async function answerInParts(parts: object[]): Promise<void> {
  const { sql } = stack;
  await sql`drop table if exists postloop.test_calls`;
  await sql`
    create table postloop.test_calls (n integer generated always as identity, resumed boolean)`;
  await sql`grant select, insert on postloop.test_calls to service_role`;
  await sql.unsafe(`
    create or replace function public.attribute_posts(p_now timestamptz, p_resume boolean default false)
    returns jsonb language plpgsql set search_path = '' as $$
    declare v_n integer;
    begin
      insert into postloop.test_calls (resumed) values (p_resume) returning n into v_n;
      return '${JSON.stringify(parts)}'::jsonb -> (v_n - 1);
    end $$`);
}

const part = (answer: object) => ({
  code: 'attributed',
  done: 0,
  rows_changed: 0,
  account_ids: [],
  batches: 1,
  accounts_waiting: 0,
  more: false,
  ...answer,
});

it('a backlog is taken part by part in one run, which reports all of it', async () => {
  await answerInParts([
    part({ expected: 70, done: 25, rows_changed: 30, more: true, accounts_waiting: 2 }),
    part({ expected: 45, done: 25, rows_changed: 26, more: true }),
    part({ expected: 20, done: 20, rows_changed: 21 }),
  ]);
  const answer = await reply(
    stack,
    'attribution',
    { now: hours(60).toISOString() },
    jobReplySchema,
  );
  expect(answer).toMatchObject({
    status: 'succeeded',
    expected: 70,
    done: 70,
    skipped: {},
    details: { rows_changed: 77, account_ids: [] },
  });
  expect(await stack.sql`select resumed from postloop.test_calls order by n`).toEqual([
    { resumed: false },
    { resumed: true },
    { resumed: true },
  ]);
});

it('what is left when the time is up counts as deferred, and the batches of hours as done', async () => {
  const { sql } = stack;
  const left = part({ expected: 30, batches: 4, more: true, accounts_waiting: 3 });
  await answerInParts([left]);
  // In this process, whose clock can be put forward: the first part takes as long as a run works.
  const clock = Date.now;
  let passedMs = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => clock() + passedMs);
  const slowly: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (String(input).endsWith('/rpc/attribute_posts')) passedMs += 46_000;
    return response;
  };
  const database = createClient(stack.apiUrl, stack.secretKey, {
    global: { fetch: slowly },
  });
  const { attribute } = await import(HANDLER);
  const { status } = await attribute({ now: hours(62).toISOString() }, database);
  expect(status).toBe(200);
  expect(await lastRun(sql, 'attribution')).toMatchObject({
    status: 'succeeded',
    expected: 4 + 30 + 3,
    done: 4,
    skipped: { deferred: 33 },
  });
});
