import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recommendReplySchema } from '../../shared/contracts/recommend.ts';
import { drawSlate, readyInputsSchema } from '../../shared/learning/index.ts';
import { refusal, reply } from '../support/calls.ts';
import { only, registerAccount, reset, rowCounts, T0 } from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let accountId: number;
beforeAll(async () => {
  stack = await startTestStack();
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
    select account_id::int, created_at, origin, kind, assigned, policy, propensity, slate,
      rng_seed::float8, tone, topic
    from public.content_metadata where decision_id = ${id ?? ''}`;

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
        propensity: decision.propensity,
        tone: decision.dimensions.tone,
        topic: decision.dimensions.topic,
      });
      expect(row.slate).toHaveLength(8);
      const same = row.slate.filter(
        (one: Record<string, string>) =>
          one.tone === decision.dimensions.tone && one.topic === decision.dimensions.topic,
      );
      expect(decision.propensity).toBe(same.length / 8);
      expect(decision.prompt).toContain(decision.dimensions.tone);
      expect(decision.prompt).toContain(decision.dimensions.topic);
    }
  });

  it('is drawn again from its seed', async () => {
    const { decisions } = await recommend();
    const row = only(await stored(decisions[0]?.decision_id));
    const { inputs } = only(
      await stack.sql`select public.recommendation_inputs('somebot') as inputs`,
    );
    const again = drawSlate(readyInputsSchema.parse(inputs), { seed: row.rng_seed });
    expect(again).toMatchObject({
      assigned: row.assigned,
      slate: row.slate,
      propensity: row.propensity,
    });
  });

  it('draws from what was learned once twenty posts are finished', async () => {
    await stack.sql`
      insert into public.learning_state (account_id, finished_posts) values (${accountId}, 20)`;
    const { decisions } = await recommend();
    expect(decisions[0]?.policy).toBe('thompson_marginal');
    expect(only(await stored(decisions[0]?.decision_id)).policy).toBe('thompson_marginal');
  });

  it('never names a value that was retired', async () => {
    await stack.sql`update public.dimension_values set retired_at = ${T0} where value = 'dry'`;
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
    ['for no decision', { n: 0 }, 400, 'body_invalid'],
    ['for more than twenty', { n: 21 }, 400, 'body_invalid'],
    ['for half a decision', { n: 1.5 }, 400, 'body_invalid'],
    ['without account', { account: undefined }, 400, 'body_invalid'],
    ['for a handle that is none', { account: '@somebot' }, 400, 'body_invalid'],
  ])('%s', async (_, change, status, code) => {
    await registerAccount(stack.sql, 'emptybot', {});
    const before = await rowCounts(stack.sql);
    const body = { account: 'somebot', ...change };
    expect(await refusal(stack, 'recommend', body)).toMatchObject({ status, code });
    expect(await rowCounts(stack.sql)).toEqual(before);
  });
});
