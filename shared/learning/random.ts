import { PostloopError } from '../contracts/error.ts';

/** A source of uniform numbers in [0, 1). */
export type Rng = () => number;

const TWO_TO_32 = 2 ** 32;

/**
 * The mulberry32 generator: the same seed gives the same numbers on every platform.
 *
 * @param seed an integer from 0 to 2^32 - 1, so that a stored seed replays exactly one sequence
 * @throws PostloopError `seed_invalid` for any other seed
 */
export function mulberry32(seed: number): Rng {
  if (!Number.isInteger(seed) || seed < 0 || seed >= TWO_TO_32) {
    throw new PostloopError(500, 'seed_invalid', 'Pass an integer from 0 to 4294967295 as seed.', {
      seed,
    });
  }
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / TWO_TO_32;
  };
}

/**
 * One standard normal draw. Method: Marsaglia's polar one, because it takes only logarithms and
 * square roots: cosines differ in their last digit between Node and Deno, and a replayed seed must
 * not. Takes pairs of numbers until one lies inside the unit circle.
 */
export function normal(rng: Rng): number {
  for (;;) {
    const x = 2 * rng() - 1;
    const y = 2 * rng() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}
