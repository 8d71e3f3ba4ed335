-- A recommendation is drawn from what was learned and logged with the probability of each choice.
create function public.recommendation_inputs(p_account text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select coalesce((
    select jsonb_build_object(
      'code', 'ready',
      'account_id', a.id,
      'handle', a.handle,
      'finished_posts', coalesce(s.finished_posts, 0),
      'dimensions', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'dimension', d.dimension,
          'prior', s.priors -> d.dimension,
          'values', v.values) order by d.position), '[]'::jsonb)
        from public.dimensions d
        join lateral (
          select jsonb_agg(jsonb_build_object('value', dv.value, 'performance',
              case when dp.value is not null then to_jsonb(dp) - 'account_id' end) order by dv.value) as values
          from public.dimension_values dv
          left join public.dimension_performance dp
            on dp.account_id = dv.account_id and dp.dimension = dv.dimension and dp.value = dv.value
          where dv.account_id = a.id and dv.dimension = d.dimension and dv.retired_at is null
        ) v on v.values is not null))
    from public.accounts a
    left join public.learning_state s on s.account_id = a.id
    where lower(a.handle) = lower(p_account)
  ), jsonb_build_object('code', 'account_unknown'))
$$;
comment on function public.recommendation_inputs is
  'An account''s vocabulary with what each value has shown, in one jsonb; {code: account_unknown} when there is none.';

create function public.store_decisions(p_account_id bigint, p_decisions jsonb, p_now timestamptz)
returns jsonb
language sql
set search_path = ''
as $$
  with stored as (
    insert into public.content_metadata
      (decision_id, account_id, created_at, origin, kind, assigned, policy, propensity, slate, rng_seed)
    select d.decision_id, p_account_id, p_now, 'recommended', d.kind, d.assigned, d.policy, d.propensity, d.slate, d.rng_seed
    from jsonb_to_recordset(p_decisions) d(decision_id text, kind text, assigned jsonb, policy text,
      propensity double precision, slate jsonb, rng_seed bigint)
    returning 1
  )
  select jsonb_build_object('stored', (select count(*) from stored))
$$;
comment on function public.store_decisions is 'Stores recommended decisions and returns how many.';

revoke execute on function public.recommendation_inputs, public.store_decisions
  from public, anon, authenticated;
grant execute on function public.recommendation_inputs, public.store_decisions to service_role;
