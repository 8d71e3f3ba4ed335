create function postloop.check_payloads(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  -- an attempt with a changed shape tells an event too; a page without a claimed post only the event
  changed as (
    select 1 as told_by, e.details, e.created_at as at
    from public.integrity_events e
    where e.kind = 'shape_changed' and e.created_at > p_now - interval '1 day' and e.created_at <= p_now
    union all
    select 2, t.evidence, t.attempted_at
    from public.x_accounts a
    cross join lateral (
      select c.evidence, c.attempted_at, c.outcome from public.collection_attempts c
      where c.account_id = a.id and c.attempted_at > p_now - interval '1 day' and c.attempted_at <= p_now
      offset 0
    ) t
    where t.outcome = 'shape_changed'
  ),
  place as (
    select c.told_by, c.at, coalesce(c.details ->> 'operation', 'a page')
      || coalesce(': ' || (
        select string_agg(p.path #>> '{}', ', ' order by p.ordinality)
        from jsonb_path_query(c.details, '$.*[*] ? (@.type() == "string")') with ordinality p(path, ordinality)
        where p.ordinality <= 3 and p.path #>> '{}' is distinct from c.details ->> 'operation'), '') as named
    from changed c
  ),
  changes as (
    select greatest(count(*) filter (where p.told_by = 1), count(*) filter (where p.told_by = 2)) as n,
      (array_agg(p.named order by p.told_by, p.at desc))[1] as named
    from place p
  ),
  unseen as (
    select count(*) as n, string_agg(distinct e.details ->> 'operation', ', ') as named
    from public.integrity_events e
    where e.kind = 'shape_unseen' and e.created_at > p_now - interval '1 day' and e.created_at <= p_now
      and exists (
        select from public.payload_shapes s
        where s.operation = e.details ->> 'operation' and s.first_seen_at < e.created_at - interval '1 day')
  )
  select 'payload_shapes_known',
    case when c.n > 0 then 'failing' when u.n > 0 then 'warning' else 'ok' end,
    case
      when c.n > 0 then format('%s not understood in 24 h, the last: %s', postloop.counted(c.n, 'page'), c.named)
      when u.n > 0 then format('%s of %s in 24 h', postloop.counted(u.n, 'new shape'), u.named)
      else 'no new shape in 24 h'
    end,
    'every page understood; a new shape of a known operation is a warning',
    case when c.n > 0 then
        'X changed its payload: the paths named are missing or of another type. See docs/scraper.md for where they are read; until then the reads are tried again.'
      else 'Nothing is lost yet. Compare the new paths in payload_shapes with those before, and see that no number has become null.' end
  from changes c
  cross join unseen u
$$;
comment on function postloop.check_payloads is
  'Check of pipeline_health, payload_shapes_known: X''s payloads of the last 24 h could be read and have the shapes of before.';

revoke all on function postloop.check_payloads from public, anon, authenticated, service_role;
grant execute on function postloop.check_payloads to service_role;

insert into postloop.checks (check_name, position) values ('payloads', 161);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('payload_shapes_known', 'payloads', 'metrics', null,
    'X''s payloads of 24 h are as before', 'warning for a new shape of an operation known for a day, failing for a page that is not understood');
