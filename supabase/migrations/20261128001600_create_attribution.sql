-- A run does a bounded amount of work and says what is left: a long history must not run into a timeout.
create table public.account_learning (
  account_id bigint primary key references public.x_accounts (id) on delete cascade,
  data_version bigint not null default 0,
  learned_version bigint not null default 0,
  finished_posts integer not null default 0,
  learned_at timestamptz,
  constraint learning_does_not_run_ahead check (learned_version <= data_version)
);
comment on table public.account_learning is 'Handover from attribution to learning: an account whose data is newer than what was learned is due.';
comment on column public.account_learning.data_version is 'Counts the attribution runs that changed a post of the account.';
comment on column public.account_learning.learned_version is 'The data_version that dimension_performance rests on.';
comment on column public.account_learning.finished_posts is 'Posts with a reward when last learned.';
create index account_learning_due_idx on public.account_learning (account_id) where learned_version < data_version;

-- Copies the newest accepted numbers to the posts that have new reads, and marks those reads taken up.
create function postloop.copy_metrics(p_now timestamptz, p_limit integer)
returns table (account_id bigint, post_id text, changed boolean)
language sql
set search_path = ''
as $$
  with
  -- 1 posts with reads that attribution has not seen, the youngest first: ids grow with time
  due as (
    select distinct m.tweet_id
    from public.real_tweet_metrics m
    where m.attributed_at is null and m.collected_at <= p_now and m.quality <> 'suspect'
    order by m.tweet_id desc
    limit p_limit
  ),
  fresh as (
    update public.real_tweet_metrics m
    set attributed_at = p_now
    from due d
    where m.tweet_id = d.tweet_id
      and m.attributed_at is null and m.collected_at <= p_now and m.quality <> 'suspect'
    returning m.tweet_id
  ),
  -- 2 their newest read, late reads by their true time and not by their phase
  newest as (
    select m.*
    from (select distinct f.tweet_id from fresh f) p
    cross join lateral (
      select r.* from public.real_tweet_metrics r
      where r.tweet_id = p.tweet_id and r.collected_at <= p_now and r.quality <> 'suspect'
      order by r.collected_at desc, r.collection_phase
      limit 1
    ) m
  ),
  -- 3 the copy; a row that already says so is left alone
  copied as (
    update public.post_attribution p
    set likes = n.likes, retweets = n.retweets, replies = n.replies, quotes = n.quotes,
        bookmarks = n.bookmarks, impressions = n.impressions, profile_clicks = n.profile_clicks,
        metrics_captured_at = n.collected_at, metrics_phase = n.collection_phase,
        last_updated = p_now
    from newest n
    where p.post_id = n.tweet_id
      and (p.likes, p.retweets, p.replies, p.quotes, p.bookmarks, p.impressions, p.profile_clicks, p.metrics_captured_at)
        is distinct from
        (n.likes, n.retweets, n.replies, n.quotes, n.bookmarks, n.impressions, n.profile_clicks, n.collected_at)
    returning p.account_id, p.post_id
  )
  -- gathered, for a join would be a nested loop: the planner takes both sides for a row or two
  select x.account_id, x.post_id, bool_or(x.changed)
  from (
    select n.account_id, n.tweet_id as post_id, false as changed from newest n
    union all
    select c.account_id, c.post_id, true from copied c
  ) x
  group by x.account_id, x.post_id
$$;
comment on function postloop.copy_metrics is
  'Copies the newest usable read of at most p_limit posts to their rows; returns the posts with new reads and whether their row changed.';

