create function postloop.check_scraper_runs(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  recent as (
    select r.run_id, r.expected, r.done from public.pipeline_runs r
    where r.job = 'scraper' and r.as_of > p_now - interval '30 minutes' and r.as_of <= p_now
      and r.expected > 0 and r.status <> 'running'
  ),
  tally as (
    select count(*) as runs, coalesce(sum(r.expected), 0)::bigint as expected, coalesce(sum(r.done), 0) as done
    from recent r
  ),
  often as (
    select a.outcome from recent r
    join public.collection_attempts a on a.run_id = r.run_id
    group by a.outcome
    order by count(*) desc, a.outcome
    limit 1
  )
  select 'scraper_works',
    case when t.runs >= 3 and t.done = 0 then 'failing' else 'ok' end,
    format('%s of %s done in %s of the last 30 min', t.done, postloop.counted(t.expected, 'read'), postloop.counted(t.runs, 'run'))
      || case when t.runs > 0 and t.done = 0 then coalesce(', most often ' || o.outcome, ', none was tried') else '' end,
    'some reads done, or fewer than 3 runs with work',
    case
      when t.done = 0 and o.outcome is not null then format(
        'Nothing comes back from X but %s: see docs/operations.md, "Outcomes that need you", and the Lambda''s log.', o.outcome)
      when t.runs > 0 and t.done = 0 then 'Its runs end before the first read: see the Lambda''s log.'
      else 'If no read comes back, the outcomes in collection_attempts say why.'
    end
  from tally t
  left join often o on true
$$;
comment on function postloop.check_scraper_runs is
  'Check of pipeline_health, scraper_works: three or more runs with work in half an hour must have read something.';

revoke all on function postloop.check_scraper_runs from public, anon, authenticated, service_role;
grant execute on function postloop.check_scraper_runs to service_role;

insert into postloop.checks (check_name, position) values ('scraper_runs', 112);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('scraper_works', 'scraper_runs', 'metrics', null,
    'the runs of the last half hour read something', 'failing');
