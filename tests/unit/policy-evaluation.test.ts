import { describe, expect, it } from 'vitest';
import { crossFit } from '../../shared/evaluation/cross-fit.ts';
import { evaluatePolicy, type LoggedDecision } from '../../shared/evaluation/policy-evaluation.ts';
import { mulberry32, normal } from '../../shared/learning/random.ts';
import { drawJointSlate } from '../../shared/learning/slate.ts';

const TRUTH: Record<string, Record<string, number>> = {
  format: { list: 0.3, note: 0, story: -0.3 },
  tone: { dry: 0.5, grave: -0.4, warm: 0.1, wry: -0.2 },
  topic: { hiring: -0.2, pricing: 0.2 },
};
const VOCABULARY = Object.fromEntries(
  Object.entries(TRUTH).map(([dimension, values]) => [dimension, Object.keys(values)]),
);
const DIMENSIONS = Object.entries(VOCABULARY).map(([dimension, values]) => ({ dimension, values }));

const worth = (combination: Record<string, string>) =>
  Object.entries(combination).reduce((sum, [name, value]) => sum + (TRUTH[name]?.[value] ?? 0), 0);

/** Mean worth of uniform choice: each dimension's plain mean. */
const UNIFORM_WORTH = Object.values(TRUTH).reduce((sum, values) => {
  const effects = Object.values(values);
  return sum + effects.reduce((a, b) => a + b, 0) / effects.length;
}, 0);

/** Decisions drawn uniformly, four a day, whose rewards are their worth and noise of 0.8. */
function logOf(decisions: number, seed = 1, change: Partial<LoggedDecision> = {}) {
  const rng = mulberry32(seed);
  return Array.from({ length: decisions }, (_, index): LoggedDecision => {
    const drawn = drawJointSlate(
      { dimensions: DIMENSIONS, rules: [], model: null },
      { seed: Math.floor(rng() * 2 ** 32) },
    );
    if (drawn.code !== 'drawn') throw new Error(drawn.code);
    return {
      decision_id: `decision ${seed} ${index}`,
      policy: drawn.policy,
      slate: drawn.slate,
      chosen: drawn.chosen,
      propensity: drawn.propensity,
      reward: worth(drawn.assigned) + 0.8 * normal(rng),
      posted_at: new Date(Date.UTC(2026, 0, 1, 6 * index)).toISOString(),
      kind: 'single',
      followers: 1000 + index,
      ...change,
    };
  });
}

const evaluate = (decisions: LoggedDecision[], policy: 'best_of_slate' | 'uniform') =>
  evaluatePolicy({ decisions, vocabulary: VOCABULARY }, policy);

