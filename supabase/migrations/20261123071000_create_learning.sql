-- Learning: the sums that the learner fits, and the one call that replaces what it knew.

-- Rewards of an account's finished posts. The outcome is that of the read nearest after 48 h, by true
-- age; no rolling mean is subtracted, for a policy that plays its best values would erase them.
create function postloop.post_rewards(p_account_id bigint, p_now timestamptz)
returns table (post_id text, account_id bigint, posted_at timestamptz, y_impressions double precision,
  y_engagement double precision, y_followers double precision, reward double precision, weight double precision)
language sql
stable
set search_path = ''
as $$
  with
  -- 1 the first accepted read at 48 h or later, and the credit at 48 h; looked up post by post, for
  -- joined they made the planner read both tables whole, all accounts' posts
  finished as (
    select p.post_id, p.account_id, p.posted_at,
      m.impressions::double precision as impressions,
      (m.likes + m.retweets + m.replies + m.bookmarks)::double precision as engagements,
      case when p.posted_at + interval '48 hours' <= p_now then c.credit_48h end as credit
    from public.post_attribution p
    cross join lateral (
      select r.impressions, r.likes, r.retweets, r.replies, r.bookmarks
      from public.real_tweet_metrics r
      where r.tweet_id = p.post_id
        and r.collection_phase = any (array(
          select ph.phase from public.collection_phases ph where ph.age >= interval '48 hours'))
        and r.collected_at <= p_now
        and r.impressions is not null
      order by r.age_h
      limit 1
    ) m
    left join lateral (
      select k.credit_48h from public.post_credit k where k.post_id = p.post_id limit 1
    ) c on true
    where p.account_id = p_account_id
  ),
  -- 2 what is recent counts back from the newest finished post, so that a pause forgets nothing
  recent as (
    select max(f.posted_at) - interval '90 days' as since from finished f
  ),
  -- 3 the account's usual engagement rate; never 0, so that a post without engagement has a logarithm
  usual as (
    select coalesce(
      nullif(percentile_cont(0.5) within group (order by f.engagements / f.impressions)
        filter (where f.impressions > 0 and f.posted_at > r.since), 0),
      (sum(f.engagements) + 0.5) / (sum(f.impressions) filter (where f.engagements is not null) + 1)) as rate
    from finished f
    cross join recent r
  ),
  outcome as (
    select f.post_id, f.account_id, f.posted_at, f.posted_at > r.since as is_recent,
      ln(1 + f.impressions) as y_impressions,
      ln((f.engagements + 200 * u.rate) / (f.impressions + 200)) as y_engagement,
      case when f.credit is not null then ln(1 + greatest(f.credit, 0)) end as y_followers
    from finished f
    cross join usual u
    cross join recent r
  ),
  -- 4 centre and spread of each outcome over the recent posts
  long as (
    select o.post_id, o.is_recent, x.outcome, x.y
    from outcome o
    cross join lateral (values
      ('impressions', o.y_impressions), ('engagement', o.y_engagement), ('followers', o.y_followers)
    ) x(outcome, y)
    where x.y is not null
  ),
  centre as (
    select l.outcome, percentile_cont(0.5) within group (order by l.y) as median
    from long l
    where l.is_recent
    group by l.outcome
  ),
  spread as (
    select l.outcome, c.median,
      coalesce(nullif(1.4826 * percentile_cont(0.5) within group (order by abs(l.y - c.median)), 0),
        stddev_samp(l.y)) as scale
    from long l
    join centre c on c.outcome = l.outcome
    where l.is_recent
    group by l.outcome, c.median
  ),
  -- 5 winsorised at three spreads, weighted by what the account is after
  scored as (
    select l.post_id,
      sum(w.weight * case when s.scale > 0 then greatest(-3, least(3, (l.y - s.median) / s.scale)) else 0 end)
        / sum(w.weight) as reward
    from long l
    join spread s on s.outcome = l.outcome
    join public.reward_weights w on w.outcome = l.outcome and w.weight > 0
    group by l.post_id
  )
  select o.post_id, o.account_id, o.posted_at, o.y_impressions, o.y_engagement, o.y_followers, s.reward,
    greatest(power(2, -extract(epoch from p_now - o.posted_at)::double precision / 86400 / 90), 1e-9)
  from outcome o
  join scored s on s.post_id = o.post_id
$$;
comment on function postloop.post_rewards is
  'Outcomes at 48 h and the composite reward of an account''s finished posts, as known at p_now.';

create function public.learning_backlog(p_account_ids bigint[] default null)
returns bigint[]
language sql
stable
set search_path = ''
as $$
  select coalesce(array_agg(s.account_id order by s.account_id), '{}')
  from public.learning_state s
  where case when p_account_ids is null then s.learned_version < s.data_version
    else s.account_id = any (p_account_ids) end
$$;
comment on function public.learning_backlog is
  'Accounts whose data changed since they were learned, or those of the given ids that have data.';

