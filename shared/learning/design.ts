/**
 * What a post's features are: an intercept, one feature for each value of each dimension, and
 * nuisances that move the outcome without being chosen for it. All levels are kept, without one of
 * reference: the prior identifies them, so that no value is special.
 */
import type { DimensionValues, PostKind } from '../contracts/identifiers.ts';
import { type FeatureGroup, INTERCEPT_VARIANCE, type SparseRow } from './additive.ts';
import { byCodeUnits } from './order.ts';

const DAY_MS = 86_400_000;
const HOURS_OF_BAND = 3;
/** Weeks by themselves; what is older has little weight and shares one level. */
const RECENT_WEEKS = 26;

export type DesignPost = {
  /** What the post turned out to be, not what was assigned. */
  values: DimensionValues;
  postedAt: Date;
  kind: PostKind;
  /** Followers of the account when it was posted. */
  followers: number | null;
};

export type Design = {
  size: number;
  groups: FeatureGroup[];
  /** Those of the groups that are dimensions. */
  dimensions: FeatureGroup[];
  /** The features of each post, in the order of the posts. */
  rows: Pick<SparseRow, 'indices' | 'values'>[];
};

/** Names of nuisances hold a colon, which no dimension's does. */
const WEEK = 'nuisance:week';
const HOUR_BAND = 'nuisance:hour_band';
const WEEKEND = 'nuisance:weekend';
const KIND = 'nuisance:kind';
export const FOLLOWERS = 'nuisance:ln_followers';

/**
 * The design of an account's posts. Features are ordered by name: the intercept, dimensions and
 * their values, then nuisances: week (UTC, from Monday), hour band (8 of 3 h, UTC), weekend, kind of post and
 * the logarithm of followers, with mean 0 and variance 1 over the posts that have it, 0 for the others.
 * A nuisance that is the same for all posts is left out.
 */
export function designOf(posts: readonly DesignPost[]): Design {
  const rows = posts.map(() => ({ indices: [0], values: [1] }));
  const groups: FeatureGroup[] = [
    { name: 'intercept', first: 0, features: ['intercept'], variance: INTERCEPT_VARIANCE },
  ];
  let size = 1;
  const add = (name: string, features: string[], of: (post: number) => [number, number] | null) => {
    const group = { name, first: size, features };
    size += features.length;
    groups.push(group);
    rows.forEach((row, index) => {
      const found = of(index);
      if (!found) return;
      row.indices.push(group.first + found[0]);
      row.values.push(found[1]);
    });
    return group;
  };
  const levels = (name: string, labels: readonly (string | undefined)[], least: number) => {
    const features = [...new Set(labels.filter((label) => label !== undefined))].sort(byCodeUnits);
    if (features.length < least) return [];
    const indexOf = new Map(features.map((feature, index) => [feature, index]));
    const group = add(name, features, (post) => {
      const index = indexOf.get(labels[post] ?? '');
      return index === undefined ? null : [index, 1];
    });
    return [group];
  };

  const names = [...new Set(posts.flatMap(({ values }) => Object.keys(values)))].sort(byCodeUnits);
  const dimensions = names.flatMap((name) =>
    levels(
      name,
      posts.map(({ values }) => values[name]),
      1,
    ),
  );
  const newest = Math.max(...posts.map(({ postedAt }) => weekOf(postedAt)));
  const ofPost = (label: (post: DesignPost) => string) => posts.map(label);
  levels(
    WEEK,
    ofPost(({ postedAt }) => weekLabel(weekOf(postedAt), newest)),
    2,
  );
  levels(
    HOUR_BAND,
    ofPost(({ postedAt }) => `${hourBand(postedAt)}`),
    2,
  );
  levels(
    WEEKEND,
    ofPost(({ postedAt }) => `${isWeekend(postedAt)}`),
    2,
  );
  levels(
    KIND,
    ofPost(({ kind }) => kind),
    2,
  );
  const audience = standardised(
    posts.map(({ followers }) => (followers === null ? null : Math.log(followers + 1))),
  );
  if (audience) {
    add(FOLLOWERS, [FOLLOWERS], (post) => {
      const size = audience[post] ?? 0;
      return size === 0 ? null : [0, size];
    });
  }
  return { size, groups, dimensions, rows };
}

/** Weeks since Monday, 29 December 1969. */
export function weekOf(moment: Date): number {
  return Math.floor((+moment / DAY_MS + 3) / 7);
}

function weekLabel(week: number, newest: number): string {
  return week > newest - RECENT_WEEKS ? `${week}`.padStart(6, '0') : 'older';
}

function hourBand(moment: Date): number {
  return Math.floor(moment.getUTCHours() / HOURS_OF_BAND);
}

function isWeekend(moment: Date): boolean {
  return moment.getUTCDay() % 6 === 0;
}

/** With mean 0 and variance 1, 0 for null; null where the numbers that are there do not vary. */
export function standardised(numbers: readonly (number | null)[]): number[] | null {
  const known = numbers.filter((number) => number !== null);
  const mean = known.reduce((sum, number) => sum + number, 0) / known.length;
  const variance = known.reduce((sum, number) => sum + (number - mean) ** 2, 0) / known.length;
  if (!(variance > 1e-12)) return null;
  return numbers.map((number) => (number === null ? 0 : (number - mean) / Math.sqrt(variance)));
}
