import { describe, expect, it } from 'vitest';
import { pipelineStateSchema } from '../../shared/contracts/job.ts';
import { useDatabase } from '../support/database.ts';
import { hours, minutes, only, T0 } from '../support/scenario.ts';

const database = useDatabase();

async function state(now = T0) {
  const { reply } = only(await database.sql`select public.pipeline_state(${now}) as reply`);
  return pipelineStateSchema.parse(reply);
}

async function job(name: string, now = T0) {
  return (await state(now)).jobs.find((one) => one.job === name);
}

const run = (row: Record<string, unknown>) => {
  const { sql } = database;
  const whole = { job: 'attribution', status: 'succeeded', as_of: T0, finished_at: T0, ...row };
  return sql`insert into public.pipeline_runs ${sql(whole)}`;
};

describe('a job', () => {
  it('has never run on a fresh database, and every job is named', async () => {
    const { jobs } = await state();
    expect(jobs.map((one) => [one.job, one.state, one.every_seconds])).toEqual([
      ['attribution', 'never_ran', 7200],
      ['cleanup', 'never_ran', 86_400],
      ['health', 'never_ran', 900],
      ['learning', 'never_ran', 7200],
      ['scraper', 'never_ran', 60],
      ['watch', 'never_ran', 300],
    ]);
  });

  it('is late once two and a half of its intervals went by, and not before', async () => {
    await run({ expected: 2, done: 2 });
    expect(await job('attribution', hours(5))).toMatchObject({
      state: 'ok',
      expected: 2,
      done: 2,
      last_status: 'succeeded',
    });
    expect((await job('attribution', minutes(301)))?.state).toBe('late');
  });

  it.each([
    ['failed', { status: 'failed', error: { code: 'x', message: 'y' } }],
    ['partial', { status: 'partial', expected: 2, done: 1, failed: 1 }],
    ['running', { status: 'running', finished_at: null, expected: 2 }],
  ])('that is %s says so, and when it last succeeded', async (expected, row) => {
    const { sql } = database;
    await run({ started_at: hours(-2), as_of: hours(-2) });
    await run({
      started_at: T0,
      ...row,
      ...('error' in row ? { error: sql.json(row.error) } : {}),
    });
    const found = await job('attribution', minutes(10));
    expect(found).toMatchObject({ state: expected, last_status: expected });
    expect(new Date(found?.last_run_at ?? '')).toEqual(T0);
    expect(new Date(found?.last_success_at ?? '')).toEqual(expected === 'partial' ? T0 : hours(-2));
    expect(found?.error).toEqual('error' in row ? row.error : null);
  });

  it('health does not show the run that is looking', async () => {
    await run({
      job: 'health',
      started_at: hours(-0.25),
      as_of: hours(-0.25),
      expected: 1,
      done: 1,
    });
    await run({ job: 'health', started_at: T0, status: 'running', finished_at: null, expected: 1 });
    const found = await job('health', minutes(1));
    expect(found).toMatchObject({ state: 'ok', last_status: 'succeeded' });
    expect(new Date(found?.last_run_at ?? '')).toEqual(hours(-0.25));
    expect((await job('health', minutes(30)))?.state).toBe('ok');
    expect((await job('health', minutes(38)))?.state).toBe('late');
  });

  it('that hangs becomes late', async () => {
    await run({ status: 'running', finished_at: null });
    expect((await job('attribution', hours(6)))?.state).toBe('late');
  });

  it('is judged as of the moment asked for, not by what came later', async () => {
    await run({ started_at: T0 });
    await run({
      started_at: hours(2),
      as_of: hours(2),
      status: 'failed',
      error: database.sql.json({ code: 'x' }),
    });
    expect((await job('attribution', hours(1)))?.state).toBe('ok');
    expect((await job('attribution', hours(2)))?.state).toBe('failed');
  });
});
