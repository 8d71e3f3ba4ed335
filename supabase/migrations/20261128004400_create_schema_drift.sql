-- Code that meets a column it does not know fails one call at a time; this names the difference at once.
create table postloop.schema_findings (
  is_only_row boolean primary key default true,
  checked_at timestamptz not null,
  findings jsonb not null,
  constraint there_is_one_row check (is_only_row),
  constraint findings_are_a_list check (jsonb_typeof(findings) = 'array')
);
comment on table postloop.schema_findings is
  'What schema_drift found when it last compared this database with what the functions need; one row.';
comment on column postloop.schema_findings.findings is 'As schema_drift returns them; empty when nothing differs.';

create function postloop.live_schema()
returns jsonb
language sql
stable
set search_path = ''
as $$
  with relation as (
    select case when c.relkind in ('v', 'm') then 'views' else 'tables' end as kind,
      c.relname as name, columns.described
    from pg_catalog.pg_class c
    cross join lateral (
      select coalesce(jsonb_object_agg(a.attname, jsonb_build_object(
          'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
          'nullable', not a.attnotnull)), '{}') as described
      from pg_catalog.pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ) columns
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
  ),
  function as (
    select p.proname as name,
      jsonb_agg(jsonb_build_object(
        'arguments', pg_catalog.pg_get_function_arguments(p.oid),
        'result', pg_catalog.pg_get_function_result(p.oid),
        'security_definer', p.prosecdef)
        order by pg_catalog.pg_get_function_arguments(p.oid)) as described
    from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prokind = 'f'
    group by p.proname
  )
  select jsonb_build_object(
    'tables', (select coalesce(jsonb_object_agg(r.name, r.described), '{}')
      from relation r where r.kind = 'tables'),
    'views', (select coalesce(jsonb_object_agg(r.name, r.described), '{}')
      from relation r where r.kind = 'views'),
    'functions', (select coalesce(jsonb_object_agg(f.name, f.described), '{}') from function f))
$$;
comment on function postloop.live_schema is
  'What the schema public holds, from the catalogue alone: {tables, views: {name: {column: {type, nullable}}}, functions: {name: [{arguments, result, security_definer}]}}. No deployed code can call what is in postloop.';

create function public.schema_drift(p_expected jsonb, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_findings jsonb;
begin
  with side(side, described) as (
    values ('expected', p_expected), ('live', postloop.live_schema())
  ),
  relation as (
    select s.side, k.kind, 'public.' || r.key as object, r.key as name, r.value as columns
    from side s
    cross join (values ('table', 'tables'), ('view', 'views')) k(kind, list)
    cross join lateral jsonb_each(s.described -> k.list) r
  ),
  attribute as (
    select r.side, r.kind as relation_kind, r.object as relation, c.key as name,
      c.value ->> 'type' as type, (c.value ->> 'nullable')::boolean as nullable
    from relation r
    cross join lateral jsonb_each(r.columns) c
  ),
  function as (
    select s.side, f.key as name, 'public.' || f.key as object,
      format('(%s) returns %s%s', o.value ->> 'arguments', o.value ->> 'result',
        case when (o.value ->> 'security_definer')::boolean then ' security definer' end) as signature
    from side s
    cross join lateral jsonb_each(s.described -> 'functions') f
    cross join lateral jsonb_array_elements(f.value) o
  ),
  missing_relation as (
    select e.kind || '_missing' as kind, e.object, e.kind as expected,
      coalesce(
        (select 'a ' || l.kind from relation l where l.side = 'live' and l.object = e.object),
        (select 'perhaps renamed to ' || string_agg(l.name, ' or ' order by l.name)
         from relation l
         where l.side = 'live' and l.kind = e.kind and l.columns @> e.columns
           and not exists (
             select from relation k where k.side = 'expected' and k.object = l.object))) as found
    from relation e
    where e.side = 'expected'
      and not exists (
        select from relation l where l.side = 'live' and l.kind = e.kind and l.object = e.object)
  ),
  compared_column as (
    select e.relation, e.name, e.type, e.nullable, l.name is null as is_missing,
      l.type as live_type, l.nullable as live_nullable
    from attribute e
    join relation r on r.side = 'live' and r.kind = e.relation_kind and r.object = e.relation
    left join attribute l on l.side = 'live' and l.relation = e.relation and l.name = e.name
    where e.side = 'expected'
  ),
  changed_column as (
    select 'column_missing' as kind, c.relation || '.' || c.name as object, c.type as expected,
      (select 'perhaps renamed to ' || string_agg(l.name, ' or ' order by l.name)
       from attribute l
       where l.side = 'live' and l.relation = c.relation and l.type = c.type
         and not exists (
           select from attribute k
           where k.side = 'expected' and k.relation = l.relation and k.name = l.name)) as found
    from compared_column c
    where c.is_missing
    union all
    select 'column_retyped', c.relation || '.' || c.name, c.type, c.live_type
    from compared_column c
    where c.type <> c.live_type
    union all
    select 'column_nullability', c.relation || '.' || c.name,
      case when c.nullable then 'nullable' else 'not null' end,
      case when c.live_nullable then 'nullable' else 'not null' end
    from compared_column c
    where c.nullable <> c.live_nullable
  ),
  changed_function as (
    select case when same_name.signatures is null then 'function_missing' else 'function_changed' end
        as kind,
      e.object, e.signature as expected,
      coalesce(same_name.signatures,
        (select 'perhaps renamed to ' || string_agg(l.name, ' or ' order by l.name)
         from function l
         where l.side = 'live' and l.signature = e.signature
           and not exists (
             select from function k where k.side = 'expected' and k.object = l.object))) as found
    from function e
    cross join lateral (
      select string_agg(l.signature, '; ' order by l.signature) as signatures
      from function l
      where l.side = 'live' and l.object = e.object
    ) same_name
    where e.side = 'expected'
      and not exists (
        select from function l
        where l.side = 'live' and l.object = e.object and l.signature = e.signature)
  ),
  finding as (
    select 1 as rank, m.* from missing_relation m
    union all select 2, c.* from changed_column c
    union all select 3, f.* from changed_function f
  )
  select coalesce(jsonb_agg(jsonb_build_object(
      'kind', f.kind, 'object', f.object, 'expected', f.expected, 'found', f.found)
      order by f.rank, f.object, f.kind, f.expected), '[]')
    into v_findings
  from finding f;

  begin
    insert into postloop.schema_findings (checked_at, findings) values (p_now, v_findings)
    on conflict (is_only_row) do update
      set checked_at = excluded.checked_at, findings = excluded.findings;
  exception when others then
    -- The damage may be to this very table: what was found must still be told.
    if v_findings = '[]' then
      raise;
    end if;
  end;
  return v_findings;
end
$$;
comment on function public.schema_drift is
  'Compares what the code needs (as live_schema describes it) with this database and stores the result: [{kind, object, expected, found}], empty when nothing differs. What the database has beyond it is no difference.';

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

alter table postloop.schema_findings enable row level security;

revoke all on postloop.schema_findings from public, anon, authenticated, service_role;
grant select, insert, update on postloop.schema_findings to service_role;
revoke all on function
  postloop.live_schema, public.schema_drift, postloop.check_schema
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.live_schema, public.schema_drift, postloop.check_schema
  to service_role;

insert into postloop.checks (check_name, position) values ('schema', 10);
