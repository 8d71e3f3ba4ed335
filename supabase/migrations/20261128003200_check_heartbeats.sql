-- A job that does not run leaves no failed run: that it is missing must show.
create function postloop.check_heartbeats(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  select 'heartbeat_' || s.job,
    case when l.is_late then 'failing' else 'ok' end,
    case
      when l.last_run_at is not null then format('last run %s ago', postloop.in_words(p_now - l.last_run_at))
      when l.is_late then
        format('never ran, installed %s ago', postloop.in_words(p_now - s.since))
      else 'not yet due'
    end,
    format('a run in the last %s', postloop.in_words(s.late_after)),
    case
      when s.job = 'scraper' then
        'Deploy the Lambda and enable its schedule in EventBridge (docs/scraper-deploy.md); its log says why it does not claim.'
      else format('See cron_jobs_scheduled, cron_jobs_succeed and requests_answered for why it did not start; then run it as the role postgres: %s',
        postloop.how_to_run(s.job))
    end
  from postloop.job_lateness(p_now) l
  join postloop.jobs s on s.job = l.job
  order by s.job
$$;
comment on function postloop.check_heartbeats is
  'Check of pipeline_health, heartbeat_<job>: each job of postloop.jobs that leaves runs left one within late_after, however the run ended.';

revoke all on function postloop.check_heartbeats from public, anon, authenticated, service_role;
grant execute on function postloop.check_heartbeats to service_role;

insert into postloop.checks (check_name, position) values ('heartbeats', 110);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise)
select 'heartbeat_' || j.job, 'heartbeats', j.step, case when j.job = 'scraper' then 'Lambda heartbeat' end,
  'the job ran, however the run ended; the first run is due as long after installing', 'failing'
from postloop.jobs j
where j.every is not null;
