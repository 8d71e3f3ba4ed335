import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import {
  attribute,
  claim,
  found,
  hours,
  json,
  learn,
  minutes,
  only,
  record,
  registerAccount,
  reset,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let database: TestDatabase;
let accountId: number;
const post = snowflakeId(T0);

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database?.drop());
beforeEach(async () => {
  await reset(database.sql);
  accountId = await registerAccount(database.sql);
});

const RECOMMENDED = {
  decision_id: 'r1',
  kind: 'single',
  assigned: { tone: 'dry', topic: 'pricing' },
  policy: 'uniform',
  propensity: 0.25,
  slate: [{ tone: 'dry', topic: 'pricing' }],
  rng_seed: 4_294_967_295,
};

const store = (decisions: object[]) =>
  database.sql`
    select public.store_decisions(${accountId}, ${json(database.sql, decisions)}, ${T0}) as reply`;

describe('a recommended decision', () => {
  it('is stored with how it was drawn', async () => {
    expect(only(await store([RECOMMENDED])).reply).toEqual({ stored: 1 });
    expect(
      await database.sql`
        select decision_id, origin, kind, assigned, policy, propensity, slate,
          rng_seed::float8, created_at, tone, angle
        from public.content_metadata`,
    ).toEqual([
      { ...RECOMMENDED, origin: 'recommended', created_at: T0, tone: 'dry', angle: null },
    ]);
  });

  it.each(['policy', 'propensity', 'slate', 'rng_seed'])(
    'is refused without its %s',
    async (name) => {
      await expect(store([{ ...RECOMMENDED, [name]: undefined }])).rejects.toMatchObject({
        constraint_name: 'recommendations_are_logged',
      });
    },
  );

  it.each([0, -0.1, 1.01])('is refused with the propensity %d', async (propensity) => {
    await expect(store([{ ...RECOMMENDED, propensity }])).rejects.toMatchObject({
      constraint_name: 'propensity_is_a_probability',
    });
  });

  it('is refused with the rest of its batch, so that none is half stored', async () => {
    const unknown = { ...RECOMMENDED, decision_id: 'r2', assigned: { tone: 'furious' } };
    await expect(store([RECOMMENDED, unknown])).rejects.toMatchObject({ code: '23514' });
    expect(await database.sql`select from public.content_metadata`).toHaveLength(0);
  });
});

describe('recommendation_inputs', () => {
  const inputs = async (handle: string) =>
    only(await database.sql`select public.recommendation_inputs(${handle}) as inputs`).inputs;

  it('are the vocabulary in use, each value with what it has shown', async () => {
    const { sql } = database;
    await trackPost(sql, { dimensions: { tone: 'dry' } });
    await storeRead(sql, post, '48h', hours(48), { impressions: 300, likes: 3 });
    await attribute(sql, hours(50));
    await learn(sql, accountId, hours(50));
    await sql`update public.dimension_values set retired_at = ${T0} where value = 'hiring'`;
    expect(await inputs('SOMEBOT')).toMatchObject({
      code: 'ready',
      account_id: accountId,
      handle: 'somebot',
      finished_posts: 1,
      dimensions: [
        { dimension: 'topic', prior: null, values: [{ value: 'pricing', performance: null }] },
        {
          dimension: 'tone',
          prior: { df: 4 },
          values: [
            { value: 'dry', performance: { uses: 1, total_impressions: 300 } },
            { value: 'warm', performance: null },
          ],
        },
      ],
    });
  });

  it('say when nobody knows the account', async () => {
    expect(await inputs('nobody')).toEqual({ code: 'account_unknown' });
  });
});

it('shows everything about a post in one row of post_tracking', async () => {
  const { sql } = database;
  await store([RECOMMENDED]);
  await trackPost(sql, { decisionId: 'r1', dimensions: { tone: 'warm' }, viralScore: 0.5 });
  const { run_id } = await claim(sql, minutes(30));
  const counts = { likes: 8, retweets: 1, replies: 1, impressions: 1000 };
  await record(sql, run_id, { reads: [found(post, '30m', minutes(30), counts)] }, minutes(30));
  await storeFollowers(sql, accountId, [
    { at: hours(0), followers: 100 },
    { at: hours(6), followers: 112 },
    { at: hours(45), followers: 130 },
    { at: hours(51), followers: 142 },
  ]);
  await attribute(sql, hours(52));
  const row = only(
    await sql`
      select handle, decision_id, origin, policy, propensity, assigned, realised, kind, viral_score,
        likes::int, impressions::int, engagement_rate, followers_before::int,
        followers_2h_after::int, followers_24h_after, followers_48h_after::int,
        followers_gained_naive::int, reads_done::int, reads_waiting::int, reads_missed::int,
        next_read_at, last_outcome, followers_gained = credit_48h as gained_is_credit,
        credit_is_final
      from public.post_tracking`,
  );
  expect(row).toEqual({
    handle: 'somebot',
    decision_id: 'r1',
    origin: 'recommended',
    policy: 'uniform',
    propensity: 0.25,
    assigned: { tone: 'dry', topic: 'pricing' },
    realised: { tone: 'warm', topic: 'pricing' },
    kind: 'single',
    viral_score: 0.5,
    likes: 8,
    impressions: 1000,
    engagement_rate: 0.01,
    followers_before: 100,
    followers_2h_after: 104,
    followers_24h_after: null,
    followers_48h_after: 136,
    followers_gained_naive: 36,
    reads_done: 1,
    reads_waiting: 5,
    reads_missed: 0,
    next_read_at: hours(2),
    last_outcome: 'found',
    gained_is_credit: true,
    credit_is_final: false,
  });
});
