import { describe, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { json, registerAccount, rowCounts, T0, trackPost } from '../support/scenario.ts';

const database = useDatabase();

const register = async (handle: string, values: unknown) => {
  const { sql } = database;
  const [row] = await sql`
    select public.register_x_account(${handle}, ${json(sql, values)}, ${T0}) as reply`;
  return row?.reply;
};

describe('register_x_account', () => {
  it('is one account however often and in whatever case it is called', async () => {
    const first = await register('SomeBot', { tone: ['dry'] });
    expect(first).toEqual({ code: 'registered', account_id: expect.any(Number) });
    const before = await rowCounts(database.sql);
    expect(await register('somebot', { tone: ['dry'] })).toEqual(first);
    expect(await rowCounts(database.sql)).toEqual(before);
  });

  it('widens the vocabulary and keeps what was there', async () => {
    const { sql } = database;
    await register('somebot', { tone: ['dry'] });
    await register('somebot', { tone: ['warm'], topic: ['pricing'] });
    expect(
      await sql`select dimension, value from public.content_dimension_values order by 1, 2`,
    ).toEqual([
      { dimension: 'tone', value: 'dry' },
      { dimension: 'tone', value: 'warm' },
      { dimension: 'topic', value: 'pricing' },
    ]);
  });

  it('has the follower count read from now on, once', async () => {
    await register('somebot', {});
    await register('somebot', {});
    expect(
      await database.sql`select next_attempt_at, attempts from public.follower_collections`,
    ).toEqual([{ next_attempt_at: T0, attempts: 0 }]);
  });

  it.each([
    ['a handle with its @', '@somebot', {}, { code: 'handle_invalid', handle: '@somebot' }],
    [
      'a dimension nobody knows',
      'somebot',
      { mood: ['x'] },
      { code: 'dimension_unknown', dimension: 'mood' },
    ],
  ])('refuses %s and writes nothing', async (_, handle, values, reply) => {
    const before = await rowCounts(database.sql);
    expect(await register(handle, values)).toEqual(reply);
    expect(await rowCounts(database.sql)).toEqual(before);
  });
});

describe('the trigger on decisions and posts', () => {
  it('refuses a decision with a value outside the vocabulary', async () => {
    const { sql } = database;
    const accountId = await registerAccount(sql);
    await expect(
      sql`insert into public.content_metadata (account_id, origin, assigned)
        values (${accountId}, 'manual', '{"tone": "furious"}')`,
    ).rejects.toMatchObject({ code: '23514', message: expect.stringContaining('tone furious') });
  });

  it('refuses to give a post a value outside the vocabulary', async () => {
    const { sql } = database;
    await registerAccount(sql);
    await trackPost(sql, { dimensions: { tone: 'dry' } });
    await expect(
      sql`update public.post_attribution set realised = '{"tone": "furious"}'`,
    ).rejects.toMatchObject({ code: '23514' });
    await expect(
      sql`update public.post_attribution set realised = '{"mood": "dry"}'`,
    ).rejects.toMatchObject({ code: '23514' });
  });

  it("does not take one account's values for another's", async () => {
    const { sql } = database;
    await registerAccount(sql, 'somebot', { tone: ['dry'] });
    const other = await registerAccount(sql, 'otherbot', { tone: ['warm'] });
    await expect(
      sql`insert into public.content_metadata (account_id, origin, assigned)
        values (${other}, 'manual', '{"tone": "dry"}')`,
    ).rejects.toMatchObject({ code: '23514' });
  });
});

it('knows the six dimensions and the six phases as rows', async () => {
  const { sql } = database;
  const dimensions = await sql`select dimension from public.content_dimensions order by position`;
  expect(dimensions.map((row) => row.dimension)).toEqual([
    'topic',
    'angle',
    'tone',
    'format',
    'generator',
    'hook_pattern',
  ]);
  const phases = await sql`select phase from public.collection_phases where scheduled order by age`;
  expect(phases.map((row) => row.phase)).toEqual(['30m', '2h', '6h', '24h', '48h', '7d']);
});
