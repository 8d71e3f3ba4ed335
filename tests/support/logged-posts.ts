/** Decisions of recommend with the finished posts that came of them, many at once. */
import type postgres from 'postgres';
import { snowflakeId } from '../../shared/snowflake.ts';
import { HOUR_MS, json } from './scenario.ts';

export type LoggedPost = {
  decisionId: string;
  /** When it was decided and posted; no two posts of one moment. */
  postedAt: Date;
  slate: Record<string, string>[];
  chosen: number;
  reward: number;
  /** What was written, where it is not what was assigned. */
  realised?: Record<string, string>;
  /** Default: the share of the slate that equals the pick. */
  propensity?: number;
  policy?: string;
  modelVersion?: number;
  prompted?: boolean;
  controlShare?: number;
  /** False for a post whose reward is still projected. */
  final?: boolean;
};

/** Stores them as recommend, track-post and learning would. */
export async function storeLoggedPosts(
  sql: postgres.Sql,
  accountId: number,
  posts: readonly LoggedPost[],
): Promise<void> {
  const rows = posts.map((post) => {
    const assigned = post.slate[post.chosen] ?? {};
    const text = JSON.stringify(assigned);
    const same = post.slate.filter((combination) => JSON.stringify(combination) === text).length;
    return {
      decision_id: post.decisionId,
      post_id: snowflakeId(post.postedAt),
      account_id: accountId,
      created_at: post.postedAt,
      posted_at: post.postedAt,
      tracked_at: post.postedAt,
      computed_at: new Date(post.postedAt.getTime() + 49 * HOUR_MS),
      origin: 'recommended',
      kind: 'single',
      assigned,
      realised: post.realised ?? assigned,
      slate: post.slate,
      chosen: post.chosen,
      policy: post.policy ?? 'uniform',
      propensity: post.propensity ?? same / post.slate.length,
      rng_seed: 1,
      model_version: post.modelVersion ?? null,
      prompted: post.prompted ?? true,
      control_share: post.controlShare ?? 0,
      log_impressions: 1,
      reward: post.reward,
      alarms: 0,
      horizon_h: post.final === false ? 6 : 48,
      is_final: post.final ?? true,
      noise: 0,
    };
  });
  const given = json(sql, rows);
  await sql`
    insert into public.content_metadata (decision_id, account_id, created_at, origin, kind, assigned,
      policy, propensity, slate, chosen, rng_seed, model_version, prompted, control_share)
    select r.decision_id, r.account_id, r.created_at, r.origin, r.kind, r.assigned, r.policy,
      r.propensity, r.slate, r.chosen, r.rng_seed, r.model_version, r.prompted, r.control_share
    from jsonb_populate_recordset(null::public.content_metadata, ${given}) r`;
  await sql`
    insert into public.post_attribution (post_id, account_id, decision_id, posted_at, kind, realised,
      tracked_at)
    select r.post_id, r.account_id, r.decision_id, r.posted_at, r.kind, r.realised, r.tracked_at
    from jsonb_populate_recordset(null::public.post_attribution, ${given}) r`;
  await sql`
    insert into public.post_outcomes
    select r.* from jsonb_populate_recordset(null::public.post_outcomes, ${given}) r`;
}
