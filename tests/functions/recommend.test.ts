import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recommendReplySchema } from '../../shared/contracts/recommend.ts';
import { decide, readyInputsSchema } from '../../shared/learning/recommend.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { refusal, reply } from '../support/calls.ts';
import { type RewardedPost, storeModel } from '../support/models.ts';
import {
  hours,
  json,
  only,
  registerAccount,
  reset,
  rowCounts,
  T0,
  trackPost,
} from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let accountId: number;
beforeAll(async () => {
  stack = await startTestStack({ serve: ['recommend'] });
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  await reset(stack.sql);
  accountId = await registerAccount(stack.sql);
});

const recommend = (body: object = {}) =>
  reply(
    stack,
    'recommend',
    { account: 'somebot', now: T0.toISOString(), ...body },
    recommendReplySchema,
  );

const stored = (id: string | undefined) =>
  stack.sql`
    select account_id::int, created_at, origin, kind, assigned, policy, propensity, slate, chosen,
      rng_seed::float8, model_version::int, prompted, control_share, tone, topic
    from public.content_metadata where decision_id = ${id ?? ''}`;

const inputs = async () =>
  readyInputsSchema.parse(
    only(await stack.sql`select public.recommendation_inputs('somebot') as inputs`).inputs,
  );

const setRules = async (rules: unknown) =>
  only(
    await stack.sql`select public.set_content_rules('somebot', ${json(stack.sql, rules)}) as reply`,
  ).reply;

/** Dry posts about pricing did well. */
const POSTS: RewardedPost[] = Array.from({ length: 48 }, (_, index) => {
  const values = {
    tone: index % 2 === 0 ? 'dry' : 'warm',
    topic: index % 3 === 0 ? 'hiring' : 'pricing',
  };
  const luck = ((index * 7) % 11) / 11 - 0.5;
  const reward = (values.tone === 'dry' ? 1 : -1) + (values.topic === 'pricing' ? 0.5 : -0.5);
  return { values, reward: reward + luck };
});

