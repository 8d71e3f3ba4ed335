import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitAdditive, gramOf } from '../../shared/learning/additive.ts';
import { type DesignPost, designOf } from '../../shared/learning/design.ts';
import { jointModelOf } from '../../shared/learning/joint-model.ts';
import { mulberry32, normal } from '../../shared/learning/random.ts';
import {
  decide,
  type RecommendationInputs,
  readyInputsSchema,
} from '../../shared/learning/recommend.ts';

const TONES = ['dry', 'grave', 'playful', 'warm'];

/** The inputs of an account whose posts had these tones and rewards, a post a day. */
function inputsOf(
  posts: readonly { tone: string; reward: number }[],
  given: Partial<RecommendationInputs> = {},
): RecommendationInputs {
  const shown = posts.map(
    ({ tone }, day): DesignPost => ({
      values: { tone },
      postedAt: new Date(Date.UTC(2026, 2, 1 + day, 12)),
      kind: 'single',
      followers: null,
    }),
  );
  const design = designOf(shown);
  const rows = design.rows.map((row, index) => {
    const y = posts[index]?.reward ?? Number.NaN;
    return { ...row, y, discount: 1, weight: 1 };
  });
  const fit = fitAdditive(gramOf(rows, design.size), design.groups);
  return readyInputsSchema.parse({
    code: 'ready',
    account_id: 7,
    handle: 'sample',
    finished_posts: posts.length,
    rules: [],
    control_share: 0,
    model:
      posts.length === 0
        ? null
        : { version: 4, ...jointModelOf(fit, design.dimensions, posts.length) },
    dimensions: [
      {
        dimension: 'tone',
        values: TONES.map((value) => ({ value, performance: null, posts: [] })),
      },
    ],
    ...given,
  });
}

/** Each tone in turn, with rewards that grow by their place in the vocabulary. */
const inTurn = (posts: number) =>
  Array.from({ length: posts }, (_, index) => ({
    tone: TONES[index % TONES.length] ?? '',
    reward: (index % TONES.length) - 1.5,
  }));

/** A decision that must come out. */
function drawn(inputs: RecommendationInputs, seed: number) {
  const outcome = decide(inputs, seed);
  if (outcome.code !== 'drawn') throw new Error(`Drawn was expected, not ${outcome.code}.`);
  return outcome;
}

describe('decide', () => {
  it('draws uniformly and names no model before twenty finished posts', () => {
    expect(drawn(inputsOf(inTurn(19)), 1)).toMatchObject({ policy: 'uniform', modelVersion: null });
    expect(drawn(inputsOf([]), 1)).toMatchObject({ policy: 'uniform', modelVersion: null });
  });

  it('draws from the joint posterior and names its version from then on', () => {
    const decision = drawn(inputsOf(inTurn(40)), 1);
    expect(decision).toMatchObject({ policy: 'thompson_joint', modelVersion: 4, rngSeed: 1 });
    const picks = Array.from({ length: 200 }, (_, seed) => drawn(inputsOf(inTurn(40)), seed));
    const warm = picks.filter(({ assigned }) => assigned.tone === 'warm');
    expect(warm.length).toBeGreaterThan(150);
  });

  it('keeps the rules, and says when they leave nothing', () => {
    const rules = [{ forbid: { tone: 'warm' } }];
    for (let seed = 0; seed < 50; seed += 1) {
      const { slate } = drawn(inputsOf(inTurn(40), { rules }), seed);
      expect(slate.map(({ tone }) => tone)).not.toContain('warm');
    }
    const none = TONES.map((tone) => ({ forbid: { tone } }));
    expect(decide(inputsOf(inTurn(40), { rules: none }), 1)).toEqual({
      code: 'rules_unsatisfiable',
    });
  });

  it('says when there is nothing to choose from', () => {
    expect(decide(inputsOf([], { dimensions: [] }), 1)).toEqual({ code: 'vocabulary_empty' });
  });

  it('gives the control share no evidence, and changes nothing else of a decision', () => {
    const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const all = inputsOf(inTurn(40));
    const some = { ...all, control_share: 0.5 };
    fc.assert(
      fc.property(seed, (s) => {
        const control = drawn(some, s);
        const { prompt, prompted, ...draw } = drawn(all, s);
        expect(prompted).toBe(true);
        expect(prompt).toContain('\n\n');
        expect(control).toMatchObject(draw);
        const choices = `Write the next post with these choices:\n- tone: ${draw.assigned.tone}`;
        expect(control.prompt).toBe(control.prompted ? prompt : choices);
      }),
    );
  });

  it('takes the control share from the seeds, independent of what was picked', () => {
    const inputs = inputsOf([], { control_share: 0.2 });
    const seeds = 20_000;
    const counts = new Map<string, { all: number; control: number }>();
    for (let seed = 0; seed < seeds; seed += 1) {
      const { assigned, chosen, prompted } = drawn(inputs, seed);
      for (const key of ['all', `tone ${assigned.tone}`, `place ${chosen}`]) {
        const count = counts.get(key) ?? { all: 0, control: 0 };
        counts.set(key, { all: count.all + 1, control: count.control + Number(!prompted) });
      }
    }
    expect(counts.size).toBe(1 + TONES.length + 8);
    for (const { all, control } of counts.values()) {
      expect(Math.abs(control / all - 0.2)).toBeLessThan(4 * Math.sqrt(0.16 / all));
    }
  });
});

describe('defects of the first system', () => {
  it('12: values are recommended again, so that each dimension gathers evidence', () => {
    const truth: Record<string, number> = { dry: 0.8, warm: 0, grave: -0.4, playful: -0.4 };
    const noise = mulberry32(12);
    const posts: { tone: string; reward: number }[] = [];
    for (let seed = 0; seed < 120; seed += 1) {
      const { tone = '' } = drawn(inputsOf(posts), seed).assigned;
      posts.push({ tone, reward: (truth[tone] ?? Number.NaN) + 0.7 * normal(noise) });
    }
    const uses = (tone: string, from: number) =>
      posts.slice(from).filter((post) => post.tone === tone).length;
    for (const tone of TONES) expect(uses(tone, 0)).toBeGreaterThanOrEqual(5);
    expect(uses('dry', 60)).toBeGreaterThan(30);
  });
});
