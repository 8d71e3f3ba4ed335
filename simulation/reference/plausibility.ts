/**
 * Whether numbers look like those of posts. The first system stored random ones; these rules catch
 * such without taking a viral post, or a like that was withdrawn, for a fake.
 */

import { median } from '../../shared/learning/robust.ts';
import { spearman } from './ranks.ts';

/** How many of an account's newest posts are judged together. */
export const POSTS_JUDGED = 30;

const LEAST_CORRELATION = 0.3;
const LEAST_SKEWNESS = 0.5;

/** Likes of the middle post below which likes, mostly 0 and 1, follow nothing. */
const LEAST_MEDIAN_LIKES = 3;

/** Posts of the 30 that may show more likes than impressions: one in ten. */
const MOST_IMPOSSIBLE = 3;

export type JudgedPost = { impressions: number; likes: number };

export type Plausibility = {
  /** Spearman's, of impressions and likes; NaN where one of them does not vary. */
  correlation: number;
  /** Third standardised moment of the impressions; NaN where they do not vary. */
  skewness: number;
  medianLikes: number;
  /** Posts with more likes than impressions. */
  impossible: number;
  looksUniform: boolean;
  looksImpossible: boolean;
};

/**
 * Judges an account's newest 30 posts, all read at about the same age: of mixed ages, made up
 * numbers rise together too. Impressions of real posts are skewed and likes go with them; of numbers
 * drawn evenly neither is so.
 *
 * @param posts newest first; those after the 30th are not looked at
 * @returns null below 30 posts
 */
export function plausibility(posts: readonly JudgedPost[]): Plausibility | null {
  if (posts.length < POSTS_JUDGED) return null;
  const newest = posts.slice(0, POSTS_JUDGED);
  const impressions = newest.map((post) => post.impressions);
  const likes = newest.map((post) => post.likes);
  const correlation = spearman(impressions, likes);
  const skew = skewness(impressions);
  const medianLikes = median(likes);
  const impossible = newest.filter((post) => post.likes > post.impressions).length;
  return {
    correlation,
    skewness: skew,
    medianLikes,
    impossible,
    looksUniform:
      correlation < LEAST_CORRELATION && skew < LEAST_SKEWNESS && medianLikes >= LEAST_MEDIAN_LIKES,
    looksImpossible: impossible > MOST_IMPOSSIBLE,
  };
}

/** Whether an account's newest 30 posts look drawn evenly; false below 30. */
export const looksUniform = (posts: readonly JudgedPost[]) =>
  plausibility(posts)?.looksUniform ?? false;

const COUNTS = ['impressions', 'likes', 'retweets', 'replies', 'bookmarks'] as const;
type Count = (typeof COUNTS)[number];

/** One exact read of a post; null is what was not read. */
export type CountRead = { ageHours: number } & Readonly<Record<Count, number | null>>;

/**
 * A count that fell between two reads. `fall` makes the later read suspect; `parse_fault`, a drop to
 * 0 from 5 or more, says that the field was not found and is unknown rather than 0.
 */
export type MonotoneViolation = {
  count: Count;
  kind: 'fall' | 'parse_fault';
  before: { ageHours: number; value: number };
  after: { ageHours: number; value: number };
};

/** Impressions never fall, but for rounding. */
const IMPRESSIONS_TOLERANCE = 0.005;

/** Likes and the like are withdrawn: up to 5.5 % between two reads in three years of a real post. */
const WITHDRAWN_SHARE = 0.06;
const WITHDRAWN_COUNT = 3;

const LEAST_PARSE_FAULT = 5;

/**
 * The falls of a post's counts between consecutive reads by age that withdrawal does not explain.
 * What was not read, or not found, is passed over: the next read is compared with the one before.
 */
export function monotoneViolations(reads: readonly CountRead[]): MonotoneViolation[] {
  const byAge = reads.toSorted((a, b) => a.ageHours - b.ageHours);
  return COUNTS.flatMap((count) => {
    const violations: MonotoneViolation[] = [];
    let before: MonotoneViolation['before'] | undefined;
    for (const { ageHours, [count]: value } of byAge) {
      if (value === null) continue;
      const after = { ageHours, value };
      const kind = before && violation(count, before.value, value);
      if (before && kind) violations.push({ count, kind, before, after });
      if (kind !== 'parse_fault') before = after;
    }
    return violations;
  });
}

function violation(count: Count, before: number, after: number) {
  if (after === 0 && before >= LEAST_PARSE_FAULT) return 'parse_fault';
  const tolerated =
    count === 'impressions'
      ? IMPRESSIONS_TOLERANCE * before
      : Math.max(WITHDRAWN_COUNT, WITHDRAWN_SHARE * before);
  return before - after > tolerated ? 'fall' : undefined;
}

/** The third standardised moment of a population. */
function skewness(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    squares += (value - mean) ** 2;
    cubes += (value - mean) ** 3;
  }
  return cubes / values.length / (squares / values.length) ** 1.5;
}
