-- A cron job that was removed, switched off or changed leaves no failed run: the list of what must be
-- there is compared.

-- Security definer: pg_cron shows each role its own jobs only, and these belong to the owner.
create function postloop.check_cron_jobs(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
security definer
set search_path = ''
as $$
  with
  job as (
    select e.cron_name, e.schedule, e.command, j.jobid,
      case
        when j.jobid is null then 'is missing'
        when j.database <> current_database() then format('runs in the database %s', j.database)
        when not j.active then 'is switched off'
        when j.schedule <> e.schedule then format('runs at %s instead of %s', j.schedule, e.schedule)
        when j.command <> e.command then 'runs another command'
      end as fault
    from postloop.jobs e
    left join cron.job j on j.jobname = e.cron_name
    where e.cron_name is not null
  ),
  -- the one that is under way says nothing yet
  ended as (
    select j.cron_name, j.command, d.return_message
    from job j
    cross join lateral (
      select r.status, r.return_message
      from cron.job_run_details r
      where r.jobid = j.jobid and r.status in ('succeeded', 'failed')
        and (r.start_time is null or r.start_time <= p_now)
      order by r.runid desc
      limit 1
    ) d
    where d.status = 'failed'
  ),
  scheduled as (
    select count(*) as jobs, count(j.fault) as faults,
      string_agg(format('%s %s', j.cron_name, j.fault), ', ' order by j.cron_name)
        filter (where j.fault is not null) as named,
      string_agg(case
          when j.fault = 'is switched off' then format('select cron.alter_job(%s, active := true);', j.jobid)
          when j.fault like 'runs in the database %' then format(
            'select cron.unschedule(%s); select cron.schedule(%L, %L, %L);', j.jobid, j.cron_name, j.schedule, j.command)
          else format('select cron.schedule(%L, %L, %L);', j.cron_name, j.schedule, j.command)
        end, ' ' order by j.cron_name) filter (where j.fault is not null) as remedy
    from job j
  ),
  succeeded as (
    select count(*) as faults, (array_agg(e.command order by e.cron_name))[1] as command,
      string_agg(format('%s: %s', e.cron_name, left(coalesce(e.return_message, 'no message'), 160)), ', '
        order by e.cron_name) as named
    from ended e
  )
  select 'cron_jobs_scheduled',
    case when s.faults > 0 then 'failing' else 'ok' end,
    case when s.faults > 0 then s.named else format('%s of %s are scheduled', s.jobs, s.jobs) end,
    'all, as listed in postloop.jobs',
    case when s.faults > 0 then format('As the role postgres: %s', s.remedy)
      else 'If one is missing, switched off or changed, select postloop.schedule_jobs() puts it back as listed in postloop.jobs.' end
  from scheduled s
  union all
  select 'cron_jobs_succeed',
    case when s.faults > 0 then 'failing' else 'ok' end,
    coalesce('last run failed: ' || s.named, 'no last run failed'),
    'the last run of each cron job succeeded',
    case when s.faults > 0 then format('Run it as the role postgres to see the whole error: %s;', s.command)
      else 'If one failed, the message in cron.job_run_details says why.' end
  from succeeded s
$$;
comment on function postloop.check_cron_jobs is
  'Check of pipeline_health. cron_jobs_scheduled: every cron job of postloop.jobs is scheduled as listed; cron_jobs_succeed: its last run did not fail. Runs as its owner, whose jobs they are.';

revoke all on function postloop.check_cron_jobs from public, anon, authenticated, service_role;
grant execute on function postloop.check_cron_jobs to service_role;

insert into postloop.checks (check_name, position) values ('cron_jobs', 100);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('cron_jobs_scheduled', 'cron_jobs', null, 'cron',
    'every job with a schedule is in pg_cron: there, switched on, at its time, with its command, in this database', 'failing'),
  ('cron_jobs_succeed', 'cron_jobs', null, 'cron',
    'the last run of each did not fail in pg_cron', 'failing');
