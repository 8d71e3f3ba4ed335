/**
 * A simulated account whose followers are known one by one: which post brought whom, and when.
 *
 * Impressions accrue as a Lomax curve (shape 1.1; half-life lognormal around 80 minutes, Pfeffer et
 * al. 2023) and are lognormal across posts; each brings a follower with the post's own, lognormal
 * probability, after an exponential delay. Organic followers come and go as Poisson processes.
 */

import { mulberry32, normal, type Rng } from '../../shared/learning/random.ts';
import type { AttributedPost } from '../reference/attribution/exposure.ts';
import { type FollowerSnapshot, HOUR_MS } from '../reference/attribution/hours.ts';
import { between, exponential, lognormal, poisson } from './draws.ts';

export type World = {
  days: number;
  postsPerDay: number;
  medianImpressions: number;
  impressionsLogSd: number;
  halfLifeLogSd: number;
  /** Followers per impression of the median post. */
  medianConversion: number;
  conversionLogSd: number;
  /** Correlation between a post's reach and its conversion, both in logs. */
  reachConversionCorrelation: number;
  /** Profile clicks, where X shows them. */
  clicks?: {
    /** Clicks per impression of the median post. */
    medianRate: number;
    rateLogSd: number;
    /** Correlation between a post's click rate and its conversion, both in logs. */
    conversionCorrelation: number;
  };
  /** Mean delay between seeing and following, hours. */
  delayHours: number;
  organicGainsPerDay: number;
  organicLossesPerDay: number;
  /** Followers that come or go at once, each at a random moment. */
  shocks: readonly number[];
  /** Share of posts that are seen a second time, as often as the first, 12 to 96 h later. */
  cascadeShare: number;
  /** Impressions in 48 h at which an audience follows half as readily; undefined: never tires. */
  fatigueImpressions?: number;
  /** X shows only multiples of this. */
  shownStep?: number;
  /** Stretches without any follower count, hours, each at a random moment. */
  outages: readonly number[];
};

export type SimulatedAccount = {
  posts: AttributedPost[];
  snapshots: FollowerSnapshot[];
  /** Followers that each post brought within 48 h, in the order of `posts`. */
  truth: Float64Array;
  /** Moments of the shocks, ms. */
  shocks: { at: number; size: number }[];
  startsAt: number;
  endsAt: number;
};

const SHAPE = 1.1;
const HALF_LIFE_H = 80 / 60;
const READ_AGES_H = [0.5, 2, 6, 24, 48, 168];
const FIRST_DAY = Date.UTC(2026, 0, 5);
const MINUTE_H = 1 / 60;

type Burst = { startsAt: number; scaleH: number; impressions: number };
type SimulatedPost = { at: number; conversion: number; clickRate?: number; bursts: Burst[] };

const accrued = (age: number, scaleH: number) => (age <= 0 ? 0 : 1 - (1 + age / scaleH) ** -SHAPE);

const seen = ({ bursts }: SimulatedPost, at: number) =>
  bursts.reduce(
    (sum, { startsAt, scaleH, impressions }) => sum + impressions * accrued(at - startsAt, scaleH),
    0,
  );

/** Lives through a world; times inside are hours since its start. */
export function simulateAccount(world: World, seed: number): SimulatedAccount {
  const rng = mulberry32(seed);
  const startsAt = FIRST_DAY + Math.floor(rng() * 336) * HOUR_MS;
  const hours = world.days * 24;
  const toMoment = (hour: number) => startsAt + Math.round(hour * HOUR_MS);

  const posts = drawPosts(world, rng, hours);
  const readiness = readinessByHour(world, posts, hours);
  const arrivals: number[] = [];
  const truth = new Float64Array(posts.length);
  posts.forEach((post, index) => {
    for (const burst of post.bursts) {
      const followers = poisson(rng, post.conversion * burst.impressions);
      for (let i = 0; i < followers; i += 1) {
        const seenAt = burst.startsAt + burst.scaleH * ((1 - rng()) ** (-1 / SHAPE) - 1);
        const at = seenAt + world.delayHours * exponential(rng);
        if (readiness && rng() >= (readiness[Math.floor(seenAt)] ?? 1)) continue;
        arrivals.push(at);
        if (at - post.at < 48) truth[index] = (truth[index] ?? 0) + 1;
      }
    }
  });
  const organic = (perDay: number) =>
    Array.from({ length: poisson(rng, perDay * world.days) }, () => rng() * hours);
  arrivals.push(...organic(world.organicGainsPerDay));
  const losses = organic(world.organicLossesPerDay);
  const shocks = world.shocks.map((size) => ({ at: between(rng, 72, hours - 72), size }));
  const changes = [
    ...arrivals.map((at) => ({ at, size: 1 })),
    ...losses.map((at) => ({ at, size: -1 })),
    ...shocks,
  ].sort((one, other) => one.at - other.at);

  return {
    posts: posts.map((post, index) => ({
      id: String(index),
      postedAt: toMoment(post.at),
      reads: readsOf(post, rng).map(({ at, ...counts }) => ({
        capturedAt: toMoment(at),
        ...counts,
      })),
    })),
    snapshots: countFollowers(world, rng, hours, changes).map(({ at, followers }) => ({
      capturedAt: toMoment(at),
      followers,
      isExact: world.shownStep === undefined,
    })),
    truth,
    shocks: shocks.map(({ at, size }) => ({ at: toMoment(at), size })),
    startsAt,
    endsAt: toMoment(hours),
  };
}

