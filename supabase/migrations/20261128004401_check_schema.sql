create function postloop.check_schema(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  select 'schema_matches',
    case when jsonb_array_length(f.findings) > 0 then 'failing' else 'ok' end,
    case
      when f.findings is null then 'not checked yet'
      when jsonb_array_length(f.findings) = 0 then '0 differences'
      else (
        select format('%s difference%s: %s%s', jsonb_array_length(f.findings),
          case when jsonb_array_length(f.findings) > 1 then 's' end,
          string_agg(format('%s %s', d.value ->> 'object',
            case
              when d.value ->> 'kind' like '%_missing'
                then 'is missing' || coalesce(' (' || (d.value ->> 'found') || ')', '')
              when d.value ->> 'kind' = 'column_retyped'
                then format('is %s, not %s', d.value ->> 'found', d.value ->> 'expected')
              when d.value ->> 'kind' = 'column_nullability'
                then case d.value ->> 'found' when 'nullable' then 'may be null' else 'must not be null' end
              else 'has changed'
            end), ', ' order by d.ordinality),
          case when jsonb_array_length(f.findings) > 3 then ', …' end)
        from jsonb_array_elements(f.findings) with ordinality d
        where d.ordinality <= 3)
    end,
    '0 differences',
    'Run npx supabase db push --remote and deploy the functions of the same version. Put back what was changed by hand: drift in the reply of health has what is expected and what was found. The next call of health looks again.'
  from (select) always
  left join postloop.schema_findings f on true
$$;
comment on function postloop.check_schema is
  'Check of pipeline_health, schema_matches: what health found when it last compared this database with what the functions need.';

revoke all on function postloop.check_schema from public, anon, authenticated, service_role;
grant execute on function postloop.check_schema to service_role;

insert into postloop.checks (check_name, position) values ('schema', 10);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('schema_matches', 'schema', null, 'schema',
    'the database has every table, column and function that the functions need', 'failing');
