import type postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDatabase } from '../../local/stack/database.ts';
import { startServices } from '../../local/stack/stack.ts';
import { type HealthReply, healthReplySchema } from '../../shared/contracts/job.ts';
import { lastRun, refusal, reply, withoutColumn } from '../support/calls.ts';
import { hours, minutes, reset, T0 } from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ serve: ['health'] });
  // The other invariants have tests of their own; on this clock their jobs never ran.
  await stack.sql`delete from postloop.checks where check_name <> 'schema'`;
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  await reset(stack.sql);
  await health(200);
});

const health = (status: number, now = T0): Promise<HealthReply> =>
  reply(stack, 'health', { now: now.toISOString() }, healthReplySchema, status);

const failing = ({ invariants }: HealthReply) =>
  invariants.filter(({ status }) => status === 'failing').map(({ name }) => name);

const measured = ({ invariants }: HealthReply, name: string) =>
  invariants.find((one) => one.name === name)?.measured;

/** Does the work between a change of the database and what undoes it. */
async function during<Result>(
  [damage, repair]: [string, string],
  work: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  await stack.sql.unsafe(damage).simple();
  try {
    return await work(stack.sql);
  } finally {
    await stack.sql.unsafe(repair).simple();
  }
}

const withoutTable = (name: string): [string, string] => {
  const [schema, table] = name.split('.');
  return [`alter table ${name} rename to gone`, `alter table ${schema}.gone rename to ${table}`];
};

describe('a database as the functions need it', () => {
  it('is answered with 200, no difference, and every part', async () => {
    const answer = await health(200, minutes(1));
    expect(answer).toMatchObject({ status: 'ok', drift: [], as_of: minutes(1).toISOString() });
    expect(answer.invariants).toEqual([
      {
        name: 'schema_matches',
        status: 'ok',
        measured: '0 differences',
        threshold: '0 differences',
        since: minutes(1).toISOString(),
        what_to_do: expect.stringMatching(/\w/),
        step: null,
        part: 'schema',
      },
    ]);
    expect(answer.jobs?.length).toBeGreaterThan(4);
    expect(await lastRun(stack.sql, 'health')).toMatchObject({
      run_id: answer.run_id,
      status: 'succeeded',
      expected: 1,
      done: 1,
    });
  });

  it('shows the run of health before this one, not the one that is looking', async () => {
    const { jobs } = await health(200, minutes(1));
    const [own] = jobs?.filter(({ job }) => job === 'health') ?? [];
    expect(own).toMatchObject({ state: 'ok', last_status: 'succeeded' });
    expect(new Date(own?.last_run_at ?? '')).toEqual(T0);
  });

  it('says since when an invariant is in its state, as the watch job recorded it', async () => {
    const { sql } = stack;
    await sql`insert into public.invariant_states (name, status, since, checked_at)
      values ('schema_matches', 'ok', ${hours(-7)}, ${T0})`;
    const { invariants } = await health(200);
    await sql`delete from public.invariant_states`;
    expect(invariants[0]?.since).toBe(hours(-7).toISOString());
  });
});

describe('an invariant', () => {
  /** Replaces the checks by one of this test. */
  const withCheck = <Result>(rows: string, work: () => Promise<Result>) =>
    during(
      [
        `create function postloop.check_weather(p_now timestamptz)
           returns table (name text, status text, measured text, threshold text, what_to_do text)
           language sql as $$ values ${rows} $$;
         grant execute on function postloop.check_weather to service_role;
         insert into postloop.checks (check_name, position) values ('weather', 5)`,
        `delete from postloop.checks where check_name = 'weather';
         drop function postloop.check_weather`,
      ],
      work,
    );

  it('that warns is told with 200, in the order of the checks', async () => {
    const rows = `('wind', 'ok', '3 m/s', '20 m/s', null), ('rain', 'warning', '9 mm', '5 mm', 'Wait.')`;
    const answer = await withCheck(rows, () => health(200));
    expect(answer.status).toBe('warning');
    expect(answer.invariants.map(({ name, status }) => [name, status])).toEqual([
      ['wind', 'ok'],
      ['rain', 'warning'],
      ['schema_matches', 'ok'],
    ]);
    expect(answer.invariants[1]).toMatchObject({ threshold: '5 mm', what_to_do: 'Wait.' });
  });

  it('that fails is told with 503, and the run of health is none the worse', async () => {
    const answer = await withCheck(`('rain', 'failing', '50 mm', '5 mm', 'Run.')`, () =>
      health(503),
    );
    expect(answer).toMatchObject({ status: 'failing', drift: [] });
    expect(failing(answer)).toEqual(['rain']);
    expect(await lastRun(stack.sql, 'health')).toMatchObject({ status: 'succeeded', done: 1 });
  });

  it('whose check cannot be made is failing, and the others are told', async () => {
    const answer = await withCheck('(1 / 0, null, null, null, null)', () => health(503));
    expect(failing(answer)).toEqual(['weather']);
    expect(measured(answer, 'schema_matches')).toBe('0 differences');
  });
});

