import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PostloopError } from '../../shared/contracts/index.ts';
import {
  drawSlate,
  learnMarginals,
  mulberry32,
  normal,
  type RecommendationInputs,
  recommendationInputsSchema,
  studentTCdf,
} from '../../shared/learning/index.ts';
import { inputsOf, type Shown, shown, statisticsOf } from './learning-samples.ts';

const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const shownOrNot = fc.option(
  fc.record({
    uses: fc.integer({ min: 1, max: 60 }),
    mean: fc.double({ min: -2, max: 2, noNaN: true }),
  }),
);

const vocabulary = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z_]{2,8}$/),
  fc.dictionary(fc.stringMatching(/^[a-z ]{3,10}$/), shownOrNot, { minKeys: 1, maxKeys: 5 }),
  { minKeys: 1, maxKeys: 5 },
);

/** Inputs on either side of the end of the uniform start. */
const inputs = fc
  .tuple(vocabulary, fc.constantFrom(0, 19, 20, 200))
  .map(([words, finished]) => inputsOf(words, finished));

function reversed(given: RecommendationInputs): RecommendationInputs {
  return {
    ...given,
    dimensions: given.dimensions
      .map((dimension) => ({ ...dimension, values: dimension.values.toReversed() }))
      .toReversed(),
  };
}

/** How often each value of a dimension is assigned over that many seeds. */
function shares(given: RecommendationInputs, dimension: string, seeds: number) {
  const counts = new Map<string, number>();
  for (let i = 0; i < seeds; i += 1) {
    const value = drawSlate(given, { seed: i }).assigned[dimension] ?? '';
    counts.set(value, (counts.get(value) ?? 0) + 1 / seeds);
  }
  return counts;
}

