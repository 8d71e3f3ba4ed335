-- The log that another policy can be judged by: what each decision chose from, with which probability, and what came of it.
create function public.logged_slates(p_account text, p_since timestamptz, p_now timestamptz, p_limit integer default 5000)
returns jsonb
language sql
stable
set search_path = ''
as $$
  with account as (
    select a.id, a.handle from public.accounts a where lower(a.handle) = lower(p_account)
  ),
  -- 1 decisions whose post is finished, the newest; looked up one by one, for a join would read all
  -- accounts' posts
  logged as (
    select d.decision_id, d.created_at, d.policy, d.slate, d.propensity, d.assigned, d.chosen,
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
  ),
  -- 2 the index of the pick, of older decisions by what was assigned
  picked as (
    select l.*, coalesce(l.chosen, (
        select min(s.ordinality) - 1
        from jsonb_array_elements(l.slate) with ordinality s
        where s.value = l.assigned)) as pick
    from logged l
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
          from public.dimension_values u
          where u.account_id = a.id and u.retired_at is null
          group by u.dimension
        ) v),
      'decisions', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'decision_id', k.decision_id,
          'policy', k.policy,
          'slate', k.slate,
          'chosen', k.pick,
          'propensity', k.propensity,
          'reward', k.reward,
          'posted_at', k.posted_at,
          'kind', k.kind,
          'followers', k.followers_before) order by k.created_at, k.decision_id), '[]'::jsonb)
        from picked k
        where k.pick is not null))
    from account a
  ), jsonb_build_object('code', 'account_unknown'))
$$;
comment on function public.logged_slates is
  'The newest p_limit recommended decisions since p_since whose post is finished, oldest first, with slate, pick, propensity and reward, and the vocabulary in use; {code: account_unknown} when there is none.';

revoke all on function public.logged_slates from public, anon, authenticated, service_role;
grant execute on function public.logged_slates to service_role;
