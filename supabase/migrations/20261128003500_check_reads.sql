create function postloop.check_due_reads(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  overdue as (
    (
      select c.account_id, c.post_id, c.phase, c.next_attempt_at
      from public.metric_collections c
      where c.state in ('waiting', 'leased') and c.next_attempt_at < p_now - interval '10 minutes'
      order by c.next_attempt_at
      -- after weeks without a scraper there may be millions; ten thousand are bad enough
      limit 10001
    )
    union all
    select f.account_id, null, null, f.next_attempt_at
    from public.follower_collections f
    where f.next_attempt_at < p_now - interval '10 minutes'
  ),
  tally as (
    select count(*) as reads, min(o.next_attempt_at) as since from overdue o
  ),
  oldest as (
    select case when o.post_id is null then format('follower count of @%s', a.handle)
        else format('%s of post %s of @%s', o.phase, o.post_id, a.handle) end as named
    from overdue o
    join public.x_accounts a on a.id = o.account_id
    order by o.next_attempt_at, o.post_id
    limit 1
  )
  select 'reads_on_time',
    case
      when t.since < p_now - interval '30 minutes' then 'failing'
      when t.reads > 0 then 'warning'
      else 'ok'
    end,
    case when t.reads > 0 then format('%s overdue, the oldest for %s: %s',
        case when t.reads > 10000 then 'more than 10000' else t.reads::text end,
        postloop.in_words(p_now - t.since), o.named)
      else '0 overdue' end,
    'none due for more than 10 min; failing from 30 min',
    'The scraper is not running or does not keep up: see heartbeat_scraper and scraper_works. If both are ok, raise claimLimit or the Lambda''s memory (docs/scraper-deploy.md).'
  from tally t
  left join oldest o on true
$$;
comment on function postloop.check_due_reads is
  'Check of pipeline_health, reads_on_time: no read of a post or follower count is due for long.';

create function postloop.check_missed_reads(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  finished as (
    select c.account_id, c.outcome, c.state = 'missed' as missed
    from public.metric_collections c
    where c.finished_at > p_now - interval '1 day' and c.finished_at <= p_now
      -- over before the post was tracked: nobody could have read it
      and not (c.state = 'missed' and exists (
        select from public.post_attribution p
        where p.post_id = c.post_id and p.tracked_at >= c.expires_at))
  ),
  tally as (
    select count(*) as windows, count(*) filter (where f.missed) as missed,
      100.0 * count(*) filter (where f.missed) / nullif(count(*), 0) as percent
    from finished f
  ),
  worst as (
    select a.handle from finished f
    join public.x_accounts a on a.id = f.account_id
    where f.missed
    group by a.handle
    order by count(*) desc, a.handle
    limit 1
  ),
  often as (
    select coalesce(f.outcome, 'never tried') as outcome from finished f
    where f.missed
    group by f.outcome
    order by count(*) desc, f.outcome
    limit 1
  )
  select 'reads_not_missed',
    case
      when t.windows < 20 then 'ok'
      when t.percent > 25 then 'failing'
      when t.percent > 5 then 'warning'
      else 'ok'
    end,
    format('%s of %s missed in 24 h', t.missed, postloop.counted(t.windows, 'window'))
      || case when t.missed > 0 then format(' (%s %%), most of @%s, most often %s', round(t.percent, 1), w.handle, o.outcome)
        else '' end,
    'at most 5 % of 20 or more; failing above 25 %',
    case
      when o.outcome = 'never tried' then
        'Windows close before the scraper comes to them: see heartbeat_scraper and reads_on_time.'
      when o.outcome is not null then format(
        'The last try of most was %s: see docs/operations.md, "Outcomes that need you".', o.outcome)
      else 'If many are missed, their last outcome says why.'
    end
  from tally t
  left join worst w on true
  left join often o on true
$$;
comment on function postloop.check_missed_reads is
  'Check of pipeline_health, reads_not_missed: few windows of the last 24 h closed unread.';

create function postloop.check_tracked_posts(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  unread as (
    select p.post_id, a.handle, p.posted_at
    from public.post_attribution p
    join public.x_accounts a on a.id = p.account_id
    -- while a window of it may still be open
    where p.posted_at <= p_now and p.posted_at > p_now - (
        select max(ph.age + ph.tolerance) from public.collection_phases ph where ph.scheduled)
      and not exists (select from public.metric_collections c where c.post_id = p.post_id)
      -- an account whose followers are not read is not read at all: imported and not named yet
      and exists (select from public.follower_collections f where f.account_id = p.account_id)
  ),
  newest as (
    select u.post_id, u.handle, count(*) over () as posts from unread u
    order by u.posted_at desc
    limit 1
  )
  select 'posts_have_reads',
    case when n.posts > 0 then 'failing' else 'ok' end,
    case when n.posts > 0 then format('%s without, the newest is %s of @%s',
        postloop.counted(n.posts, 'post'), n.post_id, n.handle)
      else '0 posts without' end,
    '0 posts of the last 14 days without scheduled reads',
    case when n.posts > 0 then
        'They were written past track_post. Schedule what is still open: select postloop.schedule_reads(array(select p.post_id from public.post_attribution p where p.posted_at > now() - interval ''14 days''), now());'
      else 'If one has none, it was written past track_post: postloop.schedule_reads schedules them.' end
  from (select) always
  left join newest n on true
$$;
comment on function postloop.check_tracked_posts is
  'Check of pipeline_health, posts_have_reads: every post whose last window may be open, of 14 days, has a schedule of reads.';

create function postloop.check_follower_counts(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  stale as (
    select a.handle, f.outcome, newest.captured_at
    from public.follower_collections f
    join public.x_accounts a on a.id = f.account_id
    left join lateral (
      select s.captured_at from public.follower_snapshots s
      where s.account_id = f.account_id and s.is_exact and s.captured_at <= p_now
      order by s.captured_at desc
      limit 1
    ) newest on true
    where a.created_at < p_now - interval '3 hours'
      and coalesce(newest.captured_at, '-infinity') < p_now - interval '3 hours'
  ),
  worst as (
    select s.*, count(*) over () as accounts from stale s
    order by s.captured_at nulls first, s.handle
    limit 1
  )
  select 'follower_counts_fresh',
    case when w.accounts > 0 then 'failing' else 'ok' end,
    case when w.accounts > 0 then format('%s without, the worst is @%s: %s, last try %s',
        postloop.counted(w.accounts, 'account'), w.handle,
        coalesce('last exact count ' || postloop.in_words(p_now - w.captured_at) || ' ago', 'never counted'),
        coalesce(w.outcome, 'none'))
      else 'every account has one' end,
    'an exact count of each account in the last 3 h',
    case
      when w.accounts is null then 'If one has none, the outcome in follower_collections says why.'
      when w.outcome in ('suspended', 'deleted') then format(
        'Is @%s gone from X? Then stop reading it: delete from public.follower_collections f using public.x_accounts a where a.id = f.account_id and a.handle = %L;', w.handle, w.handle)
      when w.outcome = 'found' then format(
        'X shows the count of @%s rounded: give the scraper a session (docs/scraper-deploy.md). Or it is not read: see heartbeat_scraper.', w.handle)
      else 'See heartbeat_scraper and reads_succeed.'
    end
  from (select) always
  left join worst w on true
$$;
comment on function postloop.check_follower_counts is
  'Check of pipeline_health, follower_counts_fresh: every account that is read has an exact follower count of the last 3 hours.';

revoke all on function
  postloop.check_due_reads, postloop.check_missed_reads, postloop.check_tracked_posts,
  postloop.check_follower_counts
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.check_due_reads, postloop.check_missed_reads, postloop.check_tracked_posts,
  postloop.check_follower_counts
  to service_role;

insert into postloop.checks (check_name, position) values
  ('due_reads', 140), ('missed_reads', 141), ('tracked_posts', 142), ('follower_counts', 143);
