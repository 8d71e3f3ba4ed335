create function postloop.check_vocabulary(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  account as (
    select a.handle, exists (
      select from public.content_dimension_values d
      where d.account_id = a.id and d.retired_at is null) as has_values
    from public.x_accounts a
  ),
  tally as (
    select count(*) as accounts, count(*) filter (where k.has_values) as drawable, min(k.handle) as handle
    from account k
  )
  select 'decisions_can_be_drawn',
    case when t.accounts > 0 and t.drawable = 0 then 'warning' else 'ok' end,
    case
      when t.accounts = 0 then 'no account is registered'
      when t.drawable = 0 then format('no account has a value to choose from, such as @%s', t.handle)
      else format('can be drawn for %s of %s', t.drawable, postloop.counted(t.accounts, 'account'))
    end,
    'values of one account',
    case when t.accounts > 0 and t.drawable = 0 then format(
        'Give the account values to choose from: select public.register_x_account(%L, ''{"tone": ["dry", "warm"]}'').', t.handle)
      else 'If no account has values, recommend has nothing to draw: public.register_x_account gives them.' end
  from tally t
$$;
comment on function postloop.check_vocabulary is
  'Check of pipeline_health, decisions_can_be_drawn: recommend has values to choose from, for one account at least.';

revoke all on function postloop.check_vocabulary from public, anon, authenticated, service_role;
grant execute on function postloop.check_vocabulary to service_role;

insert into postloop.checks (check_name, position) values ('vocabulary', 154);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('decisions_can_be_drawn', 'vocabulary', 'recommendation', null,
    'an account has a value to choose from, where any is registered; one without may be there for its numbers', 'warning');
