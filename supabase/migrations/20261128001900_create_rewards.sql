-- Young posts have a reward too, with how uncertain it is; learning weighs them by that. Single posts,
-- threads and replies are strata: a reply that few see is no failure, and no reply makes a topic look bad.
create table public.reward_weights (
  outcome text primary key,
  weight double precision not null,
  description text not null,
  constraint outcome_is_known check (outcome in ('impressions', 'engagement', 'followers')),
  constraint weight_is_not_negative check (weight >= 0)
);
comment on table public.reward_weights is 'How much each outcome of a post counts in its reward.';

insert into public.reward_weights (outcome, weight, description) values
  ('impressions', 0.2, 'ln(1 + impressions); reach is partly luck'),
  ('engagement', 0.4, 'log engagement rate, smoothed by 200 impressions at the account''s median rate'),
  ('followers', 0.4, 'ln(1 + followers credited within 48 h)');

-- What a post weighs changes every day with its age, and would rewrite every row; what it follows from
-- is kept instead.
create table public.post_outcomes (
  post_id text primary key references public.post_attribution (post_id) on delete cascade,
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  posted_at timestamptz not null,
  log_impressions double precision not null,
  log_engagement double precision,
  log_followers double precision,
  reward double precision not null,
  computed_at timestamptz not null,
  horizon_h double precision not null,
  is_final boolean not null,
  noise double precision not null,
  alarms integer not null,
  constraint horizon_is_positive check (horizon_h > 0),
  constraint noise_is_not_negative check (noise >= 0),
  constraint alarms_are_not_negative check (alarms >= 0)
);
comment on table public.post_outcomes is
  'A post''s outcomes at 48 h, read or projected, and its reward, as last learned from. The final row takes the place of the projected one.';
comment on column public.post_outcomes.log_impressions is 'ln(1 + impressions).';
comment on column public.post_outcomes.log_engagement is
  'ln((engagements + 200 r0) / (impressions + 200)), engagements being likes + retweets + replies and r0 the median rate of posts of its kind.';
comment on column public.post_outcomes.log_followers is 'ln(1 + max(credited followers, 0)).';
comment on column public.post_outcomes.reward is
  'Weighted mean of the known outcomes, each winsorised and scaled to the account''s own spread around the middle of posts of its kind.';
comment on column public.post_outcomes.horizon_h is 'True age of the read that it rests on, in hours.';
comment on column public.post_outcomes.is_final is 'The read is of 48 h or later; false while the outcomes are projected from a younger one.';
comment on column public.post_outcomes.noise is
  'Variance of reward by the projection and by the uncertainty of the follower credit; 0 when there is none.';
comment on column public.post_outcomes.alarms is
  'Alarms of drift since the post. It weighs 2^(-age / 90 days) * 0.1^alarms / (1 + noise).';
create index post_outcomes_account_id_idx on public.post_outcomes (account_id);

