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
insert into postloop.checks (check_name, position) values ('imported_account', 200);

revoke execute on function postloop.check_imported_account from public, anon, authenticated;
grant execute on function postloop.check_imported_account to service_role;
