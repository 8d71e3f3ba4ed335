/** A reduced form of `npm run simulate -- evaluation`, so its bars are wider. */
import { describe, expect, it } from 'vitest';
import { loggedChoiceSchema } from '../../shared/evaluation/off-policy.ts';
import { mulberry32 } from '../../shared/learning/random.ts';
import { measureRunLengths } from '../../simulation/studies/drift-study.ts';
import { measureProjection } from '../../simulation/studies/growth-study.ts';
import { measureIntegrity } from '../../simulation/studies/integrity-study.ts';
import {
  drawEffects,
  drawSlateOf,
  fitEffects,
  learn,
  NO_BELIEF,
  thompson,
  uniformWorth,
  VOCABULARY,
  worth,
  worthOf,
} from '../../simulation/studies/logged-slates.ts';
import {
  measureModelGain,
  measureTrials,
  offPolicyTrials,
  ownRowsTrials,
  uniformTrials,
} from '../../simulation/studies/off-policy-study.ts';
import { mean } from '../../simulation/studies/scores.ts';
import {
  makeUpCounts,
  simulateCounts,
  simulatePost,
  USUAL_IMPRESSIONS,
} from '../../simulation/worlds/impressions.ts';

describe('simulated posts', () => {
  const draw = (seed: number) => simulatePost(USUAL_IMPRESSIONS, mulberry32(seed));

  it('are the same for the same seed', () => {
    expect(draw(1)).toEqual(draw(1));
    expect(draw(2)).not.toEqual(draw(1));
  });

  it('have reads at about their age and counts that never fall', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const { reads, impressions48h } = draw(seed);
      const nominal = [0.5, 1, 2, 6, 24];
      reads.forEach(({ ageHours }, index) => {
        expect(ageHours).toBeGreaterThanOrEqual(nominal[index] ?? Number.NaN);
        expect(ageHours).toBeLessThan((nominal[index] ?? 0) + 1.01);
      });
      const counts = [...reads.map(({ impressions }) => impressions), impressions48h];
      expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      expect(counts.every(Number.isInteger)).toBe(true);
    }
  });

  it('made up have numbers below their limits, sorted ones rise', () => {
    const rng = mulberry32(3);
    for (let post = 0; post < 50; post += 1) {
      const likes = makeUpCounts(rng, true).map((read) => read.likes);
      expect(likes).toEqual(likes.toSorted((a, b) => a - b));
      expect(Math.max(...likes)).toBeLessThan(300);
    }
  });
});

describe('simulated decisions', () => {
  const rng = mulberry32(5);
  const effects = drawEffects(rng);

  it('are slates of combinations of the vocabulary that a log can hold', () => {
    const slate = drawSlateOf(NO_BELIEF, rng).map(({ values }) => values);
    const row = { slate, chosen: 7, propensity: 1 / 8, reward: 0 };
    expect(loggedChoiceSchema.parse(row)).toEqual(row);
    for (const [dimension, values] of Object.entries(VOCABULARY)) {
      expect(slate.every((one) => values.includes(one[dimension] ?? ''))).toBe(true);
    }
  });

  it('are worth the same by index and by name', () => {
    const { indices, values } = thompson(NO_BELIEF, rng);
    expect(worthOf(effects, values)).toBe(worth(effects, indices));
  });

  it('earn more the more was learned, and uniform ones their mean', () => {
    const earned = (posts: number) => {
      const belief = learn(NO_BELIEF, effects, posts, rng);
      const drawn = Array.from({ length: 400 }, () => thompson(belief, rng));
      return mean(drawn.map(({ indices }) => worth(effects, indices))) - uniformWorth(effects);
    };
    expect(Math.abs(earned(0))).toBeLessThan(0.2);
    expect(earned(100)).toBeGreaterThan(0.5);
    expect(earned(2000)).toBeGreaterThan(earned(100));
  });

  it('teach their effects', () => {
    const posts = Array.from({ length: 4000 }, () => {
      const { indices } = thompson(NO_BELIEF, rng);
      return { indices, reward: worth(effects, indices) };
    });
    const fitted = fitEffects(posts);
    const error = (fitted[0] ?? []).map((value, v) => value - (effects[0]?.[v] ?? 0));
    const offset = mean([...error]);
    expect(Math.max(...error.map((one) => Math.abs(one - offset)))).toBeLessThan(0.05);
  });
});

