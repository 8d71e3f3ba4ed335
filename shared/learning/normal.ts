/** Half the width of a normal's 90 % range, in standard deviations. */
export const HALF_90 = 1.6448536269514722;

const LOG_ROOT_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** Beyond this the series would lose digits to cancellation. */
const TAIL = 5;

/**
 * Probability that a standard normal variable is at most `z`; the absolute error is below 1e-14.
 * Method: Marsaglia 2004, the Taylor series of Phi / phi; Laplace's continued fraction in the tails.
 */
export function normalCdf(z: number): number {
  const size = Math.abs(z);
  const upper = size > TAIL ? upperTail(size) : 0.5 - density(size) * ratioFromZero(size);
  return z > 0 ? 1 - upper : upper;
}

const density = (z: number) => Math.exp(-0.5 * z * z - LOG_ROOT_TWO_PI);

/** (Phi(z) - 1/2) / phi(z) = z + z^3/3 + z^5/(3·5) + … */
function ratioFromZero(z: number): number {
  let sum = 0;
  let term = z;
  for (let odd = 1; sum + term > sum; odd += 2) {
    sum += term;
    term *= (z * z) / (odd + 2);
  }
  return sum;
}

/** phi(z) / (z + 1/(z + 2/(z + 3/(z + …)))), from the innermost term that matters. */
function upperTail(z: number): number {
  let fraction = z;
  for (let depth = 100; depth >= 1; depth -= 1) fraction = z + depth / fraction;
  return density(z) / fraction;
}
