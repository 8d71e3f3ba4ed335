import { describe, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { json, only, T0 } from '../support/scenario.ts';

const database = useDatabase();

async function start(job = 'learning', expected = 0): Promise<string> {
  const { id } = only(
    await database.sql`select public.start_pipeline_run(${job}, ${expected}, ${T0}) as id`,
  );
  return id;
}

type Closing = {
  done?: number;
  skipped?: Record<string, number>;
  failed?: number;
  error?: { code: string; message: string };
  expected?: number;
};

async function finish(runId: string, closing: Closing = {}) {
  const { sql } = database;
  const { done = 0, skipped = {}, failed = 0, error, expected = null } = closing;
  const { run } = only(
    await sql`
      select public.finish_pipeline_run(${runId}, ${done}, ${json(sql, skipped)}, ${failed},
        ${error ? json(sql, error) : null}, ${expected}) as run`,
  );
  return run;
}

const BROKEN = { code: 'broken', message: 'It broke.' };

describe('a run', () => {
  it('is running, with what it expects, until it is closed', async () => {
    const id = await start('learning', 3);
    expect(
      await database.sql`select run_id, job, status, as_of, expected, done, finished_at
        from public.pipeline_runs`,
    ).toEqual([
      {
        run_id: id,
        job: 'learning',
        status: 'running',
        as_of: T0,
        expected: 3,
        done: 0,
        finished_at: null,
      },
    ]);
  });

  it.each<[string, number, Closing, string]>([
    ['nothing was expected and nothing done', 0, {}, 'succeeded'],
    ['everything was done', 3, { done: 3 }, 'succeeded'],
    ['some was skipped and the rest done', 3, { done: 1, skipped: { deferred: 2 } }, 'succeeded'],
    ['some failed', 3, { done: 2, failed: 1 }, 'partial'],
    ['all failed', 3, { failed: 3 }, 'failed'],
    ['nothing was done of what was expected', 3, {}, 'failed'],
    ['all was skipped', 3, { skipped: { lease_lost: 3 } }, 'failed'],
    ['something failed that nobody expected', 0, { failed: 1 }, 'failed'],
    ['it reports an error, whatever was done', 3, { done: 3, error: BROKEN }, 'failed'],
    ['what was expected turned out to be nothing', 3, { expected: 0 }, 'succeeded'],
    ['more turned out to be expected, and none was done', 0, { expected: 2 }, 'failed'],
  ])('when %s', async (_, expected, closing, status) => {
    const run = await finish(await start('learning', expected), closing);
    expect(run.status).toBe(status);
    if (status === 'failed')
      expect(run.error).toEqual(closing.error ?? expect.objectContaining({ code: 'nothing_done' }));
    else expect(run.error).toBeNull();
    const { finished } = only(
      await database.sql`
        select finished_at >= started_at as finished from public.pipeline_runs`,
    );
    expect(finished).toBe(true);
  });

  it('is closed once: a second closing changes nothing and says so', async () => {
    const { sql } = database;
    const id = await start('learning', 1);
    await finish(id, { done: 1 });
    const before = await sql`select * from public.pipeline_runs`;
    expect(await finish(id, { failed: 1, error: BROKEN })).toBeNull();
    expect(await sql`select * from public.pipeline_runs`).toEqual(before);
  });
});

describe('the table refuses', () => {
  const insert = (row: Record<string, unknown>) => {
    const { sql } = database;
    const whole = { job: 'health', as_of: T0, finished_at: T0, ...row };
    return sql`insert into public.pipeline_runs ${sql(whole)}`;
  };

  it.each<[string, Record<string, unknown>, string]>([
    [
      'a success that did nothing of what it expected',
      { status: 'succeeded', expected: 3 },
      'success_did_its_work',
    ],
    [
      'a success with failures',
      { status: 'succeeded', expected: 3, done: 2, failed: 1 },
      'success_did_its_work',
    ],
    [
      'a partial run that did nothing',
      { status: 'partial', expected: 3, failed: 3 },
      'partial_did_some_work',
    ],
    ['a failure that does not say why', { status: 'failed', expected: 3 }, 'failures_say_why'],
    [
      'an end without an end',
      { status: 'succeeded', finished_at: null },
      'finished_runs_have_an_end',
    ],
    ['a job nobody knows', { status: 'succeeded', job: 'magic' }, 'job_is_known'],
    ['a status nobody knows', { status: 'great' }, 'status_is_known'],
    ['a negative count', { status: 'succeeded', done: -1 }, 'counts_are_not_negative'],
  ])('%s', async (_, row, constraint) => {
    await expect(insert(row)).rejects.toMatchObject({ constraint_name: constraint });
  });

  it('to turn a run into a success that did nothing', async () => {
    const { sql } = database;
    const id = await start('learning', 2);
    await expect(
      sql`update public.pipeline_runs set status = 'succeeded', finished_at = ${T0}
        where run_id = ${id}`,
    ).rejects.toMatchObject({ constraint_name: 'success_did_its_work' });
  });
});
