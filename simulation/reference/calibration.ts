/**
 * Whether stated probabilities and ranges come true. The view `prediction_calibration` says it in SQL;
 * tests/database/calibration.test.ts compares the two.
 */
import { ranks } from './ranks.ts';

/** A stated probability and whether it happened. */
export type Forecast = { probability: number; happened: boolean };

/** Forecasts between two probabilities: what was said on average, and how often it happened. */
export type ReliabilityBin = {
  from: number;
  to: number;
  n: number;
  said: number;
  happened: number;
};

/** Forecasts in bins of equal width from 0 to 1; bins without any are left out. */
export function reliabilityBins(forecasts: readonly Forecast[], bins = 10): ReliabilityBin[] {
  const sums = Array.from({ length: bins }, () => ({ n: 0, said: 0, happened: 0 }));
  for (const { probability, happened } of forecasts) {
    const bin = sums[Math.min(bins - 1, Math.floor(probability * bins))];
    if (!bin) continue;
    bin.n += 1;
    bin.said += probability;
    bin.happened += Number(happened);
  }
  return sums.flatMap(({ n, said, happened }, index) =>
    n === 0
      ? []
      : [{ from: index / bins, to: (index + 1) / bins, n, said: said / n, happened: happened / n }],
  );
}

/**
 * Expected calibration error: the mean distance between said and happened, over all forecasts; NaN
 * without forecasts. Too high by chance where bins hold few of them.
 */
export function calibrationError(forecasts: readonly Forecast[], bins = 10): number {
  const off = reliabilityBins(forecasts, bins).reduce(
    (sum, { n, said, happened }) => sum + n * Math.abs(said - happened),
    0,
  );
  return off / forecasts.length;
}

/**
 * Area under the ROC curve: the probability that what happened had been given a higher probability
 * than what did not, equal ones counting half. NaN where all or none happened.
 */
export function auroc(forecasts: readonly Forecast[]): number {
  const rank = ranks(forecasts.map(({ probability }) => probability));
  let rankSum = 0;
  let positives = 0;
  forecasts.forEach(({ happened }, index) => {
    if (!happened) return;
    rankSum += rank[index] ?? 0;
    positives += 1;
  });
  const pairs = positives * (forecasts.length - positives);
  return (rankSum - (positives * (positives + 1)) / 2) / pairs;
}

/** The share of ranges, ends included, that held what was observed; NaN without any. */
export function coverage(
  ranges: readonly { low: number; high: number; observed: number }[],
): number {
  const held = ranges.filter(({ low, high, observed }) => low <= observed && observed <= high);
  return held.length / ranges.length;
}
