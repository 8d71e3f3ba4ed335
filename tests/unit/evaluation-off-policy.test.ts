/** What another policy would have earned on logged slates. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bestOfSlate,
  dr,
  type LoggedChoice,
  loggedChoiceSchema,
  snips,
  type TargetPolicy,
  weigh,
} from '../../shared/evaluation/off-policy.ts';
import { ips } from '../../simulation/studies/off-policy-study.ts';

const DRY = { tone: 'dry' };
const WARM = { tone: 'warm' };
const LOUD = { tone: 'loud' };

/** Four decisions, ten times each, so that there are enough to report. */
const ROWS: LoggedChoice[] = Array.from({ length: 10 }, () => [
  { slate: [DRY, DRY, WARM, LOUD], chosen: 0, propensity: 1 / 2, reward: 3 },
  { slate: [DRY, WARM, WARM, LOUD], chosen: 1, propensity: 1 / 2, reward: 1 },
  { slate: [DRY, WARM, LOUD, LOUD], chosen: 3, propensity: 1 / 2, reward: 2 },
  { slate: [DRY, WARM, LOUD, DRY], chosen: 1, propensity: 1 / 4, reward: 5 },
]).flat();

const PREFERENCE: Record<string, number> = { dry: 0.5, warm: 0.3, loud: 0.2 };
const mixed: TargetPolicy = (candidates) =>
  candidates.map(({ combination }) => PREFERENCE[combination.tone ?? ''] ?? 0);

/** Evenly among the distinct combinations of the slate. */
const uniformOverSlate: TargetPolicy = (candidates) => candidates.map(() => 1 / candidates.length);

const Q: Record<string, number> = { dry: 2, warm: 4, loud: 0.5 };
const model = ({ tone = '' }: Record<string, string>) => Q[tone] ?? 0;

const uniformPick = (slate: LoggedChoice['slate'], chosen: number, reward: number) => {
  const same = slate.filter(({ tone }) => tone === slate[chosen]?.tone).length;
  return { slate, chosen, propensity: same / slate.length, reward };
};

describe('computed by hand, weights 1, 0.6, 0.4 and 1.2', () => {
  const weighted = weigh(ROWS, mixed);
  const close = (value: number | null, expected: number) =>
    expect(Math.abs((value ?? Number.NaN) - expected)).toBeLessThan(1e-9);

  it('IPS is the mean of w r', () => {
    const result = ips(weighted);
    close(result.estimate, 2.6);
    close(result.se, Math.sqrt(189.6 / 39 / 40));
  });

  it('SNIPS is sum(w r) / sum(w)', () => {
    const result = snips(weighted);
    const se = Math.sqrt(65.45) / 32;
    close(result.estimate, 3.25);
    close(result.se, se);
    close(result.low90, 3.25 - 1.6448536269514722 * se);
    close(result.high90, 3.25 + 1.6448536269514722 * se);
  });

  it('DR is the mean of 2.3 + w (r - q)', () => {
    const result = dr(weighted, model);
    close(result.estimate, 2.55);
    close(result.se, Math.sqrt(57.9 / 39 / 40));
  });

  it('all say the effective decisions and the mean weight, which is too far from 1 here', () => {
    for (const result of [ips(weighted), snips(weighted), dr(weighted, model)]) {
      close(result.ess, 102.4 / 2.96);
      close(result.meanWeight, 0.8);
      expect(result).toMatchObject({ weightAlarm: true, n: 40 });
      expect(result.refused).toBeUndefined();
    }
  });
});

