/**
 * How long after seeing a post people follow: a kernel that moves exposure to later hours. In SQL
 * `postloop.fit_block` chooses the delay; tests/database/attribution-parity.test.ts compares the two.
 */
import { gridImpressions } from './grid.ts';
import { fitRates, fitRobustRates, quasiLikelihood, type RobustRates } from './rates.ts';

/** The mean delay that stands unless another explains the hours clearly better, hours. */
export const USUAL_LAG_H = 0.5;

/** The mean delays to choose from, hours. */
export const LAGS_H = [0, USUAL_LAG_H, 1, 2, 4, 8] as const;

/** The longest delay moves exposure by less than so many hours. */
export const LONGEST_REACH_H = 15;

/** Medians of the thirds of an exponential delay with mean 1: -ln of 5/6, 1/2 and 1/6. */
const THIRDS = [0.18, 0.69, 1.79];

/**
 * `kernel[j]` is the share of an hour's exposure that acts j hours later; the shares add up to 1. Each
 * third of the audience waits its own time, split between the two whole hours around it.
 *
 * @param lag mean delay, hours
 */
export function lagKernel(lag: number): Float64Array {
  const kernel = new Float64Array(Math.floor(1.79 * lag) + 2);
  for (const third of THIRDS) {
    const shift = third * lag;
    const whole = Math.floor(shift);
    kernel[whole] = (kernel[whole] ?? 0) + (1 - (shift - whole)) / 3;
    kernel[whole + 1] = (kernel[whole + 1] ?? 0) + (shift - whole) / 3;
  }
  return kernel;
}

/**
 * The exposure that acts in an hour: what was seen in it and in the hours before, each part rounded
 * to 2^-20 impressions so that the order of a sum of posts is no matter.
 *
 * @param exposure impressions seen by hour; before its first hour there were none
 */
export function laggedAt(exposure: Float64Array, hour: number, kernel: Float64Array): number {
  let sum = 0;
  const reach = Math.min(kernel.length - 1, hour);
  for (let j = Math.max(0, hour - exposure.length + 1); j <= reach; j += 1) {
    sum += gridImpressions((kernel[j] ?? 0) * (exposure[hour - j] ?? 0));
  }
  return sum;
}

/** Twice the quasi-likelihood that a delay must gain, in units of phi, is 6: once in 70 by chance. */
const GAIN_TO_SWITCH = 3;
/** From the weights of the usual delay, the second round no longer moves the choice. */
const ROUNDS = 2;

export type LaggedRates = RobustRates & {
  /** Mean delay between seeing and following, hours. */
  lag: number;
  /** Impressions that act in each hour. */
  exposure: Float64Array;
};

/**
 * Chooses the delay by the quasi-likelihood of the account's hours, and fits the rates with it.
 *
 * @param change followers by hour
 * @param exposureOf impressions that act in each of these hours at a given delay
 */
export function fitLaggedRates(
  change: Float64Array,
  exposureOf: (lag: number) => Float64Array,
  lags: readonly number[] = LAGS_H,
): LaggedRates {
  const [only = USUAL_LAG_H] = lags;
  const usualLag = lags.includes(USUAL_LAG_H) ? USUAL_LAG_H : only;
  const exposure = exposureOf(usualLag);
  const usual = fitRobustRates(change, exposure);
  let best: { lag: number; exposure: Float64Array } | undefined;
  let bestLikelihood =
    quasiLikelihood(usual.explained, exposure, usual) + GAIN_TO_SWITCH * usual.phi;
  for (const lag of lags) {
    if (lag === usualLag) continue;
    const candidate = exposureOf(lag);
    const rates = fitRates(usual.explained, candidate, ROUNDS, usual);
    const likelihood = quasiLikelihood(usual.explained, candidate, rates);
    if (likelihood > bestLikelihood) {
      bestLikelihood = likelihood;
      best = { lag, exposure: candidate };
    }
  }
  return best
    ? { ...best, ...fitRobustRates(change, best.exposure) }
    : { lag: usualLag, exposure, ...usual };
}