-- Brings the follower columns of the posts of the last ten days up to date, and the credit of all
-- posts whose credit this run changed. A horizon is the exact follower series at that moment: linear
-- between snapshots at most 6 h apart, else unknown.
create function postloop.fill_followers(p_now timestamptz, p_post_ids text[])
returns table (account_id bigint)
language sql
set search_path = ''
set work_mem = '64MB'
set jit = off
as $$
  with
  touched as (
    select t.post_id from unnest(p_post_ids) t(post_id)
    union
    select p.post_id from public.post_attribution p
    where p.posted_at > p_now - interval '10 days' and p.posted_at <= p_now
  ),
  post as materialized (
    select p.*
    from touched t
    join public.post_attribution p on p.post_id = t.post_id
  ),
  -- 1 horizons that have been reached and are not known yet
  reached as (
    select p.post_id,
      max(f.followers) filter (where h.hours = 2) as f2,
      max(f.followers) filter (where h.hours = 24) as f24,
      max(f.followers) filter (where h.hours = 48) as f48
    from post p
    cross join lateral (values
      (2, p.followers_2h_after), (24, p.followers_24h_after), (48, p.followers_48h_after)
    ) h(hours, known)
    cross join lateral (select p.posted_at + make_interval(hours => h.hours) as at) x
    cross join lateral (
      select s.captured_at, s.followers from public.follower_snapshots s
      where s.account_id = p.account_id and s.is_exact and s.captured_at <= x.at
      order by s.captured_at desc limit 1
    ) before
    left join lateral (
      select s.captured_at, s.followers from public.follower_snapshots s
      where s.account_id = p.account_id and s.is_exact and s.captured_at > x.at and s.captured_at <= p_now
      order by s.captured_at limit 1
    ) after on true
    cross join lateral (
      select case
          when before.captured_at = x.at then before.followers
          when after.captured_at - before.captured_at <= interval '6 hours' then
            round(before.followers + (after.followers - before.followers)
              * extract(epoch from x.at - before.captured_at)
              / extract(epoch from after.captured_at - before.captured_at))::bigint
        end as followers
    ) f
    where h.known is null and x.at <= p_now
    group by p.post_id
  ),
  -- 2 what each row should say
  known as (
    select p.post_id,
      coalesce(p.followers_before, postloop.followers_at_posting(p.account_id, p.posted_at)) as f0,
      coalesce(p.followers_2h_after, r.f2) as f2,
      coalesce(p.followers_24h_after, r.f24) as f24,
      coalesce(p.followers_48h_after, r.f48) as f48,
      c.credit_48h as gained,
      c.credit_48h - 1.6448536269514722 * sqrt(c.variance_48h) as low,
      c.credit_48h + 1.6448536269514722 * sqrt(c.variance_48h) as high,
      -- the first reason that holds for there being no credit
      case
        when c.post_id is not null then null
        when not exists (
          select from public.real_tweet_metrics m
          where m.tweet_id = p.post_id and m.impressions is not null and m.quality <> 'suspect'
            and m.collected_at <= p_now) then 'no_impressions'
        when exists (
          select from public.follower_hour f
          where f.account_id = p.account_id and f.gap and f.exposure > 0
            and f.hour > p.posted_at - interval '1 hour' and f.hour < p.posted_at + interval '183 hours') then 'gapped_counts'
        when exists (
          select from public.follower_snapshots s
          where s.account_id = p.account_id and not s.is_exact
            and s.captured_at > p.posted_at and s.captured_at <= p_now)
          and not exists (
            select from public.follower_snapshots s
            where s.account_id = p.account_id and s.is_exact
              and s.captured_at > p.posted_at and s.captured_at <= p_now) then 'rounded_counts'
        else 'awaiting_counts'
      end as note
    from post p
    left join reached r on r.post_id = p.post_id
    left join public.post_credit c on c.post_id = p.post_id
  )
  update public.post_attribution p
  set followers_before = k.f0, followers_2h_after = k.f2, followers_24h_after = k.f24,
      followers_48h_after = k.f48, followers_gained = k.gained,
      followers_gained_low = k.low, followers_gained_high = k.high, credit_note = k.note,
      last_updated = p_now
  from known k
  where p.post_id = k.post_id
    and (p.followers_before, p.followers_2h_after, p.followers_24h_after, p.followers_48h_after,
         p.followers_gained, p.followers_gained_low, p.followers_gained_high, p.credit_note)
      is distinct from (k.f0, k.f2, k.f24, k.f48, k.gained, k.low, k.high, k.note)
  returning p.account_id