describe('young posts', () => {
  it.each([
    ['of usual accounts', USUAL_IMPRESSIONS, 0.25],
    ['of which one in ten is seen again', { ...USUAL_IMPRESSIONS, cascadeShare: 0.1 }, 0.35],
  ])('%s are projected with ranges that hold nine of ten, at every age', (_, world, spread) => {
    const measures = measureProjection(4, world, 180);
    expect(measures.map(({ phase }) => phase)).toEqual(['30m', '1h', '2h', '6h', '24h']);
    for (const { coverage } of measures) {
      expect(coverage).toBeGreaterThan(0.84);
      expect(coverage).toBeLessThan(0.96);
    }
    const at2h = measures[2];
    expect(at2h?.spread).toBeLessThan(spread);
    expect(at2h?.calibrationError).toBeLessThan(0.05);
    expect(at2h?.auroc).toBeGreaterThan(0.95);
  });

  it('are projected too wide of the mark where the curve lacks their age', () => {
    const at6h = (without?: string) =>
      measureProjection(4, USUAL_IMPRESSIONS, 180, without).find(({ phase }) => phase === '6h');
    expect(at6h('6h')?.coverage).toBeLessThan((at6h()?.coverage ?? 0) - 0.1);
  });
});

describe('off-policy estimates', () => {
  const trials = offPolicyTrials(8, 500);

  it('hold the truth nine times of ten, at weights of 1', () => {
    for (const one of [trials.IPS, trials.SNIPS, trials.DR].map(measureTrials)) {
      expect(one.coverage).toBeGreaterThan(0.83);
      expect(one.coverage).toBeLessThan(0.96);
      expect(Math.abs(one.bias)).toBeLessThan(0.06);
      expect(Math.abs(one.meanWeight - 1)).toBeLessThan(0.05);
      expect(one.alarms).toBeLessThan(0.03);
    }
  });

  it('err less by SNIPS and DR than by IPS', () => {
    const [ips, snips, dr] = [trials.IPS, trials.SNIPS, trials.DR].map(measureTrials);
    expect(snips?.meanAbsoluteError).toBeLessThan(0.7 * (ips?.meanAbsoluteError ?? 0));
    expect(dr?.meanAbsoluteError).toBeLessThan(0.7 * (ips?.meanAbsoluteError ?? 0));
  });

  it('doubt propensities that were logged too large', () => {
    expect(measureTrials(trials.wrongPropensities).alarms).toBeGreaterThan(0.7);
  });

  it('flatter a target that was fitted on the rows it is judged by', () => {
    const { ownRows, crossFitted } = ownRowsTrials(8, 500);
    expect(measureTrials(ownRows).bias).toBeGreaterThan(measureTrials(crossFitted).bias + 0.03);
  });
});

describe('uniform choice', () => {
  it('is estimated by marginals while every value is still tried, and refused later', () => {
    const early = uniformTrials(4, 500, 1);
    expect(Math.abs(measureTrials(early.plain).bias)).toBeLessThan(0.05);
    expect(measureTrials(early.plain).refused).toBe(0);
    expect(measureTrials(uniformTrials(2, 500, 150).plain).refused).toBe(1);
  });

  it('is left behind by as much as the model says', () => {
    const { gain, bias, coverage } = measureModelGain(8, 150);
    expect(gain).toBeGreaterThan(1);
    expect(Math.abs(bias)).toBeLessThan(0.05);
    expect(coverage).toBeGreaterThan(0.82);
    expect(coverage).toBeLessThan(0.97);
  });
});

describe('made up numbers', () => {
  const engaged = { ...USUAL_IMPRESSIONS, likesPerImpression: 0.01, rateLogSd: 0.5 };

  it('are found out within 30 posts, mostly even if no count falls', () => {
    expect(measureIntegrity(2, (rng) => makeUpCounts(rng, false)).flagged).toBe(1);
    const sorted = measureIntegrity(2, (rng) => makeUpCounts(rng, true));
    expect(sorted.flagged).toBeGreaterThan(0.85);
    expect(sorted.falling).toBe(0);
  });

  it('are not what real posts are taken for', () => {
    for (const world of [
      engaged,
      { ...engaged, cascadeShare: 0.1 },
      { ...engaged, rateLogSd: 1 },
    ]) {
      expect(measureIntegrity(2, (rng) => simulateCounts(world, rng)).suspected).toBe(0);
    }
  });
});

describe('the watch for drift', () => {
  it.each([
    ['normal', {}],
    ['heavy-tailed', { heavyTails: true }],
  ])('is silent for more than 200 days of %s rewards', (_, world) => {
    expect(measureRunLengths(5, world).mean).toBeGreaterThan(200);
  });

  it('is silent for more than 150 days where weeks differ', () => {
    expect(measureRunLengths(5, { weekSd: 0.3 }).mean).toBeGreaterThan(150);
  });

  it('speaks within 20 days of a shift by one standard deviation of a day', () => {
    const { mean: days, median } = measureRunLengths(5, { dayShift: 1 });
    expect(days).toBeLessThan(20);
    expect(median).toBeLessThanOrEqual(days + 2);
  });

  it('finds one value whose posts changed', () => {
    const world = { byValue: true, valueShift: 1 };
    expect(measureRunLengths(2, world).mean).toBeLessThan(60);
  });
});