describe('drawSlate', () => {
  test('the propensity is the exact share of the slate that equals what is assigned', () => {
    fc.assert(
      fc.property(inputs, seed, fc.integer({ min: 1, max: 12 }), (given, s, slateSize) => {
        const drawn = drawSlate(given, { seed: s, slateSize });
        expect(drawn.slate).toHaveLength(slateSize);
        expect(drawn.slate[drawn.chosen]).toEqual(drawn.assigned);
        const text = (values: object) => JSON.stringify(Object.entries(values).toSorted());
        const equal = drawn.slate.filter((c) => text(c) === text(drawn.assigned)).length;
        expect(drawn.propensity).toBe(equal / slateSize);
        expect(drawn.propensity).toBeGreaterThanOrEqual(1 / slateSize);
        expect(drawn.propensity).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('every combination assigns one known value to each dimension', () => {
    fc.assert(
      fc.property(inputs, seed, (given, s) => {
        for (const combination of drawSlate(given, { seed: s }).slate) {
          expect(Object.keys(combination)).toHaveLength(given.dimensions.length);
          for (const { dimension, values } of given.dimensions) {
            expect(values.map(({ value }) => value)).toContain(combination[dimension]);
          }
        }
      }),
    );
  });

  test('the same seed and inputs give the same decision, in whatever order the rows come', () => {
    fc.assert(
      fc.property(inputs, seed, (given, s) => {
        const drawn = drawSlate(given, { seed: s });
        expect(drawSlate(given, { seed: s })).toEqual(drawn);
        expect(drawSlate(reversed(given), { seed: s })).toEqual(drawn);
        expect(drawn.rngSeed).toBe(s);
      }),
    );
  });

  test('the pick among the slate is uniform', () => {
    const given = inputsOf({ tone: { dry: { uses: 12, mean: 0.4 }, warm: null } });
    const counts = new Array<number>(8).fill(0);
    const seeds = 8000;
    for (let i = 0; i < seeds; i += 1) {
      const { chosen } = drawSlate(given, { seed: i });
      counts[chosen] = (counts[chosen] ?? 0) + 1;
    }
    const chiSquare = counts.reduce((sum, c) => sum + (c - 1000) ** 2 / 1000, 0);
    // The 99.9 % point with seven degrees of freedom.
    expect(chiSquare).toBeLessThan(24.32);
  });

  test('below twenty finished posts every value is as likely, whatever it has shown', () => {
    const given = inputsOf(
      {
        tone: {
          dry: { uses: 15, mean: 2 },
          warm: { uses: 4, mean: -2 },
          grave: null,
        },
      },
      19,
    );
    expect(drawSlate(given, { seed: 1 }).policy).toBe('uniform');
    for (const share of shares(given, 'tone', 3000).values()) {
      expect(Math.abs(share - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / 3000));
    }
  });

  test('from twenty finished posts on it samples from what was learned', () => {
    const words = { tone: { dry: { uses: 15, mean: 1 }, warm: { uses: 15, mean: -1 } } };
    const drawn = drawSlate(inputsOf(words, 20), { seed: 1 });
    expect(drawn.policy).toBe('thompson_marginal');
    const early = drawSlate(inputsOf(words, 20), { seed: 1, minFinishedPosts: 21 });
    expect(early.policy).toBe('uniform');
  });

  test('the better value is assigned more often as evidence grows', () => {
    const share = (uses: number) => {
      const given = inputsOf({
        tone: { dry: { uses, mean: 0.2 }, warm: { uses, mean: -0.2 } },
      });
      return shares(given, 'tone', 1500).get('dry') ?? 0;
    };
    const [few, some, many] = [share(3), share(20), share(150)];
    expect(few).toBeGreaterThan(0.5);
    expect(some).toBeGreaterThan(few + 0.1);
    expect(many).toBeGreaterThan(some);
    expect(many).toBeGreaterThan(0.99);
  });

  test('a value never used is drawn from the prior of its dimension, so it gets its turn', () => {
    const given = inputsOf({
      tone: { dry: { uses: 15, mean: 0.3 }, warm: { uses: 15, mean: -0.3 }, grave: null },
    });
    const counts = shares(given, 'tone', 1500);
    expect(counts.get('grave')).toBeGreaterThan(0.1);
    expect(counts.get('grave')).toBeLessThan(counts.get('dry') ?? 0);
    expect(counts.get('grave')).toBeGreaterThan(counts.get('warm') ?? 1);
  });

  test('a value never used wins as often as its prior exceeds a best value that is well known', () => {
    const given = inputsOf({
      tone: { dry: { uses: 9000, mean: 2.2 }, warm: { uses: 9000, mean: 1.8 }, grave: null },
    });
    // The dimension has mean 2 and variance 0.6^2 + 0.2^2 = 0.4, so the prior has scale 0.2.
    const expected = 1 - studentTCdf((2.2 - 2) / 0.2, 4);
    const share = shares(given, 'tone', 3000).get('grave') ?? 0;
    const error = Math.sqrt((expected * (1 - expected)) / 3000);
    expect(Math.abs(share - expected)).toBeLessThan(4 * error);
  });

  test('a dimension of which nothing was learned is drawn evenly', () => {
    const given = inputsOf({
      tone: { dry: { uses: 30, mean: 0 } },
      format: { list: null, one: null },
    });
    const share = shares(given, 'format', 2000).get('list') ?? 0;
    expect(Math.abs(share - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / 2000));
  });

  test('an account without values is told where to put them', () => {
    const empty: RecommendationInputs = {
      code: 'ready',
      account_id: 7,
      handle: 'sample',
      finished_posts: 0,
      dimensions: [{ dimension: 'tone', prior: null, values: [] }],
    };
    let thrown: unknown;
    try {
      drawSlate(empty, { seed: 1 });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PostloopError);
    expect(thrown).toMatchObject({ status: 422, code: 'vocabulary_empty' });
    expect((thrown as PostloopError).message).toContain('Insert rows into dimension_values');
  });
});

describe('recommendationInputsSchema', () => {
  test('accepts what the database returns, with columns that the draw does not need', () => {
    const { rows, priors } = learnMarginals(
      statisticsOf([shown('tone', 'dry', { uses: 6, mean: 0.1 })]),
    );
    const performance = { ...rows[0], computed_at: '2026-03-03T04:00:00+00:00' };
    const parsed = recommendationInputsSchema.parse({
      code: 'ready',
      account_id: 7,
      handle: 'sample',
      finished_posts: 6,
      dimensions: [
        { dimension: 'topic', prior: null, values: [{ value: 'sleep', performance: null }] },
        { dimension: 'tone', prior: priors.tone, values: [{ value: 'dry', performance }] },
      ],
    });
    expect(parsed).toMatchObject({
      code: 'ready',
      dimensions: [{}, { values: [{ value: 'dry' }] }],
    });
    expect(recommendationInputsSchema.parse({ code: 'account_unknown' }).code).toBe(
      'account_unknown',
    );
  });
});

describe('defects of the first system', () => {
  test('12: values are recommended again, so that each dimension gathers evidence', () => {
    const truth: Record<string, number> = { dry: 0.8, warm: 0, grave: -0.4, playful: -0.4 };
    const noise = mulberry32(12);
    const posts: { tone: string; reward: number }[] = [];
    for (let i = 0; i < 120; i += 1) {
      const learned = Object.fromEntries(
        Object.keys(truth).map((tone): [string, Shown | null] => {
          const rewards = posts.filter((post) => post.tone === tone).map((post) => post.reward);
          if (rewards.length === 0) return [tone, null];
          const mean = rewards.reduce((sum, y) => sum + y, 0) / rewards.length;
          const variance = rewards.reduce((sum, y) => sum + (y - mean) ** 2, 0) / rewards.length;
          return [tone, { uses: rewards.length, mean, sd: Math.sqrt(variance) }];
        }),
      );
      const { assigned } = drawSlate(inputsOf({ tone: learned }, posts.length), { seed: i });
      const tone = assigned.tone ?? '';
      posts.push({ tone, reward: (truth[tone] ?? Number.NaN) + 0.7 * normal(noise) });
    }
    const uses = (tone: string, from: number) =>
      posts.slice(from).filter((post) => post.tone === tone).length;
    for (const tone of Object.keys(truth)) expect(uses(tone, 0)).toBeGreaterThanOrEqual(5);
    expect(uses('dry', 60)).toBeGreaterThan(30);
  });
});
