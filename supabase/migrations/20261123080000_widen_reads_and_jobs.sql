-- Reads from elsewhere than the schedule have a place too: of any age, imported, or not to be believed.
alter table public.collection_phases add column scheduled boolean not null default true;
comment on column public.collection_phases.scheduled is
  'Whether track-post schedules a read at this age; the other phases hold reads that came anyway.';

-- They fill the time between the scheduled windows, so that a read of any age belongs to one phase.
insert into public.collection_phases (phase, age, tolerance, scheduled) values
  ('0m', '1 second', '29 minutes 59 seconds', false),
  ('75m', '75 minutes', '45 minutes', false),
  ('4h', '4 hours', '2 hours', false),
  ('12h', '12 hours', '12 hours', false),
  ('36h', '36 hours', '12 hours', false),
  ('3d', '3 days', '4 days', false),
  ('14d', '14 days', '36500 days', false);

create or replace function postloop.schedule_reads(p_post_ids text[], p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
  insert into public.metric_collections
    (post_id, phase, account_id, due_at, expires_at, next_attempt_at, state, finished_at)
  select p.post_id, ph.phase, p.account_id,
    p.posted_at + ph.age,
    p.posted_at + ph.age + ph.tolerance,
    p.posted_at + ph.age,
    case when p.posted_at + ph.age + ph.tolerance <= p_now then 'missed' else 'waiting' end,
    case when p.posted_at + ph.age + ph.tolerance <= p_now then p_now end
  from public.post_attribution p
  cross join public.collection_phases ph
  where p.post_id = any (p_post_ids) and ph.scheduled
  on conflict (post_id, phase) do nothing
$$;
comment on function postloop.schedule_reads is 'Schedules every scheduled phase of the posts that has no read yet.';

alter table public.real_tweet_metrics
  drop constraint source_is_known,
  add constraint source_is_known check (source in ('graphql', 'dom', 'api', 'imported')),
  drop constraint quality_is_known,
  add constraint quality_is_known check (quality in ('exact', 'rounded', 'suspect'));
comment on column public.real_tweet_metrics.source is
  'Where X showed it: graphql (page payload), dom (action bar) or api; imported from a database of before.';

-- watch looks after the others; upgrade imports what an older system left behind.
alter table public.pipeline_runs
  drop constraint job_is_known,
  add constraint job_is_known check (
    job in ('scraper', 'attribution', 'learning', 'health', 'cleanup', 'watch', 'upgrade'));
