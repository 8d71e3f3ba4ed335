-- Without its two secrets no job is called at all.
-- Security definer: who may read the state of the pipeline need not be able to read its key.
create function postloop.check_secrets(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
security definer
set search_path = ''
as $$
  with
  secret as (
    select e.name, s.id,
      case when s.id is null then 'is missing' when coalesce(s.decrypted_secret, '') = '' then 'is empty' end as fault
    from (values ('postloop_project_url'), ('postloop_secret_key')) e(name)
    left join vault.decrypted_secrets s on s.name = e.name
  ),
  tally as (
    select count(s.fault) as faults,
      string_agg(format('%s %s', s.name, s.fault), ', ' order by s.name) filter (where s.fault is not null) as named,
      string_agg(case when s.id is null then format('select vault.create_secret(''…'', %L);', s.name)
          else format('select vault.update_secret(%L, ''…'');', s.id) end, ' ' order by s.name)
        filter (where s.fault is not null) as remedy
    from secret s
  )
  select 'vault_secrets_present',
    case when t.faults > 0 then 'failing' else 'ok' end,
    coalesce(t.named, 'both are there'),
    'postloop_project_url and postloop_secret_key are there and not empty',
    case when t.faults > 0 then format('Put it into Vault: %s (docs/operations.md, "The Vault secrets").', t.remedy)
      else 'If one is missing, no job is called: vault.create_secret puts it there.' end
  from tally t
$$;
comment on function postloop.check_secrets is
  'Check of pipeline_health, vault_secrets_present: the URL and the key that invoke_job needs are in Vault, now and whatever p_now. Runs as its owner, so that no caller needs the secrets.';

revoke all on function postloop.check_secrets from public, anon, authenticated, service_role;
grant execute on function postloop.check_secrets to service_role;

insert into postloop.checks (check_name, position) values ('secrets', 130);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('vault_secrets_present', 'secrets', null, 'Vault',
    'the address and the key with which the functions are called are in Vault', 'failing');
