-- A post that is about to go far is worth a follow-up: whoever asks what to write next is told of it.
create or replace function public.store_decisions(p_account_id bigint, p_decisions jsonb, p_now timestamptz)
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
    from jsonb_to_recordset(p_decisions) d(decision_id text, kind text, assigned jsonb, policy text,
      propensity double precision, slate jsonb, chosen integer, rng_seed bigint, model_version bigint,
      prompted boolean, control_share double precision)
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
