/** Whether stated probabilities and ranges come true. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  auroc,
  calibrationError,
  coverage,
  reliabilityBins,
} from '../../simulation/reference/calibration.ts';
import { ranks, spearman } from '../../simulation/reference/ranks.ts';

const forecasts = (...pairs: [number, boolean][]) =>
  pairs.map(([probability, happened]) => ({ probability, happened }));

describe('reliability', () => {
  const said = forecasts(
    [0.1, false],
    [0.15, true],
    [0.82, true],
    [0.88, true],
    [1, true],
    [1, false],
  );

  it('has a bin for each tenth that was said, 1 in the last', () => {
    const bins = reliabilityBins(said);
    expect(bins.map(({ from, to, n }) => [from, to, n])).toEqual([
      [0.1, 0.2, 2],
      [0.8, 0.9, 2],
      [0.9, 1, 2],
    ]);
    expect(bins[0]).toMatchObject({ said: 0.125, happened: 0.5 });
    expect(bins[1]?.said).toBeCloseTo(0.85, 12);
  });

  it('error is the mean distance between said and happened', () => {
    expect(calibrationError(said)).toBeCloseTo((0.375 + 0.15 + 0.5) / 3, 12);
    expect(calibrationError([])).toBeNaN();
  });
});

describe('AUROC', () => {
  it('counts the pairs that are in order, equal ones half', () => {
    const said = forecasts([0.9, true], [0.5, true], [0.5, false], [0.2, false], [0.1, true]);
    // of six pairs in order: 2 of the first, 1.5 of the second, none of the last
    expect(auroc(said)).toBeCloseTo(3.5 / 6, 12);
  });

  it('says nothing where all or none happened', () => {
    expect(auroc(forecasts([0.5, true]))).toBeNaN();
    expect(auroc(forecasts([0.5, false]))).toBeNaN();
  });

  it('does not depend on the scale of what was said', () => {
    const one = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(one), (pairs) => {
        const plain = forecasts(...pairs.map(([p, h]): [number, boolean] => [p / 20, h]));
        const squared = forecasts(...pairs.map(([p, h]): [number, boolean] => [(p / 20) ** 2, h]));
        expect(auroc(squared)).toBe(auroc(plain));
      }),
    );
  });
});

it('coverage counts ranges with what was observed, ends included', () => {
  const range = (observed: number) => ({ low: 1, high: 2, observed });
  expect(coverage([range(1), range(2), range(0.99), range(2.01)])).toBe(0.5);
  expect(coverage([])).toBeNaN();
});

it('ranks start at 1, and equal values share the mean of theirs', () => {
  expect(ranks([30, 10, 20, 10, 10])).toEqual([5, 2, 4, 2, 2]);
});

it('the rank correlation of what does not vary is unknown', () => {
  expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
  expect(spearman([3, 1, 2], [30, 10, 20])).toBeCloseTo(1, 12);
});
