/** How well young posts are projected to 48 h, and the account's best ones foreseen. */

import { mulberry32 } from '../../shared/learning/random.ts';
import { auroc, calibrationError, coverage, type Forecast } from '../reference/calibration.ts';
import { probabilityAbove, viralThreshold } from '../reference/early-warning.ts';
import { growthCurve, project } from '../reference/growth.ts';
import { type ImpressionWorld, PHASES, simulatePost } from '../worlds/impressions.ts';
import { mean } from './scores.ts';

/** Posts that each account is judged by. */
const YOUNG_POSTS = 240;

export type ProjectionMeasures = {
  phase: string;
  /** exp(-growth): the share of a post's impressions at 48 h that it has already. */
  share: number;
  /** s_h, in ln(1 + impressions). */
  spread: number;
  /** Share of posts within the 90 % range. */
  coverage: number;
  /** Of the probability of passing the account's 95th percentile. */
  calibrationError: number;
  auroc: number;
};

/**
 * Accounts of a world with so many mature posts each, measured by phase in order of age.
 *
 * @param without a phase that the curve lacks, so that its reads fall between two others
 */
export function measureProjection(
  seeds: number,
  world: ImpressionWorld,
  maturePosts: number,
  without?: string,
): ProjectionMeasures[] {
  const byPhase = new Map<
    string,
    { shares: number[]; spreads: number[]; ranges: Range[]; forecasts: Forecast[] }
  >();
  for (let seed = 1; seed <= seeds; seed += 1) {
    const rng = mulberry32(seed);
    const mature = Array.from({ length: maturePosts }, () => simulatePost(world, rng));
    const curve = growthCurve(mature).filter(({ phase }) => phase !== without);
    const threshold = viralThreshold(mature.map(({ impressions48h }) => impressions48h));
    for (let post = 0; post < YOUNG_POSTS; post += 1) {
      const { reads, impressions48h } = simulatePost(world, rng);
      for (const read of reads) {
        const projection = project(read, curve);
        if (!projection) continue;
        const one = byPhase.get(read.phase) ?? {
          shares: [],
          spreads: [],
          ranges: [],
          forecasts: [],
        };
        byPhase.set(read.phase, one);
        const { y, low90, high90, spread } = projection;
        one.shares.push((1 + read.impressions) / Math.exp(y));
        one.spreads.push(spread);
        one.ranges.push({ low: low90, high: high90, observed: Math.log1p(impressions48h) });
        if (threshold === null) continue;
        one.forecasts.push({
          probability: probabilityAbove(threshold, projection),
          happened: impressions48h > threshold,
        });
      }
    }
  }
  return PHASES.flatMap(({ phase }) => {
    const one = byPhase.get(phase);
    if (!one) return [];
    return {
      phase,
      share: mean(one.shares),
      spread: mean(one.spreads),
      coverage: coverage(one.ranges),
      calibrationError: calibrationError(one.forecasts),
      auroc: auroc(one.forecasts),
    };
  });
}

type Range = { low: number; high: number; observed: number };
