/** Draws for simulated accounts, all exact, beside those of shared/learning/random.ts. */
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

/**
 * One Gamma draw with the given shape > 0 and scale 1.
 * Method: Marsaglia & Tsang 2000, with their power of a uniform for shapes below 1.
 */
export function gamma(rng: Rng, shape: number): number {
  if (shape < 1) {
    const above = gamma(rng, shape + 1);
    return above * positive(rng) ** (1 / shape);
  }
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = normal(rng);
    const v = (1 + c * z) ** 3;
    if (v > 0 && Math.log(positive(rng)) < z * z * 0.5 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** One draw of Student's t with `df` > 0 degrees of freedom, location 0 and scale 1. */
export function studentT(rng: Rng, df: number): number {
  const z = normal(rng);
  return z / Math.sqrt(gamma(rng, df / 2) / (df / 2));
}

/** A uniform in (0, 1], whose logarithm is finite. */
function positive(rng: Rng): number {
  return 1 - rng();
}
