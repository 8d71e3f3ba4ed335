/**
 * The two grids that make sums exact. A sum of floats depends on the order of its rows, and a
 * database promises no order; a sum of multiples of 2^-n does not, as long as it needs no more than
 * the 53 bits of a double. So everything that is summed over posts is rounded to a grid first.
 * `postloop.split_blocks` has the same two grids; tests/database/attribution-parity.test.ts would show
 * another.
 */

/** Impressions are multiples of 2^-20: exact below 8.6 billion impressions an hour. */
const IMPRESSION_STEPS = 2 ** 20;

/** Followers are multiples of 2^-30: exact below 8.4 million followers a post or an hour. */
const FOLLOWER_STEPS = 2 ** 30;

/** The nearest multiple of 2^-20; half a step goes up. */
export function gridImpressions(impressions: number): number {
  return Math.floor(impressions * IMPRESSION_STEPS + 0.5) / IMPRESSION_STEPS;
}

/** The nearest multiple of 2^-30; half a step goes up. */
export function gridFollowers(followers: number): number {
  return Math.floor(followers * FOLLOWER_STEPS + 0.5) / FOLLOWER_STEPS;
}
