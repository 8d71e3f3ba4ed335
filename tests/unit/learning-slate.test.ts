import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type JointModel,
  jointModelOf,
  jointModelSchema,
} from '../../shared/learning/joint-model.ts';
import { mulberry32, normal } from '../../shared/learning/random.ts';
import type { Rule } from '../../shared/learning/rules.ts';
import {
  drawJointSlate,
  type JointSlateInputs,
  type JointSlateOptions,
  jointSlateSchema,
} from '../../shared/learning/slate.ts';

const VOCABULARY = {
  format: ['list', 'story'],
  generator: ['large', 'small'],
  tone: ['dry', 'warm', 'wry'],
};

const dimensionsOf = (vocabulary: Record<string, string[]>) =>
  Object.entries(vocabulary).map(([dimension, values]) => ({ dimension, values }));

/** A model whose coefficients are independent, with the given means and one standard deviation. */
function modelOf(means: Record<string, Record<string, number>>, sd = 0.1): JointModel {
  const rows = Object.entries(means).flatMap(([dimension, values]) =>
    Object.entries(values).map(([value, mean]) => ({ dimension, value, mean })),
  );
  return jointModelSchema.parse({
    finished_posts: 60,
    features: rows.map(({ dimension, value }) => ({ dimension, value })),
    mean: rows.map(({ mean }) => mean),
    factor: rows.flatMap((_, row) =>
      Array.from({ length: row + 1 }, (_, column) => (row === column ? sd : 0)),
    ),
    tau2: Object.fromEntries(rows.map(({ dimension }) => [dimension, 0.09])),
  });
}

const MODEL = modelOf({
  format: { list: 0.3, story: -0.3 },
  generator: { large: 0.1, small: -0.1 },
  tone: { dry: 0.2, warm: 0.1, wry: -0.3 },
});

const inputs = (given: Partial<JointSlateInputs> = {}): JointSlateInputs => ({
  dimensions: dimensionsOf(VOCABULARY),
  rules: [],
  model: MODEL,
  ...given,
});

/** A slate that must come out. */
function drawn(given: JointSlateInputs, options: JointSlateOptions) {
  const outcome = drawJointSlate(given, options);
  if (outcome.code !== 'drawn') throw new Error(`Drawn was expected, not ${outcome.code}.`);
  return outcome;
}

/** How often each value of a dimension is in slates of many seeds, as shares. */
function shares(given: JointSlateInputs, dimension: string, options = {}, seeds = 400) {
  const counts: Record<string, number> = {};
  for (let seed = 0; seed < seeds; seed += 1) {
    for (const combination of drawn(given, { seed, ...options }).slate) {
      const value = combination[dimension] ?? '';
      counts[value] = (counts[value] ?? 0) + 1 / (8 * seeds);
    }
  }
  return counts;
}