describe('drift', () => {
  it('of a dropped column is named with 503; once the column is back it is 200', async () => {
    const answer = await during(
      [
        'alter table public.follower_snapshots drop column run_id',
        'alter table public.follower_snapshots add column run_id uuid not null',
      ],
      () => health(503),
    );
    expect(answer.status).toBe('failing');
    expect(answer.drift).toEqual([
      {
        kind: 'column_missing',
        object: 'public.follower_snapshots.run_id',
        expected: 'uuid',
        found: null,
      },
    ]);
    expect(failing(answer)).toEqual(['schema_matches']);
    expect(measured(answer, 'schema_matches')).toBe(
      '1 difference: public.follower_snapshots.run_id is missing',
    );
    expect(await lastRun(stack.sql, 'health')).toMatchObject({ status: 'succeeded', done: 1 });
    expect(await health(200)).toMatchObject({ status: 'ok', drift: [] });
  });

  it('of a renamed column is named with its likely new name', async () => {
    const answer = await withoutColumn(stack.sql, 'real_tweet_metrics', 'likes', () => health(503));
    expect(measured(answer, 'schema_matches')).toBe(
      '1 difference: public.real_tweet_metrics.likes is missing (perhaps renamed to not_likes)',
    );
  });
});

describe('what cannot be read', () => {
  it('because a column of the jobs is gone leaves that part out, and says so', async () => {
    const answer = await during(
      [
        'alter table postloop.jobs rename column late_after to patience',
        'alter table postloop.jobs rename column patience to late_after',
      ],
      () => health(503),
    );
    expect(answer.jobs).toBeNull();
    expect(failing(answer)).toEqual(['state_readable']);
    expect(measured(answer, 'state_readable')).toContain('pipeline_state failed');
    expect(await lastRun(stack.sql, 'health')).toMatchObject({
      run_id: answer.run_id,
      status: 'failed',
      done: 0,
      failed: 1,
      error: { code: 'state_unreadable', message: expect.stringContaining('pipeline_state') },
    });
  });

  it('because there are no runs any more is answered without a run', async () => {
    const answer = await during(withoutTable('public.pipeline_runs'), () => health(503));
    expect(answer).toMatchObject({ run_id: null, jobs: null });
    expect(failing(answer)).toEqual(['schema_matches', 'state_readable']);
    expect(answer.drift).toMatchObject([{ object: 'public.pipeline_runs' }]);
  });

  it('because the invariants cannot be made does not hide the drift', async () => {
    const answer = await during(withoutTable('public.invariant_states'), () => health(503));
    expect(failing(answer)).toEqual(['schema_matches', 'state_readable']);
    expect(measured(answer, 'schema_matches')).toContain('public.invariant_states');
    expect(answer.jobs?.length).toBeGreaterThan(4);
  });

  it('because findings have no place does not hide them', async () => {
    const answer = await during(
      [
        `alter table postloop.schema_findings rename to gone;
         alter view public.tone_performance rename to tones`,
        `alter table postloop.gone rename to schema_findings;
         alter view public.tones rename to tone_performance`,
      ],
      () => health(503),
    );
    expect(answer.drift).toMatchObject([{ object: 'public.tone_performance' }]);
    expect(failing(answer)).toEqual(['schema_matches', 'schema']);
  });

  it('because the comparison itself is missing leaves the state readable', async () => {
    const answer = await during(
      [
        'alter function public.schema_drift(jsonb, timestamptz) rename to gone',
        'alter function public.gone(jsonb, timestamptz) rename to schema_drift',
      ],
      () => health(503),
    );
    expect(answer.drift).toBeNull();
    expect(failing(answer)).toEqual(['state_readable']);
    expect(measured(answer, 'state_readable')).toContain('schema_drift');
    expect(answer.jobs?.length).toBeGreaterThan(4);
  });

  it('because the run cannot be closed is no success', async () => {
    const answer = await during(
      [
        `create function postloop.refuse() returns trigger language plpgsql as
           $$ begin raise exception 'no space left on device'; end $$;
         create trigger refuse before update on public.pipeline_runs
           for each row execute function postloop.refuse()`,
        'drop function postloop.refuse() cascade',
      ],
      () => health(503),
    );
    expect(failing(answer)).toEqual(['state_readable']);
    expect(measured(answer, 'state_readable')).toContain('finish_pipeline_run failed');
    expect(answer.jobs?.length).toBeGreaterThan(4);
  });
});

it('answers 503 database_unreachable when the database is down', async () => {
  const database = await startDatabase({ fresh: true });
  const services = await startServices(
    { databaseUrl: database.url(), adminUrl: database.adminUrl() },
    { port: 0, serve: ['health', 'recommend'] },
  ).catch(async (error: unknown) => {
    await database.stop();
    throw error;
  });
  try {
    await services.sql.end();
    await services.scheduler.stop();
    await database.stop();
    const answer = await refusal({ ...stack, ...services }, 'health', {});
    expect(answer).toMatchObject({ status: 503, code: 'database_unreachable' });
    expect(answer.message).toContain('did not reach the database');
    const bots = await refusal({ ...stack, ...services }, 'recommend', { account: 'somebot' });
    expect(bots).toMatchObject({ status: 503, code: 'database_unreachable' });
  } finally {
    await services.stop();
    await database.stop();
  }
});
