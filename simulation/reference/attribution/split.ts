/**
 * Splits what the hours of one block gained between organic drift and posts. In SQL a part of
 * `postloop.split_blocks`, compared with the whole by tests/database/attribution-parity.test.ts.
 */
import { gridFollowers } from './grid.ts';
import type { Rates } from './rates.ts';

/** The impressions of a block's posts that act in its hours; the hours of each post are in a row. */
export type BlockExposure = {
  /** Which post, an index of the caller. */
  post: Int32Array;
  /** The block's hour that each post's first value belongs to. */
  firstHour: Int32Array;
  /** Where each post's values begin in `acting`; one more entry for the end. */
  start: Int32Array;
  /** Impressions, multiples of 2^-20. */
  acting: Float64Array;
};

/** An hour of a block: what of its change is to be split, and whether it can be. */
export type BlockHours = {
  /** Followers; 0 where the hour is not split. */
  explained: Float64Array;
  /** 1 where the hour's change is known to the hour, 0 in gaps and before the first count. */
  known: Uint8Array;
};

/** A post's part of the block's hours; each sum is exact, so parts of blocks add up in any order. */
export type CreditSums = {
  credit2h: number;
  credit24h: number;
  credit48h: number;
  credit7d: number;
  /** sum of |x| p (1 - p) up to 48 h: who followed whom. */
  thinning48h: number;
  /** The same over hours of growth: what the post's unknown conversion acts on. */
  spread48h: number;
};

export const NO_CREDIT: Readonly<CreditSums> = {
  credit2h: 0,
  credit24h: 0,
  credit48h: 0,
  credit7d: 0,
  thinning48h: 0,
  spread48h: 0,
};

/** Total of the posts' exposure by hour of the block. */
export function totalExposure(exposure: BlockExposure, hours: number): Float64Array {
  const total = new Float64Array(hours);
  const { firstHour, start, acting } = exposure;
  for (let i = 0; i < firstHour.length; i += 1) {
    const shift = (firstHour[i] ?? 0) - (start[i] ?? 0);
    const end = start[i + 1] ?? 0;
    for (let j = start[i] ?? 0; j < end; j += 1) {
      total[j + shift] = (total[j + shift] ?? 0) + (acting[j] ?? 0);
    }
  }
  return total;
}

/** Followers expected by hour: organic drift and, rounded to 2^-30 each, the arrivals of every post. */
function expectedFollowers(
  { firstHour, start, acting }: BlockExposure,
  conversion: Float64Array,
  b: number,
  hours: number,
): Float64Array {
  const expected = new Float64Array(hours);
  for (let i = 0; i < firstHour.length; i += 1) {
    const q = conversion[i] ?? 0;
    const shift = (firstHour[i] ?? 0) - (start[i] ?? 0);
    const end = start[i + 1] ?? 0;
    for (let j = start[i] ?? 0; j < end; j += 1) {
      expected[j + shift] = (expected[j + shift] ?? 0) + gridFollowers(q * (acting[j] ?? 0));
    }
  }
  for (let hour = 0; hour < hours; hour += 1) expected[hour] = (expected[hour] ?? 0) + b;
  return expected;
}

/**
 * How well each post converts, followers per impression: expectation and maximisation of a Poisson
 * mixture in which a post's conversion is q times a Gamma(shape) with mean 1. Posts that were older
 * than `estimatedAge` when the block began keep q: the few who still see them say nothing, and they
 * are two thirds of the rows.
 *
 * @param ageAtStart each post's age at the start of the block's first hour, hours
 */