$$;
comment on function postloop.fill_followers is
  'Fills the follower horizons and the credit, or why there is none, of the given posts and those of the last ten days; returns the account of every row changed.';

create function public.attribution_backlog(p_now timestamptz)
returns integer
language sql
stable
set search_path = ''
as $$
  select count(distinct m.tweet_id)::integer
  from public.real_tweet_metrics m
  where m.attributed_at is null and m.collected_at <= p_now and m.quality <> 'suspect'
$$;
comment on function public.attribution_backlog is 'Posts with usable reads that attribution has not taken up.';

create function public.attribute_posts(p_now timestamptz, p_resume boolean default false)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '55s'
as $$
declare
  -- what one call takes up: under 3 s on one core
  c_posts_to_copy constant integer := 25000;
  -- no batch begins later; the largest one takes 6 s on one core
  c_working_time constant interval := interval '25 seconds';
  v_until constant timestamptz := clock_timestamp() + c_working_time;
  v_expected integer;
  v_done integer;
  v_rows integer;
  v_changed bigint[];
  v_touched text[];
  v_batch record;
  v_split record;
  v_batches integer := 0;
  v_waiting bigint[] := '{}'::bigint[];
begin
  -- A second run at the same time waits, then finds nothing left to do.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('postloop.attribution', 0));
  v_expected := public.attribution_backlog(p_now);

  with copied as materialized (select * from postloop.copy_metrics(p_now, c_posts_to_copy))
  select count(*), count(*) filter (where c.changed),
    coalesce(array_agg(distinct c.account_id) filter (where c.changed), '{}'),
    coalesce(array_agg(c.post_id), '{}')
    into v_done, v_rows, v_changed, v_touched
  from copied c;

  for v_batch in select b.account_ids, b.until_hours from postloop.plan_splits(p_now, p_resume) b loop
    if clock_timestamp() >= v_until then
      v_waiting := v_waiting || v_batch.account_ids;
      continue;
    end if;
    select coalesce(array_agg(distinct s.account_id), '{}') as account_ids,
      coalesce(array_agg(s.post_id), '{}') as post_ids
      into v_split
    from postloop.split_blocks(p_now, v_batch.account_ids, v_batch.until_hours) s;
    v_batches := v_batches + 1;
    v_changed := v_changed || v_split.account_ids;
    v_touched := v_touched || v_split.post_ids;
  end loop;

  select v_changed || coalesce(array_agg(distinct f.account_id), '{}'), v_rows + count(*)
    into v_changed, v_rows
  from postloop.fill_followers(p_now, v_touched) f;

  insert into public.account_learning as l (account_id, data_version)
  select distinct c.account_id, 1 from unnest(v_changed) c(account_id)
  on conflict (account_id) do update set data_version = l.data_version + 1;

  return jsonb_build_object('code', 'attributed', 'expected', v_expected, 'done', v_done,
    'rows_changed', v_rows,
    'account_ids', (select coalesce(jsonb_agg(distinct c), '[]'::jsonb) from unnest(v_changed) c),
    'batches', v_batches,
    'accounts_waiting', (select count(distinct w) from unnest(v_waiting) w),
    'more', v_done < v_expected or cardinality(v_waiting) > 0);
end
$$;
comment on function public.attribute_posts is
  'One attribution run, or a part of it: newest numbers to the posts, follower change split, horizons filled, changed accounts handed to learning. With {more: true} work is left; call again with the same p_now and p_resume.';

alter table public.account_learning enable row level security;

revoke all on public.account_learning from public, anon, authenticated, service_role;
grant select, insert, update on public.account_learning to service_role;
revoke all on function
  postloop.copy_metrics, postloop.fill_followers, public.attribution_backlog,
  public.attribute_posts
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.copy_metrics, postloop.fill_followers, public.attribution_backlog,
  public.attribute_posts
  to service_role;
