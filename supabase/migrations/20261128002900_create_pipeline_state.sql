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
        when last.as_of < p_now - s.late_after then 'late'
        when last.status = 'running' then 'running'
        when last.status = 'failed' then 'failed'
        when last.status = 'partial' then 'partial'
        else 'ok'
      end as state
    from postloop.jobs s
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
    where s.every is not null
  )
  select jsonb_build_object(
    'as_of', p_now,
    'jobs', (
      select jsonb_agg(jsonb_build_object('job', j.job, 'state', j.state,
        'every_seconds', extract(epoch from j.every), 'last_status', j.last_status,
        'last_run_at', j.last_run_at, 'last_success_at', j.last_success_at,
        'expected', j.expected, 'done', j.done, 'failed', j.failed, 'error', j.error) order by j.job)
      from job j),
    'tables', jsonb_build_object(
      'x_accounts', (select count(*) from public.x_accounts),
      'content_metadata', (select count(*) from public.content_metadata),
      'post_attribution', (select count(*) from public.post_attribution),
      'metric_collections', (select count(*) from public.metric_collections),
      'real_tweet_metrics', (select count(*) from public.real_tweet_metrics),
      'collection_attempts', (select count(*) from public.collection_attempts),
      'follower_snapshots', (select count(*) from public.follower_snapshots),
      'integrity_events', (select count(*) from public.integrity_events),
      'x_post_analytics', (select count(*) from public.x_post_analytics),
      'follower_hour', (select count(*) from public.follower_hour),
      'post_credit', (select count(*) from public.post_credit),
      'post_outcomes', (select count(*) from public.post_outcomes),
      'dimension_performance', (select count(*) from public.dimension_performance),
      'pipeline_runs', (select count(*) from public.pipeline_runs)),
    'waiting', jsonb_build_object(
      'reads_overdue', (select count(*) from public.metric_collections c
        where c.state in ('waiting', 'leased') and c.next_attempt_at < p_now - interval '10 minutes'),
      'reads_missed_24h', (select count(*) from public.metric_collections c
        where c.state = 'missed' and c.finished_at > p_now - interval '1 day'),
      'integrity_events_24h', (select count(*) from public.integrity_events e
        where e.created_at > p_now - interval '1 day' and e.created_at <= p_now),
      'reads_not_attributed', public.attribution_backlog(p_now),
      'accounts_not_learned', cardinality(public.learning_backlog()),
      'posts_without_reads', (select count(*) from public.post_attribution p
        where not exists (select from public.metric_collections c where c.post_id = p.post_id)),
      'newest_follower_snapshot_at', (select max(s.captured_at) from public.follower_snapshots s),
      'newest_read_at', (select max(m.collected_at) from public.real_tweet_metrics m)))
$$;
comment on function public.pipeline_state is
  'What each job did last and whether it is late, how many rows each table has, and what is waiting.';

revoke all on function public.pipeline_state from public, anon, authenticated, service_role;
grant execute on function public.pipeline_state to service_role;
