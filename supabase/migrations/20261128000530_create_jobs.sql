-- Each job once: what starts it, how often it leaves a run, and when it is late.
create table postloop.jobs (
  job text primary key,
  cron_name text,
  schedule text,
  command text,
  every interval,
  late_after interval generated always as (every * 2.5) stored,
  since timestamptz not null default now(),
  step text,
  description text not null,
  constraint cron_name_is_unique unique (cron_name),
  constraint cron_jobs_are_told_whole check (num_nulls(cron_name, schedule, command) in (0, 3)),
  constraint interval_is_positive check (every > interval '0')
);
comment on table postloop.jobs is 'What keeps the loop going. To change a time, update the row and call schedule_jobs.';
comment on column postloop.jobs.cron_name is 'Name in pg_cron; null for a job that is started elsewhere.';
comment on column postloop.jobs.schedule is 'Cron format, GMT.';
comment on column postloop.jobs.every is
  'How often it leaves a row in pipeline_runs; null for a job that leaves none, or none regularly.';
comment on column postloop.jobs.late_after is 'Without a run for this long, 2.5 intervals, it is late.';
comment on column postloop.jobs.since is
  'Since when the job is to run: one that never ran is late from here on.';
comment on column postloop.jobs.step is 'The step of the loop that it does; null for one that serves the whole.';

insert into postloop.jobs (job, cron_name, schedule, command, every, step, description) values
  ('scraper', null, null, null, '1 minute', 'due_reads', 'claims and records due reads'),
  ('attribution', 'postloop-attribution', '5 */2 * * *', $$select postloop.invoke_job('attribution')$$,
    '2 hours', 'attribution', 'numbers and follower credit to the posts'),
  ('learning', 'postloop-learning', '35 */2 * * *', $$select postloop.invoke_job('learning')$$,
    '2 hours', 'learning', 'what each value has shown'),
  ('health', 'postloop-health', '*/15 * * * *', $$select postloop.invoke_job('health')$$,
    '15 minutes', null, 'checks the invariants and the schema'),
  ('cleanup', 'postloop-cleanup', '20 3 * * *', $$select postloop.cleanup()$$,
    '1 day', null, 'old runs and cron records'),
  ('watch', 'postloop-watch', '*/5 * * * *', $$select postloop.watch()$$,
    '5 minutes', null, 'looks after the others and tells what changed'),
  ('early_warning', 'postloop-early-warning', '*/5 * * * *',
    $$select postloop.warn_early(now()), postloop.settle_predictions(now())$$,
    null, null, 'posts that may go viral'),
  -- after the night's attribution; a curve changes little within a day
  ('growth', 'postloop-growth', '50 2 * * *', $$select postloop.fit_growth(null, now())$$,
    null, null, 'growth curves'),
  ('upgrade', null, null, null, null, null, 'imports what the first system left behind, once');

-- Called by the last migration, and by whoever has changed a time.
create function postloop.schedule_jobs()
returns setof text
language sql
set search_path = ''
as $$
  select j.cron_name
  from postloop.jobs j
  cross join lateral cron.schedule(j.cron_name, j.schedule, j.command)
  where j.cron_name is not null
  order by j.cron_name
$$;
comment on function postloop.schedule_jobs is
  'Schedules every job of postloop.jobs in pg_cron as listed, and returns their names there. Run it as the role postgres.';

alter table postloop.jobs enable row level security;

revoke all on postloop.jobs from public, anon, authenticated, service_role;
grant select on postloop.jobs to service_role;
revoke all on function postloop.schedule_jobs from public, anon, authenticated, service_role;