describe('best_of_slate', () => {
  it('is worth what the best of each slate is worth, by either estimator', () => {
    const log = logOf(2000);
    const best = log.map(({ slate }) => Math.max(...slate.map(worth)));
    const truth = best.reduce((sum, value) => sum + value, 0) / best.length;
    const { logged, estimates } = evaluate(log, 'best_of_slate');
    expect(logged?.decisions).toBe(2000);
    expect(Math.abs(logged?.mean ?? 9)).toBeLessThan(0.1);
    expect(truth).toBeGreaterThan(0.6);
    expect(estimates.map(({ method }) => method)).toEqual(['snips', 'dr']);
    for (const {
      estimate,
      standard_error: se,
      low_90,
      high_90,
      refused,
      mean_weight,
      weight_alarm,
    } of estimates) {
      expect(refused).toBeNull();
      // What the model takes for the best is at times only the second best.
      expect(Math.abs((estimate ?? 0) - truth)).toBeLessThan(3 * (se ?? 0) + 0.02);
      expect(se).toBeLessThan(0.08);
      expect([low_90, high_90]).toEqual([
        (estimate ?? 0) - 1.6448536269514722 * (se ?? 0),
        (estimate ?? 0) + 1.6448536269514722 * (se ?? 0),
      ]);
      expect(Math.abs((mean_weight ?? 0) - 1)).toBeLessThan(0.2);
      expect(weight_alarm).toBe(false);
    }
  });

  it('holds the truth of pure noise in its 90 % range about nine times in ten', () => {
    const logs = Array.from({ length: 60 }, (_, seed) => {
      const rng = mulberry32(1000 + seed);
      return logOf(400, 1 + seed).map((decision) => ({ ...decision, reward: normal(rng) }));
    });
    const held = [0, 0];
    for (const log of logs) {
      evaluate(log, 'best_of_slate').estimates.forEach(({ low_90, high_90 }, index) => {
        if ((low_90 ?? 1) <= 0 && 0 <= (high_90 ?? -1)) held[index] = (held[index] ?? 0) + 1;
      });
    }
    // A model that had seen the rewards would find a gain in noise and miss most of the time.
    for (const count of held) expect(count).toBeGreaterThanOrEqual(47);
  });

  it('is refused below thirty effective decisions, with how many there were', () => {
    for (const [decisions, effective] of [
      [0, null],
      [29, null],
      [60, expect.any(Number)],
    ]) {
      const { estimates } = evaluate(logOf(decisions), 'best_of_slate');
      for (const one of estimates) {
        expect(one).toMatchObject({
          estimate: null,
          standard_error: null,
          low_90: null,
          high_90: null,
          decisions,
          effective_n: effective,
          refused: 'effective_sample_too_small',
        });
      }
    }
  });

  it('sounds the alarm when propensities were logged too high', () => {
    const log = logOf(2000).map((one) => ({ ...one, propensity: Math.min(1, 2 * one.propensity) }));
    const { estimates } = evaluate(log, 'best_of_slate');
    for (const { weight_alarm, mean_weight } of estimates) {
      expect(weight_alarm).toBe(true);
      expect(mean_weight).toBeLessThan(0.7);
    }
  });

  it('judges a decision by a model that does not know its reward', () => {
    const posts = logOf(300).map((one) => ({
      decisionId: one.decision_id,
      values: one.slate[one.chosen] ?? {},
      postedAt: new Date(one.posted_at),
      kind: one.kind,
      followers: one.followers,
      reward: one.reward,
    }));
    const before = crossFit(posts);
    const fold = before.folds[0];
    const after = crossFit(
      posts.map((post, index) => (before.folds[index] === fold ? { ...post, reward: 99 } : post)),
    );
    const combination = { format: 'list', tone: 'dry', topic: 'hiring' };
    expect(after.model(combination, fold)).toBe(before.model(combination, fold));
    expect(after.model(combination, undefined)).toBeGreaterThan(10);
    expect(new Set(before.folds)).toEqual(new Set([0, 1, 2, 3, 4]));
  });
});

describe('uniform', () => {
  it('is what the model says of it when the policy has long preferred the good values', () => {
    const log = logOf(1500, 5, { policy: 'thompson_joint' }).map((one, index) => {
      const chosen = one.slate.reduce(
        (best, combination, place) =>
          worth(combination) > worth(one.slate[best] ?? {}) ? place : best,
        0,
      );
      const rng = mulberry32(index);
      return { ...one, chosen, reward: worth(one.slate[chosen] ?? {}) + 0.8 * normal(rng) };
    });
    const { logged, estimates } = evaluate(log, 'uniform');
    expect(logged?.mean).toBeGreaterThan(0.6);
    const [model, draws] = estimates;
    expect(model).toMatchObject({
      method: 'model',
      decisions: 1500,
      effective_n: null,
      refused: null,
    });
    expect(Math.abs((model?.estimate ?? 9) - UNIFORM_WORTH)).toBeLessThan(
      3 * (model?.standard_error ?? 0),
    );
    expect(model?.high_90).toBeLessThan(logged?.mean ?? 0);
    expect(draws).toMatchObject({
      method: 'uniform_draws',
      decisions: 0,
      estimate: null,
      refused: 'effective_sample_too_small',
    });
  });

  it('is the plain mean of the decisions that were drawn uniformly', () => {
    const uniform = logOf(40);
    const later = logOf(200, 2, { policy: 'thompson_joint', reward: 3 });
    const [, draws] = evaluate([...uniform, ...later], 'uniform').estimates;
    const mean = uniform.reduce((sum, { reward }) => sum + reward, 0) / 40;
    expect(draws).toMatchObject({ decisions: 40, effective_n: 40, refused: null });
    expect(draws?.estimate).toBeCloseTo(mean, 12);
  });
});
