-- Values are drawn together, from one posterior of all dimensions, and each claim comes with the posts behind it.
create function public.recommendation_inputs(p_account text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  with account as (
    select a.id, a.handle, a.rules, a.control_share
    from public.x_accounts a
    where lower(a.handle) = lower(p_account)
  ),
  -- 1 receipts come from the newest 500 posts: a bound that keeps an account of 10,000 posts as quick as
  -- a small one. Outcomes are looked up post by post, for a join would read all accounts' outcomes.
  recent as (
    select p.post_id, p.realised, o.reward
    from account a
    cross join lateral (
      select n.post_id, n.realised
      from public.post_attribution n
      where n.account_id = a.id
      order by n.posted_at desc
      limit 500
    ) p
    cross join lateral (
      select k.reward from public.post_outcomes k where k.post_id = p.post_id and k.is_final limit 1
    ) o
  ),
  ranked as (
    select v.key as dimension, v.value, r.post_id,
      row_number() over (partition by v.key, v.value order by r.reward desc, r.post_id) as place
    from recent r
    cross join lateral jsonb_each_text(r.realised) v
  ),
  receipt as (
    select r.dimension, r.value, jsonb_agg(r.post_id order by r.place) as posts
    from ranked r
    where r.place <= 3
    group by r.dimension, r.value
  ),
  -- 2 the vocabulary in use, with what each value has shown
  vocabulary as (
    select d.position, d.dimension, jsonb_agg(jsonb_build_object(
        'value', v.value,
        'performance', case when p.value is not null then jsonb_build_object(
          'uses', p.uses,
          'effect', p.effect,
          'effect_low_80', p.effect_low_80,
          'effect_high_80', p.effect_high_80,
          'prob_above_average', p.prob_above_average,
          'confidence', p.confidence,
          'lift', p.lift,
          'lift_low_80', p.lift_low_80,
          'lift_high_80', p.lift_high_80) end,
        'posts', coalesce(r.posts, '[]'::jsonb)) order by v.value) as values
    from account a
    join public.content_dimension_values v on v.account_id = a.id and v.retired_at is null
    join public.content_dimensions d on d.dimension = v.dimension
    left join public.dimension_performance p
      on p.account_id = v.account_id and p.dimension = v.dimension and p.value = v.value
    left join receipt r on r.dimension = v.dimension and r.value = v.value
    group by d.position, d.dimension
  )
  -- 3 the part of the model that draws need: its first features, and the factor's first rows
  select coalesce((
    select jsonb_build_object(
      'code', 'ready',
      'account_id', a.id,
      'handle', a.handle,
      'finished_posts', coalesce(s.finished_posts, 0),
      'rules', a.rules,
      'control_share', a.control_share,
      'model', case when m.account_id is not null then jsonb_build_object(
        'version', m.data_version,
        'finished_posts', m.finished_posts,
        'features', (
          select coalesce(jsonb_agg(jsonb_build_object('dimension', f.value -> 'group', 'value', f.value -> 'name')
            order by f.ordinality), '[]'::jsonb)
          from jsonb_array_elements(m.features) with ordinality f
          where f.ordinality <= m.chosen_features),
        'mean', to_jsonb(m.mean[:m.chosen_features]),
        'factor', to_jsonb(m.factor[:m.chosen_features * (m.chosen_features + 1) / 2]),
        'tau2', m.group_variances) end,
      'dimensions', (
        select coalesce(jsonb_agg(jsonb_build_object('dimension', v.dimension, 'values', v.values)
          order by v.position), '[]'::jsonb)
        from vocabulary v))
    from account a
    left join public.account_learning s on s.account_id = a.id
    left join public.learned_models m on m.account_id = a.id and m.outcome = 'reward'
  ), jsonb_build_object('code', 'account_unknown'))
$$;
comment on function public.recommendation_inputs is
  'What an account''s next decision is drawn from, in one jsonb: vocabulary with what each value has shown and the three best of its posts among the newest 500, rules, control share, joint model; {code: account_unknown} when there is none.';

-- A post that is about to go far is worth a follow-up: whoever asks what to write next is told of it.
create function public.store_decisions(p_account_id bigint, p_decisions jsonb, p_now timestamptz)
returns jsonb
language sql
set search_path = ''
as $$
  with stored as (
    insert into public.content_metadata
      (decision_id, account_id, created_at, origin, kind, assigned, policy, propensity, slate, chosen, rng_seed,
        model_version, prompted, control_share)
    select d.decision_id, p_account_id, p_now, 'recommended', d.kind, d.assigned, d.policy, d.propensity, d.slate,
      d.chosen, d.rng_seed, d.model_version, d.prompted, d.control_share
    from jsonb_populate_recordset(null::public.content_metadata, p_decisions) d
    returning 1
  )
  select jsonb_build_object(
    'stored', (select count(*) from stored),
    'rising', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'post_id', r.post_id, 'probability', r.probability, 'threshold', r.threshold, 'since', r.since)
        order by r.probability desc, r.post_id), '[]'::jsonb)
      from public.rising_posts(p_account_id, p_now) r))
$$;
comment on function public.store_decisions is
  'Stores recommended decisions; returns how many, and the account''s rising posts of that moment, which saves their reader a call.';

revoke all on function
  public.recommendation_inputs, public.store_decisions
  from public, anon, authenticated, service_role;
grant execute on function public.recommendation_inputs, public.store_decisions to service_role;
