/** The worlds that attribution is judged in, as they differ from the typical one. */
import type { World } from './account.ts';

/** About 3 followers a post and 5.6 organic net a day. */
export const TYPICAL_WORLD: World = {
  days: 60,
  postsPerDay: 6,
  medianImpressions: 1_000,
  impressionsLogSd: 1.2,
  halfLifeLogSd: 0.5,
  medianConversion: 0.00113,
  conversionLogSd: 0.7,
  reachConversionCorrelation: 0,
  delayHours: 0.5,
  organicGainsPerDay: 8,
  organicLossesPerDay: 2.4,
  shocks: [],
  cascadeShare: 0,
  outages: [],
};

const world = (differences: Partial<World>): World => ({ ...TYPICAL_WORLD, ...differences });

/** The median conversion that keeps the mean where the spread of its logarithm is `sd`. */
const medianAt = (sd: number) =>
  TYPICAL_WORLD.medianConversion * Math.exp((TYPICAL_WORLD.conversionLogSd ** 2 - sd ** 2) / 2);

/** From few to many posts, from alike to unlike ones, from a tiny to a large account. */
export const COVERAGE_WORLDS = {
  typical: TYPICAL_WORLD,
  'two posts a day': world({ postsPerDay: 2 }),
  'sixteen posts a day': world({ postsPerDay: 16 }),
  'posts convert alike': world({ conversionLogSd: 0.3, medianConversion: medianAt(0.3) }),
  'posts convert unlike': world({ conversionLogSd: 1.2, medianConversion: medianAt(1.2) }),
  'tiny account': world({ medianImpressions: 100, medianConversion: 0.00084 }),
  'large account': world({
    medianImpressions: 10_000,
    organicGainsPerDay: 80,
    organicLossesPerDay: 24,
  }),
} as const satisfies Record<string, World>;

/** About one click in a hundred impressions. */
const CLICKS = { medianRate: 0.008, rateLogSd: 0.6 };

/** What goes wrong, and what the method does not assume. */
const HARD_WORLDS = {
  'three shout-outs': world({ shocks: [150, 150, 150] }),
  'three purges': world({ shocks: [-150, -150, -150] }),
  placebo: world({ medianConversion: 0 }),
  'three hours of delay': world({ delayHours: 3 }),
  outages: world({ outages: [12, 48, 240] }),
  'rounded counts': world({ shownStep: 100 }),
  'late cascades': world({ cascadeShare: 0.1 }),
  'tiring audience': world({ fatigueImpressions: 30_000 }),
  'reach and conversion rise together': world({ reachConversionCorrelation: 0.5 }),
  'reach and conversion oppose': world({ reachConversionCorrelation: -0.5 }),
  // three quarters of the variance of ln conversion are in the clicks
  'profile clicks shown': world({ clicks: { ...CLICKS, conversionCorrelation: 0.86 } }),
  'profile clicks without meaning': world({ clicks: { ...CLICKS, conversionCorrelation: 0 } }),
} as const satisfies Record<string, World>;

export const WORLDS: Readonly<Record<WorldName, World>> = { ...COVERAGE_WORLDS, ...HARD_WORLDS };
export type WorldName = keyof typeof COVERAGE_WORLDS | keyof typeof HARD_WORLDS;