describe('a target', () => {
  it('is asked about distinct combinations, with how often each was drawn', () => {
    const asked: unknown[] = [];
    weigh(ROWS.slice(2, 3), (candidates) => {
      asked.push(...candidates);
      return [0.2, 0.3, 0.5];
    });
    expect(asked).toEqual([
      { combination: DRY, draws: 1 },
      { combination: WARM, draws: 1 },
      { combination: LOUD, draws: 2 },
    ]);
  });

  it('finds a combination whatever the order of its dimensions', () => {
    const slate = [
      { tone: 'dry', topic: 'ai' },
      { topic: 'ai', tone: 'dry' },
      { tone: 'dry', topic: 'go' },
    ];
    const [row] = weigh([{ slate, chosen: 1, propensity: 2 / 3, reward: 1 }], uniformOverSlate);
    expect(row).toMatchObject({ chosen: 0, weight: 0.75, probabilities: [0.5, 0.5] });
  });

  it('tells a combination from one that has a dimension more', () => {
    const slate = [{ tone: 'dry' }, { tone: 'dry', topic: 'ai' }];
    for (const draws of [slate, slate.toReversed()]) {
      const [row] = weigh(
        [{ slate: draws, chosen: 1, propensity: 0.5, reward: 1 }],
        uniformOverSlate,
      );
      expect(row).toMatchObject({ chosen: 1, weight: 1 });
    }
  });

  it('that is the logging policy earns the mean reward, by every estimator', () => {
    const logging: TargetPolicy = (candidates, { slate }) =>
      candidates.map(({ draws }) => draws / slate.length);
    const weighted = weigh(ROWS, logging);
    expect(weighted.every(({ weight }) => weight === 1)).toBe(true);
    expect(ips(weighted).estimate).toBe(2.75);
    expect(snips(weighted)).toMatchObject({ estimate: 2.75, ess: 40, weightAlarm: false });
  });

  it('of what a model expects most of takes the best, and shares equals', () => {
    const [first, second] = weigh(ROWS.slice(0, 2), bestOfSlate(model));
    expect(first?.probabilities).toEqual([0, 1, 0]);
    expect(second?.weight).toBe(2);
    const [equal] = weigh(
      ROWS.slice(0, 1),
      bestOfSlate(({ tone }) => (tone === 'loud' ? 0 : 1)),
    );
    expect(equal?.probabilities).toEqual([0.5, 0.5, 0]);
  });

  it('and a model are given the fold of the row', () => {
    const rows = ROWS.map((row, index) => ({ ...row, fold: index % 2 }));
    const folds = new Set<number | undefined>();
    const seen = (values: Record<string, string>, fold: number | undefined) => {
      folds.add(fold);
      return model(values);
    };
    dr(weigh(rows, bestOfSlate(seen)), seen);
    expect([...folds]).toEqual([0, 1]);
    const byFold = dr(weigh(rows, mixed), (_, fold) => fold ?? Number.NaN);
    // 0.5 + the mean of w (r - fold), folds 0, 1, 0, 1
    expect(byFold.estimate).toBeCloseTo(0.5 + (3 + 0 + 0.8 + 4.8) / 4, 12);
  });

  it.each([[[0.5, 0.5]], [[0.5, 0.4, 0]], [[1.5, -0.5, 0]], [[Number.NaN, 0.5, 0.5]]])(
    'that answers %j for three combinations is a defect',
    (probabilities) => {
      expect(() => weigh(ROWS.slice(0, 1), () => probabilities)).toThrow(
        expect.objectContaining({ status: 500, code: 'target_invalid' }),
      );
    },
  );
});

