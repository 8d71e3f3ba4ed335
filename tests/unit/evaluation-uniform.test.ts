/** What uniform choice over the vocabulary would have earned. */
import { describe, expect, it } from 'vitest';
import {
  gainInModel,
  type MarginalChoice,
  uniformByMarginals,
} from '../../shared/evaluation/uniform-baseline.ts';

const MARGINALS = { tone: { dry: 0.8, warm: 0.2 }, topic: { ai: 0.7, go: 0.2, sql: 0.1 } };
const EFFECTS: Record<string, number> = { dry: 1, warm: -0.5, ai: 2, go: 0, sql: -1 };
/** Mean of tones 0.25, of topics 1/3. */
const UNIFORM = 0.25 + 1 / 3;

const worth = (values: Record<string, string>) =>
  Object.values(values).reduce((sum, value) => sum + (EFFECTS[value] ?? 0), 0);

/** A hundred decisions, each combination exactly as often as expected. */
const asExpected = (reward: (values: Record<string, string>) => number): MarginalChoice[] =>
  Object.entries(MARGINALS.tone).flatMap(([tone, p]) =>
    Object.entries(MARGINALS.topic).flatMap(([topic, q]) =>
      Array.from({ length: Math.round(100 * p * q) }, () => ({
        assigned: { tone, topic },
        marginals: MARGINALS,
        reward: reward({ tone, topic }),
      })),
    ),
  );

describe('by marginals', () => {
  it('a sum of effects is found exactly', () => {
    const result = uniformByMarginals(asExpected(worth));
    expect(result.estimate).toBeCloseTo(UNIFORM, 12);
    expect(result.meanWeight).toBeCloseTo(1, 12);
    expect(result).toMatchObject({ n: 100, weightAlarm: false });
  });

  it('a model changes the error, not what is estimated', () => {
    const halfRight = {
      expected: (values: Record<string, string>) => 0.9 * worth(values) + 3,
      uniformMean: () => 0.9 * UNIFORM + 3,
    };
    const plain = uniformByMarginals(asExpected(worth));
    const modelled = uniformByMarginals(asExpected(worth), halfRight);
    expect(modelled.estimate).toBeCloseTo(UNIFORM, 12);
    expect(modelled.meanWeight).toBe(plain.meanWeight);
    expect(modelled.se).not.toBeCloseTo(plain.se ?? Number.NaN, 3);
  });

  it('what is no sum of effects is not found', () => {
    const together = ({ tone, topic }: Record<string, string>) =>
      tone === 'warm' && topic === 'sql' ? 1 : 0;
    expect(uniformByMarginals(asExpected(together)).estimate).not.toBeCloseTo(1 / 6, 2);
  });

  it('the uniform start is the mean reward', () => {
    const even = { tone: { dry: 0.5, warm: 0.5 } };
    const rows = Array.from({ length: 40 }, (_, index) => ({
      assigned: { tone: index % 2 ? 'dry' : 'warm' },
      marginals: even,
      reward: index,
    }));
    expect(uniformByMarginals(rows)).toMatchObject({ estimate: 19.5, ess: 40, meanWeight: 1 });
  });

  it('is refused if a value was never possible', () => {
    const settled = { tone: { dry: 1, warm: 0 } };
    const rows = Array.from({ length: 50 }, () => ({
      assigned: { tone: 'dry' },
      marginals: settled,
      reward: 1,
    }));
    expect(uniformByMarginals(rows)).toMatchObject({
      estimate: null,
      high90: null,
      refused: 'values_never_drawn',
    });
  });

  it.each([{ tone: 'warm' }, { tone: 'loud' }, {}])(
    'an assignment without a probability, %j, is a defect',
    (assigned) => {
      const row = { assigned, marginals: { tone: { dry: 1, warm: 0 } }, reward: 1 };
      expect(() => uniformByMarginals([row as MarginalChoice])).toThrow(
        expect.objectContaining({ code: 'choice_invalid' }),
      );
    },
  );
});

describe('in the model', () => {
  const posterior = {
    features: [
      { dimension: 'tone', value: 'dry' },
      { dimension: 'tone', value: 'warm' },
    ],
    mean: [0.3, -0.1],
    factor: [0.2, 0.1, 0.3],
    tau2: { tone: 0.09 },
  };
  const posted = ['dry', 'dry', 'dry', 'warm'].map((tone) => ({ tone }));

  it('the gain and its error are those computed by hand, with a value that no post has shown', () => {
    const result = gainInModel(posted, { tone: ['dry', 'warm', 'loud'] }, posterior);
    // shares less 1/3: 5/12, -1/12, -1/3
    expect(result.gain).toBeCloseTo(0.4 / 3, 12);
    expect(result.se).toBeCloseTo(Math.sqrt(0.075 ** 2 + 0.025 ** 2 + 0.09 / 9), 12);
    expect(result.low90).toBeCloseTo(result.gain - 1.6448536269514722 * result.se, 12);
  });

  it('a value that is no longer in use counts where it was posted', () => {
    const result = gainInModel(posted, { tone: ['dry'] }, posterior);
    expect(result.gain).toBeCloseTo(-0.25 * 0.3 + 0.25 * -0.1, 12);
  });

  it('there is none where uniform choice was posted, nor in dimensions that posts lack', () => {
    const even = [{ tone: 'dry' }, { tone: 'warm' }];
    expect(gainInModel(even, { tone: ['dry', 'warm'] }, posterior)).toMatchObject({
      gain: 0,
      se: 0,
    });
    const without = gainInModel([{}], { tone: ['dry', 'warm'] }, posterior);
    expect(without.gain).toBeCloseTo(0, 15);
  });
});
