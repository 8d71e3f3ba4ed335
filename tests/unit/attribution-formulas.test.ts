import { describe, expect, it } from 'vitest';
import { mulberry32, normal } from '../../shared/learning/random.ts';
import {
  addExposure,
  clickWeights,
  segmentsOf,
} from '../../simulation/reference/attribution/exposure.ts';
import { gridFollowers, gridImpressions } from '../../simulation/reference/attribution/grid.ts';
import {
  type FollowerSnapshot,
  hourlyChanges,
} from '../../simulation/reference/attribution/hours.ts';
import { fitLaggedRates, laggedAt, lagKernel } from '../../simulation/reference/attribution/lag.ts';
import {
  dispersion,
  explainedPart,
  fitRates,
  fitRobustRates,
  shrinkConversion,
} from '../../simulation/reference/attribution/rates.ts';
import { estimateConversions } from '../../simulation/reference/attribution/split.ts';

const HOUR_MS = 3_600_000;
/** 2026-03-01T12:00:00Z. */
const T0 = Date.UTC(2026, 2, 1, 12);
const T0_HOUR = T0 / HOUR_MS;

const count = (hour: number, followers: number, isExact = true): FollowerSnapshot => ({
  capturedAt: T0 + hour * HOUR_MS,
  followers,
  isExact,
});
const floats = (...numbers: number[]) => Float64Array.from(numbers);

describe('the hourly series', () => {
  it('is linear between two counts', () => {
    const { firstHour, change, gap } = hourlyChanges([count(0, 100), count(4, 108), count(5, 105)]);
    expect(firstHour).toBe(T0_HOUR);
    expect([...change]).toEqual([2, 2, 2, 2, -3]);
    expect([...gap]).toEqual([0, 0, 0, 0, 0]);
  });

  it('has only the full hours between the first and the last count', () => {
    const { firstHour, change } = hourlyChanges([
      count(0.5, 100),
      count(1.5, 110),
      count(3.5, 130),
    ]);
    expect(firstHour).toBe(T0_HOUR + 1);
    expect([...change]).toEqual([10, 10]);
  });

  it('has a gap where counts are more than six hours apart, not where they are six', () => {
    const { change, gap } = hourlyChanges([
      count(0, 0),
      count(6, 6),
      count(12.5, 19),
      count(14, 22),
    ]);
    expect([...gap]).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0]);
    expect(change.reduce((sum, one) => sum + one, 0)).toBe(22);
  });

  it('takes an hour for a gap when a long silence starts within it', () => {
    const { gap } = hourlyChanges([count(0, 0), count(1.5, 3), count(9, 10), count(10, 12)]);
    expect([...gap]).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
  });

  it('leaves out rounded counts, and has no hours when all are rounded', () => {
    const mixed = hourlyChanges([count(0, 100), count(1, 12_300, false), count(2, 104)]);
    expect([...mixed.change]).toEqual([2, 2]);
    const rounded = hourlyChanges([count(0, 12_300, false), count(1, 12_400, false)]);
    expect(rounded.change).toHaveLength(0);
  });

  it('does not depend on the order of the counts', () => {
    const counts = [count(0, 5), count(1.2, 9), count(2.7, 4), count(11, 40)];
    expect(hourlyChanges(counts.toReversed())).toEqual(hourlyChanges(counts));
  });
});

