/**
 * Whether numbers look like those of posts: what `postloop.check_numbers` says of falling and of made
 * up numbers, once more. tests/database/plausibility-parity.test.ts compares the two.
 */

import { median } from './quantile.ts';
import { spearman } from './ranks.ts';

/** The counts that may hardly fall, and how far: the greater of a number and a share of the last one. */
const TOLERATED = {
  impressions: { count: 0, percent: 0.5 },
  likes: { count: 3, percent: 6 },
  retweets: { count: 3, percent: 6 },
  replies: { count: 3, percent: 6 },
  bookmarks: { count: 3, percent: 6 },
} as const;
export const COUNTS = Object.keys(TOLERATED) as Count[];
export type Count = keyof typeof TOLERATED;

/** Days after which a post is no longer judged, and how many of the newest of an account are. */
const MOST_AGE_H = 30 * 24;
const NEWEST_POSTS = 40;

/** Posts below which falling numbers show nothing, and how many of them may fall. */
const LEAST_POSTS = 10;
const ODD_POSTS = 1;
const WARNING_PERCENT = 5;
const FAILING_PERCENT = 20;

/** How many of an account's posts are judged together, each by its first read at this age or later. */
export const POSTS_JUDGED = 30;
const JUDGED_AGE_H = 24;
const LEAST_CORRELATION = 0.3;
const LEAST_SKEWNESS = 0.5;
/** Likes of the middle post below which likes, mostly 0 and 1, follow nothing. */
const LEAST_MEDIAN_LIKES = 3;
/** Posts that may show more likes than impressions. */
const IMPOSSIBLE_POSTS = 3;

/** One accepted read; null is what was not read. */
export type JudgedRead = {
  ageHours: number;
  quality: 'exact' | 'rounded' | 'suspect';
} & Readonly<Record<Count, number | null>>;

/** A post as old as `ageHours` with its reads, in any order; those to come later are not looked at. */
export type JudgedPost = { id: string; ageHours: number; reads: readonly JudgedRead[] };
export type JudgedAccount = { handle: string; posts: readonly JudgedPost[] };

/**
 * Whether a count fell below its last known one by more than is withdrawn. What was not read is passed
 * over. A field that was not found and stored as 0 is a fall from 4 on, impressions from 1.
 */
export function falls(reads: readonly JudgedRead[]): boolean {
  const byAge = reads.toSorted((a, b) => a.ageHours - b.ageHours);
  return COUNTS.some((count) => {
    const known = byAge.flatMap(({ [count]: value }) => value ?? []);
    const { count: least, percent } = TOLERATED[count];
    return known.some((value, index) => {
      const before = known[index - 1] ?? value;
      // in whole numbers: 0.06 of a count is no float
      return before - value > least && 1000 * (before - value) > 10 * percent * before;
    });
  });
}

/** `handle` is null for all accounts together; all but the status is null where too few are known. */
export type FallingPosts = {
  status: 'ok' | 'warning' | 'failing';
  handle: string | null;
  posts: number | null;
  falling: number | null;
  newest: string | null;
};

/** metrics_monotone: the account, or all together, whose posts fall most. */
export function fallingPosts(accounts: readonly JudgedAccount[]): FallingPosts {
  const judged = accounts.map(({ handle, posts }) => ({
    handle: handle as string | null,
    posts: newestPosts(posts, 0)
      .map((post) => ({ ...post, reads: readsOf(post, ['exact']) }))
      .filter(({ reads }) => reads.length > 1),
  }));
  const together = {
    handle: null,
    posts: judged.flatMap(({ posts }) => posts).toSorted((a, b) => a.ageHours - b.ageHours),
  };
  const [worst] = [...judged, together]
    .filter(({ posts }) => posts.length >= LEAST_POSTS)
    .map(({ handle, posts }) => {
      const fallen = posts.filter(({ reads }) => falls(reads));
      return { handle, posts: posts.length, falling: fallen.length, newest: fallen[0]?.id ?? null };
    })
    .toSorted(
      (a, b) =>
        Number(b.falling > ODD_POSTS) - Number(a.falling > ODD_POSTS) ||
        b.falling * a.posts - a.falling * b.posts ||
        byHandle(a, b),
    );
  if (!worst) return { status: 'ok', handle: null, posts: null, falling: null, newest: null };
  const isMoreThan = (percent: number) =>
    worst.falling > ODD_POSTS && 100 * worst.falling > percent * worst.posts;
  return {
    ...worst,
    status: isMoreThan(FAILING_PERCENT)
      ? 'failing'
      : isMoreThan(WARNING_PERCENT)
        ? 'warning'
        : 'ok',
  };
}

export type Plausibility = {
  handle: string;
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
 * @returns null below 30 posts
 */
export function plausibility({ handle, posts }: JudgedAccount): Plausibility | null {
  const read = newestPosts(posts, JUDGED_AGE_H).flatMap((post) => {
    const first = readsOf(post, ['exact', 'rounded']).find(
      (one) => one.ageHours >= JUDGED_AGE_H && one.impressions !== null && one.likes !== null,
    );
    return first ? { impressions: first.impressions ?? 0, likes: first.likes ?? 0 } : [];
  });
  if (read.length < POSTS_JUDGED) return null;
  const newest = read.slice(0, POSTS_JUDGED);
  const impressions = newest.map((post) => post.impressions);
  const likes = newest.map((post) => post.likes);
  const correlation = spearman(impressions, likes);
  const skew = skewness(impressions);
  const medianLikes = median(likes);
  const impossible = newest.filter((post) => post.likes > post.impressions).length;
  return {
    handle,
    correlation,
    skewness: skew,
    medianLikes,
    impossible,
    looksUniform:
      correlation < LEAST_CORRELATION && skew < LEAST_SKEWNESS && medianLikes >= LEAST_MEDIAN_LIKES,
    looksImpossible: impossible > IMPOSSIBLE_POSTS,
  };
}

/** metrics_plausible: how many accounts are judged, and those that look made up, the worst first. */
export function madeUpAccounts(accounts: readonly JudgedAccount[]) {
  const judged = accounts.flatMap((account) => plausibility(account) ?? []);
  return {
    judged: judged.length,
    madeUp: judged
      .filter(({ looksUniform, looksImpossible }) => looksUniform || looksImpossible)
      .toSorted((a, b) => b.impossible - a.impossible || byHandle(a, b)),
  };
}

/** The newest posts of at least an age, the newest first. */
const newestPosts = (posts: readonly JudgedPost[], leastAgeHours: number) =>
  posts
    .filter(({ ageHours }) => ageHours >= leastAgeHours && ageHours < MOST_AGE_H)
    .toSorted((a, b) => a.ageHours - b.ageHours)
    .slice(0, NEWEST_POSTS);

/** The reads so far of some qualities, in order of age. */
const readsOf = ({ ageHours, reads }: JudgedPost, qualities: JudgedRead['quality'][]) =>
  reads
    .filter((read) => read.ageHours <= ageHours && qualities.includes(read.quality))
    .toSorted((a, b) => a.ageHours - b.ageHours);

/** In order of their letters; all accounts together come last. */
function byHandle(a: { handle: string | null }, b: { handle: string | null }): number {
  if (a.handle === null || b.handle === null)
    return Number(a.handle === null) - Number(b.handle === null);
  return a.handle < b.handle ? -1 : Number(a.handle > b.handle);
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
