/**
 * A failed write anywhere in the loop is seen: the caller gets an error with a stable code, the run
 * is failed, nothing is half-written, and health is red where the schema is the reason.
 */
import type postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ScraperError } from '../../scraper-lambda/src/errors.ts';
import { claimReads } from '../../scraper-lambda/src/project/claim.ts';
import { connect } from '../../scraper-lambda/src/project/client.ts';
import { recordReads } from '../../scraper-lambda/src/project/record.ts';
import { healthReplySchema } from '../../shared/contracts/job.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { call, lastRun, reply, withoutColumn } from '../support/calls.ts';
import {
  found,
  hours,
  minutes,
  registerAccount,
  reset,
  rowCounts,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
const post = snowflakeId(T0);
const NOW = hours(60);
const now = NOW.toISOString();

beforeAll(async () => {
  stack = await startTestStack();
  // The other invariants have tests of their own; on this clock their jobs never ran.
  await stack.sql`delete from postloop.checks where check_name not in ('schema', 'last_runs', 'calls')`;
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  await reset(stack.sql);
  await registerAccount(stack.sql);
});

type Answer = { ok: boolean; code?: unknown };

async function callFunction(name: string, body: object): Promise<Answer> {
  const answer = await call(stack, name, { ...body, now });
  const { code } = answer.body as { code?: unknown };
  return { ok: answer.status < 300, code };
}

async function finishPost({ sql }: TestStack): Promise<void> {
  await trackPost(sql, { dimensions: { tone: 'dry' } });
  await storeRead(sql, post, '48h', hours(48), { impressions: 500, likes: 5 });
}

/** Reads as the Lambda does, without its browser; leases are short so that a retry gets them. */
async function readOnce(at: Date): Promise<Answer> {
  const client = connect(stack.apiUrl, async () => ({ POSTLOOP_SECRET_KEY: stack.secretKey }));
  try {
    const { run_id, reads } = await claimReads(client, at.toISOString(), 10, 1);
    const results = reads.map(({ post_id, phase }) => found(post_id, phase, at, { likes: 3 }));
    await recordReads(client, run_id, { reads: results, followers: [] }, at.toISOString());
    return { ok: true };
  } catch (error) {
    if (error instanceof ScraperError) return { ok: false, code: error.code };
    throw error;
  }
}

type Path = {
  name: string;
  table: string;
  column: string;
  /** The job whose run must be failed; a call of a bot has none. */
  job: 'attribution' | 'learning' | undefined;
  prepare: (stack: TestStack) => Promise<unknown>;
  call: () => Promise<Answer>;
};

const PATHS: Path[] = [
  {
    name: 'track-post',
    table: 'post_attribution',
    column: 'viral_score',
    job: undefined,
    prepare: async () => {},
    call: () => callFunction('track-post', { post_id: post, account: 'somebot' }),
  },
  {
    name: 'recommend',
    table: 'content_metadata',
    column: 'slate',
    job: undefined,
    prepare: async () => {},
    call: () => callFunction('recommend', { account: 'somebot' }),
  },
  {
    name: 'attribution',
    table: 'post_attribution',
    column: 'bookmarks',
    job: 'attribution',
    prepare: finishPost,
    call: () => callFunction('attribution', {}),
  },
  {
    name: 'learning',
    table: 'dimension_performance',
    column: 'confidence',
    job: 'learning',
    prepare: async (prepared) => {
      await finishPost(prepared);
      await prepared.sql`select public.attribute_posts(${NOW})`;
      // The outcomes of posts are stored by the first half of learning, and rightly stay.
      await prepared.sql`select public.learning_statistics(id, ${NOW}) from public.x_accounts`;
    },
    call: () => callFunction('learning', {}),
  },
];

const health = (status: number) => reply(stack, 'health', { now }, healthReplySchema, status);

/** Does the work while every write to a table is refused, as when its disk is full. */
async function withoutWrites<Result>(
  sql: postgres.Sql,
  table: string,
  work: () => Promise<Result>,
): Promise<Result> {
  await sql
    .unsafe(
      `create function postloop.refuse() returns trigger language plpgsql as
         $$ begin raise exception 'no space left on device'; end $$;
       create trigger refuse before insert or update or delete on public.${table}
         for each row execute function postloop.refuse()`,
    )
    .simple();
  try {
    return await work();
  } finally {
    await sql`drop function postloop.refuse() cascade`;
  }
}

/** The rows of every table but the runs and the events: those tell of the failure. */
async function rows(): Promise<Record<string, number>> {
  const { pipeline_runs: _, integrity_events: __, ...others } = await rowCounts(stack.sql);
  return others;
}

async function expectFailedRun(job: Path['job'], message: string): Promise<void> {
  if (!job) {
    expect(await stack.sql`select from public.pipeline_runs where job <> 'health'`).toEqual([]);
    return;
  }
  expect(await lastRun(stack.sql, job)).toMatchObject({
    status: 'failed',
    as_of: NOW,
    expected: 1,
    done: 0,
    error: { code: 'database_error', message: expect.stringContaining(message) },
  });
}

describe.each(PATHS)('a write of $name that fails', ({ table, column, job, prepare, call }) => {
  it('for a renamed column is an error, a failed run and a red health that names it', async () => {
    await prepare(stack);
    const before = await rows();
    const { answer, state } = await withoutColumn(stack.sql, table, column, async () => ({
      answer: await call(),
      state: await health(503),
    }));
    expect(answer).toEqual({ ok: false, code: 'database_error' });
    await expectFailedRun(job, column);
    expect(state.drift).toMatchObject([
      {
        kind: 'column_missing',
        object: `public.${table}.${column}`,
        found: expect.stringContaining(`not_${column}`),
      },
    ]);
    expect(await rows()).toEqual(before);
    expect(await call()).toMatchObject({ ok: true });
    expect(await health(200)).toMatchObject({ status: 'ok', drift: [] });
  });

  it('for a refusal of the table is an error and a failed run, with nothing half-written', async () => {
    await prepare(stack);
    const before = await rows();
    const answer = await withoutWrites(stack.sql, table, call);
    expect(answer).toEqual({ ok: false, code: 'database_error' });
    await expectFailedRun(job, 'no space left');
    expect(await rows()).toEqual(before);
    // a bot's call has no run; what it left behind is dated by the clock
    const { invariants } = await reply(stack, 'health', job ? { now } : {}, healthReplySchema, 503);
    const failing = invariants.filter(({ status }) => status === 'failing');
    expect(failing).toMatchObject([
      {
        name: job ? `last_run_${job}` : 'calls_succeed',
        measured: expect.stringContaining('database_error'),
      },
    ]);
    expect(await call()).toMatchObject({ ok: true });
  });
});

describe('a write of the scraper that fails', () => {
  beforeEach(() => trackPost(stack.sql));

  /** The run is left open by the Lambda that failed; what looks after runs closes it. */
  async function expectAbandonedRun(): Promise<void> {
    expect(await lastRun(stack.sql, 'scraper')).toMatchObject({ status: 'running', expected: 2 });
    await stack.sql`select postloop.cleanup(clock_timestamp() + interval '2 hours')`;
    expect(await lastRun(stack.sql, 'scraper')).toMatchObject({
      status: 'failed',
      done: 0,
      error: { code: 'abandoned' },
    });
  }

  it('for a renamed column is an error, an abandoned run and a red health that names it', async () => {
    const { answer, state } = await withoutColumn(
      stack.sql,
      'real_tweet_metrics',
      'source',
      async () => ({ answer: await readOnce(minutes(31)), state: await health(503) }),
    );
    expect(answer).toEqual({ ok: false, code: 'record_failed' });
    expect(state.drift).toMatchObject([{ object: 'public.real_tweet_metrics.source' }]);
    await expectAbandonedRun();
    expect(await readOnce(minutes(32))).toEqual({ ok: true });
  });

  it('for a refusal of the table is an error and an abandoned run; the read is made again', async () => {
    const answer = await withoutWrites(stack.sql, 'real_tweet_metrics', () =>
      readOnce(minutes(31)),
    );
    expect(answer).toEqual({ ok: false, code: 'record_failed' });
    expect(await stack.sql`select from public.real_tweet_metrics`).toHaveLength(0);
    await expectAbandonedRun();
    expect(await readOnce(minutes(32))).toEqual({ ok: true });
    expect(await stack.sql`select likes::int from public.real_tweet_metrics`).toEqual([
      { likes: 3 },
    ]);
  });
});
