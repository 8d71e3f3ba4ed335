import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readyInputsSchema } from '../../shared/learning/recommend.ts';
import { ruleSchema } from '../../shared/learning/rules.ts';
import { useDatabase } from '../support/database.ts';
import { json, only, registerAccount, T0 } from '../support/scenario.ts';

let accountId: number;
const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const setRules = async (rules: unknown, account = 'somebot') =>
  only(
    await database.sql`select public.set_content_rules(${account}, ${json(database.sql, rules)}) as reply`,
  ).reply;

const storedRules = async () =>
  only(await database.sql`select rules from public.x_accounts where id = ${accountId}`).rules;

const RULES = [
  { forbid: { tone: 'dry', topic: 'hiring' } },
  { require: { tone: 'warm' }, when: { topic: 'pricing' } },
  { require: { tone: 'warm' } },
  { require: { tone: 'warm' }, when: {} },
];

describe('set_content_rules', () => {
  it('stores what a draw can read, in place of the rules before, whatever the case of the handle', async () => {
    expect(await setRules(RULES, 'SomeBot')).toEqual({
      code: 'stored',
      account_id: accountId,
      rules: 4,
    });
    const { inputs } = only(
      await database.sql`select public.recommendation_inputs('somebot') as inputs`,
    );
    expect(readyInputsSchema.parse(inputs).rules).toEqual(RULES);
    expect(await setRules([])).toMatchObject({ code: 'stored', rules: 0 });
    expect(await storedRules()).toEqual([]);
  });

  it('takes rules about a retired value, for it may come back', async () => {
    await database.sql`update public.content_dimension_values set retired_at = ${T0} where value = 'dry'`;
    expect(await setRules([{ forbid: { tone: 'dry' } }])).toMatchObject({ code: 'stored' });
  });

  it.each<[string, unknown, object]>([
    ['no list', { forbid: { tone: 'dry' } }, { code: 'rules_invalid' }],
    ['nothing', null, { code: 'rules_invalid' }],
    [
      'more than a hundred rules',
      Array.from({ length: 101 }, () => RULES[0]),
      { code: 'rules_invalid', problem: expect.stringContaining('100') },
    ],
    ['a rule that is no object', [RULES[0], 'forbid'], { code: 'rules_invalid', rule: 1 }],
    ['a rule that is a list', [['forbid']], { code: 'rules_invalid', rule: 0 }],
    ['a rule of another kind', [{ avoid: { tone: 'dry' } }], { code: 'rules_invalid', rule: 0 }],
    ['an empty rule', [{}], { code: 'rules_invalid', rule: 0 }],
    ['a condition alone', [{ when: { tone: 'dry' } }], { code: 'rules_invalid', rule: 0 }],
    [
      'a ban with a condition of its own',
      [{ forbid: { tone: 'dry' }, when: { topic: 'hiring' } }],
      { code: 'rules_invalid', rule: 0 },
    ],
    [
      'a ban and a demand in one',
      [{ forbid: { tone: 'dry' }, require: { tone: 'warm' } }],
      { code: 'rules_invalid', rule: 0 },
    ],
    ['a ban of nothing', [{ forbid: {} }], { code: 'rules_invalid', rule: 0 }],
    ['a demand of nothing', [{ require: {} }], { code: 'rules_invalid', rule: 0 }],
    ['a ban of a text', [{ forbid: 'dry' }], { code: 'rules_invalid', rule: 0 }],
    [
      'a list of values',
      [{ forbid: { tone: ['dry', 'warm'] } }],
      { code: 'rules_invalid', rule: 0 },
    ],
    ['a number as value', [{ forbid: { tone: 1 } }], { code: 'rules_invalid', rule: 0 }],
    [
      'an unknown dimension',
      [RULES[0], { forbid: { mood: 'dry' } }],
      { code: 'dimension_unknown', rule: 1, dimension: 'mood' },
    ],
    [
      'a value that the account does not have',
      [{ require: { tone: 'warm' }, when: { topic: 'prices' } }],
      {
        code: 'value_unknown',
        rule: 0,
        dimension: 'topic',
        value: 'prices',
        known_values: ['hiring', 'pricing'],
      },
    ],
  ])('refuses %s and keeps the rules as they are', async (_, rules, problem) => {
    await setRules(RULES);
    expect(await setRules(rules)).toMatchObject(problem);
    expect(await storedRules()).toEqual(RULES);
    const known = { code: (problem as { code: string }).code };
    if (known.code === 'rules_invalid') {
      expect(ruleSchema.array().max(100).safeParse(rules).success).toBe(false);
    }
  });

  it('takes what recommend can read, and nothing else, of values that the account has', async () => {
    const pairs = fc.dictionary(
      fc.constantFrom('tone', 'topic'),
      fc.oneof(
        { weight: 9, arbitrary: fc.constant(null) },
        fc.constantFrom<unknown>(1, true, ['dry'], { tone: 'dry' }),
      ),
      { maxKeys: 2 },
    );
    const known: Record<string, string> = { tone: 'dry', topic: 'hiring' };
    const part = fc.oneof(
      {
        weight: 9,
        arbitrary: pairs.map((values) =>
          Object.fromEntries(Object.entries(values).map(([key, one]) => [key, one ?? known[key]])),
        ),
      },
      fc.constantFrom<unknown>('dry', 3, true, [], ['dry'], [{ tone: 'dry' }]),
    );
    const rule = fc.oneof(
      { weight: 6, arbitrary: fc.record({ forbid: part }) },
      {
        weight: 6,
        arbitrary: fc.record({ require: part, when: part }, { requiredKeys: ['require'] }),
      },
      fc.record({ forbid: part, require: part, when: part, ban: part }, { requiredKeys: [] }),
      fc.constantFrom<unknown>('forbid', 1, [], ['forbid']),
    );
    const rules = fc.oneof(
      { weight: 19, arbitrary: fc.array(rule, { maxLength: 3 }) },
      fc.constantFrom<unknown>({}, 'forbid', { forbid: { tone: 'dry' } }),
    );
    const seen = { stored: 0, rules_invalid: 0 };
    await fc.assert(
      fc.asyncProperty(rules, async (one) => {
        const isReadable = ruleSchema.array().safeParse(one).success;
        const { code } = await setRules(one);
        expect(code).toBe(isReadable ? 'stored' : 'rules_invalid');
        seen[code as keyof typeof seen] += 1;
      }),
      { seed: 20261128, numRuns: 200 },
    );
    expect(seen.stored).toBeGreaterThan(40);
    expect(seen.rules_invalid).toBeGreaterThan(40);
  });

  it('says when nobody knows the account', async () => {
    expect(await setRules([], 'nobody')).toEqual({ code: 'account_unknown' });
  });
});

describe('an account', () => {
  it('is refused broken rules whoever writes them', async () => {
    for (const rules of [[{ forbid: { tone: 'furious' } }], [{ ban: {} }], {}]) {
      await expect(
        database.sql`update public.x_accounts set rules = ${json(database.sql, rules)}`,
      ).rejects.toMatchObject({ code: '23514' });
    }
    expect(await storedRules()).toEqual([]);
  });

  it.each([-0.01, 0.51, Number.NaN])('is refused a control share of %d', async (share) => {
    await expect(
      database.sql`update public.x_accounts set control_share = ${share}`,
    ).rejects.toMatchObject({ constraint_name: 'control_share_is_at_most_half' });
  });
});