describe('a recommendation', () => {
  it('is n decisions, each stored as it was answered, with its slate, seed and propensity', async () => {
    const { account, decisions } = await recommend({ n: 5, kind: 'thread' });
    expect(account).toBe('somebot');
    expect(new Set(decisions.map((one) => one.decision_id)).size).toBe(5);
    expect(await stack.sql`select from public.content_metadata`).toHaveLength(5);
    for (const decision of decisions) {
      const row = only(await stored(decision.decision_id));
      expect(row).toMatchObject({
        account_id: accountId,
        created_at: T0,
        origin: 'recommended',
        kind: 'thread',
        assigned: decision.dimensions,
        policy: 'uniform',
        model_version: null,
        prompted: true,
        control_share: 0,
        propensity: decision.propensity,
        tone: decision.dimensions.tone,
        topic: decision.dimensions.topic,
      });
      expect(row.slate).toHaveLength(8);
      expect(row.slate[row.chosen]).toEqual(decision.dimensions);
      const same = row.slate.filter(
        (one: Record<string, string>) =>
          one.tone === decision.dimensions.tone && one.topic === decision.dimensions.topic,
      );
      expect(decision.propensity).toBe(same.length / 8);
      expect(decision.prompt).toContain(decision.dimensions.tone);
      expect(decision.prompt).toContain(decision.dimensions.topic);
    }
  });

  it('is drawn again from its seed and the model of its version', async () => {
    await storeModel(stack.sql, accountId, POSTS, 7);
    await stack.sql`update public.x_accounts set control_share = 0.5`;
    await setRules([{ forbid: { tone: 'dry', topic: 'hiring' } }]);
    const { decisions } = await recommend({ n: 8 });
    const drawnFrom = await inputs();
    for (const decision of decisions) {
      const row = only(await stored(decision.decision_id));
      expect(row).toMatchObject({ policy: 'thompson_joint', model_version: 7 });
      expect(decide(drawnFrom, row.rng_seed)).toMatchObject({
        code: 'drawn',
        assigned: row.assigned,
        slate: row.slate,
        chosen: row.chosen,
        propensity: row.propensity,
        modelVersion: row.model_version,
        prompted: row.prompted,
        prompt: decision.prompt,
      });
    }
  });

  it('draws from the joint model once twenty posts are finished', async () => {
    await storeModel(stack.sql, accountId, POSTS.slice(0, 19));
    expect((await recommend()).decisions[0]).toMatchObject({
      policy: 'uniform',
      model_version: null,
    });
    await storeModel(stack.sql, accountId, POSTS, 3);
    const { decisions } = await recommend({ n: 20 });
    for (const one of decisions) {
      expect(one).toMatchObject({ policy: 'thompson_joint', model_version: 3 });
    }
    const best = decisions.filter(
      ({ dimensions }) => dimensions.tone === 'dry' && dimensions.topic === 'pricing',
    );
    expect(best.length).toBeGreaterThan(10);
  });

  it('never breaks a rule, whatever was learned', async () => {
    await storeModel(stack.sql, accountId, POSTS);
    await setRules([{ require: { tone: 'warm' }, when: { topic: 'pricing' } }]);
    const { decisions } = await recommend({ n: 20 });
    const rows = await stack.sql`select slate from public.content_metadata`;
    expect(rows).toHaveLength(decisions.length);
    for (const one of rows.flatMap(({ slate }) => slate)) {
      expect([one.topic, one.tone]).not.toEqual(['pricing', 'dry']);
    }
  });

  it('shows the evidence with the best posts of each value', async () => {
    const { sql } = stack;
    for (const [index, reward] of [0.1, 0.9, 0.5, 0.7].entries()) {
      const postedAt = hours(-100 + index);
      await trackPost(sql, { postedAt, dimensions: { tone: 'dry' } });
      await sql`
        insert into public.post_outcomes
        select * from jsonb_populate_record(null::public.post_outcomes, ${json(sql, {
          post_id: snowflakeId(postedAt),
          account_id: accountId,
          posted_at: postedAt,
          log_impressions: 1,
          reward,
          alarms: 0,
          horizon_h: 48,
          is_final: true,
          noise: 0,
          computed_at: T0,
        })})`;
    }
    await sql`
      insert into public.dimension_performance
      select * from jsonb_populate_record(null::public.dimension_performance, ${json(sql, {
        account_id: accountId,
        dimension: 'tone',
        value: 'dry',
        uses: 12,
        effective_n: 10,
        total_impressions: 1,
        total_engagements: 1,
        total_followers_gained: 1,
        mean_reward: 0.5,
        effect: 0.4,
        effect_standard_error: 0.1,
        effect_low_80: 0.27,
        effect_high_80: 0.53,
        effect_low_90: 0.24,
        effect_high_90: 0.56,
        prob_above_average: 0.99,
        prob_best: 0.9,
        reliability: 0.7,
        confidence: 0.4,
        lift: 0.25,
        lift_low_80: 0.1,
        lift_high_80: 0.42,
        marginal_mean: 0.5,
        marginal_standard_error: 0.1,
        last_posted_at: T0,
        computed_at: T0,
      })})`;
    const { decisions } = await recommend();
    const best = [-99, -97, -98].map((hour) => snowflakeId(hours(hour))).join(' ');
    expect(decisions[0]?.prompt).toContain(
      `- dry: effect +0.40 (80 %: +0.27 to +0.53), impressions +25 % (80 %: +10 % to +42 %), 12 uses, P 99 %, confidence 0.40, posts ${best}\n`,
    );
  });

  it('names posts that are rising, to all but the control share', async () => {
    const { sql } = stack;
    await sql`update public.x_accounts set control_share = 0.5`;
    const { post } = await trackPost(sql, { postedAt: hours(-2), dimensions: { tone: 'dry' } });
    await sql`
      insert into public.post_predictions
        (account_id, kind, post_id, predicted, threshold, created_at)
      values (${accountId}, 'viral', ${post.post_id}, 0.75, 9000, ${hours(-1)})`;
    const { rising, decisions } = await recommend({ n: 20 });
    expect(rising).toMatchObject([{ post_id: post.post_id, probability: 0.75, threshold: 9000 }]);
    const told = decisions.filter(({ prompt }) => prompt.includes('is rising'));
    expect(told.length).toBeGreaterThan(0);
    expect(told).toEqual(decisions.filter(({ prompted }) => prompted));
  });

  it('leaves the evidence out for the control share, and says so', async () => {
    await stack.sql`update public.x_accounts set control_share = 0.5`;
    const { decisions } = await recommend({ n: 20 });
    const controls = decisions.filter(({ prompted }) => !prompted);
    expect(controls.length).toBeGreaterThan(0);
    expect(controls.length).toBeLessThan(20);
    for (const { decision_id, dimensions, prompted, prompt } of decisions) {
      expect(only(await stored(decision_id))).toMatchObject({ prompted, control_share: 0.5 });
      const choices = `Write the next post with these choices:\n- topic: ${dimensions.topic}\n- tone: ${dimensions.tone}`;
      if (prompted) expect(prompt).toContain(`${choices}\n\nNothing is known yet`);
      else expect(prompt).toBe(choices);
    }
  });

  it('never names a value that was retired', async () => {
    await stack.sql`update public.content_dimension_values set retired_at = ${T0} where value = 'dry'`;
    const { decisions } = await recommend({ n: 20 });
    expect(decisions.map((one) => one.dimensions.tone)).toEqual(Array(20).fill('warm'));
  });

  it('knows the handle in any case', async () => {
    expect((await recommend({ account: 'SomeBot' })).account).toBe('somebot');
  });
});

describe('a call is refused, and nothing is stored', () => {
  it.each<[string, object, number, string]>([
    ['for an unknown account', { account: 'nobody' }, 404, 'account_unknown'],
    ['for an account without vocabulary', { account: 'emptybot' }, 422, 'vocabulary_empty'],
    ['for rules that leave no combination', { account: 'strictbot' }, 422, 'rules_unsatisfiable'],
    ['for no decision', { n: 0 }, 400, 'body_invalid'],
    ['for more than twenty', { n: 21 }, 400, 'body_invalid'],
    ['for half a decision', { n: 1.5 }, 400, 'body_invalid'],
    ['without account', { account: undefined }, 400, 'body_invalid'],
    ['for a handle that is none', { account: '@somebot' }, 400, 'body_invalid'],
  ])('%s', async (_, change, status, code) => {
    await registerAccount(stack.sql, 'emptybot', {});
    await registerAccount(stack.sql, 'strictbot', { tone: ['dry', 'warm'] });
    const bans = [{ forbid: { tone: 'dry' } }, { forbid: { tone: 'warm' } }];
    await stack.sql`select public.set_content_rules('strictbot', ${json(stack.sql, bans)})`;
    const before = await rowCounts(stack.sql);
    const body = { account: 'somebot', ...change };
    expect(await refusal(stack, 'recommend', body)).toMatchObject({ status, code });
    expect(await rowCounts(stack.sql)).toEqual(before);
  });
});
