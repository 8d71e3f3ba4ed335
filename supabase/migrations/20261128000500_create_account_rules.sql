-- What an account wants or refuses is its own to say: no learner can know that a tone is out of the
-- question.

-- The first thing wrong with an account's rules, as jsonb with a code; null when nothing is.
create function postloop.rules_problem(p_account_id bigint, p_rules jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  -- Each draw searches the combinations that they leave.
  c_most constant integer := 100;
  v_rule record;
  v_part record;
  v_unknown jsonb := null;
begin
  if jsonb_typeof(p_rules) is distinct from 'array' then
    return jsonb_build_object('code', 'rules_invalid', 'problem', 'The rules must be a list.');
  end if;
  if jsonb_array_length(p_rules) > c_most then
    return jsonb_build_object('code', 'rules_invalid',
      'problem', format('There may be at most %s rules.', c_most));
  end if;

  for v_rule in
    select r.ordinality - 1 as index, r.value from jsonb_array_elements(p_rules) with ordinality r
  loop
    if (case when jsonb_typeof(v_rule.value) <> 'object' then true
      when v_rule.value ? 'forbid' then v_rule.value - 'forbid' <> '{}'::jsonb
      else not v_rule.value ? 'require' or v_rule.value - 'require' - 'when' <> '{}'::jsonb end)
    then
      return jsonb_build_object('code', 'rules_invalid', 'rule', v_rule.index,
        'problem', 'A rule is {"forbid": {…}} or {"require": {…}, "when": {…}}, the last being optional.');
    end if;

    for v_part in select p.key, p.value from jsonb_each(v_rule.value) p loop
      if (case when jsonb_typeof(v_part.value) <> 'object' then true
        when v_part.value = '{}'::jsonb then v_part.key <> 'when'
        else exists (
          select from jsonb_each(v_part.value) one where jsonb_typeof(one.value) <> 'string') end)
      then
        return jsonb_build_object('code', 'rules_invalid', 'rule', v_rule.index,
          'problem', format('%s must name a value for at least one dimension: {"tone": "dry"}.', v_part.key));
      end if;
      v_unknown := postloop.first_unknown_value(p_account_id, v_part.value);
      if v_unknown is not null then
        -- A rule with a misspelt value would never apply, and nobody would notice.
        return jsonb_build_object(
          'code', case when (v_unknown ->> 'known_dimension')::boolean then 'value_unknown' else 'dimension_unknown' end,
          'rule', v_rule.index, 'dimension', v_unknown -> 'dimension', 'value', v_unknown -> 'value',
          'known_values', v_unknown -> 'known_values');
      end if;
    end loop;
  end loop;
  return null;
end
$$;
comment on function postloop.rules_problem is
  'The first thing wrong with an account''s rules: {code, rule, …} with the index of the rule from 0, or null.';

create function public.set_content_rules(p_account text, p_rules jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_account_id bigint;
  v_problem jsonb;
begin
  select a.id into v_account_id from public.x_accounts a where lower(a.handle) = lower(p_account);
  if v_account_id is null then
    return jsonb_build_object('code', 'account_unknown');
  end if;
  v_problem := postloop.rules_problem(v_account_id, p_rules);
  if v_problem is not null then
    return v_problem;
  end if;
  update public.x_accounts a set rules = p_rules where a.id = v_account_id;
  return jsonb_build_object('code', 'stored', 'account_id', v_account_id,
    'rules', jsonb_array_length(p_rules));
end
$$;
comment on function public.set_content_rules is
  'Replaces the rules of an account: {code: stored, rules: how many}, or what is wrong with them: account_unknown, rules_invalid, dimension_unknown, value_unknown.';

-- Last line of defence: whatever writes rules, what recommend cannot read does not get in.
create function postloop.refuse_broken_rules()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_problem jsonb := postloop.rules_problem(new.id, new.rules);
begin
  if v_problem is not null then
    raise exception 'The rules of account % are refused: %', new.id, v_problem
      using errcode = 'check_violation', hint = 'select set_content_rules(handle, rules) says what is wrong with them.';
  end if;
  return new;
end
$$;
comment on function postloop.refuse_broken_rules is 'Trigger: refuses rules that set_content_rules would refuse.';

create trigger rules_are_sound
  before insert or update of rules on public.x_accounts
  for each row when (new.rules <> '[]'::jsonb)
  execute function postloop.refuse_broken_rules();

revoke all on function
  postloop.rules_problem, public.set_content_rules, postloop.refuse_broken_rules
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.rules_problem, public.set_content_rules, postloop.refuse_broken_rules
  to service_role;
