create function postloop.check_heartbeats(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  select 'heartbeat_' || s.job,
    case when coalesce(last.as_of, s.since) < p_now - s.late_after then 'failing' else 'ok' end,
    case
      when last.as_of is not null then format('last run %s ago', postloop.in_words(p_now - last.as_of))
      when s.since < p_now - s.late_after then
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
  from postloop.jobs s
  left join lateral (
    select r.as_of from public.pipeline_runs r
    where r.job = s.job and r.as_of <= p_now
    order by r.as_of desc
    limit 1
  ) last on true
  where s.every is not null
  order by s.job
$$;
comment on function postloop.check_heartbeats is
  'Check of pipeline_health, heartbeat_<job>: each job of postloop.jobs that leaves runs left one within late_after, however the run ended.';

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

create function postloop.check_ends(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  lost as (
    select r.job, r.run_id, r.started_at from public.pipeline_runs r
    where r.status = 'running' and r.started_at < p_now - interval '15 minutes'
    union all
    select r.job, r.run_id, r.started_at from public.pipeline_runs r
    where r.error ->> 'code' = 'abandoned'
      and r.finished_at > p_now - interval '1 hour' and r.finished_at <= p_now
  ),
  tally as (
    select (select sum(j.n) from (select count(*) as n from lost l group by l.job) j) as runs,
      (select string_agg(postloop.counted(j.n, j.job || ' run'), ', ' order by j.job)
        from (select l.job, count(*) as n from lost l group by l.job) j) as named,
      (select l.job from lost l order by l.started_at limit 1) as job,
      (select l.run_id from lost l order by l.started_at limit 1) as run_id,
      (select min(l.started_at) from lost l) as oldest
  )
  select 'runs_end',
    case when t.runs > 0 then 'failing' else 'ok' end,
    case when t.runs > 0 then format('%s without an end, the oldest started %s ago', t.named,
        postloop.in_words(p_now - t.oldest))
      else 'every run reported its end' end,
    'within 15 min; none abandoned in the last hour',
    case when t.runs > 0 then format(
        'The %s was killed, timed out or could not write its results: see its log at the time of run %s. Its work falls due again by itself.',
        case t.job when 'scraper' then 'Lambda of the scraper' else format('job %s', t.job) end, t.run_id)
      else 'If a run does not end, the log of its function or Lambda says why.' end
  from tally t
$$;
comment on function postloop.check_ends is
  'Check of pipeline_health, runs_end: no run is open for more than 15 minutes, and none was closed as abandoned in the last hour.';

revoke all on function
  postloop.check_heartbeats, postloop.check_last_runs, postloop.check_scraper_runs,
  postloop.check_ends
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.check_heartbeats, postloop.check_last_runs, postloop.check_scraper_runs,
  postloop.check_ends
  to service_role;

insert into postloop.checks (check_name, position) values
  ('heartbeats', 110), ('last_runs', 111), ('scraper_runs', 112), ('ends', 113);
