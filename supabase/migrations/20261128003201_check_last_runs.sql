-- The first system reported success for weeks and did nothing: a run that failed or did none must show.
create function postloop.check_last_runs(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  select 'last_run_' || s.job,
    case last.status when 'failed' then 'failing' when 'partial' then 'warning' else 'ok' end,
    case
      when last.status is null then 'no run has ended yet'
      when last.status = 'failed' then format('failed %s ago: %s: %s', postloop.in_words(p_now - last.as_of),
        last.error ->> 'code', left(last.error ->> 'message', 160))
      else format('%s %s ago: %s of %s done, %s failed', last.status, postloop.in_words(p_now - last.as_of),
        last.done, last.expected, last.failed)
    end,
    'the last run succeeded',
    case when last.status in ('failed', 'partial') then format(
        'See the whole error: select error from public.pipeline_runs where run_id = %L; its code is explained in docs/operations.md. Then run it again: %s',
        last.run_id, postloop.how_to_run(s.job))
      else 'If it fails, its error in pipeline_runs says why.' end
  from postloop.jobs s
  left join lateral (
    select r.* from public.pipeline_runs r
    where r.job = s.job and r.as_of <= p_now and r.status <> 'running'
    order by r.as_of desc, r.started_at desc
    limit 1
  ) last on true
  -- single failures of the scraper are ordinary: scraper_works looks at half an hour of them
  where s.every is not null and s.job <> 'scraper'
  order by s.job
$$;
comment on function postloop.check_last_runs is
  'Check of pipeline_health, last_run_<job>: the newest run that ended did all that it expected.';

revoke all on function postloop.check_last_runs from public, anon, authenticated, service_role;
grant execute on function postloop.check_last_runs to service_role;

insert into postloop.checks (check_name, position) values ('last_runs', 111);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise)
select 'last_run_' || j.job, 'last_runs', j.step, null,
  'the newest run that ended did all its work', 'warning if it was partial, failing if it failed'
from postloop.jobs j
where j.every is not null and j.job <> 'scraper';