describe('exposure', () => {
  const read = (age: number, impressions: number, profileClicks: number | null = null) => ({
    capturedAt: T0 + age * HOUR_MS,
    impressions,
    profileClicks,
  });
  const segments = (...reads: ReturnType<typeof read>[]) =>
    segmentsOf({ id: '1', postedAt: T0, reads });
  const exposureOf = (
    reads: ReturnType<typeof read>[],
    hours: number,
    { asOf = 1_000, weight = 1 } = {},
  ) => {
    const into = new Float64Array(hours);
    addExposure(T0, segments(...reads), weight, T0 + asOf * HOUR_MS, T0_HOUR, into);
    return into;
  };

  it('follows the logarithm of age between two reads', () => {
    const hours = exposureOf([read(6, 6000)], 8);
    const attention = (age: number) => Math.log(1 + age / 1.333);
    for (let age = 0; age < 6; age += 1) {
      const share = (attention(age + 1) - attention(age)) / attention(6);
      expect(hours[age]).toBeCloseTo(6000 * share, 5);
    }
    expect([...hours.subarray(6)]).toEqual([0, 0]);
  });

  it('is what the reads say where they lie on full hours', () => {
    const reads = [read(1, 1000), read(2, 1500), read(4, 1500), read(5, 1600)];
    expect([...exposureOf(reads, 6)]).toEqual([1000, 500, 0, 0, 100, 0]);
  });

  it('gains nothing while a count is below an earlier one', () => {
    const reads = [read(1, 1000), read(2, 700), read(3, 900), read(4, 1200)];
    expect([...exposureOf(reads, 4)]).toEqual([1000, 0, 0, 200]);
  });

  it('knows nothing of reads after the moment that it is asked for', () => {
    expect([...exposureOf([read(1, 1000), read(2, 1500)], 3, { asOf: 1.9 })]).toEqual([1000, 0, 0]);
  });

  it('counts an impression by its weight', () => {
    const reads = [read(1, 1000), read(2, 1500)];
    expect([...exposureOf(reads, 2, { weight: 1.5 })]).toEqual([1500, 750]);
  });

  it('weighs posts by their newest profile clicks, four at the usual rate beside their own', () => {
    const posts = [
      segments(read(2, 500, 1), read(6, 1000, 16)),
      segments(read(2, 3000, 4), read(6, 4000)),
      segments(read(2, 700)),
    ];
    // 20 clicks of 4,000 impressions: one of 200 is usual, so 5 and 15 are expected
    const weights = clickWeights(posts, T0 + 1_000 * HOUR_MS);
    expect([...weights]).toEqual([(4 + 16) / (4 + 5), (4 + 4) / (4 + 15), 1]);
    // at three hours 5 of 3,500
    const early = clickWeights(posts, T0 + 3 * HOUR_MS);
    expect(early[0]).toBeCloseTo((4 + 1) / (4 + 5 / 7), 12);
  });

  it('is that of impressions alone where nobody clicked or no clicks are known', () => {
    const asOf = T0 + 1_000 * HOUR_MS;
    expect([...clickWeights([segments(read(2, 500)), segments(read(2, 900))], asOf)]).toEqual([
      1, 1,
    ]);
    expect([...clickWeights([segments(read(2, 500, 0)), segments(read(2, 900))], asOf)]).toEqual([
      1, 1,
    ]);
    expect([...clickWeights([segments(read(2, 0, 3)), segments(read(2, 900))], asOf)]).toEqual([
      1, 1,
    ]);
    expect([...clickWeights([], asOf)]).toEqual([]);
  });

  it('of two reads of one moment takes the higher count, then the more clicks', () => {
    const both = [read(1, 900, 9), read(1, 1000), read(1, 1000, 5), read(1, 1000, 2)];
    for (const reads of [both, both.toReversed()]) {
      expect(segments(...reads)).toMatchObject([{ impressions: 1000, profileClicks: 5 }]);
    }
  });

  it('ends seven days after posting', () => {
    const hours = exposureOf([read(167, 100), read(170, 400)], 180);
    expect(hours[167]).toBeGreaterThan(0);
    expect(hours.findLastIndex((one) => one > 0)).toBe(167);
  });

  it('adds up to the impressions read', () => {
    const reads = [read(0.6, 321), read(2.1, 988), read(6.4, 1702), read(25, 2410)];
    const total = exposureOf(reads, 48).reduce((sum, one) => sum + one, 0);
    expect(total).toBeCloseTo(2410, 4);
  });
});

