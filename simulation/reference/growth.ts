/**
 * How an account's posts grow from an early read to 48 h, and what that says about a young post.
 *
 * Method: the log-linear law of Szabo & Huberman 2008, ln(1 + I48) = ln(1 + I_h) + growth_h + noise,
 * with growth and noise taken from mature posts as order statistics: no distribution is assumed, so
 * the range holds 90 % of posts also where some are found late by a second audience.
 *
 * In SQL: `postloop.fit_growth`, and the projections of `post_rewards` and `rising_posts`.
 * tests/database/growth.test.ts, post-rewards.test.ts and early-warning.test.ts compare them.
 */
import { HALF_90 } from '../../shared/learning/normal.ts';
import { median, quantile } from './quantile.ts';

/** Posts from which an age's growth is taken; with fewer, those of all accounts stand in. */
const LEAST_MATURE_POSTS = 30;

/** The age that posts are judged at, hours. */
const HORIZON_H = 48;

/** Median half-life of a post's impressions, 80 minutes (Pfeffer et al. 2023), hours. */
const HALF_LIFE_H = 80 / 60;

/** Impressions at a true age in hours. */
export type EarlyRead = { ageHours: number; impressions: number };

/** A post with a read at 48 h, and its reads before, each of a phase of its own. */
export type MaturePost = {
  impressions48h: number;
  reads: readonly (EarlyRead & { phase: string })[];
};

/** How much is still to come at one age, in ln(1 + impressions). */
export type GrowthPoint = {
  phase: string;
  /** Median true age of the phase's reads, hours. */
  ageHours: number;
  /** Mature posts that were read in this phase. */
  posts: number;
  /** Median of ln(1 + I48) - ln(1 + I_h); exp(-growth) is the share that the post has already. */
  growth: number;
  /** The 5th and the 95th percentile of the same. */
  low90: number;
  high90: number;
  /** Standard deviation of a normal with as wide a 90 % range: s_h. */
  spread: number;
};

/**
 * The growth curve of an account: for each phase its own point where it has 30 mature posts with a
 * read in it, else that of `fallback`, the curve of all accounts (itself made by this function, from
 * everyone's posts). A phase that neither has is left out.
 *
 * @returns points in order of age; empty as long as nobody has 30 mature posts
 */
export function growthCurve(
  posts: readonly MaturePost[],
  fallback: readonly GrowthPoint[] = [],
): GrowthPoint[] {
  const seen = new Map<string, { ages: number[]; growths: number[] }>();
  for (const { impressions48h, reads } of posts) {
    for (const { phase, ageHours, impressions } of reads) {
      if (ageHours >= HORIZON_H) continue;
      const one = seen.get(phase) ?? { ages: [], growths: [] };
      one.ages.push(ageHours);
      one.growths.push(Math.log1p(impressions48h) - Math.log1p(impressions));
      seen.set(phase, one);
    }
  }
  const points = new Map(fallback.map((point) => [point.phase, point]));
  for (const [phase, { ages, growths }] of seen) {
    if (growths.length < LEAST_MATURE_POSTS) continue;
    const low90 = quantile(growths, 0.05);
    const high90 = quantile(growths, 0.95);
    points.set(phase, {
      phase,
      ageHours: median(ages),
      posts: growths.length,
      growth: median(growths),
      low90,
      high90,
      spread: (high90 - low90) / (2 * HALF_90),
    });
  }
  return [...points.values()].sort((a, b) => a.ageHours - b.ageHours);
}

/** A young post at 48 h, in ln(1 + impressions). */
export type Projection = {
  /** The middle: as likely to be passed as not. */
  y: number;
  low90: number;
  high90: number;
  /** Standard deviation of the error, s_h. */
  spread: number;
};

/**
 * Projects a read to 48 h. Between the ages of the curve it is linear in ln(1 + age / half-life), in
 * which impressions accrue about evenly. A read at 48 h or later is its own projection, exactly.
 *
 * @returns null for an age before the curve's first
 */
export function project(
  { ageHours, impressions }: EarlyRead,
  curve: readonly GrowthPoint[],
): Projection | null {
  const point = growthAt(ageHours, curve);
  if (!point) return null;
  const now = Math.log1p(impressions);
  return {
    y: now + point.growth,
    low90: now + point.low90,
    high90: now + point.high90,
    spread: point.spread,
  };
}

type Growth = Pick<GrowthPoint, 'ageHours' | 'growth' | 'low90' | 'high90' | 'spread'>;

const NOTHING_TO_COME: Growth = { ageHours: HORIZON_H, growth: 0, low90: 0, high90: 0, spread: 0 };

function growthAt(ageHours: number, curve: readonly GrowthPoint[]): Growth | undefined {
  if (ageHours >= HORIZON_H) return NOTHING_TO_COME;
  const above: Growth = curve.find((point) => point.ageHours >= ageHours) ?? NOTHING_TO_COME;
  if (above.ageHours === ageHours) return above;
  const below = curve.findLast((point) => point.ageHours < ageHours);
  if (!below) return undefined;
  const from = clock(below.ageHours);
  const part = (clock(ageHours) - from) / (clock(above.ageHours) - from);
  const between = (key: keyof Growth) => below[key] + part * (above[key] - below[key]);
  return {
    ageHours,
    growth: between('growth'),
    low90: between('low90'),
    high90: between('high90'),
    spread: between('spread'),
  };
}

const clock = (ageHours: number) => Math.log1p(ageHours / HALF_LIFE_H);