-- Rewards of an account's posts. A finished post's outcome is that of its first read at 48 h or later, by
-- true age; no rolling mean is subtracted, for a policy that plays its best values would erase them.
create function postloop.post_rewards(p_account_id bigint, p_now timestamptz)
returns table (
  post_id text, account_id bigint, posted_at timestamptz, kind text,
  followers double precision, realised jsonb,
  impressions bigint, engagements bigint, engagement_rate double precision, followers_gained double precision,
  y_impressions double precision, y_engagement double precision, y_followers double precision,
  r_impressions double precision, r_engagement double precision, r_followers double precision,
  reward double precision, horizon_h double precision, is_final boolean,
  noise double precision, noise_impressions double precision, noise_engagement double precision,
  noise_followers double precision,
  centre_impressions double precision, spread_impressions double precision,
  centre_engagement double precision, spread_engagement double precision,
  centre_followers double precision, spread_followers double precision
)
language sql
stable
set search_path = ''
-- 10,000 posts stay in memory
set work_mem = '32MB'
-- the planner expects far more rows than there are and would compile every call
set jit = off
as $$
  with
  -- 1 the first accepted read at 48 h or later, else the newest younger one, and the credit; looked up
  -- post by post, for joined they made the planner read the tables whole, all accounts' posts
  post as materialized (
    select p.post_id, p.account_id, p.posted_at, p.kind, p.followers_before, p.realised,
      p.impressions as newest_impressions,
      postloop.engagements(p.likes, p.retweets, p.replies) as newest_engagements,
      p.engagement_rate as newest_rate, p.followers_gained,
      f.age_h is not null as is_final,
      coalesce(f.age_h, y.age_h) as age_h,
      coalesce(f.impressions, y.impressions)::double precision as impressions,
      (case when f.age_h is not null then f.engagements else y.engagements end)::double precision as engagements,
      c.credit_48h as credit, c.variance_48h as credit_variance
    from public.post_attribution p
    left join lateral (
      select r.age_h, r.impressions, postloop.engagements(r.likes, r.retweets, r.replies) as engagements
      from postloop.usable_reads r
      where r.tweet_id = p.post_id
        and r.collection_phase = any (array(
          select ph.phase from public.collection_phases ph where ph.age >= interval '48 hours'))
        and r.age_h >= 48
        and r.collected_at <= p_now
        and r.impressions is not null
      order by r.age_h, r.collection_phase
      limit 1
    ) f on true
    left join lateral (
      select r.age_h, r.impressions, postloop.engagements(r.likes, r.retweets, r.replies) as engagements
      from postloop.usable_reads r
      where f.age_h is null
        and r.tweet_id = p.post_id
        and r.age_h < 48
        and r.collected_at <= p_now
        and r.impressions is not null
      order by r.age_h desc, r.collection_phase
      limit 1
    ) y on true
    left join lateral (
      select k.credit_48h, k.variance_48h from public.post_credit k where k.post_id = p.post_id limit 1
    ) c on true
    where p.account_id = p_account_id
      and (f.age_h is not null or y.age_h is not null)
  ),
  -- 2 what is recent counts back from the newest finished post, so that a pause forgets nothing
  recent as (
    select max(p.posted_at) - interval '90 days' as since from post p where p.is_final
  ),
  -- 3 the usual engagement rate, of all posts and of each kind: replies are seen by others than threads.
  -- A kind's own counts as far as ten posts at the account's leave it room. Never 0, so that a post
  -- without engagement has a logarithm.
  rate as (
    select grouping(p.kind) = 1 as of_all, p.kind,
      count(p.engagements) filter (where p.impressions > 0 and p.posted_at > r.since) as posts,
      coalesce(
        nullif(percentile_cont(0.5) within group (order by p.engagements / p.impressions)
          filter (where p.impressions > 0 and p.posted_at > r.since), 0),
        (sum(p.engagements) + 0.5) / (sum(p.impressions) filter (where p.engagements is not null) + 1)) as usual
    from post p
    cross join recent r
    where p.is_final
    group by grouping sets ((), (p.kind))
  ),
  usual as (
    select k.kind, a.usual + coalesce((o.usual - a.usual) * o.posts / (o.posts + 10), 0) as rate
    from (select distinct p.kind from post p) k
    join rate a on a.of_all
    left join rate o on o.kind = k.kind and not o.of_all
  ),
  -- 4 the outcomes as far as they were read
  seen as (
    select p.*, p.is_final and p.posted_at > r.since as is_measure,
      ln(1 + p.impressions) as now_impressions,
      ln((p.engagements + 200 * u.rate) / (p.impressions + 200)) as now_engagement,
      case when p.credit is not null then ln(1 + greatest(p.credit, 0)) end as now_followers,
      coalesce(p.credit_variance / (1 + greatest(p.credit, 0)) ^ 2, 0) as credit_noise,
      ln(1 + p.age_h / (80.0::double precision / 60)) as clock
    from post p
    cross join recent r
    join usual u on u.kind = p.kind
  ),
  -- 5 and at 48 h; without a curve for its age an outcome is not known yet
  segment as materialized (
    select g.* from postloop.growth_segments(p_account_id) g
  ),
  young as (
    select s.post_id,
      s.now_impressions + i.growth_from + x.i * (i.growth_to - i.growth_from) as y_impressions,
      s.now_engagement + e.growth_from + x.e * (e.growth_to - e.growth_from) as y_engagement,
      s.now_followers + f.growth_from + x.f * (f.growth_to - f.growth_from) as y_followers,
      (i.spread_from + x.i * (i.spread_to - i.spread_from)) ^ 2 as v_impressions,
      (e.spread_from + x.e * (e.spread_to - e.spread_from)) ^ 2 as v_engagement,
      (f.spread_from + x.f * (f.spread_to - f.spread_from)) ^ 2 + s.credit_noise as v_followers
    from seen s
    join segment i on i.outcome = 'impressions' and i.age_from <= s.age_h and s.age_h < i.age_to
    left join segment e on e.outcome = 'engagement' and e.age_from <= s.age_h and s.age_h < e.age_to
    left join segment f on f.outcome = 'followers' and f.age_from <= s.age_h and s.age_h < f.age_to
    cross join lateral (
      select (s.clock - i.clock_from) / (i.clock_to - i.clock_from) as i,
        (s.clock - e.clock_from) / (e.clock_to - e.clock_from) as e,
        (s.clock - f.clock_from) / (f.clock_to - f.clock_from) as f
    ) x
    where not s.is_final
  ),
  outcome as (
    select s.*, s.now_impressions as y_impressions, s.now_engagement as y_engagement,
      s.now_followers as y_followers, 0::double precision as v_impressions,
      0::double precision as v_engagement, s.credit_noise as v_followers
    from seen s
    where s.is_final
    union all
    select s.*, y.y_impressions, y.y_engagement, y.y_followers, y.v_impressions, y.v_engagement, y.v_followers
    from seen s
    join young y on y.post_id = s.post_id
  ),
  -- 6 the middle of each outcome, by kind as above, and the spread around it; of the recent finished
  -- posts alone. Sums only over sorted values, so that rows in another order give the same numbers to
  -- the last bit.
  middle as materialized (
    select grouping(o.kind) = 1 as of_all, o.kind,
      count(o.y_impressions) as n_impressions, count(o.y_engagement) as n_engagement, count(o.y_followers) as n_followers,
      percentile_cont(0.5) within group (order by o.y_impressions) as impressions,
      percentile_cont(0.5) within group (order by o.y_engagement) as engagement,
      percentile_cont(0.5) within group (order by o.y_followers) as followers
    from outcome o
    where o.is_measure
    group by grouping sets ((), (o.kind))
  ),
  centre as materialized (
    select k.kind, a.impressions as of_all_impressions, a.engagement as of_all_engagement, a.followers as of_all_followers,
      a.impressions + coalesce((m.impressions - a.impressions) * m.n_impressions / (m.n_impressions + 10), 0) as impressions,
      a.engagement + coalesce((m.engagement - a.engagement) * m.n_engagement / (m.n_engagement + 10), 0) as engagement,
      a.followers + coalesce((m.followers - a.followers) * m.n_followers / (m.n_followers + 10), 0) as followers
    from (select distinct o.kind from outcome o) k
    join middle a on a.of_all
    left join middle m on m.kind = k.kind and not m.of_all
  ),
  spread as (
    select
      coalesce(nullif(1.4826 * percentile_cont(0.5) within group (order by abs(o.y_impressions - c.impressions)), 0),
        stddev_samp(o.y_impressions - c.impressions order by o.y_impressions - c.impressions)) as impressions,
      coalesce(nullif(1.4826 * percentile_cont(0.5) within group (order by abs(o.y_engagement - c.engagement)), 0),
        stddev_samp(o.y_engagement - c.engagement order by o.y_engagement - c.engagement)) as engagement,
      coalesce(nullif(1.4826 * percentile_cont(0.5) within group (order by abs(o.y_followers - c.followers)), 0),
        stddev_samp(o.y_followers - c.followers order by o.y_followers - c.followers)) as followers
    from outcome o
    join centre c on c.kind = o.kind
    where o.is_measure
  ),
  -- 7 winsorised at three spreads; where all posts did the same, each did as usual
  scored as (
    select o.*, c.of_all_impressions as centre_impressions, c.of_all_engagement as centre_engagement,
      c.of_all_followers as centre_followers, s.impressions as spread_impressions,
      s.engagement as spread_engagement, s.followers as spread_followers,
      case when s.impressions > 0
        then greatest(-3, least(3, (o.y_impressions - c.impressions) / s.impressions)) else 0 end as r_impressions,
      case when o.y_engagement is null or c.engagement is null then null when s.engagement > 0
        then greatest(-3, least(3, (o.y_engagement - c.engagement) / s.engagement)) else 0 end as r_engagement,
      case when o.y_followers is null or c.followers is null then null when s.followers > 0
        then greatest(-3, least(3, (o.y_followers - c.followers) / s.followers)) else 0 end as r_followers,
      coalesce(o.v_impressions / nullif(s.impressions, 0) ^ 2, 0) as noise_impressions,
      coalesce(o.v_engagement / nullif(s.engagement, 0) ^ 2, 0) as noise_engagement,
      coalesce(o.v_followers / nullif(s.followers, 0) ^ 2, 0) as noise_followers
    from outcome o
    join centre c on c.kind = o.kind
    cross join spread s
    -- nothing is usual before the first finished post
    where c.impressions is not null
  ),
  -- 8 the composite of what is known, by what the account is after
  composed as (
    select s.*, w.impressions as w_impressions, k.w_engagement, k.w_followers,
      w.impressions + k.w_engagement + k.w_followers as w_all
    from scored s
    cross join (
      select coalesce(max(g.weight) filter (where g.outcome = 'impressions'), 0) as impressions,
        coalesce(max(g.weight) filter (where g.outcome = 'engagement'), 0) as engagement,
        coalesce(max(g.weight) filter (where g.outcome = 'followers'), 0) as followers
      from public.reward_weights g
    ) w
    cross join lateral (
      select case when s.r_engagement is null then 0 else w.engagement end as w_engagement,
        case when s.r_followers is null then 0 else w.followers end as w_followers
    ) k
  )
  select c.post_id, c.account_id, c.posted_at, c.kind, c.followers_before::double precision, c.realised,
    c.newest_impressions, c.newest_engagements, c.newest_rate, c.followers_gained,
    c.y_impressions, c.y_engagement, c.y_followers, c.r_impressions, c.r_engagement, c.r_followers,
    (c.w_impressions * c.r_impressions + c.w_engagement * coalesce(c.r_engagement, 0)
      + c.w_followers * coalesce(c.r_followers, 0)) / c.w_all,
    c.age_h, c.is_final,
    (c.w_impressions ^ 2 * c.noise_impressions + c.w_engagement ^ 2 * c.noise_engagement
      + c.w_followers ^ 2 * c.noise_followers) / c.w_all ^ 2,
    c.noise_impressions, c.noise_engagement, c.noise_followers,
    c.centre_impressions, c.spread_impressions, c.centre_engagement, c.spread_engagement,
    c.centre_followers, c.spread_followers
  from composed c
  where c.w_all > 0
$$;
comment on function postloop.post_rewards is
  'Outcomes at 48 h of an account''s posts as known at p_now, read or (for posts without a read at 48 h) projected, in ln units (y), in the account''s spreads around the middle of posts of their kind (r), their weighted mean (reward) and its variance in the same units squared (noise). A post that cannot be projected yet has no row; without a finished post there is none. Beside them its newest numbers.';

alter table public.reward_weights enable row level security;
alter table public.post_outcomes enable row level security;
create policy signed_in_users_read_reward_weights on public.reward_weights
  for select to authenticated using (true);
create policy owners_read_their_outcomes on public.post_outcomes
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));

revoke all on
  public.reward_weights, public.post_outcomes
  from public, anon, authenticated, service_role;
grant select on public.reward_weights, public.post_outcomes to authenticated;
grant select, update on public.reward_weights to service_role;
grant select, insert, update, delete on public.post_outcomes to service_role;
revoke all on function postloop.post_rewards from public, anon, authenticated, service_role;
grant execute on function postloop.post_rewards to service_role;