describe('an estimate', () => {
  const rowsArbitrary = fc.array(
    fc
      .record({
        slate: fc.array(fc.constantFrom(DRY, WARM, LOUD), { minLength: 8, maxLength: 8 }),
        chosen: fc.nat(7),
        reward: fc.double({ min: -5, max: 5, noNaN: true }),
      })
      .map(({ slate, chosen, reward }) => uniformPick(slate, chosen, reward)),
    { minLength: 120, maxLength: 200 },
  );

  it('by SNIPS and DR moves with the rewards, SNIPS not with the scale of propensities', () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.double({ min: -10, max: 10, noNaN: true }), (rows, shift) => {
        const shifted = rows.map((row) => ({ ...row, reward: row.reward + shift }));
        const halved = rows.map((row) => ({ ...row, propensity: row.propensity / 2 }));
        const plain = weigh(rows, uniformOverSlate);
        const moved = weigh(shifted, uniformOverSlate);
        const value = snips(plain).estimate ?? Number.NaN;
        expect(snips(moved).estimate).toBeCloseTo(value + shift, 9);
        expect(snips(weigh(halved, uniformOverSlate)).estimate).toBeCloseTo(value, 9);
        const robust = dr(plain, model).estimate ?? Number.NaN;
        const movedModel = (values: Record<string, string>) => model(values) + shift;
        expect(dr(moved, movedModel).estimate).toBeCloseTo(robust + shift, 9);
      }),
      { numRuns: 50 },
    );
  });

  it('by IPS is DR with a model that expects nothing', () => {
    fc.assert(
      fc.property(rowsArbitrary, (rows) => {
        const weighted = weigh(rows, uniformOverSlate);
        expect(dr(weighted, () => 0)).toEqual(ips(weighted));
      }),
      { numRuns: 50 },
    );
  });

  it('by DR of an exact model does not depend on what was picked, whatever the propensities', () => {
    const rows = ROWS.map((row) => ({
      ...row,
      propensity: 0.9,
      reward: model(row.slate[row.chosen] ?? {}),
    }));
    const weighted = weigh(rows, mixed);
    expect(dr(weighted, model).estimate).toBeCloseTo(2.3, 12);
    expect(ips(weighted).estimate).not.toBeCloseTo(2.3, 1);
  });

  it.each([
    ['too few decisions', ROWS.slice(0, 20)],
    ['nothing that the target would have picked', ROWS.map((row) => ({ ...row, chosen: 0 }))],
    ['no decisions', []],
  ])('is refused with %s, and raises no alarm', (_, rows) => {
    const onlyLoud: TargetPolicy = (candidates) =>
      candidates.map(({ combination }) => (combination.tone === 'loud' ? 1 : 0));
    const weighted = weigh(rows, rows.length === 20 ? mixed : onlyLoud);
    for (const result of [ips(weighted), snips(weighted), dr(weighted, model)]) {
      expect(result).toMatchObject({
        estimate: null,
        se: null,
        low90: null,
        high90: null,
        weightAlarm: false,
        refused: 'effective_sample_too_small',
      });
      expect(result.ess).toBeLessThan(30);
    }
  });

  it('has no alarm for a mean weight that chance explains', () => {
    const slate = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((tone) => ({ tone }));
    // of 320 decisions 40 are expected to hit the target, 46 do: a mean weight of 1.15
    const rows = Array.from({ length: 320 }, (_, i) => uniformPick(slate, i < 46 ? 0 : 1, 1));
    const first: TargetPolicy = (candidates) => candidates.map((__, i) => (i === 0 ? 1 : 0));
    const result = snips(weigh(rows, first));
    expect(result.meanWeight).toBeCloseTo(1.15, 12);
    expect(result.weightAlarm).toBe(false);
  });
});

describe('a logged row', () => {
  const row = { slate: [DRY, WARM], chosen: 1, propensity: 0.5, reward: -0.25 };

  it('is what SQL returns, with or without a fold', () => {
    expect(loggedChoiceSchema.parse(row)).toEqual(row);
    expect(loggedChoiceSchema.parse({ ...row, fold: 3 })).toEqual({ ...row, fold: 3 });
  });

  it.each([
    ['an index outside of the slate', { chosen: 2 }],
    ['an empty slate', { slate: [], chosen: 0 }],
    ['no propensity', { propensity: null }],
    ['a propensity of 0', { propensity: 0 }],
    ['a propensity above 1', { propensity: 1.01 }],
    ['no reward', { reward: null }],
    ['a value that is no text', { slate: [{ tone: 1 }, WARM] }],
  ])('is refused with %s', (_, difference) => {
    expect(loggedChoiceSchema.safeParse({ ...row, ...difference }).success).toBe(false);
  });

  it.each([{ chosen: 2 }, { propensity: 0 }, { propensity: 1.5 }, { propensity: Number.NaN }])(
    'that was not parsed and has %j is a defect',
    (difference) => {
      expect(() => weigh([{ ...row, ...difference }], uniformOverSlate)).toThrow(
        expect.objectContaining({ status: 500, code: 'choice_invalid' }),
      );
    },
  );
});