describe('the delay between seeing and following', () => {
  it('splits each third of the audience between the whole hours around its delay', () => {
    const half = lagKernel(0.5);
    expect(half[0]).toBeCloseTo((0.91 + 0.655 + 0.105) / 3, 12);
    expect(half[1]).toBeCloseTo((0.09 + 0.345 + 0.895) / 3, 12);
    const one = lagKernel(1);
    expect(one[0]).toBeCloseTo((0.82 + 0.31) / 3, 12);
    expect(one[1]).toBeCloseTo((0.18 + 0.69 + 0.21) / 3, 12);
    expect(one[2]).toBeCloseTo(0.79 / 3, 12);
  });

  it.each([0, 0.5, 1, 2, 4, 8])('of %d h loses nobody', (lag) => {
    const kernel = lagKernel(lag);
    expect(kernel.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12);
    const seen = floats(800, 200, 0, 40);
    const acting = Array.from({ length: 40 }, (_, hour) => laggedAt(seen, hour, kernel));
    expect(acting.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1040, 4);
    const meanDelay = (acting.reduce((sum, one, hour) => sum + one * hour, 0) - 320) / 1040;
    expect(meanDelay).toBeCloseTo((lag * (0.18 + 0.69 + 1.79)) / 3, 4);
  });

  it.each([0.5, 4])('of %d h is found from the hours of an account', (lag) => {
    const rng = mulberry32(3);
    const seen = Float64Array.from({ length: 672 }, (_, hour) =>
      hour % 9 === 0 ? 4000 * rng() : 20,
    );
    const at = (mean: number) =>
      Float64Array.from(seen, (_, hour) => laggedAt(seen, hour, lagKernel(mean)));
    const change = at(lag).map((e) => {
      const mean = 0.3 + 0.005 * e;
      return Math.round(mean + Math.sqrt(mean) * normal(rng));
    });
    const fitted = fitLaggedRates(change, at);
    expect(fitted.lag).toBe(lag);
    expect(fitted.exposure).toEqual(at(lag));
    expect(Math.abs(fitted.q / 0.005 - 1)).toBeLessThan(0.1);
  });

  it('stays the usual half hour where no other is clearly better', () => {
    const quiet = new Float64Array(200).fill(1);
    const fitted = fitLaggedRates(quiet, () => new Float64Array(200));
    expect(fitted.lag).toBe(0.5);
  });
});

describe('the rates of an account', () => {
  const exposure = floats(0, 10, 200, 35, 0, 4000, 120);
  const change = exposure.map((e) => 0.3 + 0.002 * e);

  it('are found exactly where the changes have no noise', () => {
    const { b, q } = fitRates(change, exposure);
    expect(b).toBeCloseTo(0.3, 9);
    expect(q).toBeCloseTo(0.002, 12);
  });

  it('are never negative', () => {
    expect(fitRates(floats(-3, -1, -2, -4), floats(0, 50, 10, 90))).toEqual({ b: 0, q: 1e-9 });
    expect(fitRates(floats(9, 1, 8, 2), floats(0, 50, 10, 90)).q).toBe(1e-9);
    expect(fitRates(floats(0, 9, 0, 30), floats(10, 50, 10, 90)).b).toBe(0);
  });

  it('are told apart by nothing where the exposure never changes', () => {
    expect(fitRates(floats(1, 2, 3), floats(0, 0, 0))).toEqual({ b: 2, q: 1e-9 });
    expect(fitRates(floats(1, 2, 3), floats(100, 100, 100))).toEqual({ b: 0, q: 0.02 });
  });

  it('explain an hour down to six deviations below a quiet one, and far above', () => {
    // mu 4, phi 1: reach 12; mu 100, phi 4: reach 120
    expect(explainedPart(3, 4, 1)).toBe(3);
    expect(explainedPart(50, 4, 1)).toBe(32);
    expect(explainedPart(-50, 4, 1)).toBe(-8);
    expect(explainedPart(-50, 100, 4)).toBe(-20);
    expect(explainedPart(5000, 100, 4)).toBe(620);
    // a quiet hour is allowed as much as one that expects a follower
    expect(explainedPart(9, 0, 1)).toBe(6);
  });

  it.each([150, -150])('are not moved by a shock of %d followers', (shock) => {
    const rng = mulberry32(5);
    const seen = Float64Array.from({ length: 672 }, (_, hour) => (hour % 12 === 0 ? 2000 : 50));
    const calm = seen.map((e) => {
      const mean = 0.4 + 0.003 * e;
      return Math.round(mean + Math.sqrt(mean) * normal(rng));
    });
    const shaken = calm.slice();
    for (const hour of [100, 101, 400]) shaken[hour] = (shaken[hour] ?? 0) + shock;
    const before = fitRobustRates(calm, seen);
    const after = fitRobustRates(shaken, seen);
    expect(Math.abs(after.b - before.b)).toBeLessThan(0.06);
    expect(Math.abs(after.q / before.q - 1)).toBeLessThan(0.05);
    expect(Math.abs(after.explained[100] ?? 0)).toBeLessThan(25);
  });

  it('scatter as wide as the median hour says', () => {
    const seen = floats(100, 100, 100);
    // mu 4: squares over mu are 0.25, 4 and 2500
    const phi = dispersion(floats(5, 8, 104), seen, { b: 3, q: 0.01 });
    expect(phi).toBeCloseTo(4 / 0.455, 12);
    expect(dispersion(floats(4, 4, 4), seen, { b: 3, q: 0.01 })).toBe(1);
  });

  it('lose as much of the conversion as half its variance', () => {
    const rates = { b: 0.3, q: 0.002 };
    const weights = exposure.map((e) => 1 / (0.3 + 0.002 * e));
    const sum = (of: (e: number) => number) =>
      exposure.reduce((total, e, i) => total + (weights[i] ?? 0) * of(e), 0);
    // no noise counts as Poisson noise
    const variance = sum(() => 1) / (sum(() => 1) * sum((e) => e * e) - sum((e) => e) ** 2);
    const { b, q } = shrinkConversion(change, exposure, rates);
    expect(q).toBeCloseTo(0.002 * (1 - variance / 2 / 0.002 ** 2), 12);
    const meanChange = sum((e) => 0.3 + 0.002 * e) / sum(() => 1);
    expect(b).toBeCloseTo(meanChange - (q * sum((e) => e)) / sum(() => 1), 9);
  });

  it('give posts nothing where the conversion is less than its error', () => {
    const { b, q } = shrinkConversion(floats(1, 0, 2, 1), floats(0, 1, 1, 2), { b: 0.9, q: 0.1 });
    expect(q).toBe(1e-9);
    expect(b).toBeCloseTo(1, 1);
  });
});

