import { z } from 'zod';
import { momentSchema } from '../contracts/identifiers.ts';

/**
 * The finished posts of one value of one dimension. `n`, `s1` and `s2` are sums over the posts of
 * w, w y and w y^2, y being a post's reward in spreads of the account and w = 2^(-age / 90 days).
 */
export const valueStatisticsSchema = z.object({
  dimension: z.string().min(1),
  value: z.string().min(1),
  uses: z.int().positive(),
  n: z.number().positive(),
  s1: z.number(),
  s2: z.number().nonnegative(),
  total_impressions: z.int().nonnegative(),
  total_engagements: z.int().nonnegative(),
  total_followers_gained: z.number(),
  mean_impressions: z.number().nullable(),
  mean_engagement_rate: z.number().nullable(),
  mean_followers_gained: z.number().nullable(),
  last_posted_at: momentSchema,
});
export type ValueStatistics = z.infer<typeof valueStatisticsSchema>;

/** What the SQL function `learning_statistics` returns for an account that has data. */
export const learningStatisticsSchema = z.object({
  account_id: z.int(),
  data_version: z.int().nonnegative(),
  finished_posts: z.int().nonnegative(),
  values: z.array(valueStatisticsSchema),
});
export type LearningStatistics = z.infer<typeof learningStatisticsSchema>;
