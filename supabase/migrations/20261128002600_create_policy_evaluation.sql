-- The log that another policy can be judged by: what each decision chose from, with which probability, and what came of it.
create function public.logged_slates(p_account text, p_since timestamptz, p_now timestamptz, p_limit integer default 5000)
returns jsonb
language sql
stable
set search_path = ''
as $$
  with account as (
    select a.id, a.handle from public.x_accounts a where lower(a.handle) = lower(p_account)
  ),
  -- decisions whose post is finished, the newest; looked up one by one, for a join would read all
  -- accounts' posts
  logged as (
    select d.decision_id, d.created_at, d.policy, d.slate, d.propensity, d.chosen,
      p.posted_at, p.kind, p.followers_before, o.reward
    from account a
    join public.content_metadata d on d.account_id = a.id
    cross join lateral (
      select t.post_id, t.posted_at, t.kind, t.followers_before
      from public.post_attribution t where t.decision_id = d.decision_id limit 1
    ) p
    cross join lateral (
      select k.reward from public.post_outcomes k where k.post_id = p.post_id and k.is_final limit 1
    ) o
    where d.origin = 'recommended'
      and d.created_at >= p_since
      and d.created_at <= p_now
    order by d.created_at desc, d.decision_id
    limit p_limit
  )
  select coalesce((
    select jsonb_build_object(
      'code', 'ready',
      'account_id', a.id,
      'handle', a.handle,
      'vocabulary', (
        select coalesce(jsonb_object_agg(v.dimension, v.values), '{}'::jsonb)
        from (
          select u.dimension, jsonb_agg(u.value order by u.value) as values
          from public.content_dimension_values u
          where u.account_id = a.id and u.retired_at is null
          group by u.dimension
        ) v),
      'decisions', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'decision_id', l.decision_id,
          'policy', l.policy,
          'slate', l.slate,
          'chosen', l.chosen,
          'propensity', l.propensity,
          'reward', l.reward,
          'posted_at', l.posted_at,
          'kind', l.kind,
          'followers', l.followers_before) order by l.created_at, l.decision_id), '[]'::jsonb)
        from logged l))
    from account a
  ), jsonb_build_object('code', 'account_unknown'))
$$;
comment on function public.logged_slates is
  'The newest p_limit recommended decisions since p_since whose post is finished, oldest first, with slate, pick, propensity and reward, and the vocabulary in use; {code: account_unknown} when there is none.';

-- Does the evidence in the prompt help, or do the choices alone? Only decisions at random without it can say.
create view public.prompt_worth with (security_invoker = on) as
with
-- 1 finished posts whose decision could have gone either way; a share that changed over time is
-- weighed out, or the prompted would be the older ones
tried as (
  select d.account_id, d.prompted, o.reward as y,
    1 / case when d.prompted then 1 - d.control_share else d.control_share end as w
  from public.content_metadata d
  join public.post_attribution p on p.decision_id = d.decision_id
  join public.post_outcomes o on o.post_id = p.post_id and o.is_final
  where d.control_share > 0
),
centred as (
  select t.*, sum(t.w * t.y) over arm / sum(t.w) over arm as mean
  from tried t
  window arm as (partition by t.account_id, t.prompted)
),
-- 2 the mean of each arm and its standard error
arm as (
  select c.account_id, c.prompted, count(*) as n, min(c.mean) as mean,
    sqrt(sum((c.w * (c.y - c.mean)) ^ 2) * count(*) / nullif(count(*) - 1, 0)) / sum(c.w) as se
  from centred c
  group by c.account_id, c.prompted
),
compared as (
  select a.account_id,
    coalesce(max(a.n) filter (where a.prompted), 0) as prompted_posts,
    coalesce(max(a.n) filter (where not a.prompted), 0) as control_posts,
    max(a.mean) filter (where a.prompted) as prompted_mean,
    max(a.mean) filter (where not a.prompted) as control_mean,
    sqrt((max(a.se) filter (where a.prompted)) ^ 2 + (max(a.se) filter (where not a.prompted)) ^ 2) as se
  from arm a
  group by a.account_id
)
-- 3 and their difference
select c.account_id, c.prompted_posts, c.control_posts, c.prompted_mean, c.control_mean,
  c.prompted_mean - c.control_mean as difference, c.se as standard_error,
  c.prompted_mean - c.control_mean - 1.6448536269514722 * c.se as low_90,
  c.prompted_mean - c.control_mean + 1.6448536269514722 * c.se as high_90
from compared c;
comment on view public.prompt_worth is
  'What the evidence in the prompt is worth: mean reward of finished posts whose decision came with it against those of the control share. A row for each account that has had such posts.';
comment on column public.prompt_worth.prompted_posts is 'Finished posts with the evidence, while there was a control share.';
comment on column public.prompt_worth.control_posts is 'Finished posts of the control share.';
comment on column public.prompt_worth.prompted_mean is
  'Their mean reward, each post weighed by one over the probability of its group; control_mean likewise.';
comment on column public.prompt_worth.difference is 'prompted_mean minus control_mean, in spreads of the account''s reward.';
comment on column public.prompt_worth.standard_error is 'Standard error of difference; null until each group has two posts.';
comment on column public.prompt_worth.low_90 is 'Lower end of the 90 % interval of difference; high_90 its upper end.';

revoke all on public.prompt_worth from public, anon, authenticated, service_role;
grant select on public.prompt_worth to authenticated;
grant select on public.prompt_worth to service_role;
revoke all on function public.logged_slates from public, anon, authenticated, service_role;
grant execute on function public.logged_slates to service_role;
