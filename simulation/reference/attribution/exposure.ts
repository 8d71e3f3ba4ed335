/**
 * A post's exposure: the impressions that it gathered in each hour of its first seven days, weighed by
 * its profile clicks where X shows them. In SQL a part of `postloop.split_blocks`, compared with the
 * whole by tests/database/attribution-parity.test.ts.
 */
import { gridImpressions } from './grid.ts';
import { HOUR_MS } from './hours.ts';

/** The age up to which a post's impressions count, hours. */
export const ACTIVE_HOURS = 168;

/** The median half-life of a post, 80 minutes, in hours (Pfeffer et al. 2023). */
const HALF_LIFE_H = 1.333;

/** Profile clicks at the account's usual rate that every post is given beside its own. */
const CLICK_PRIOR = 4;

/** A post's counts up to a moment. */
type ImpressionRead = {
  /** ms */
  capturedAt: number;
  impressions: number;
  /** Visits to the author's profile from the post; X shows them to the author alone. */
  profileClicks?: number | null;
};

export type AttributedPost = {
  id: string;
  /** ms */
  postedAt: number;
  /** In any order. */
  reads: readonly ImpressionRead[];
};

/** A stretch between two reads in which a post gathered impressions; ages in hours. */
export type Segment = {
  fromAge: number;
  toAge: number;
  gained: number;
  /** When the read at its end was made, ms: before, nothing is known of the segment. */
  knownAt: number;
  /** What that read showed. */
  impressions: number;
  profileClicks: number | null;
};

/**
 * The segments between a post's reads, by age. A count below an earlier one gained nothing, and
 * nothing is gained again until the highest count is passed.
 */
export function segmentsOf({ postedAt, reads }: AttributedPost): Segment[] {
  const ordered = [...reads].sort(
    (one, other) =>
      one.capturedAt - other.capturedAt ||
      other.impressions - one.impressions ||
      (other.profileClicks ?? -1) - (one.profileClicks ?? -1),
  );
  const segments: Segment[] = [];
  let fromAge = 0;
  let highest = 0;
  for (const { capturedAt, impressions, profileClicks = null } of ordered) {
    const toAge = (capturedAt - postedAt) / HOUR_MS;
    // of two counts of one moment the higher one stands
    if (toAge <= fromAge) continue;
    const gained = Math.max(impressions - highest, 0);
    segments.push({ fromAge, toAge, gained, knownAt: capturedAt, impressions, profileClicks });
    fromAge = toAge;
    highest = Math.max(highest, impressions);
  }
  return segments;
}

/**
 * How much each post's impressions count, by how often those who saw it looked who wrote it: that is
 * what a follow begins with. 1 is usual for the posts given, and stands where no clicks are known. A
 * post's clicks count as if it had had `CLICK_PRIOR` more at the usual rate, for few say little.
 *
 * @param asOf ms; later reads are left out
 */
export function clickWeights(posts: readonly (readonly Segment[])[], asOf: number): Float64Array {
  const newest = posts.map((segments) =>
    segments.findLast(({ knownAt, profileClicks }) => knownAt <= asOf && profileClicks !== null),
  );
  let clicks = 0;
  let impressions = 0;
  for (const read of newest) {
    clicks += read?.profileClicks ?? 0;
    impressions += read?.impressions ?? 0;
  }
  if (clicks === 0 || impressions === 0) return new Float64Array(posts.length).fill(1);
  const rate = clicks / impressions;
  return Float64Array.from(newest, (read) =>
    read ? (CLICK_PRIOR + (read.profileClicks ?? 0)) / (CLICK_PRIOR + rate * read.impressions) : 1,
  );
}

/**
 * Adds a post's exposure by hour, from the reads up to `asOf`. Within a segment impressions follow
 * ln(1 + age / 1.333 h), for attention decays; after the last read nothing is guessed.
 *
 * @param weight what an impression of the post counts
 * @param fromHour the hour of `into[0]`; hours outside of `into` are left out
 * @param into impressions by hour, multiples of 2^-20
 */
export function addExposure(
  postedAt: number,
  segments: readonly Segment[],
  weight: number,
  asOf: number,
  fromHour: number,
  into: Float64Array,
): void {
  /** Age of the post at the start of hour `fromHour`. */
  const ageAtStart = (fromHour * HOUR_MS - postedAt) / HOUR_MS;
  const end = Math.min(into.length, Math.ceil(ACTIVE_HOURS - ageAtStart));
  for (const { fromAge, toAge, gained, knownAt } of segments) {
    if (knownAt > asOf) return;
    if (gained === 0) continue;
    const first = Math.max(Math.floor(fromAge - ageAtStart), 0);
    const last = Math.min(Math.ceil(toAge - ageAtStart), end);
    const perUnit = gained / Math.log((HALF_LIFE_H + toAge) / (HALF_LIFE_H + fromAge));
    for (let i = first; i < last; i += 1) {
      const age = ageAtStart + i;
      const from = HALF_LIFE_H + Math.max(fromAge, age);
      const to = HALF_LIFE_H + Math.min(toAge, age + 1);
      if (to > from) {
        into[i] = (into[i] ?? 0) + gridImpressions(perUnit * weight * Math.log(to / from));
      }
    }
  }
}
