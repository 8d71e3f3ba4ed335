-- What has come to each step, and whether a check of pipeline_health breaks it: what is broken is judged
-- there alone.
create function public.loop_steps(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
  with
  -- Every window has both ends: with one, the planner takes it for a third of the table.
  week_post as materialized (
    select p.post_id, p.decision_id
    from public.post_attribution p
    where p.posted_at > p_now - interval '7 days' and p.posted_at <= p_now
  ),

  -- 1 decision and 11 recommendation, of the same rows
  decision as (
    select coalesce(sum(w.recommended + w.others), 0) as count_7d, max(n.newest_at) as newest_at,
      coalesce(sum(w.recommended), 0) as recommended, max(n.recommended_at) as recommended_at
    from public.x_accounts a
    cross join lateral (
      select count(*) filter (where d.origin = 'recommended') as recommended,
        count(*) filter (where d.origin <> 'recommended') as others
      from public.content_metadata d
      where d.account_id = a.id and d.created_at > p_now - interval '7 days' and d.created_at <= p_now
    ) w
    cross join lateral (
      select
        (select max(d.created_at) from public.content_metadata d
         where d.account_id = a.id and d.created_at <= p_now) as newest_at,
        (select max(d.created_at) from public.content_metadata d
         where d.account_id = a.id and d.origin = 'recommended'
           and d.created_at > p_now - interval '90 days' and d.created_at <= p_now) as recommended_at
    ) n
  ),
  vocabulary as (
    select count(*) as accounts, count(*) filter (where exists (
      select from public.content_dimension_values d where d.account_id = a.id and d.retired_at is null)) as drawable
    from public.x_accounts a
  ),

  -- 2 post: every one that is known, told by the bot or seen on the timeline
  post as (
    select count(*) as count_7d, count(*) filter (where w.decision_id is null) as untold,
      (select max(p.posted_at) from public.post_attribution p where p.posted_at <= p_now) as newest_at
    from week_post w
  ),

  -- 3 tracking row: the bot told of the post
  tracking_row as (
    select (select count(w.decision_id) from week_post w) as count_7d,
      (select p.tracked_at from public.post_attribution p
       where p.decision_id is not null and p.posted_at > p_now - interval '90 days' and p.posted_at <= p_now
       order by p.posted_at desc limit 1) as newest_at
  ),

  -- 4 due reads, of posts whose last phase may have fallen due this week too
  due_read as (
    select count(*) as count_7d, max(c.due_at) as newest_at,
      count(*) filter (where c.state = 'done') as done,
      count(*) filter (where c.state = 'missed') as missed
    from public.post_attribution p
    join public.metric_collections c on c.post_id = p.post_id
    where p.posted_at > p_now - interval '14 days' and p.posted_at <= p_now
      and c.due_at > p_now - interval '7 days' and c.due_at <= p_now
  ),
  -- of the time before the window: the last read of the newest post
  earlier_read as (
    select max(c.due_at) as newest_at
    from (
      select p.post_id from public.post_attribution p
      where p.posted_at <= p_now order by p.posted_at desc limit 1
    ) newest
    join public.metric_collections c on c.post_id = newest.post_id and c.due_at <= p_now
  ),

  -- 5 metrics and 7 attribution, of the same rows
  read as (
    select coalesce(sum(w.reads), 0) as stored, coalesce(sum(w.attributed), 0) as attributed,
      max(n.read_at) as read_at, max(n.attributed_at) as attributed_at
    from public.x_accounts a
    cross join lateral (
      select count(*) as reads, count(m.attributed_at) as attributed
      from public.real_tweet_metrics m
      where m.account_id = a.id and m.collected_at > p_now - interval '7 days' and m.collected_at <= p_now
    ) w
    cross join lateral (
      select
        (select max(m.collected_at) from public.real_tweet_metrics m
         where m.account_id = a.id and m.collected_at <= p_now) as read_at,
        (select m.attributed_at from public.real_tweet_metrics m
         where m.account_id = a.id and m.attributed_at is not null
           and m.collected_at > p_now - interval '90 days' and m.collected_at <= p_now
         order by m.collected_at desc limit 1) as attributed_at
    ) n
  ),

  -- 6 follower snapshots, of the accounts that are read
  follower_snapshot as (
    select coalesce(sum(w.n), 0) as count_7d, max(n.newest_at) as newest_at, count(*) as accounts
    from public.follower_collections f
    cross join lateral (
      select count(*) as n from public.follower_snapshots s
      where s.account_id = f.account_id
        and s.captured_at > p_now - interval '7 days' and s.captured_at <= p_now
    ) w
    cross join lateral (
      select max(s.captured_at) as newest_at from public.follower_snapshots s
      where s.account_id = f.account_id and s.captured_at <= p_now
    ) n
  ),

  -- 8 credit
  credit as (
    select
      (select count(*) from week_post w join public.post_credit c on c.post_id = w.post_id) as count_7d,
      (select c.computed_at from public.post_attribution p
       join public.post_credit c on c.post_id = p.post_id
       where p.posted_at > p_now - interval '90 days' and p.posted_at <= p_now
       order by p.posted_at desc limit 1) as newest_at
  ),

  -- 9 learning
  learned as (
    select
      (select count(*) from week_post w join public.post_outcomes o on o.post_id = w.post_id) as count_7d,
      max(s.learned_at) filter (where s.finished_posts > 0) as newest_at
    from public.account_learning s
    where s.learned_at <= p_now
  ),

  -- 10 performance
  performance as (
    select count(*) filter (where d.computed_at > p_now - interval '7 days') as count_7d,
      max(d.computed_at) as newest_at, count(distinct d.account_id) as accounts
    from public.dimension_performance d
    where d.computed_at <= p_now
  ),

  step(position, step, count_7d, newest_at, detail) as (
    select 1, 'decision', d.count_7d, d.newest_at,
      case when d.count_7d > 0 then format('%s recommended, %s chosen by the bot', d.recommended, d.count_7d - d.recommended) end
    from decision d
    union all
    select 2, 'post', p.count_7d, p.newest_at,
      case when p.untold > 0 then format('%s of them found on the timeline', p.untold) end
    from post p
    union all
    select 3, 'tracking_row', t.count_7d, t.newest_at, null
    from tracking_row t
    union all
    select 4, 'due_reads', r.count_7d, coalesce(r.newest_at, e.newest_at),
      case when r.count_7d > 0 then format('%s done, %s missed', r.done, r.missed) end
    from due_read r, earlier_read e
    union all
    select 5, 'metrics', r.stored, r.read_at, null
    from read r
    union all
    select 6, 'follower_snapshots', f.count_7d, f.newest_at,
      case when f.accounts > 0 then format('accounts: %s', f.accounts) end
    from follower_snapshot f
    union all
    select 7, 'attribution', r.attributed, r.attributed_at, null
    from read r
    union all
    select 8, 'credit', c.count_7d, c.newest_at, null
    from credit c
    union all
    select 9, 'learning', l.count_7d, l.newest_at, null
    from learned l
    union all
    select 10, 'performance', p.count_7d, p.newest_at,
      case when p.accounts > 0 then format('accounts: %s', p.accounts) end
    from performance p
    union all
    select 11, 'recommendation', d.recommended, d.recommended_at,
      case when v.accounts > 0 then format('can be drawn for %s of %s accounts', v.drawable, v.accounts)
        else 'no account is registered' end
    from decision d, vocabulary v
  ),
  found as materialized (
    select i.step, i.name, i.status
    from public.check_pipeline(p_now) i
    where i.step is not null and i.status <> 'ok'
  ),
  judged as (
    select s.*,
      coalesce((select jsonb_agg(f.name order by f.name) from found f
        where f.step = s.step and f.status = 'failing'), '[]') as failing,
      coalesce((select jsonb_agg(f.name order by f.name) from found f
        where f.step = s.step and f.status = 'warning'), '[]') as warnings
    from step s
  )
  select jsonb_agg(jsonb_build_object(
    'step', j.step,
    'count_7d', j.count_7d,
    'newest_at', j.newest_at,
    'state', case
      when j.failing <> '[]' then 'broken'
      when j.newest_at is not null or j.step = 'recommendation' and (select v.drawable > 0 from vocabulary v) then 'ok'
      else 'empty'
    end,
    'detail', j.detail,
    'failing', j.failing,
    'warnings', j.warnings) order by j.position)
  from judged j
$$;
comment on function public.loop_steps is
  'The eleven steps of the loop in order: {step, count_7d (rows of the last 7 days), newest_at (sought in the last 90 days where no index leads to it), state (broken: a check of pipeline_health of the step is failing; empty: nothing reached it yet; ok), detail, failing and warnings (the names of the step''s invariants in that state)}.';

revoke all on function public.loop_steps from public, anon, authenticated, service_role;
grant execute on function public.loop_steps to service_role;
