-- Every run states what it expected and what it did; the constraints make a false success impossible.
create table public.pipeline_runs (
  run_id uuid primary key default gen_random_uuid(),
  job text not null,
  status text not null default 'running',
  as_of timestamptz not null,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  expected integer not null default 0,
  done integer not null default 0,
  skipped jsonb not null default '{}',
  failed integer not null default 0,
  error jsonb,
  constraint job_is_known foreign key (job) references postloop.jobs (job),
  constraint status_is_known check (status in ('running', 'succeeded', 'partial', 'failed')),
  constraint counts_are_not_negative check (expected >= 0 and done >= 0 and failed >= 0),
  constraint skipped_is_counts_by_reason check (jsonb_typeof(skipped) = 'object'),
  constraint finished_runs_have_an_end check ((status = 'running') = (finished_at is null)),
  constraint success_did_its_work check (status <> 'succeeded' or (failed = 0 and error is null and (expected = 0 or done > 0))),
  constraint partial_did_some_work check (status <> 'partial' or done > 0),
  constraint failures_say_why check (status <> 'failed' or error is not null)
);
comment on table public.pipeline_runs is 'One run of one job: what it expected before it started and what it did.';
comment on column public.pipeline_runs.as_of is 'The moment that the run took as now.';
comment on column public.pipeline_runs.skipped is 'Counts by reason, for example {"lease_lost": 1}.';
comment on column public.pipeline_runs.error is '{code, message, details?}; set whenever the status is failed.';
create index pipeline_runs_job_started_at_idx on public.pipeline_runs (job, started_at desc);
create index pipeline_runs_job_as_of_idx on public.pipeline_runs (job, as_of desc);
create index pipeline_runs_open_idx on public.pipeline_runs (started_at) where status = 'running';
create index pipeline_runs_abandoned_idx on public.pipeline_runs (finished_at)
  where error ->> 'code' = 'abandoned';

create function public.start_pipeline_run(p_job text, p_expected integer, p_now timestamptz)
returns uuid
language sql
set search_path = ''
as $$
  insert into public.pipeline_runs (job, expected, as_of)
  values (p_job, p_expected, p_now)
  returning run_id
$$;
comment on function public.start_pipeline_run is
  'Opens a run of a job with what it expects to do, and returns its id.';

-- The status is decided here and nowhere else: expected work of which nothing was done is a failure.
create function postloop.run_status(p_expected integer, p_done integer, p_failed integer, p_error jsonb)
returns text
language sql
immutable
set search_path = ''
as $$
  select case
    when p_error is not null then 'failed'
    when p_expected > 0 and p_done = 0 then 'failed'
    when p_failed > 0 and p_done > 0 then 'partial'
    when p_failed > 0 then 'failed'
    else 'succeeded'
  end
$$;
comment on function postloop.run_status is
  'succeeded, partial or failed, from what a run expected and did.';

create function public.finish_pipeline_run(
  p_run_id uuid,
  p_done integer,
  p_skipped jsonb default '{}',
  p_failed integer default 0,
  p_error jsonb default null,
  p_expected integer default null
)
returns jsonb
language sql
set search_path = ''
as $$
  with verdict as (
    select r.run_id, coalesce(p_expected, r.expected) as expected,
      postloop.run_status(coalesce(p_expected, r.expected), p_done, p_failed, p_error) as status
    from public.pipeline_runs r
    where r.run_id = p_run_id and r.status = 'running'
  )
  update public.pipeline_runs r
  set status = v.status,
      expected = v.expected,
      done = p_done,
      skipped = p_skipped,
      failed = p_failed,
      error = coalesce(p_error, case when v.status = 'failed' then
        jsonb_build_object('code', 'nothing_done', 'message',
          format('Expected %s, did none; failed %s, skipped %s.', v.expected, p_failed, p_skipped))
      end),
      finished_at = clock_timestamp()
  from verdict v
  where r.run_id = v.run_id
  returning jsonb_build_object('run_id', r.run_id, 'job', r.job, 'status', r.status,
    'as_of', r.as_of, 'expected', r.expected, 'done', r.done, 'skipped', r.skipped,
    'failed', r.failed, 'error', r.error)
$$;
comment on function public.finish_pipeline_run is
  'Closes a running run and returns it; null when there is no such running run.';

-- A run that nobody closed was killed; its leases have long expired.
create function postloop.close_abandoned_runs(p_now timestamptz)
returns integer
language sql
set search_path = ''
as $$
  with closed as (
    update public.pipeline_runs r
    set status = 'failed', finished_at = clock_timestamp(), error = jsonb_build_object(
      'code', 'abandoned', 'message', 'The run never reported its end; it was killed or timed out.')
    -- no function or Lambda lives for 15 minutes; a run of watch ends with its transaction
    where r.status = 'running' and r.started_at < p_now - interval '15 minutes' and r.job <> 'watch'
    returning 1
  )
  select count(*)::integer from closed
$$;
comment on function postloop.close_abandoned_runs is
  'Fails the runs that have been open for more than 15 minutes, with error code abandoned; returns how many.';

alter table public.pipeline_runs enable row level security;

revoke all on public.pipeline_runs from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.pipeline_runs to service_role;
revoke all on function
  public.start_pipeline_run, postloop.run_status, public.finish_pipeline_run, postloop.close_abandoned_runs
  from public, anon, authenticated, service_role;
grant execute on function public.start_pipeline_run, postloop.run_status, public.finish_pipeline_run to service_role;