-- Sums per value for the learner: one call an account, one jsonb, never a row set that could be cut.
create function public.learning_statistics(p_account_id bigint, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '55s'
as $$
declare
  v_version bigint;
  v_result jsonb;
begin
  -- Read before the data, so that a change in between makes the account due again.
  select s.data_version into v_version from public.learning_state s where s.account_id = p_account_id;

  with reward as materialized (
    select * from postloop.post_rewards(p_account_id, p_now)
  ), stored as (
    insert into public.post_outcomes as o
      (post_id, account_id, posted_at, y_impressions, y_engagement, y_followers, reward, weight, computed_at)
    select r.*, p_now from reward r
    on conflict (post_id) do update
    set y_impressions = excluded.y_impressions, y_engagement = excluded.y_engagement,
        y_followers = excluded.y_followers, reward = excluded.reward, weight = excluded.weight,
        computed_at = excluded.computed_at
    where (o.y_impressions, o.y_engagement, o.y_followers, o.reward, o.weight)
      is distinct from (excluded.y_impressions, excluded.y_engagement, excluded.y_followers,
        excluded.reward, excluded.weight)
  ), use as (
    select v.key as dimension, v.value, r.reward as y, r.weight as w, r.posted_at, p.impressions,
      p.likes + p.retweets + p.replies + p.bookmarks as engagements, p.engagement_rate,
      p.followers_gained
    from reward r
    join public.post_attribution p on p.post_id = r.post_id
    cross join lateral jsonb_each_text(p.realised) v
  ), value_sum as (
    select u.dimension, u.value, count(*) as uses, sum(u.w) as n, sum(u.w * u.y) as s1,
      sum(u.w * u.y * u.y) as s2, coalesce(sum(u.impressions), 0) as total_impressions,
      coalesce(sum(u.engagements), 0) as total_engagements,
      coalesce(sum(u.followers_gained), 0) as total_followers_gained,
      avg(u.impressions)::double precision as mean_impressions,
      avg(u.engagement_rate) as mean_engagement_rate,
      avg(u.followers_gained) as mean_followers_gained,
      max(u.posted_at) as last_posted_at
    from use u
    group by u.dimension, u.value
  )
  select jsonb_build_object(
      'account_id', p_account_id,
      'data_version', v_version,
      'finished_posts', (select count(*) from reward),
      'values', coalesce((select jsonb_agg(to_jsonb(v) order by v.dimension, v.value) from value_sum v), '[]'::jsonb))
    into v_result;
  return v_result;
end
$$;
comment on function public.learning_statistics is
  'Recomputes an account''s post outcomes and returns weighted sums of the reward per dimension value.';

create function public.record_performance(p_account_id bigint, p_data_version bigint, p_finished_posts integer,
  p_priors jsonb, p_rows jsonb, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_written integer;
  v_removed integer;
begin
  -- Two learners of one account take turns, and the one with older data does not overwrite.
  perform from public.learning_state s where s.account_id = p_account_id for update;
  if exists (select from public.learning_state s where s.account_id = p_account_id and s.learned_version > p_data_version) then
    return jsonb_build_object('code', 'superseded');
  end if;

  with given as (
    select g.* from jsonb_populate_recordset(null::public.dimension_performance, p_rows) g
  ), written as (
    insert into public.dimension_performance as d
    select p_account_id, g.dimension, g.value, g.uses, g.effective_n, g.total_impressions,
      g.total_engagements, g.total_followers_gained, g.mean_impressions, g.mean_engagement_rate,
      g.mean_followers_gained, g.mean_reward, g.posterior_mean, g.posterior_scale, g.posterior_df,
      g.effect, g.effect_low_80, g.effect_high_80, g.effect_low_90, g.effect_high_90,
      g.prob_above_average, g.confidence, g.last_posted_at, p_now
    from given g
    on conflict (account_id, dimension, value) do update
    set uses = excluded.uses, effective_n = excluded.effective_n,
        total_impressions = excluded.total_impressions, total_engagements = excluded.total_engagements,
        total_followers_gained = excluded.total_followers_gained,
        mean_impressions = excluded.mean_impressions,
        mean_engagement_rate = excluded.mean_engagement_rate,
        mean_followers_gained = excluded.mean_followers_gained, mean_reward = excluded.mean_reward,
        posterior_mean = excluded.posterior_mean, posterior_scale = excluded.posterior_scale,
        posterior_df = excluded.posterior_df, effect = excluded.effect,
        effect_low_80 = excluded.effect_low_80, effect_high_80 = excluded.effect_high_80,
        effect_low_90 = excluded.effect_low_90, effect_high_90 = excluded.effect_high_90,
        prob_above_average = excluded.prob_above_average, confidence = excluded.confidence,
        last_posted_at = excluded.last_posted_at, computed_at = excluded.computed_at
    returning 1
  )
  select count(*) into v_written from written;

  delete from public.dimension_performance d
  where d.account_id = p_account_id
    and not exists (
      select from jsonb_to_recordset(p_rows) g(dimension text, value text)
      where g.dimension = d.dimension and g.value = d.value);
  get diagnostics v_removed = row_count;

  update public.learning_state s
  set learned_version = p_data_version, priors = p_priors, finished_posts = p_finished_posts,
      learned_at = p_now
  where s.account_id = p_account_id;

  return jsonb_build_object('code', 'recorded', 'written', v_written, 'removed', v_removed);
end
$$;
comment on function public.record_performance is
  'Replaces an account''s dimension_performance by what was learned from the given data version.';

revoke execute on function postloop.post_rewards, public.learning_backlog, public.learning_statistics,
  public.record_performance from public, anon, authenticated;
grant execute on function postloop.post_rewards, public.learning_backlog, public.learning_statistics,
  public.record_performance to service_role;