describe('drawJointSlate', () => {
  it('gives eight combinations, the chosen one, and the share of the slate that equals it', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const { code: _, ...slate } = drawn(inputs(), { seed });
      expect(jointSlateSchema.parse(slate)).toEqual(slate);
      expect(slate.policy).toBe('thompson_joint');
      expect(slate.slate).toHaveLength(8);
      expect(slate.slate[slate.chosen]).toEqual(slate.assigned);
      const same = slate.slate.filter(
        (one) => JSON.stringify(one) === JSON.stringify(slate.assigned),
      );
      expect(slate.propensity).toBe(same.length / 8);
    }
  });

  it('repeats itself for the same seed, whatever the order of vocabulary and rules', () => {
    const rules: Rule[] = [
      { forbid: { format: 'list', tone: 'dry' } },
      { require: { generator: 'large' }, when: { tone: 'warm' } },
    ];
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.boolean(),
        fc.shuffledSubarray(dimensionsOf(VOCABULARY), { minLength: 3 }),
        fc.shuffledSubarray(rules, { minLength: 2 }),
        (seed, learned, dimensions, shuffled) => {
          const model = learned ? MODEL : null;
          const reversed = dimensions.map(({ dimension, values }) => ({
            dimension,
            values: values.toReversed(),
          }));
          expect(
            drawJointSlate(inputs({ model, dimensions: reversed, rules: shuffled }), { seed }),
          ).toEqual(drawJointSlate(inputs({ model, rules }), { seed }));
        },
      ),
    );
  });

  it('is the same decision as ever for a seed', () => {
    const { slate, chosen } = drawn(inputs(), { seed: 2026, slateSize: 4, alpha: 3 });
    expect([slate.map((one) => Object.values(one).join(' ')), chosen]).toMatchInlineSnapshot(`
      [
        [
          "list small warm",
          "list large dry",
          "list large warm",
          "list large dry",
        ],
        3,
      ]
    `);
  });

  it('plays a value as often as it is drawn as the best', () => {
    // Two values 0.1 apart, sd 0.1 each: P = Phi(0.1 / (0.5 · 0.1 · sqrt 2)) = Phi(1.414) = 0.921.
    const model = modelOf({ tone: { dry: 0.05, warm: -0.05 } });
    const given = inputs({ model, dimensions: dimensionsOf({ tone: ['dry', 'warm'] }) });
    expect(Math.abs((shares(given, 'tone').dry ?? 0) - 0.921)).toBeLessThan(0.015);
    // With the whole posterior: Phi(0.707) = 0.760.
    expect(Math.abs((shares(given, 'tone', { alpha: 1 }).dry ?? 0) - 0.76)).toBeLessThan(0.025);
    expect(shares(given, 'tone', { alpha: 0 })).toEqual({ dry: expect.closeTo(1, 9) });
  });

  it('draws coefficients together: what is common to two values does not tell them apart', () => {
    // Equal means; both vary by 1, but nearly always alike.
    const model: JointModel = {
      ...modelOf({ tone: { dry: 0.02, warm: 0 } }),
      factor: [1, 1, 0.001],
    };
    const given = inputs({ model, dimensions: dimensionsOf({ tone: ['dry', 'warm'] }) });
    expect(shares(given, 'tone')).toEqual({ dry: expect.closeTo(1, 9) });
  });

  it('tries a value that no post has shown, by the spread of its dimension', () => {
    const dimensions = dimensionsOf({ ...VOCABULARY, tone: [...VOCABULARY.tone, 'brisk'] });
    const share = shares(inputs({ dimensions }), 'tone').brisk ?? 0;
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.3);
  });

  it('takes a dimension that the model does not know', () => {
    const dimensions = dimensionsOf({ ...VOCABULARY, hook: ['question', 'number'] });
    expect(Math.abs((shares(inputs({ dimensions }), 'hook').number ?? 0) - 0.5)).toBeLessThan(0.05);
  });

  it('never plays a retired value, and draws the others as if it were there', () => {
    const dimensions = dimensionsOf({ ...VOCABULARY, tone: ['dry', 'warm'] });
    for (let seed = 0; seed < 100; seed += 1) {
      const before = drawn(inputs(), { seed }).slate;
      const after = drawn(inputs({ dimensions }), { seed }).slate;
      after.forEach((combination, index) => {
        expect(combination.tone).not.toBe('wry');
        if (before[index]?.tone !== 'wry') expect(combination).toEqual(before[index]);
      });
    }
  });

  it.each([
    ['nothing was learned', null],
    ['there are fewer than 20 finished posts', { ...MODEL, finished_posts: 19 }],
  ])('is uniform while %s', (_, model) => {
    expect(drawn(inputs({ model }), { seed: 1 }).policy).toBe('uniform');
    for (const share of Object.values(shares(inputs({ model }), 'tone'))) {
      expect(Math.abs(share - 1 / 3)).toBeLessThan(0.03);
    }
  });

  it('is uniform over the allowed combinations, not over each dimension', () => {
    // 4 combinations of dry, 4 of warm and 2 of wry are left.
    const rules: Rule[] = [{ forbid: { tone: 'wry', format: 'list' } }];
    const tones = shares(inputs({ model: null, rules }), 'tone');
    expect(Math.abs((tones.dry ?? 0) - 0.4)).toBeLessThan(0.03);
    expect(Math.abs((tones.wry ?? 0) - 0.2)).toBeLessThan(0.03);
  });

  it('starts under rules that leave one combination in ten thousand', () => {
    const values = Array.from({ length: 10 }, (_, index) => `v${index}`);
    const dimensions = dimensionsOf({ a: values, b: values, c: values, d: values });
    const rules: Rule[] = [{ require: { a: 'v3', b: 'v1', c: 'v4', d: 'v1' } }];
    expect(drawn(inputs({ model: null, dimensions, rules }), { seed: 5 }).assigned).toEqual({
      a: 'v3',
      b: 'v1',
      c: 'v4',
      d: 'v1',
    });
  });

  it('says as a value that there is nothing to choose from', () => {
    expect(drawJointSlate(inputs({ dimensions: [] }), { seed: 1 })).toEqual({
      code: 'vocabulary_empty',
    });
    const dimensions = [{ dimension: 'tone', values: [] }];
    expect(drawJointSlate(inputs({ dimensions }), { seed: 1 })).toEqual({
      code: 'vocabulary_empty',
    });
  });

  it.each<[string, Rule[]]>([
    ['all values of a dimension are banned', VOCABULARY.tone.map((tone) => ({ forbid: { tone } }))],
    ['a value is required that is not in use', [{ require: { tone: 'grave' } }]],
    [
      'two values of one dimension are required',
      [{ require: { tone: 'dry' } }, { require: { tone: 'warm' } }],
    ],
    [
      'every pair is forbidden',
      VOCABULARY.tone.flatMap((tone) =>
        VOCABULARY.format.map((format) => ({ forbid: { tone, format } })),
      ),
    ],
  ])('says as a value that the rules refuse everything: %s', (_, rules) => {
    for (const model of [MODEL, null]) {
      expect(drawJointSlate(inputs({ rules, model }), { seed: 1 })).toEqual({
        code: 'rules_unsatisfiable',
      });
    }
  });

  it('ignores a rule about values that are not in use', () => {
    const rules: Rule[] = [
      { forbid: { tone: 'grave', format: 'list' } },
      { require: { format: 'story' }, when: { mood: 'sad' } },
    ];
    expect(drawn(inputs({ rules }), { seed: 3 })).toEqual(drawn(inputs(), { seed: 3 }));
  });
});

