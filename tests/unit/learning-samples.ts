import type { ValueStatistics } from '../../shared/learning/statistics.ts';

export type Shown = { uses: number; mean: number; sd?: number };

/** The statistics of a value whose equally weighted rewards have this mean and spread. */
export function shown(
  dimension: string,
  value: string,
  { uses, mean, sd = 0.6 }: Shown,
): ValueStatistics {
  return {
    dimension,
    value,
    uses,
    n: uses,
    s1: uses * mean,
    s2: uses * (sd * sd + mean * mean),
    total_impressions: 1000 * uses,
    total_engagements: 20 * uses,
    total_followers_gained: 1.5 * uses,
    mean_impressions: 1000,
    mean_engagement_rate: 0.02,
    mean_followers_gained: 1.5,
    last_posted_at: '2026-03-01T09:00:00+00:00',
  };
}
