import { describe, expect, it } from 'vitest';
import { type Invariant, platformPartSchema, stepNameSchema } from '../../shared/contracts/job.ts';
import { useDatabase } from '../support/database.ts';
import { draw, finish, loopStep, loopSteps, POST, scrape, track } from '../support/loop.ts';
import {
  attribute,
  hours,
  learn,
  only,
  registerAccount,
  reset,
  rowCounts,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const STEPS = stepNameSchema.options;

describe('the loop', () => {
  it('has its eleven steps in order', async () => {
    expect((await loopSteps(database.sql, T0)).map((one) => one.step)).toEqual(STEPS);
  });

  it('is empty and not broken where nothing has been done yet', async () => {
    await reset(database.sql);
    for (const one of await loopSteps(database.sql, T0)) {
      expect(one).toMatchObject({ count_7d: 0, newest_at: null, state: 'empty' });
      expect(one).toMatchObject({ failing: [], warnings: [] });
    }
  });

  it('is ok from end to end once a post has gone round', async () => {
    const { sql } = database;
    const [decisionId] = await draw(database.sql, accountId, 1);
    await trackPost(sql, { decisionId: decisionId ?? '' });
    for (let hour = 0; hour <= 50; hour += 0.5)
      await scrape(database.sql, accountId, hours(hour), 'found', 100 + hour);
    await attribute(sql, hours(50));
    await learn(sql, accountId, hours(50));
    const round = await loopSteps(database.sql, hours(50));
    expect(round.map((one) => [one.step, one.state, one.failing, one.warnings])).toEqual(
      STEPS.map((name) => [name, 'ok', [], []]),
    );
    expect(round.map((one) => one.count_7d)).toEqual([1, 1, 1, 5, 5, 51, 5, 1, 1, 1, 1]);
  });

  it('writes nothing', async () => {
    const { sql } = database;
    await finish(database.sql, accountId);
    const before = await rowCounts(sql);
    await loopSteps(database.sql, hours(60));
    expect(await rowCounts(sql)).toEqual(before);
  });

  it('knows nothing of what came after the moment that is asked for', async () => {
    await finish(database.sql, accountId);
    await attribute(database.sql, hours(60));
    const before = await loopSteps(database.sql, hours(-3));
    expect(before.filter(({ step }) => step !== 'recommendation')).toEqual(
      STEPS.filter((name) => name !== 'recommendation').map((name) =>
        expect.objectContaining({ step: name, count_7d: 0, newest_at: null, state: 'empty' }),
      ),
    );
  });

  it('counts the last seven days, and names the newest of any time', async () => {
    const { sql } = database;
    await track(database.sql);
    await storeRead(sql, POST, '2h', hours(2), { likes: 1 });
    await sql`update public.real_tweet_metrics set source = 'imported'`;
    await attribute(sql, hours(3));
    await sql`update public.metric_collections set state = 'done', finished_at = due_at`;
    await sql`delete from public.follower_collections`;
    for (const [name, newest] of [
      ['decision', T0],
      ['post', T0],
      ['tracking_row', T0],
      ['due_reads', hours(7 * 24)],
      ['metrics', hours(2)],
      ['attribution', hours(3)],
    ] as const) {
      expect(await loopStep(database.sql, name, hours(15 * 24))).toMatchObject({
        count_7d: 0,
        newest_at: newest.toISOString(),
        state: 'ok',
      });
    }
  });

  it('is answered to service_role, and to nobody else of the API', async () => {
    const { sql } = database;
    const ask = (role: string) =>
      sql.begin(async (transaction) => {
        await transaction`set local role ${transaction(role)}`;
        return only(await transaction`select public.loop_steps(${T0}) as reply`).reply;
      });
    expect(await ask('service_role')).toHaveLength(11);
    for (const role of ['anon', 'authenticated']) {
      await expect(ask(role)).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('every step', () => {
  it('has a check, and every invariant belongs to a step or a part, or to the whole pipeline', async () => {
    const { sql } = database;
    const found = await sql<Invariant[]>`
      select name, step, part from public.check_pipeline(${T0}) order by name`;
    const placed = new Set(found.map(({ step }) => step).filter((one) => one !== null));
    expect([...placed].toSorted()).toEqual(STEPS.toSorted());
    const parts = new Set(found.map(({ part }) => part).filter((one) => one !== null));
    expect([...parts].toSorted()).toEqual(platformPartSchema.options.toSorted());
    const ofAll = found.filter(({ step, part }) => step === null && part === null);
    expect(ofAll.map(({ name }) => name)).toEqual([
      'heartbeat_cleanup',
      'heartbeat_health',
      'heartbeat_watch',
      'last_run_cleanup',
      'last_run_health',
      'last_run_watch',
      'runs_end',
    ]);
  });

  it('is described with exactly the invariants that its checks return', async () => {
    const { sql } = database;
    const found = await sql`select name from public.check_pipeline(${T0}) order by name`;
    expect(found).toEqual(await sql`select name from postloop.invariants order by name`);
  });

  it('is broken while its check cannot be made', async () => {
    const { sql } = database;
    await sql`alter function postloop.check_learned_posts rename to away`;
    try {
      expect(await loopStep(sql, 'learning', T0)).toMatchObject({
        state: 'broken',
        failing: ['learned_posts'],
      });
    } finally {
      await sql`alter function postloop.away rename to check_learned_posts`;
    }
  });
});
