/** Draws for simulated accounts, all exact; beside those of shared/learning/random.ts. */
import { normal, type Rng } from '../../shared/learning/random.ts';

/** One exponential draw with mean 1. */
export const exponential = (rng: Rng) => -Math.log(1 - rng());

/** One Poisson draw: the arrivals of a process of rate 1 within `mean`, so it takes as long as it is large. */
export function poisson(rng: Rng, mean: number): number {
  let count = 0;
  for (let moment = exponential(rng); moment <= mean; moment += exponential(rng)) count += 1;
  return count;
}

/** One lognormal draw with the given median and standard deviation of its logarithm. */
export const lognormal = (rng: Rng, median: number, sd: number) =>
  median * Math.exp(sd * normal(rng));

/** A uniform draw between two numbers. */
export const between = (rng: Rng, from: number, to: number) => from + (to - from) * rng();
