-- Nothing of an imported account is read before it has its real handle: that must not be forgotten.
create function postloop.check_imported_account(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  select 'imported_account_named',
    case when i.account_id is null then 'ok' else 'warning' end,
    case when i.account_id is null then 'no account waits for its name'
      else format('account %s has waited for its name for %s days', i.account_id,
        greatest(extract(day from p_now - i.imported_at), 0)) end,
    'every account has its name',
    'Run select public.name_imported_account(''<handle>''); with the X handle of the account whose posts were imported. Nothing of it is read before.'
  from (select 1) one
  left join postloop.imported_accounts i on i.named_at is null
$$;
comment on function postloop.check_imported_account is
  'Whether the account that owns what was imported has its real handle.';

revoke all on function postloop.check_imported_account from public, anon, authenticated, service_role;
grant execute on function postloop.check_imported_account to service_role;

insert into postloop.checks (check_name, position) values ('imported_account', 200);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('imported_account_named', 'imported_account', 'post', null,
    'the account of the posts that were imported has its handle; nothing of it is read before', 'warning');
