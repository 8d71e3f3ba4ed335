-- One call keeps a fit: what each value has shown, and the models that the next decisions are drawn from.
drop function public.record_performance;
create function public.record_performance(p_account_id bigint, p_data_version bigint, p_finished_posts integer,
  p_priors jsonb, p_rows jsonb, p_models jsonb, p_now timestamptz)
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

  select count(*) into v_removed
  from public.dimension_performance d
  where d.account_id = p_account_id
    and not exists (
      select from jsonb_to_recordset(p_rows) g(dimension text, value text)
      where g.dimension = d.dimension and g.value = d.value);

  delete from public.dimension_performance d where d.account_id = p_account_id;
  insert into public.dimension_performance
  select g.*
  from jsonb_array_elements(p_rows) r(shown)
  cross join lateral jsonb_populate_record(null::public.dimension_performance,
    r.shown || jsonb_build_object('account_id', p_account_id, 'computed_at', p_now)) g;
  get diagnostics v_written = row_count;

  delete from public.models m where m.account_id = p_account_id;
  insert into public.models
  select g.*
  from jsonb_array_elements(p_models) r(fit)
  cross join lateral jsonb_populate_record(null::public.models, r.fit || jsonb_build_object(
    'account_id', p_account_id, 'data_version', p_data_version, 'finished_posts', p_finished_posts,
    'fitted_at', p_now)) g;

  update public.learning_state s
  set learned_version = p_data_version, priors = p_priors, finished_posts = p_finished_posts,
      learned_at = p_now
  where s.account_id = p_account_id;

  return jsonb_build_object('code', 'recorded', 'written', v_written, 'removed', v_removed);
end
$$;
comment on function public.record_performance is
  'Replaces an account''s dimension_performance and models by what was learned from the given data version.';
revoke all on function public.record_performance from public, anon, authenticated, service_role;
grant execute on function public.record_performance to service_role;
