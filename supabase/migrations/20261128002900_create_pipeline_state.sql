-- The one rule of lateness. The newest run counts however it ended; a job that never ran is late from
-- when it was installed.
create function postloop.job_lateness(p_now timestamptz)
returns table (job text, last_run_at timestamptz, is_late boolean)
language sql
stable
set search_path = ''
as $$
  select j.job, last.as_of, coalesce(last.as_of, j.since) < p_now - j.late_after
  from postloop.jobs j
  left join lateral (
    select r.as_of from public.pipeline_runs r
    where r.job = j.job and r.as_of <= p_now
    order by r.as_of desc
    limit 1
  ) last on true
  where j.every is not null
$$;
comment on function postloop.job_lateness is
  'Of each job that leaves runs: when the newest began, and whether it is late, without one for late_after.';

-- Health looks at the jobs while its own run is open, and is not to see itself as running.
create function public.pipeline_state(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
  with job as (
    select s.job, s.every, last.status as last_status, last.as_of as last_run_at, last.error,
      last.expected, last.done, last.failed, ok.as_of as last_success_at,
      case
        when last.job is null then 'never_ran'
        when l.is_late then 'late'
        when last.status = 'running' then 'running'
        when last.status = 'failed' then 'failed'
        when last.status = 'partial' then 'partial'
        else 'ok'
      end as state
    from postloop.job_lateness(p_now) l
    join postloop.jobs s on s.job = l.job
    left join lateral (
      select r.* from public.pipeline_runs r
      where r.job = s.job and r.as_of <= p_now
        and not (r.job = 'health' and r.status = 'running')
      order by r.started_at desc limit 1
    ) last on true
    left join lateral (
      select r.as_of from public.pipeline_runs r
      where r.job = s.job and r.as_of <= p_now and r.status in ('succeeded', 'partial')
      order by r.started_at desc limit 1
    ) ok on true
  )
  select jsonb_build_object(
    'as_of', p_now,
    'jobs', (
      select jsonb_agg(jsonb_build_object('job', j.job, 'state', j.state,
        'every_seconds', extract(epoch from j.every), 'last_status', j.last_status,
        'last_run_at', j.last_run_at, 'last_success_at', j.last_success_at,
        'expected', j.expected, 'done', j.done, 'failed', j.failed, 'error', j.error) order by j.job)
      from job j))
$$;
comment on function public.pipeline_state is
  'What each job did last, and whether it is late: {as_of, jobs}.';

revoke all on function
  postloop.job_lateness, public.pipeline_state
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.job_lateness, public.pipeline_state
  to service_role;
