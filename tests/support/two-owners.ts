/** Two accounts of two users, with rows in every table and view whose rows belong to an account. */
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { snowflakeId } from '../../shared/snowflake.ts';
import {
  attribute,
  claim,
  followersFound,
  found,
  hourly,
  hours,
  json,
  learn,
  minutes,
  only,
  record,
  registerAccount,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from './scenario.ts';

/** What a post is made of: a value of every dimension. */
const DIMENSIONS = {
  topic: 'pricing',
  angle: 'contrarian',
  tone: 'dry',
  format: 'list',
  generator: 'human',
  hook_pattern: 'question',
};
const LEARNED_AT = hours(60);

export type Owner = { userId: string; accountId: number };

/**
 * Plays the loop for both. `owner` (postgres) adds only the users, who belong to Supabase;
 * everything else is done by `service`, so that a right that service_role lacks is an error here.
 */
export async function playTwoOwners(owner: postgres.Sql, service: postgres.Sql): Promise<Owner[]> {
  const owners: Owner[] = [];
  for (const [index, handle] of ['ownbot', 'otherbot'].entries()) {
    const userId = randomUUID();
    await owner`insert into auth.users (id) values (${userId})`;
    const values = Object.entries(DIMENSIONS).map(([name, value]) => [name, [value, 'another']]);
    const accountId = await registerAccount(service, handle, Object.fromEntries(values));
    await service`update public.x_accounts set owner_id = ${userId} where id = ${accountId}`;
    await play(service, handle, accountId, minutes(index));
    owners.push({ userId, accountId });
  }
  return owners;
}

async function play(sql: postgres.Sql, handle: string, accountId: number, postedAt: Date) {
  const postId = snowflakeId(postedAt);
  const decisionId = await recommend(sql, handle, accountId);
  await trackPost(sql, { decisionId, postedAt, dimensions: DIMENSIONS });

  const readAt = minutes(31, postedAt);
  const { run_id } = await claim(sql, readAt);
  const totals = { engagements: 3, detail_expands: 2, profile_visits: 1, link_clicks: 0 };
  await record(
    sql,
    run_id,
    {
      reads: [found(postId, '30m', readAt, { impressions: 100, likes: 2 })],
      followers: [followersFound(accountId, readAt, 101)],
      analytics: [
        {
          post_id: postId,
          captured_at: readAt,
          impressions: 100,
          ...totals,
          follows: 1,
          hourly: [{ hour: T0, impressions: 100 }],
        },
      ],
      shapes: [{ operation: 'TweetDetail', hash: `0123456789abcde${accountId}`, paths: ['data'] }],
      events: [{ kind: 'degraded', account_id: accountId, post_id: postId, details: {} }],
    },
    readAt,
  );

  const counts = { impressions: 500, likes: 5, retweets: 1, replies: 0, bookmarks: 0 };
  await storeRead(sql, postId, '48h', hours(48, postedAt), counts);
  await storeFollowers(sql, accountId, hourly(T0, [100, 101, 103, 104]));
  await sql`
    insert into public.x_post_analytics (post_id, captured_at, follows, run_id)
    values (${postId}, ${hours(49, postedAt)}, 1, gen_random_uuid())`;
  await sql`select public.attribution_backlog(${LEARNED_AT})`;
  await attribute(sql, LEARNED_AT);
  await sql`select public.learning_backlog()`;
  await learn(sql, accountId, LEARNED_AT);
  const alarm = { direction: 'up', since: '2026-03-01', day: '2026-03-02', sum: 6, limit: 5 };
  await sql`
    select public.record_drift(${accountId}, '2026-01-01', ${json(sql, [alarm])}, ${LEARNED_AT})`;
  await foresee(sql, accountId, postId);
  await sql`select public.logged_slates(${handle}, '-infinity', ${LEARNED_AT})`;
}

/** What growth and early warning leave of an account with enough posts. */
async function foresee(sql: postgres.Sql, accountId: number, postId: string): Promise<void> {
  await sql`
    insert into public.growth_curve (account_id, outcome, phase, age_h, posts, log_ratio, low_90,
      high_90, spread, computed_at)
    values (${accountId}, 'impressions', '2h', 2, 40, 0.8, 0.5, 1.1, 0.2, ${LEARNED_AT})`;
  await sql`
    insert into public.viral_thresholds (account_id, impressions, posts, computed_at)
    values (${accountId}, 5000, 40, ${LEARNED_AT})`;
  await sql`
    insert into public.post_predictions (account_id, kind, post_id, phase, predicted, standard_deviation, observed,
      created_at, observed_at)
    values (${accountId}, 'impressions_48h', ${postId}, '2h', 6.1, 0.2, 6.2, ${hours(2)}, ${LEARNED_AT})`;
}

/** What the function `recommend` does, with the evidence although there is a control share. */
async function recommend(sql: postgres.Sql, handle: string, accountId: number): Promise<string> {
  await sql`select public.set_content_rules(${handle}, '[{"forbid": {"tone": "another"}}]')`;
  await sql`update public.x_accounts set control_share = 0.1 where id = ${accountId}`;
  await sql`select public.recommendation_inputs(${handle})`;
  const decision = {
    decision_id: randomUUID(),
    kind: 'single',
    assigned: DIMENSIONS,
    policy: 'uniform',
    propensity: 1,
    slate: [DIMENSIONS],
    chosen: 0,
    rng_seed: 1,
    model_version: null,
    prompted: true,
    control_share: 0.1,
  };
  const { reply } = only(
    await sql`
      select public.store_decisions(${accountId}, ${json(sql, [decision])}, ${LEARNED_AT}) as reply`,
  );
  if (reply.stored !== 1) throw new Error('The decision was not stored.');
  return decision.decision_id;
}
