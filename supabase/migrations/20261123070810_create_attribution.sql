-- Attribution: the newest numbers and the follower credit, brought to their posts in one run.

-- Copies the newest accepted numbers to the posts that have new reads, and marks those reads taken up.
create function postloop.copy_metrics(p_now timestamptz)
returns table (account_id bigint, posts integer, changed integer)
language sql
set search_path = ''
as $$
  with
  -- 1 posts with reads that attribution has not seen
  fresh as (
    update public.real_tweet_metrics m
    set attributed_at = p_now
    where m.attributed_at is null and m.collected_at <= p_now
    returning m.tweet_id
  ),
  -- 2 their newest read, late reads by their true time and not by their phase
  newest as (
    select m.*
    from (select distinct f.tweet_id from fresh f) p
    cross join lateral (
      select r.* from public.real_tweet_metrics r
      where r.tweet_id = p.tweet_id and r.collected_at <= p_now
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
  select n.account_id, count(*)::integer, count(c.post_id)::integer
  from newest n
  left join copied c on c.post_id = n.tweet_id
  group by n.account_id
$$;
comment on function postloop.copy_metrics is
  'Copies each post''s newest accepted read to its row; returns posts with new reads and rows changed, by account.';

-- Brings the follower columns of the posts of the last ten days up to date, and the credit of all
-- posts whose credit this run changed. A horizon is the exact follower series at that moment: linear
-- between snapshots at most 6 h apart, else unknown.
create function postloop.fill_followers(p_now timestamptz)
returns table (account_id bigint)
language sql
set search_path = ''
set work_mem = '64MB'
set jit = off
as $$
  with
  touched as (
    select c.post_id from public.post_credit c where c.computed_at = p_now
    union
    select p.post_id from public.post_attribution p where p.posted_at > p_now - interval '10 days'
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
      c.credit_48h - 1.645 * sqrt(c.var_48h) as low,
      c.credit_48h + 1.645 * sqrt(c.var_48h) as high
    from post p
    left join reached r on r.post_id = p.post_id
    left join public.post_credit c on c.post_id = p.post_id
  )
  update public.post_attribution p
  set followers_before = k.f0, followers_2h_after = k.f2, followers_24h_after = k.f24,
      followers_48h_after = k.f48, followers_gained = k.gained,
      followers_gained_low = k.low, followers_gained_high = k.high, last_updated = p_now
  from known k
  where p.post_id = k.post_id
    and (p.followers_before, p.followers_2h_after, p.followers_24h_after, p.followers_48h_after,
         p.followers_gained, p.followers_gained_low, p.followers_gained_high)
      is distinct from (k.f0, k.f2, k.f24, k.f48, k.gained, k.low, k.high)
  returning p.account_id
$$;
comment on function postloop.fill_followers is
  'Fills the follower horizons and the credit of posts; returns the account of every row changed.';

create function public.attribution_backlog(p_now timestamptz)
returns integer
language sql
stable
set search_path = ''
as $$
  select count(distinct m.tweet_id)::integer
  from public.real_tweet_metrics m
  where m.attributed_at is null and m.collected_at <= p_now
$$;
comment on function public.attribution_backlog is 'Posts with accepted reads that attribution has not taken up.';

create function public.attribute_posts(p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '55s'
as $$
declare
  v_expected integer;
  v_done integer;
  v_rows integer;
  v_changed bigint[];
begin
  -- A second run at the same time waits, then finds nothing left to do.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('postloop.attribution', 0));
  v_expected := public.attribution_backlog(p_now);

  with copied as materialized (select * from postloop.copy_metrics(p_now))
  select coalesce(sum(c.posts), 0), coalesce(sum(c.changed), 0),
    coalesce(array_agg(c.account_id) filter (where c.changed > 0), '{}')
    into v_done, v_rows, v_changed
  from copied c;

  select v_changed || coalesce(array_agg(s.account_id), '{}') into v_changed
  from postloop.split_followers(p_now) s;

  select v_changed || coalesce(array_agg(distinct f.account_id), '{}'), v_rows + count(*)
    into v_changed, v_rows
  from postloop.fill_followers(p_now) f;

  insert into public.learning_state as l (account_id, data_version)
  select distinct c.account_id, 1 from unnest(v_changed) c(account_id)
  on conflict (account_id) do update set data_version = l.data_version + 1;

  return jsonb_build_object('code', 'attributed', 'expected', v_expected, 'done', v_done,
    'rows_changed', v_rows,
    'account_ids', (select coalesce(jsonb_agg(distinct c), '[]'::jsonb) from unnest(v_changed) c));
end
$$;
comment on function public.attribute_posts is
  'One attribution run: newest numbers to the posts, follower change split, horizons filled, changed accounts handed to learning.';

revoke execute on function postloop.copy_metrics, postloop.fill_followers,
  public.attribution_backlog, public.attribute_posts
  from public, anon, authenticated;
grant execute on function postloop.copy_metrics, postloop.fill_followers,
  public.attribution_backlog, public.attribute_posts
  to service_role;
