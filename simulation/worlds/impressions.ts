/**
 * Posts whose impressions are known at every age. They accrue as a Lomax curve (shape 1.1; half-life
 * lognormal around 80 minutes, Pfeffer et al. 2023) and are lognormal across posts; what is counted
 * scatters around that as a Poisson process does, by its normal limit.
 */

import { normal, type Rng } from '../../shared/learning/random.ts';
import type { MaturePost } from '../reference/growth.ts';
import { between, lognormal, poisson } from './draws.ts';

export type ImpressionWorld = {
  medianImpressions: number;
  impressionsLogSd: number;
  halfLifeLogSd: number;
  /** Correlation between how many see a post and how long it lives, both in logs. */
  sizeHalfLifeCorrelation: number;
  /** Share of posts that are seen a second time, as often as the first, 4 to 44 h later. */
  cascadeShare: number;
};

export const USUAL_IMPRESSIONS: ImpressionWorld = {
  medianImpressions: 1_000,
  impressionsLogSd: 1.2,
  halfLifeLogSd: 0.5,
  sizeHalfLifeCorrelation: 0,
  cascadeShare: 0,
};

/** The phases before 48 h, and one at 1 h for the early warning; nominal ages in hours. */
export const PHASES = [
  { phase: '30m', ageHours: 0.5 },
  { phase: '1h', ageHours: 1 },
  { phase: '2h', ageHours: 2 },
  { phase: '6h', ageHours: 6 },
  { phase: '24h', ageHours: 24 },
] as const;
const HORIZON_H = 48;

const SHAPE = 1.1;
const HALF_LIFE_H = 80 / 60;
const MINUTE_H = 1 / 60;

const accrued = (age: number, scaleH: number) => (age <= 0 ? 0 : 1 - (1 + age / scaleH) ** -SHAPE);

/** One post with its reads, each up to 5 % and a minute late. */
export function simulatePost(world: ImpressionWorld, rng: Rng): MaturePost {
  const size = normal(rng);
  const impressions = world.medianImpressions * Math.exp(world.impressionsLogSd * size);
  const rho = world.sizeHalfLifeCorrelation;
  const staying = rho * size + Math.sqrt(1 - rho * rho) * normal(rng);
  const halfLifeH = HALF_LIFE_H * Math.exp(world.halfLifeLogSd * staying);
  const scaleH = halfLifeH / (2 ** (1 / SHAPE) - 1);
  const again = rng() < world.cascadeShare ? between(rng, 4, 44) : Number.POSITIVE_INFINITY;
  const expected = (age: number) =>
    impressions * (accrued(age, scaleH) + accrued(age - again, scaleH));
  let expectedBefore = 0;
  let counted = 0;
  const read = (nominal: number) => {
    const ageHours = nominal + between(rng, 0, Math.min(0.05 * nominal + MINUTE_H, 1));
    const more = expected(ageHours) - expectedBefore;
    expectedBefore += more;
    counted += Math.max(0, Math.round(more + Math.sqrt(more) * normal(rng)));
    return { ageHours, impressions: counted };
  };
  const reads = PHASES.map(({ phase, ageHours }) => ({ phase, ...read(ageHours) }));
  return { reads, impressions48h: read(HORIZON_H).impressions };
}

export type CountedRead = {
  ageHours: number;
  impressions: number;
  likes: number;
  retweets: number;
  replies: number;
  bookmarks: number;
};

/** How engagement goes with impressions: rates of the median post, their spread between posts. */
export type EngagementWorld = ImpressionWorld & { likesPerImpression: number; rateLogSd: number };

/** Shares of the likes that the other counts have. */
const OTHER_RATES = { retweets: 0.2, replies: 0.15, bookmarks: 0.25 };

/** The share of each count that is withdrawn between two reads. */
const WITHDRAWN = 0.003;

/** The reads of a post with all their counts; engagement comes with each new impression. */
export function simulateCounts(world: EngagementWorld, rng: Rng): CountedRead[] {
  const rate = lognormal(rng, world.likesPerImpression, world.rateLogSd);
  const { reads } = simulatePost(world, rng);
  let before: CountedRead | undefined;
  return reads.map(({ ageHours, impressions }) => {
    const fresh = impressions - (before?.impressions ?? 0);
    const count = (share: number, had: number) =>
      Math.max(0, had + scattered(rng, rate * share * fresh) - scattered(rng, WITHDRAWN * had));
    const now = {
      ageHours,
      impressions,
      likes: count(1, before?.likes ?? 0),
      retweets: count(OTHER_RATES.retweets, before?.retweets ?? 0),
      replies: count(OTHER_RATES.replies, before?.replies ?? 0),
      bookmarks: count(OTHER_RATES.bookmarks, before?.bookmarks ?? 0),
    };
    before = now;
    return now;
  });
}

/** Largest values of made up numbers, as the first system drew them. */
const MADE_UP = { impressions: 10_000, likes: 300, retweets: 80, replies: 50, bookmarks: 60 };

/**
 * The reads of a post that nobody read: every number drawn evenly.
 *
 * @param sorted whether each count is put in order of age, so that it never falls
 */
export function makeUpCounts(rng: Rng, sorted: boolean): CountedRead[] {
  const drawn = (most: number) => {
    const values = PHASES.map(() => Math.floor(between(rng, 0, most)));
    return sorted ? values.sort((a, b) => a - b) : values;
  };
  const impressions = drawn(MADE_UP.impressions);
  const likes = drawn(MADE_UP.likes);
  const retweets = drawn(MADE_UP.retweets);
  const replies = drawn(MADE_UP.replies);
  const bookmarks = drawn(MADE_UP.bookmarks);
  return PHASES.map(({ ageHours }, index) => ({
    ageHours,
    impressions: impressions[index] ?? 0,
    likes: likes[index] ?? 0,
    retweets: retweets[index] ?? 0,
    replies: replies[index] ?? 0,
    bookmarks: bookmarks[index] ?? 0,
  }));
}

/** A Poisson draw; above 50 its normal limit. */
const scattered = (rng: Rng, mean: number) =>
  mean > 50 ? Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(rng))) : poisson(rng, mean);