describe('rules', () => {
  const pair = fc.constantFrom(
    ...Object.entries(VOCABULARY).flatMap(([dimension, values]) =>
      values.map((value) => ({ [dimension]: value })),
    ),
  );
  const pairs = fc
    .array(pair, { minLength: 1, maxLength: 3 })
    .map((some) => Object.assign({}, ...some));
  const rule: fc.Arbitrary<Rule> = fc.oneof(
    pairs.map((forbid) => ({ forbid })),
    fc.record({ require: pairs, when: pairs }),
    pairs.map((require) => ({ require })),
  );
  const all = VOCABULARY.format.flatMap((format) =>
    VOCABULARY.generator.flatMap((generator) =>
      VOCABULARY.tone.map((tone): Record<string, string> => ({ format, generator, tone })),
    ),
  );
  const has = (combination: Record<string, string>, some: Record<string, string>) =>
    Object.entries(some).every(([dimension, value]) => combination[dimension] === value);
  const keeps = (combination: Record<string, string>, one: Rule) =>
    'forbid' in one
      ? !has(combination, one.forbid)
      : !has(combination, one.when ?? {}) || has(combination, one.require);

  it('leave the best of the allowed combinations, as trying all of them finds it', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), fc.nat(1e6), (rules, seed) => {
        const rng = mulberry32(seed);
        const means = Object.fromEntries(
          Object.entries(VOCABULARY).map(([dimension, values]) => [
            dimension,
            Object.fromEntries(values.map((value) => [value, normal(rng)])),
          ]),
        );
        const worth = (combination: Record<string, string>) =>
          Object.entries(combination).reduce(
            (sum, [dimension, value]) => sum + (means[dimension]?.[value] ?? 0),
            0,
          );
        const allowed = all.filter((combination) => rules.every((one) => keeps(combination, one)));
        const best = allowed.toSorted((a, b) => worth(b) - worth(a))[0];
        const outcome = drawJointSlate(inputs({ rules, model: modelOf(means) }), {
          seed,
          alpha: 0,
        });
        if (best === undefined) expect(outcome.code).toBe('rules_unsatisfiable');
        else expect(outcome).toMatchObject({ code: 'drawn', assigned: best });
      }),
      { numRuns: 500 },
    );
  });

  it('hold for uniform draws too', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), fc.nat(1e6), (rules, seed) => {
        const outcome = drawJointSlate(inputs({ rules, model: null }), { seed });
        const combinations = outcome.code === 'drawn' ? outcome.slate : [];
        for (const combination of combinations) {
          for (const one of rules) expect(keeps(combination, one)).toBe(true);
        }
        expect(outcome.code).toBe(
          all.some((one) => rules.every((each) => keeps(one, each)))
            ? 'drawn'
            : 'rules_unsatisfiable',
        );
      }),
    );
  });
});

describe('jointModelOf', () => {
  it('keeps the covariance of the dimensions, in their order', () => {
    const covariance = [1, 0.2, 0.1, 0.2, 0.5, 0.3, 0.1, 0.3, 0.4];
    const model = jointModelOf(
      {
        mean: Float64Array.from([9, 0.1, -0.1]),
        covariance: Float64Array.from(covariance),
        sigma2: 1,
        tau2: { intercept: 1e4, tone: 0.08 },
        rounds: 3,
        converged: true,
        n: 30,
        effectiveN: 30,
      },
      [{ name: 'tone', first: 1, features: ['dry', 'warm'] }],
      33,
    );
    expect(jointModelSchema.parse(model)).toEqual(model);
    expect(model).toMatchObject({
      finished_posts: 33,
      features: [
        { dimension: 'tone', value: 'dry' },
        { dimension: 'tone', value: 'warm' },
      ],
      mean: [0.1, -0.1],
      tau2: { tone: 0.08 },
    });
    const [a = 0, b = 0, c = 0] = model.factor;
    expect(a * a).toBeCloseTo(0.5, 12);
    expect(a * b).toBeCloseTo(0.3, 12);
    expect(b * b + c * c).toBeCloseTo(0.4, 12);
  });

  it('of a model whose sizes do not fit, the schema says so', () => {
    expect(jointModelSchema.safeParse({ ...MODEL, factor: [1] }).success).toBe(false);
    expect(jointModelSchema.safeParse({ ...MODEL, mean: [1] }).success).toBe(false);
  });
});
