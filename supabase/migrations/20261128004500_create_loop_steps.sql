-- A post whose hours are all gaps is not credited, and says so: it does not wait for attribution.
create function public.loop_steps(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
  with
  -- How long a job may take to see new rows.
  patience as (
    select
      max(s.late_after) filter (where s.job = 'attribution') as attribution,
      max(s.late_after) filter (where s.job = 'learning') as learning
    from postloop.jobs s
  ),
  -- Every window has both ends: with one, the planner takes it for a third of the table.
  week_post as materialized (
    select p.post_id, p.account_id, p.decision_id, p.posted_at, p.tracked_at, p.credit_note
    from public.post_attribution p
    where p.posted_at > p_now - interval '7 days' and p.posted_at <= p_now
  ),
  -- Accounts that are read; one that an import has left without its name is not.
  read_account as (
    select a.id as account_id, a.created_at, coalesce(o.consequence = 'end', false) as is_gone
    from public.x_accounts a
    join public.follower_collections f on f.account_id = a.id
    left join public.read_outcomes o on o.outcome = f.outcome
  ),

  -- 1 decision
  account_decisions as materialized (
    select a.id as account_id, w.recommended, w.others, w.first_recommended_at, n.newest_at, n.recommended_at
    from public.x_accounts a
    cross join lateral (
      select count(*) filter (where d.origin = 'recommended') as recommended,
        count(*) filter (where d.origin <> 'recommended') as others,
        min(d.created_at) filter (where d.origin = 'recommended') as first_recommended_at
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
  decision as (
    select coalesce(sum(d.recommended + d.others), 0) as count_7d, max(d.newest_at) as newest_at,
      coalesce(sum(d.recommended), 0) as recommended
    from account_decisions d
  ),

  -- 2 post: every one that is known, told by the bot or seen on the timeline
  post as (
    select count(*) as count_7d, count(*) filter (where w.decision_id is null) as untold,
      (select max(p.posted_at) from public.post_attribution p where p.posted_at <= p_now) as newest_at
    from week_post w
  ),

  -- 3 tracking row: the bot told of the post. People post by hand too, so only an account of which
  -- nothing was told while decisions were drawn for it, several of both, has lost its track-post call.
  silent_account as (
    select d.account_id, count(*) as untold
    from account_decisions d
    join week_post w on w.account_id = d.account_id
      and w.posted_at > d.first_recommended_at and w.posted_at <= p_now - interval '1 hour'
    where d.recommended >= 3
      and not exists (
        select from week_post t where t.account_id = d.account_id and t.decision_id is not null)
    group by d.account_id
    having count(*) >= 3
  ),
  tracking_row as materialized (
    select (select count(w.decision_id) from week_post w) as count_7d,
      (select p.tracked_at from public.post_attribution p
       where p.decision_id is not null and p.posted_at > p_now - interval '90 days' and p.posted_at <= p_now
       order by p.posted_at desc limit 1) as newest_at,
      (select coalesce(sum(s.untold), 0) from silent_account s) as waiting
  ),

  -- 4 due reads, of posts whose last phase may have fallen due this week too
  due_read as materialized (
    select count(*) as count_7d, max(c.due_at) as newest_at,
      count(*) filter (where c.state = 'done') as done,
      count(*) filter (where c.state = 'missed') as missed
    from public.post_attribution p
    join public.metric_collections c on c.post_id = p.post_id
    where p.posted_at > p_now - interval '14 days' and p.posted_at <= p_now
      and c.due_at > p_now - interval '7 days' and c.due_at <= p_now
  ),
  overdue_read as (
    select count(*) as n, min(c.next_attempt_at) as since
    from public.metric_collections c
    where c.state in ('waiting', 'leased') and c.next_attempt_at < p_now - interval '10 minutes'
  ),
  unscheduled_post as (
    select count(*) as n, min(w.post_id) as example
    from week_post w
    join read_account a on a.account_id = w.account_id
    where w.tracked_at <= p_now - interval '10 minutes'
      and not exists (select from public.metric_collections c where c.post_id = w.post_id)
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
  account_reads as (
    select w.reads, w.attributed, n.read_at, n.attributed_at
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
  reads as (
    select coalesce(sum(r.reads), 0) as stored, coalesce(sum(r.attributed), 0) as attributed,
      max(r.read_at) as read_at, max(r.attributed_at) as attributed_at
    from account_reads r
  ),
  -- half an hour holds five tries of a page that does not load; before that, one more may well do
  tried as (
    select case when not coalesce(bool_or(o.consequence in ('accept', 'end')), false)
        and min(t.attempted_at) <= p_now - interval '30 minutes'
        then count(distinct (t.post_id, t.phase)) else 0 end as in_vain,
      mode() within group (order by t.outcome) as outcome
    from public.x_accounts a
    cross join lateral (
      select c.post_id, c.phase, c.attempted_at, c.outcome
      from public.collection_attempts c
      where c.account_id = a.id and c.post_id is not null
        and c.attempted_at > p_now - interval '1 day' and c.attempted_at <= p_now
    ) t
    join public.read_outcomes o on o.outcome = t.outcome
  ),

  -- 6 follower snapshots, by the hour: three tries may fail
  account_followers as (
    select a.account_id, w.n,
      (select max(s.captured_at) from public.follower_snapshots s
       where s.account_id = a.account_id and s.captured_at <= p_now) as newest_at,
      not a.is_gone and a.created_at <= p_now - interval '3 hours' and not exists (
        select from public.follower_snapshots s
        where s.account_id = a.account_id and s.is_exact
          and s.captured_at > p_now - interval '3 hours' and s.captured_at <= p_now) as is_stale
    from read_account a
    cross join lateral (
      select count(*) as n from public.follower_snapshots s
      where s.account_id = a.account_id
        and s.captured_at > p_now - interval '7 days' and s.captured_at <= p_now
    ) w
  ),
  follower_snapshot as (
    select coalesce(sum(f.n), 0) as count_7d, max(f.newest_at) as newest_at,
      count(*) filter (where f.is_stale) as waiting, min(a.handle) filter (where f.is_stale) as example,
      count(*) as accounts
    from account_followers f
    join public.x_accounts a on a.id = f.account_id
  ),

  -- 7 reads that attribution should have taken up; suspect ones are not used
  unattributed as (
    select count(*) as n, min(m.collected_at) as since
    from public.real_tweet_metrics m
    where m.attributed_at is null and m.quality <> 'suspect'
      and m.collected_at <= p_now - (select p.attribution from patience p)
  ),

  -- 8 credit: due once an hour lies between a used read and exact follower counts around both
  credit as (
    select
      (select count(*) from week_post w join public.post_credit c on c.post_id = w.post_id) as count_7d,
      (select c.computed_at from public.post_attribution p
       join public.post_credit c on c.post_id = p.post_id
       where p.posted_at > p_now - interval '90 days' and p.posted_at <= p_now
       order by p.posted_at desc limit 1) as newest_at
  ),
  counted as materialized (
    select a.id as account_id,
      (select min(s.captured_at) from public.follower_snapshots s
       where s.account_id = a.id and s.is_exact) as since,
      (select max(s.captured_at) from public.follower_snapshots s
       where s.account_id = a.id and s.is_exact
         and s.captured_at <= p_now - (select p.attribution from patience p)) as until
    from public.x_accounts a
  ),
  uncredited as (
    select count(*) as n, min(w.post_id) as example
    from week_post w
    join counted f on f.account_id = w.account_id and f.since <= w.posted_at
    where w.credit_note is distinct from 'gapped_counts'
      and not exists (select from public.post_credit c where c.post_id = w.post_id)
      and exists (
        select from public.real_tweet_metrics m
        where m.tweet_id = w.post_id and m.attributed_at is not null and m.quality <> 'suspect'
          and m.impressions is not null and m.age_h >= 2 and m.collected_at <= f.until)
  ),

  -- 9 learning: due for a post with a used read at 48 h or later
  learned as (
    select
      (select count(*) from week_post w join public.post_outcomes o on o.post_id = w.post_id) as count_7d,
      max(s.learned_at) filter (where s.finished_posts > 0) as newest_at
    from public.account_learning s
    where s.learned_at <= p_now
  ),
  unlearned as (
    select count(*) as n, min(p.post_id) as example
    from public.post_attribution p
    where p.posted_at > p_now - interval '30 days' and p.posted_at <= p_now - interval '48 hours'
      and not exists (select from public.post_outcomes o where o.post_id = p.post_id)
      and exists (
        select from public.real_tweet_metrics m
        join public.collection_phases ph on ph.phase = m.collection_phase
        where m.tweet_id = p.post_id and ph.age >= interval '48 hours'
          and m.impressions is not null and m.quality <> 'suspect'
          and m.collected_at <= p_now - (select q.learning from patience q)
          and m.attributed_at <= p_now - (select q.learning from patience q))
  ),

  -- 10 performance, recorded by the run that computed the outcomes. One outcome of the account tells
  -- when that was: their weights, and so their rows, change with each run.
  performance as (
    select count(*) filter (where d.computed_at > p_now - interval '7 days') as count_7d,
      max(d.computed_at) as newest_at, count(distinct d.account_id) as accounts
    from public.dimension_performance d
    where d.computed_at <= p_now
  ),
  unrecorded as (
    select count(*) as n, min(a.handle) as example
    from public.account_learning s
    join public.x_accounts a on a.id = s.account_id
    cross join lateral (
      select o.computed_at
      from public.post_attribution p
      join public.post_outcomes o on o.post_id = p.post_id
      where p.account_id = s.account_id and p.realised <> '{}'
        and p.posted_at > p_now - interval '90 days' and p.posted_at <= p_now
      order by p.posted_at desc limit 1
    ) o
    where o.computed_at <= p_now - interval '10 minutes'
      and (
        s.learned_version < s.data_version and o.computed_at > coalesce(s.learned_at, '-infinity')
        or not exists (select from public.dimension_performance d where d.account_id = s.account_id))
  ),

  -- 11 recommendation: drawn from the vocabulary. An account without one may be there for its numbers.
  vocabulary as (
    select count(*) filter (where v.has_values) as drawable,
      count(*) filter (where not v.has_values) as bare, min(v.handle) filter (where not v.has_values) as example
    from (
      select a.handle, exists (
        select from public.content_dimension_values d where d.account_id = a.id and d.retired_at is null) as has_values
      from public.x_accounts a
    ) v
  ),
  recommendation as (
    select coalesce(sum(d.recommended), 0) as count_7d, max(d.recommended_at) as newest_at
    from account_decisions d
  ),

  step as (
    select 1 as position, 'decision' as step, d.count_7d, d.newest_at, 0::bigint as waiting,
      case when d.count_7d > 0 then format('%s recommended, %s chosen by the bot', d.recommended, d.count_7d - d.recommended) end as detail,
      null as what_to_do
    from decision d
    union all
    select 2, 'post', p.count_7d, p.newest_at, 0,
      case when p.untold > 0 then format('%s of them found on the timeline', p.untold) end, null
    from post p
    union all
    select 3, 'tracking_row', t.count_7d, t.newest_at, t.waiting,
      case when t.waiting > 0 then format('found on the timeline and not tracked: %s, while decisions are drawn', t.waiting) end,
      case when t.waiting > 0 then 'Have the bot call track-post with the decision_id after each post; look for refused calls in its log.' end
    from tracking_row t
    union all
    select 4, 'due_reads', r.count_7d, coalesce(r.newest_at, e.newest_at), o.n + u.n,
      case
        when o.n > 0 then format('due for more than 10 min: %s, the oldest since %s UTC', o.n, to_char(o.since at time zone 'UTC', 'YYYY-MM-DD HH24:MI'))
        when u.n > 0 then format('tracked without due reads: %s, such as %s', u.n, u.example)
        when r.count_7d > 0 then format('%s done, %s missed', r.done, r.missed)
      end,
      case
        when o.n > 0 then 'Start the scraper, for nobody claims the due reads: check the schedule of the Lambda, its key and its log.'
        when u.n > 0 then format('Schedule them with the database''s own function: select postloop.schedule_reads(array[%L], now()), with every such post id.', u.example)
      end
    from due_read r, overdue_read o, unscheduled_post u, earlier_read e
    union all
    select 5, 'metrics', r.stored, r.read_at, t.in_vain,
      case when t.in_vain > 0 then format('tried in 24 h without a number: %s, mostly %s', t.in_vain, t.outcome) end,
      case when t.in_vain > 0 then format('Look up the outcome %s under "Outcomes that need you" in docs/operations.md; collection_attempts has the evidence.', t.outcome) end
    from reads r, tried t
    union all
    select 6, 'follower_snapshots', f.count_7d, f.newest_at, f.waiting,
      case
        when f.waiting > 0 then format('without an exact count for 3 h: %s of %s accounts, such as @%s', f.waiting, f.accounts, f.example)
        when f.accounts > 0 then format('accounts: %s', f.accounts)
      end,
      case when f.waiting > 0 then format('See why the count of @%s is not read: its newest rows of collection_attempts without a post_id name the outcome; without any, the scraper does not run.', f.example) end
    from follower_snapshot f
    union all
    select 7, 'attribution', r.attributed, r.attributed_at, u.n,
      case when u.n > 0 then format('reads not taken up: %s, the oldest of %s UTC', u.n, to_char(u.since at time zone 'UTC', 'YYYY-MM-DD HH24:MI')) end,
      case when u.n > 0 then 'Run attribution by hand and read its answer: POST to /functions/v1/attribution with the secret key.' end
    from reads r, unattributed u
    union all
    select 8, 'credit', c.count_7d, c.newest_at, u.n,
      case when u.n > 0 then format('attributed without credit: %s, such as %s', u.n, u.example) end,
      case when u.n > 0 then 'Run attribution by hand, which splits the follower change anew, and read its answer: POST to /functions/v1/attribution with the secret key.' end
    from credit c, uncredited u
    union all
    select 9, 'learning', l.count_7d, l.newest_at, u.n,
      case when u.n > 0 then format('finished and not learned: %s, such as %s', u.n, u.example) end,
      case when u.n > 0 then 'Run learning by hand and read its answer: POST to /functions/v1/learning with the secret key.' end
    from learned l, unlearned u
    union all
    select 10, 'performance', p.count_7d, p.newest_at, u.n,
      case
        when u.n > 0 then format('accounts with outcomes and no performance: %s, such as @%s', u.n, u.example)
        when p.accounts > 0 then format('accounts: %s', p.accounts)
      end,
      case when u.n > 0 then 'Run learning by hand and read its answer: POST to /functions/v1/learning with the secret key.' end
    from performance p, unrecorded u
    union all
    select 11, 'recommendation', r.count_7d, r.newest_at, case when v.drawable = 0 then v.bare else 0 end,
      case
        when v.drawable > 0 then format('can be drawn for %s of %s accounts', v.drawable, v.drawable + v.bare)
        when v.bare > 0 then format('accounts without a value to choose from: %s, such as @%s', v.bare, v.example)
        else 'no account is registered'
      end,
      case when v.drawable = 0 and v.bare > 0 then format('Give the account values to choose from: select public.register_x_account(%L, ''{"tone": ["dry", "warm"]}'').', v.example) end
    from recommendation r, vocabulary v
  )
  select jsonb_agg(jsonb_build_object(
    'step', s.step,
    'count_7d', s.count_7d,
    'newest_at', s.newest_at,
    'state', case
      when s.waiting > 0 then 'broken'
      when s.newest_at is not null or s.step = 'recommendation' and (select v.drawable > 0 from vocabulary v) then 'ok'
      else 'empty'
    end,
    'waiting', s.waiting,
    'detail', s.detail,
    'what_to_do', s.what_to_do) order by s.position)
  from step s
$$;
comment on function public.loop_steps is
  'The eleven steps of the loop in order: {step, count_7d (rows of the last 7 days), newest_at (sought in the last 90 days where no index leads to it), state (ok, empty: nothing reached it yet and nothing should have, broken), waiting (how much should have come through by now), detail, what_to_do}.';

revoke all on function public.loop_steps from public, anon, authenticated, service_role;
grant execute on function public.loop_steps to service_role;