describe('how well posts convert', () => {
  const rates = { b: 2, q: 0.01 };
  const options = { passes: 1, shape: 4, estimatedAge: 24 };
  /** Posts that were all seen in the one hour of a block. */
  const together = (...acting: number[]) => ({
    post: Int32Array.from(acting, (_, index) => index),
    firstHour: Int32Array.from(acting, () => 0),
    start: Int32Array.from([0, ...acting.map((_, index) => index + 1)]),
    acting: Float64Array.from(acting),
  });
  const hour = (explained: number, known = 1) => ({
    explained: floats(explained),
    known: Uint8Array.of(known),
  });

  it('is what they gained over what they were seen, drawn to the account', () => {
    // 12 were expected and 30 came: 25 of them to the post
    const [conversion] = estimateConversions(together(1000), hour(30), floats(0), rates, options);
    expect(conversion).toBeCloseTo((4 + 25) / (4 / 0.01 + 1000), 9);
  });

  it('does not fall below nothing where followers left', () => {
    const [conversion] = estimateConversions(together(1000), hour(-5), floats(0), rates, options);
    expect(conversion).toBeCloseTo(4 / (4 / 0.01 + 1000), 9);
  });

  it('says nothing of impressions in an hour whose change is not known', () => {
    const gap = hour(0, 0);
    const [conversion] = estimateConversions(together(1000), gap, floats(0), rates, options);
    expect(conversion).toBe(0.01);
  });

  it('is that of the account for a post more than a day old when the block began', () => {
    const [young, old] = estimateConversions(
      together(1000, 1000),
      hour(60),
      floats(24, 24.01),
      rates,
      options,
    );
    expect(young).toBeGreaterThan(0.015);
    expect(old).toBe(0.01);
  });
});

describe('the grids', () => {
  it('make a sum the same in every order', () => {
    const rng = mulberry32(9);
    const raw = Array.from({ length: 5_000 }, () => rng() * 10 ** (3 * rng()));
    for (const grid of [gridImpressions, gridFollowers]) {
      const rounded = raw.map(grid);
      const forwards = rounded.reduce((sum, one) => sum + one, 0);
      const backwards = rounded.reduceRight((sum, one) => sum + one, 0);
      const sorted = rounded.toSorted((a, b) => a - b).reduce((sum, one) => sum + one, 0);
      expect([backwards, sorted]).toEqual([forwards, forwards]);
    }
  });

  it('are as fine as they say', () => {
    expect(gridImpressions(1 / 3) * 2 ** 20).toBe(Math.round(2 ** 20 / 3));
    expect(gridFollowers(-1 / 3) * 2 ** 30).toBe(Math.round(-(2 ** 30) / 3));
    expect(gridFollowers(1.5 / 2 ** 30) * 2 ** 30).toBe(2);
  });
});
