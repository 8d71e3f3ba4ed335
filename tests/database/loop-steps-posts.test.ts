import { describe, expect, it } from 'vitest';
import type { StepName } from '../../shared/contracts/job.ts';
import { useDatabase } from '../support/database.ts';
import { invariant } from '../support/health.ts';
import { discover, draw, loopStep, track } from '../support/loop.ts';
import { hours, minutes, registerAccount, T0 } from '../support/scenario.ts';

let accountId: number;
const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const step = (name: StepName, now: Date) => loopStep(database.sql, name, now);
const found = (name: string, now: Date) => invariant(database.sql, name, now);

describe('decision and post', () => {
  it('say who decided, and which posts were only found', async () => {
    await draw(database.sql, accountId, 3);
    await track(database.sql);
    await discover(database.sql, accountId, [minutes(10)], minutes(20));
    expect(await step('decision', hours(1))).toMatchObject({
      count_7d: 4,
      newest_at: T0.toISOString(),
      state: 'ok',
      detail: '3 recommended, 1 chosen by the bot',
    });
    expect(await step('post', hours(1))).toMatchObject({
      count_7d: 2,
      newest_at: minutes(10).toISOString(),
      state: 'ok',
      detail: '1 of them found on the timeline',
    });
  });

  it('are not broken by decisions that are never posted', async () => {
    await draw(database.sql, accountId, 20);
    expect(await step('decision', hours(48))).toMatchObject({ state: 'ok', count_7d: 20 });
    expect((await step('post', hours(48))).state).toBe('empty');
    expect((await step('tracking_row', hours(48))).state).toBe('empty');
  });
});

describe('tracking row', () => {
  it('is broken when decisions are drawn, posts are found, and none of them is told of', async () => {
    await draw(database.sql, accountId, 3);
    await discover(database.sql, accountId, [minutes(5), minutes(65), minutes(125)], hours(3));
    expect(await step('tracking_row', hours(4))).toMatchObject({
      count_7d: 0,
      state: 'broken',
      failing: ['posts_tracked'],
    });
    expect(await found('posts_tracked', hours(4))).toMatchObject({
      measured:
        '3 posts found on the timeline and none told of while decisions are drawn, such as of @somebot',
      what_to_do: expect.stringContaining('track-post'),
    });
  });

  it('is ok once one post of the account is told of', async () => {
    await draw(database.sql, accountId, 3);
    await discover(database.sql, accountId, [minutes(5), minutes(65), minutes(125)], hours(3));
    await track(database.sql);
    expect(await step('tracking_row', hours(4))).toMatchObject({ count_7d: 1, state: 'ok' });
  });

  it.each([
    ['two decisions', 2, [5, 65, 125], 4],
    ['two posts', 3, [5, 65], 4],
    ['posts that were made before', 3, [-125, -65, -5], 4],
    ['posts of the last hour', 3, [5, 65, 125], 2.5],
  ])('is not broken by %s', async (_, decisions, posted, now) => {
    await draw(database.sql, accountId, decisions);
    await discover(
      database.sql,
      accountId,
      posted.map((minute) => minutes(minute)),
      hours(2.2),
    );
    expect(await step('tracking_row', hours(now))).toMatchObject({ state: 'empty', failing: [] });
  });
});

describe('recommendation', () => {
  it('is ok as soon as there is something to choose from', async () => {
    expect(await step('recommendation', T0)).toMatchObject({
      count_7d: 0,
      newest_at: null,
      state: 'ok',
      detail: 'can be drawn for 1 of 1 accounts',
    });
    await draw(database.sql, accountId, 2, hours(1));
    expect(await step('recommendation', hours(2))).toMatchObject({
      count_7d: 2,
      newest_at: hours(1).toISOString(),
    });
  });

  it('warns when no account has a value left, and says how to give one', async () => {
    const { sql } = database;
    await sql`update public.content_dimension_values set retired_at = ${T0}`;
    expect(await step('recommendation', T0)).toMatchObject({
      state: 'empty',
      warnings: ['decisions_can_be_drawn'],
    });
    expect(await found('decisions_can_be_drawn', T0)).toMatchObject({
      measured: 'no account has a value to choose from, such as @somebot',
      what_to_do: expect.stringContaining("public.register_x_account('somebot'"),
    });
    await registerAccount(sql, 'otherbot');
    expect(await step('recommendation', T0)).toMatchObject({ state: 'ok', warnings: [] });
  });
});
