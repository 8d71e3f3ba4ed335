import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { policyEvaluationReplySchema } from '../../shared/contracts/policy-evaluation.ts';
import { evaluatePolicy, loggedSlatesSchema } from '../../shared/evaluation/policy-evaluation.ts';
import { mulberry32, normal } from '../../shared/learning/random.ts';
import { drawJointSlate } from '../../shared/learning/slate.ts';
import { refusal, reply } from '../support/calls.ts';
import { type LoggedPost, storeLoggedPosts } from '../support/logged-posts.ts';
import {
  HOUR_MS,
  hours,
  only,
  registerAccount,
  reset,
  T0,
  VOCABULARY,
} from '../support/scenario.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let accountId: number;
beforeAll(async () => {
  stack = await startTestStack({ serve: ['policy-evaluation'] });
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  await reset(stack.sql);
  accountId = await registerAccount(stack.sql);
});

const evaluate = (body: object = {}) =>
  reply(
    stack,
    'policy-evaluation',
    { account: 'somebot', now: T0.toISOString(), ...body },
    policyEvaluationReplySchema,
  );

const DIMENSIONS = Object.entries(VOCABULARY).map(([dimension, values]) => ({ dimension, values }));

/** Uniform decisions, one in two hours up to T0; what is assigned as dry earns 1 more. */
function decisions(count: number): LoggedPost[] {
  const rng = mulberry32(3);
  return Array.from({ length: count }, (_, index) => {
    const drawn = drawJointSlate(
      { dimensions: DIMENSIONS, rules: [], model: null },
      { seed: index },
    );
    if (drawn.code !== 'drawn') throw new Error(drawn.code);
    return {
      decisionId: `decision ${index}`,
      postedAt: new Date(T0.getTime() - (2 * (count - index) + 48) * HOUR_MS),
      slate: drawn.slate,
      chosen: drawn.chosen,
      reward: (drawn.assigned.tone === 'dry' ? 0.5 : -0.5) + 0.3 * normal(rng),
    };
  });
}

describe('a policy evaluation', () => {
  it('is that of the shared code on the logged decisions', async () => {
    await storeLoggedPosts(stack.sql, accountId, decisions(200));
    const answer = await evaluate();
    const { log } = only(
      await stack.sql`select public.logged_slates('somebot', '-infinity', ${T0}) as log`,
    );
    const logged = loggedSlatesSchema.parse(log);
    if (logged.code !== 'ready') throw new Error(logged.code);
    expect(answer).toMatchObject({
      account: 'somebot',
      policy: 'best_of_slate',
      since: null,
      as_of: T0.toISOString(),
    });
    const here = evaluatePolicy(logged, 'best_of_slate');
    expect(answer.logged).toEqual(here.logged);
    expect(answer.estimates).toHaveLength(2);
    answer.estimates.forEach((one, index) => {
      const expected = here.estimates[index];
      expect(one).toMatchObject({ method: expected?.method, decisions: 200, refused: null });
      // Logarithms differ in their last digit between Node and Deno.
      expect(one.estimate).toBeCloseTo(expected?.estimate ?? Number.NaN, 9);
      // Nearly every slate of eight holds something dry.
      expect(Math.abs((one.estimate ?? 0) - 0.5)).toBeLessThan(
        3 * (one.standard_error ?? 0) + 0.02,
      );
    });
  });

  it('judges what was assigned, whatever the writer made of it', async () => {
    const kept = decisions(120);
    await storeLoggedPosts(stack.sql, accountId, kept);
    const asAssigned = await evaluate();
    await stack.sql`update public.post_attribution set realised = '{"tone": "warm", "topic": "hiring"}'`;
    expect(await evaluate()).toEqual(asAssigned);
  });

  it('rests on the decisions since a moment alone', async () => {
    await storeLoggedPosts(stack.sql, accountId, decisions(100));
    const { logged, since } = await evaluate({ since: hours(-48 - 2 * 40).toISOString() });
    expect(logged?.decisions).toBe(40);
    expect(since).toBe(hours(-128).toISOString());
  });

  it('is refused, and no error, while there are too few decisions', async () => {
    await storeLoggedPosts(stack.sql, accountId, decisions(10));
    const { logged, estimates } = await evaluate();
    expect(logged).toBeNull();
    expect(estimates).toMatchObject([
      { method: 'snips', decisions: 10, estimate: null, refused: 'effective_sample_too_small' },
      { method: 'dr', decisions: 10, estimate: null, refused: 'effective_sample_too_small' },
    ]);
  });

  it('of uniform choice is what the model says and what the uniform start earned', async () => {
    await storeLoggedPosts(stack.sql, accountId, decisions(100));
    const { policy, logged, estimates } = await evaluate({ policy: 'uniform' });
    expect(policy).toBe('uniform');
    expect(estimates).toMatchObject([
      { method: 'model', decisions: 100, refused: null },
      { method: 'uniform_draws', decisions: 100, estimate: logged?.mean, refused: null },
    ]);
    const [model] = estimates;
    // Uniform choice earns 0: half of the posts are dry.
    expect(Math.abs(model?.estimate ?? 9)).toBeLessThan(0.15);
  });
});

describe('a call is refused', () => {
  it.each<[string, object, number, string]>([
    ['for an unknown account', { account: 'nobody' }, 404, 'account_unknown'],
    ['for an unknown policy', { policy: 'greedy' }, 400, 'body_invalid'],
    ['for a moment without an offset', { since: '2026-01-01T00:00:00' }, 400, 'body_invalid'],
    ['without account', { account: undefined }, 400, 'body_invalid'],
  ])('%s', async (_, change, status, code) => {
    const body = { account: 'somebot', ...change };
    expect(await refusal(stack, 'policy-evaluation', body)).toMatchObject({ status, code });
  });
});