export function estimateConversions(
  exposure: BlockExposure,
  { explained, known }: BlockHours,
  ageAtStart: Float64Array,
  { b, q }: Rates,
  { passes, shape, estimatedAge }: { passes: number; shape: number; estimatedAge: number },
): Float64Array {
  const { firstHour, start, acting } = exposure;
  const conversion = new Float64Array(firstHour.length).fill(q);
  const seen = new Float64Array(firstHour.length);
  for (let i = 0; i < firstHour.length; i += 1) {
    const shift = (firstHour[i] ?? 0) - (start[i] ?? 0);
    const end = start[i + 1] ?? 0;
    for (let j = start[i] ?? 0; j < end; j += 1) {
      if (known[j + shift] === 1) seen[i] = (seen[i] ?? 0) + (acting[j] ?? 0);
    }
  }
  for (let pass = 0; pass < passes; pass += 1) {
    const expected = expectedFollowers(exposure, conversion, b, explained.length);
    for (let i = 0; i < firstHour.length; i += 1) {
      if ((ageAtStart[i] ?? 0) > estimatedAge) continue;
      const own = conversion[i] ?? 0;
      const shift = (firstHour[i] ?? 0) - (start[i] ?? 0);
      const end = start[i + 1] ?? 0;
      let gained = 0;
      for (let j = start[i] ?? 0; j < end; j += 1) {
        const x = explained[j + shift] ?? 0;
        const mu = expected[j + shift] ?? 0;
        if (x <= 0 || mu <= 0) continue;
        gained += gridFollowers(x * (gridFollowers(own * (acting[j] ?? 0)) / mu));
      }
      conversion[i] = (shape + gained) / (shape / q + (seen[i] ?? 0));
    }
  }
  return conversion;
}

/**
 * Credits each post with x * p of every hour, p being its share of the followers expected then. An
 * hour that a post's 2nd, 24th or 48th hour ends in counts for its part before that age.
 *
 * @param ageAtStart each post's age at the start of the block's first hour, hours
 * @param credited adds the followers credited to all posts, by hour of the block
 * @returns one a post of `exposure`, in its order
 */
export function creditPosts(
  exposure: BlockExposure,
  explained: Float64Array,
  { conversion, b }: { conversion: Float64Array; b: number },
  ageAtStart: Float64Array,
  credited: Float64Array,
): CreditSums[] {
  const { firstHour, start, acting } = exposure;
  const expected = expectedFollowers(exposure, conversion, b, explained.length);
  return Array.from(firstHour, (first, i) => {
    const sums = { ...NO_CREDIT };
    const q = conversion[i] ?? 0;
    const begin = start[i] ?? 0;
    const end = start[i + 1] ?? 0;
    for (let j = begin; j < end; j += 1) {
      const hour = first + j - begin;
      const x = explained[hour] ?? 0;
      const mu = expected[hour] ?? 0;
      if (x === 0 || mu <= 0) continue;
      const share = gridFollowers(q * (acting[j] ?? 0)) / mu;
      const credit = gridFollowers(x * share);
      credited[hour] = (credited[hour] ?? 0) + credit;
      const age = (ageAtStart[i] ?? 0) + hour;
      sums.credit2h += gridFollowers(credit * partBefore(2, age));
      sums.credit24h += gridFollowers(credit * partBefore(24, age));
      sums.credit48h += gridFollowers(credit * partBefore(48, age));
      sums.credit7d += credit;
      const thinning = gridFollowers(Math.abs(credit) * (1 - share) * partBefore(48, age));
      sums.thinning48h += thinning;
      if (x > 0) sums.spread48h += thinning;
    }
    return sums;
  });
}

/** The part of the hour from `age` to `age + 1` that lies before an age, all in hours. */
const partBefore = (limit: number, age: number) => Math.min(Math.max(limit - age, 0), 1);

/** Sums of two parts of the same post. */
export const addCredit = (one: CreditSums, other: CreditSums): CreditSums => ({
  credit2h: one.credit2h + other.credit2h,
  credit24h: one.credit24h + other.credit24h,
  credit48h: one.credit48h + other.credit48h,
  credit7d: one.credit7d + other.credit7d,
  thinning48h: one.thinning48h + other.thinning48h,
  spread48h: one.spread48h + other.spread48h,
});
