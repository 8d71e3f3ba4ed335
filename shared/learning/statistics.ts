import { z } from 'zod';
import { momentSchema } from '../contracts/identifiers.ts';

/**
 * The posts of one value of one dimension. `n`, `s1` and `s2` are sums over the posts of w, w y and
 * w y^2, y being a post's reward in spreads of the account and w its weight, see `postWeight`.
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

const sizes = z.array(z.number());

/**
 * Weighted sums of one outcome over the posts that have it: `gram` is the lower triangle of the sum
 * of w x x', row by row, cell (i, j) at i (i + 1) / 2 + j; `n` the sum of discounts. `centre` and
 * `spread` made the outcome of a logarithm; null for the reward, which is made of several.
 */
export const packedMomentsSchema = z.object({
  gram: sizes,
  rhs: sizes,
  yy: z.number().nonnegative(),
  n: z.number().positive(),
  centre: z.number().nullable(),
  spread: z.number().nonnegative().nullable(),
});
export type PackedMoments = z.infer<typeof packedMomentsSchema>;

/** The outcomes that are fitted; the reward decides, the others say what it is made of. */
export const OUTCOMES = ['reward', 'impressions', 'engagement', 'followers'] as const;
export type ModelOutcome = (typeof OUTCOMES)[number];

const alarmKeySchema = z.object({
  dimension: z.string().nullable(),
  value: z.string().nullable(),
  direction: z.enum(['up', 'down']),
  day: z.iso.date(),
});

/**
 * What the SQL function `learning_statistics` returns for an account that has data. `groups` are
 * the features in the order of the sums: the intercept, dimensions, nuisances; `uses` counts the
 * posts of each feature; an outcome that no post has is missing from `moments`.
 */
export const learningStatisticsSchema = z
  .object({
    account_id: z.int(),
    data_version: z.int().nonnegative(),
    /** Posts with a reward, those of young posts projected. */
    posts: z.int().nonnegative(),
    finished_posts: z.int().nonnegative(),
    groups: z.array(z.object({ name: z.string().min(1), features: z.array(z.string()).min(1) })),
    uses: z.array(z.int().nonnegative()),
    /** What makes the feature of followers of ln(1 + followers); null where they do not vary. */
    followers: z.object({ centre: z.number(), spread: z.number().positive() }).nullable(),
    /** How many values of a dimension are too many to be fitted; the least used are left out. */
    left_out: z.record(z.string(), z.int().positive()),
    moments: z.partialRecord(z.enum(OUTCOMES), packedMomentsSchema),
    values: z.array(valueStatisticsSchema),
    /** How far rewards were from what the model expected that had not seen them. */
    residuals: z.array(
      z.object({
        day: z.iso.date(),
        residual: z.number(),
        values: z.record(z.string(), z.string()),
      }),
    ),
    /** Alarms of drift that the weights know, from the day on from which they are still open. */
    alarms: z.array(alarmKeySchema),
    alarms_from: z.iso.date().nullable(),
  })
  .refine(
    ({ groups, moments, uses, posts }) => {
      const size = groups.reduce((sum, { features }) => sum + features.length, 0);
      return (
        (posts === 0 || uses.length === size) &&
        Object.values(moments).every(
          ({ gram, rhs }) => rhs.length === size && gram.length === (size * (size + 1)) / 2,
        )
      );
    },
    { message: 'uses, gram and rhs must have the size of the features' },
  );
export type LearningStatistics = z.infer<typeof learningStatisticsSchema>;
