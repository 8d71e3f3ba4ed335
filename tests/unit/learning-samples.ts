import {
  type DimensionInput,
  type LearningStatistics,
  learnMarginals,
  type RecommendationInputs,
  type ValueStatistics,
} from '../../shared/learning/index.ts';

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

export function statisticsOf(values: ValueStatistics[]): LearningStatistics {
  return { account_id: 7, data_version: 3, finished_posts: 40, values };
}

/**
 * Recommendation inputs of a vocabulary of which some values have been used, learned from what
 * they showed; `null` stands for a value that was never used.
 */
export function inputsOf(
  vocabulary: Record<string, Record<string, Shown | null>>,
  finishedPosts = 40,
): RecommendationInputs {
  const used = Object.entries(vocabulary).flatMap(([dimension, values]) =>
    Object.entries(values).flatMap(([value, sums]) =>
      sums === null ? [] : [shown(dimension, value, sums)],
    ),
  );
  const { priors, rows } = learnMarginals(statisticsOf(used));
  const dimensions = Object.entries(vocabulary).map(
    ([dimension, values]): DimensionInput => ({
      dimension,
      prior: priors[dimension] ?? null,
      values: Object.keys(values).map((value) => ({
        value,
        performance: rows.find((row) => row.dimension === dimension && row.value === value) ?? null,
      })),
    }),
  );
  return {
    code: 'ready',
    account_id: 7,
    handle: 'sample',
    finished_posts: finishedPosts,
    dimensions,
  };
}
