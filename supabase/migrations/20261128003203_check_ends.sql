-- A run that was killed cannot say so itself.
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

revoke all on function postloop.check_ends from public, anon, authenticated, service_role;
grant execute on function postloop.check_ends to service_role;

insert into postloop.checks (check_name, position) values ('ends', 113);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('runs_end', 'ends', null, null,
    'every run reports its end', 'failing');