/** Reads a little late; each impression since the last one may have brought a profile click. */
function readsOf(post: SimulatedPost, rng: Rng) {
  let [impressions, profileClicks] = [0, 0];
  return READ_AGES_H.map((age) => {
    const at = post.at + age + between(rng, 0, Math.min(0.05 * age + MINUTE_H, 1));
    const before = impressions;
    impressions = Math.floor(seen(post, at));
    if (post.clickRate === undefined) return { at, impressions };
    profileClicks += poisson(rng, post.clickRate * (impressions - before));
    return { at, impressions, profileClicks };
  });
}

function drawPosts(world: World, rng: Rng, hours: number): SimulatedPost[] {
  const moments = Array.from({ length: world.postsPerDay * world.days }, () => rng() * hours);
  const rho = world.reachConversionCorrelation;
  return moments
    .sort((one, other) => one - other)
    .map((at) => {
      const reach = normal(rng);
      const appeal = rho * reach + Math.sqrt(1 - rho * rho) * normal(rng);
      const impressions = world.medianImpressions * Math.exp(world.impressionsLogSd * reach);
      const scaleH = lognormal(rng, HALF_LIFE_H, world.halfLifeLogSd) / (2 ** (1 / SHAPE) - 1);
      const bursts = [{ startsAt: at, scaleH, impressions }];
      if (world.cascadeShare > 0 && rng() < world.cascadeShare) {
        bursts.push({ startsAt: at + between(rng, 12, 96), scaleH, impressions });
      }
      return {
        at,
        conversion: world.medianConversion * Math.exp(world.conversionLogSd * appeal),
        ...(world.clicks && { clickRate: drawClickRate(world.clicks, appeal, rng) }),
        bursts,
      };
    });
}

function drawClickRate(
  { medianRate, rateLogSd, conversionCorrelation: rho }: NonNullable<World['clicks']>,
  appeal: number,
  rng: Rng,
): number {
  const curiosity = rho * appeal + Math.sqrt(1 - rho * rho) * normal(rng);
  return medianRate * Math.exp(rateLogSd * curiosity);
}

/** The share of its readiness to follow that a tiring audience still has, by hour. */
function readinessByHour(world: World, posts: SimulatedPost[], hours: number) {
  const { fatigueImpressions } = world;
  if (fatigueImpressions === undefined) return undefined;
  const total = new Float64Array(hours + 1);
  for (const post of posts) {
    for (let hour = Math.ceil(post.at); hour <= hours; hour += 1) {
      total[hour] = (total[hour] ?? 0) + seen(post, hour);
    }
  }
  return total.map((until, hour) => {
    const recent = until - (total[hour - 48] ?? 0);
    return 1 / (1 + recent / fatigueImpressions);
  });
}

/** Hourly counts, a few minutes late, none during outages. */
function countFollowers(
  world: World,
  rng: Rng,
  hours: number,
  changes: readonly { at: number; size: number }[],
) {
  const outages = world.outages.map((length) => {
    const from = between(rng, 72, hours - 72);
    return { from, to: from + length };
  });
  const step = world.shownStep ?? 1;
  const counts: { at: number; followers: number }[] = [];
  let followers = 5_000;
  let next = 0;
  for (let hour = 0; hour <= hours; hour += 1) {
    const at = hour + between(rng, 0, 2 * MINUTE_H);
    for (; next < changes.length && (changes[next]?.at ?? 0) <= at; next += 1) {
      followers += changes[next]?.size ?? 0;
    }
    if (outages.some(({ from, to }) => at >= from && at < to)) continue;
    counts.push({ at, followers: Math.floor(followers / step) * step });
  }
  return counts;
}
