/** Joint models of posts that a test makes up, stored as the function `learning` stores them. */
import type postgres from 'postgres';
import { fitAdditive, gramOf } from '../../shared/learning/additive.ts';
import { type DesignPost, designOf } from '../../shared/learning/design.ts';
import { jointModelOf } from '../../shared/learning/joint-model.ts';
import { hours, json, T0 } from './scenario.ts';

export type RewardedPost = { values: Record<string, string>; reward: number };

/**
 * Fits the rewards of posts, three an hour up to T0, and stores the model, with the intercept behind
 * the values as learning does.
 */
export async function storeModel(
  sql: postgres.Sql,
  accountId: number,
  posts: readonly RewardedPost[],
  version = 1,
): Promise<void> {
  const shown = posts.map(
    ({ values }, index): DesignPost => ({
      values,
      postedAt: hours((index - posts.length) / 3),
      kind: 'single',
      followers: null,
    }),
  );
  const design = designOf(shown);
  const rows = design.rows.map((row, index) => {
    const y = posts[index]?.reward ?? Number.NaN;
    return { ...row, y, discount: 1, weight: 1 };
  });
  const fit = fitAdditive(gramOf(rows, design.size), design.groups);
  const others = design.groups.filter((group) => !design.dimensions.includes(group));
  const { features, mean, factor } = jointModelOf(
    fit,
    [...design.dimensions, ...others],
    posts.length,
  );
  const chosen = design.dimensions.reduce((sum, group) => sum + group.features.length, 0);
  await sql`
    insert into public.learned_models (account_id, outcome, data_version, fitted_at, finished_posts,
      effective_n, residual_variance, group_variances, features, chosen_features, mean, factor)
    values (${accountId}, 'reward', ${version}, ${T0}, ${posts.length}, ${fit.effectiveN},
      ${fit.sigma2}, ${json(sql, fit.tau2)},
      ${json(
        sql,
        features.map(({ dimension, value }) => ({ group: dimension, name: value })),
      )},
      ${chosen}, ${mean}, ${factor})
    on conflict (account_id, outcome) do update
    set data_version = excluded.data_version, finished_posts = excluded.finished_posts,
      group_variances = excluded.group_variances, features = excluded.features,
      chosen_features = excluded.chosen_features, mean = excluded.mean, factor = excluded.factor`;
}
