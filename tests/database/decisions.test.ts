import { describe, expect, it } from 'vitest';
import { readyInputsSchema } from '../../shared/learning/recommend.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import { storeModel } from '../support/models.ts';
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
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
const post = snowflakeId(T0);

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const RECOMMENDED = {
  decision_id: 'r1',
  kind: 'single',
  assigned: { tone: 'dry', topic: 'pricing' },
  policy: 'uniform',
  propensity: 0.25,
  slate: [
    { tone: 'warm', topic: 'pricing' },
    { tone: 'dry', topic: 'pricing' },
  ],
  chosen: 1,
  rng_seed: 4_294_967_295,
  model_version: null,
  prompted: true,
  control_share: 0.1,
};

const store = (decisions: object[]) =>
  database.sql`
    select public.store_decisions(${accountId}, ${json(database.sql, decisions)}, ${T0}) as reply`;

describe('a recommended decision', () => {
  it('is stored with how it was drawn', async () => {
    expect(only(await store([RECOMMENDED])).reply).toEqual({ stored: 1, rising: [] });
    expect(
      await database.sql`
        select decision_id, origin, kind, assigned, policy, propensity, slate,
          chosen, rng_seed::float8, model_version, prompted, control_share, created_at, tone, angle
        from public.content_metadata`,
    ).toEqual([
      { ...RECOMMENDED, origin: 'recommended', created_at: T0, tone: 'dry', angle: null },
    ]);
  });

  it.each(['policy', 'propensity', 'slate', 'chosen', 'rng_seed', 'prompted', 'control_share'])(
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

  it.each<[string, object, string]>([
    ['with a pick that is not what was assigned', { chosen: 0 }, 'chosen_is_what_was_assigned'],
    ['with a pick outside of the slate', { chosen: 2 }, 'chosen_is_what_was_assigned'],
    [
      'of the joint model without its version',
      { policy: 'thompson_joint' },
      'joint_draws_name_their_model',
    ],
    [
      'without evidence outside of a control share',
      { prompted: false, control_share: 0 },
      'only_a_control_share_goes_unprompted',
    ],
    ['of a control share above one half', { control_share: 0.6 }, 'control_share_is_at_most_half'],
  ])('is refused %s', async (_, change, constraint) => {
    await expect(store([{ ...RECOMMENDED, ...change }])).rejects.toMatchObject({
      constraint_name: constraint,
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

  it('are the vocabulary in use, each value with what it has shown and its posts', async () => {
    const { sql } = database;
    await trackPost(sql, { dimensions: { tone: 'dry' } });
    await storeRead(sql, post, '48h', hours(48), { impressions: 300, likes: 3 });
    await attribute(sql, hours(50));
    await learn(sql, accountId, hours(50));
    await sql`update public.content_dimension_values set retired_at = ${T0} where value = 'hiring'`;
    expect(await inputs('SOMEBOT')).toMatchObject({
      code: 'ready',
      account_id: accountId,
      handle: 'somebot',
      finished_posts: 1,
      rules: [],
      control_share: 0,
      dimensions: [
        { dimension: 'topic', values: [{ value: 'pricing', performance: null, posts: [] }] },
        {
          dimension: 'tone',
          values: [
            { value: 'dry', performance: { uses: 1 }, posts: [post] },
            { value: 'warm', performance: null, posts: [] },
          ],
        },
      ],
    });
  });

  it('hold of the model the values and their part of the factor, without the nuisances', async () => {
    const posts = ['dry', 'warm', 'dry', 'warm'].map((tone, index) => ({
      values: { tone },
      reward: index,
    }));
    await storeModel(database.sql, accountId, posts, 9);
    const { model } = readyInputsSchema.parse(await inputs('somebot'));
    expect(model).toMatchObject({
      version: 9,
      finished_posts: 4,
      features: [
        { dimension: 'tone', value: 'dry' },
        { dimension: 'tone', value: 'warm' },
      ],
    });
    const stored = only(await database.sql`select mean, factor from public.learned_models`);
    expect(stored.mean.length).toBeGreaterThan(2);
    expect(model?.mean).toEqual(stored.mean.slice(0, 2));
    expect(model?.factor).toEqual(stored.factor.slice(0, 3));
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
