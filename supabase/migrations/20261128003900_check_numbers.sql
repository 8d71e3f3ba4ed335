-- The first system stored random numbers as metrics: what was not read, or moves as no post does, must show.
-- No bitmap scans: the planner does not know p_now, takes an account's reads of 30 days for few, and
-- would fetch and sort them all for the newest.
create function postloop.check_provenance(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
set enable_bitmapscan = off
as $$
  with
  claimed as materialized (
    select m.* from public.x_accounts a
    cross join lateral (
      select r.tweet_id, r.collection_phase, r.account_id, r.run_id, r.collected_at, r.source, r.quality
      from public.real_tweet_metrics r
      where r.account_id = a.id and r.collected_at > p_now - interval '30 days' and r.collected_at <= p_now
      order by r.collected_at desc
      limit 300
    ) m
    where m.source <> 'imported' and m.quality <> 'suspect'
  ),
  -- by run, whose attempts lie together; by read this took five times as long
  proof as materialized (
    select t.run_id, t.post_id, t.phase
    from (select distinct c.run_id from claimed c) c
    join public.pipeline_runs r on r.run_id = c.run_id
    cross join lateral (
      select f.* from public.collection_attempts f
      where f.run_id = r.run_id and f.outcome = 'found'
      offset 0
    ) t
  ),
  unproven as (
    select c.* from claimed c
    where not exists (
      select from proof p
      where p.run_id = c.run_id and p.post_id = c.tweet_id and p.phase = c.collection_phase)
  ),
  newest as (
    select u.*, a.handle, count(*) over () as reads from unproven u
    join public.x_accounts a on a.id = u.account_id
    order by u.collected_at desc, u.tweet_id
    limit 1
  )
  select 'reads_have_provenance',
    case when n.reads > 0 then 'failing' else 'ok' end,
    case when n.reads > 0 then format('%s without, the newest is %s of post %s of @%s',
        postloop.counted(n.reads, 'read'), n.collection_phase, n.tweet_id, n.handle)
      else '0 reads without' end,
    '0 of each account''s newest 300 reads of 30 days without their run and attempt',
    case when n.reads > 0 then format(
        'Something other than the scraper wrote real_tweet_metrics: find who holds a secret key and change it. Take its rows out of learning: update public.real_tweet_metrics set quality = ''suspect'' where run_id = %L;', n.run_id)
      else 'If one has none, something other than the scraper wrote it.' end
  from (select) always
  left join newest n on true
$$;
comment on function postloop.check_provenance is
  'Check of pipeline_health, reads_have_provenance: of each account, the newest 300 usable reads of 30 days that were not imported have their run and the attempt that found them.';

-- Newest posts of each account, so that the work does not grow with the history, and one account of
-- many cannot hide. No bitmap scans, as above.
create function postloop.check_numbers(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
set enable_bitmapscan = off
as $$
  with
  bound as (
    select
      -- Impressions never fell in three years of a real post; half a percent is for X's own counting.
      -- The others are withdrawn: there up to 6 % between two reads, and a few of a small number.
      0.005 as counting_share, 0.06 as withdrawn_share, 3 as withdrawn_count,
      -- Every post of made up numbers falls, and none of simulated real accounts: what lies between
      -- is a fault of reading. One odd post in ten is no pattern.
      10 as least_posts, 1 as odd_posts, 5 as warning_percent, 20 as failing_percent,
      -- 30 posts show numbers that are drawn evenly and in order of age in 9 accounts of 10, and no
      -- real one. Below a median of 3, likes are mostly 0 and 1 and follow nothing.
      30 as posts_judged, 0.3 as least_correlation, 0.5 as least_skewness, 3 as least_median_likes,
      -- X counts views apart from likes, and the views may lag behind: of one post in ten.
      3 as impossible_posts
  ),
  read as materialized (
    select a.id as account_id, a.handle, p.post_id, p.posted_at, m.*
    from public.x_accounts a
    cross join lateral (
      select o.post_id, o.posted_at from public.post_attribution o
      where o.account_id = a.id and o.posted_at > p_now - interval '30 days' and o.posted_at <= p_now
      order by o.posted_at desc
      limit 40
    ) p
    cross join lateral (
      select r.age_h, r.quality = 'exact' as is_exact, r.likes, r.retweets, r.replies, r.quotes,
        r.bookmarks, r.impressions
      from public.real_tweet_metrics r
      where r.tweet_id = p.post_id and r.quality <> 'suspect' and r.collected_at <= p_now
      offset 0
    ) m
  ),
  -- 1 each exact read beside the last known counts before it: what was not read is passed over, and
  -- rounded reads fall by rounding. The greatest of [age, count] is the newest of the counts.
  step as (
    select r.*, count(*) over so_far as place,
      (max(array[r.age_h, r.impressions]) filter (where r.impressions is not null) over before)[2]::bigint as impressions_before,
      (max(array[r.age_h, r.likes]) filter (where r.likes is not null) over before)[2]::bigint as likes_before,
      (max(array[r.age_h, r.retweets]) filter (where r.retweets is not null) over before)[2]::bigint as retweets_before,
      (max(array[r.age_h, r.replies]) filter (where r.replies is not null) over before)[2]::bigint as replies_before,
      (max(array[r.age_h, r.quotes]) filter (where r.quotes is not null) over before)[2]::bigint as quotes_before,
      (max(array[r.age_h, r.bookmarks]) filter (where r.bookmarks is not null) over before)[2]::bigint as bookmarks_before
    from read r
    where r.is_exact
    window so_far as (partition by r.post_id order by r.age_h),
      before as (so_far rows between unbounded preceding and 1 preceding)
  ),
  post as (
    select s.account_id, s.handle, s.post_id, s.posted_at,
      coalesce(bool_or(s.impressions < s.impressions_before * (1 - b.counting_share)
        or s.likes < s.likes_before - greatest(b.withdrawn_count, b.withdrawn_share * s.likes_before)
        or s.retweets < s.retweets_before - greatest(b.withdrawn_count, b.withdrawn_share * s.retweets_before)
        or s.replies < s.replies_before - greatest(b.withdrawn_count, b.withdrawn_share * s.replies_before)
        or s.bookmarks < s.bookmarks_before - greatest(b.withdrawn_count, b.withdrawn_share * s.bookmarks_before)), false) as falls,
      count(*) filter (where s.age_h <= 24) as early_reads,
      max(s.impressions) filter (where s.age_h <= 24) as early_impressions,
      bool_and((s.likes, s.retweets, s.replies, s.quotes, s.bookmarks, s.impressions) is not distinct from
          (s.likes_before, s.retweets_before, s.replies_before, s.quotes_before, s.bookmarks_before, s.impressions_before))
        filter (where s.age_h <= 24 and s.place > 1) as stands_still
    from step s
    cross join bound b
    group by s.account_id, s.handle, s.post_id, s.posted_at
    having count(*) > 1
  ),
  -- 2 posts whose numbers fall: of each account, and of all together for accounts with few posts
  falling as (
    select p.handle, count(*) as posts, count(*) filter (where p.falls) as falls,
      100.0 * count(*) filter (where p.falls) / count(*) as percent,
      (array_agg(p.post_id order by p.posted_at desc) filter (where p.falls))[1] as post_id
    from post p
    group by grouping sets ((p.handle), ())
    having count(*) >= (select b.least_posts from bound b)
  ),
  worst_falling as (
    select f.*,
      case
        when f.falls <= b.odd_posts then 'ok'
        when f.percent > b.failing_percent then 'failing'
        when f.percent > b.warning_percent then 'warning'
        else 'ok'
      end as status
    from falling f
    cross join bound b
    order by f.falls > b.odd_posts desc, f.percent desc, f.handle
    limit 1
  ),
  -- 3 an account's newest 30 posts, all at the same age: of mixed ages, made up numbers go together too
  aged as (
    select a.id as account_id, a.handle, m.impressions, m.likes,
      row_number() over (partition by a.id order by p.posted_at desc, p.post_id) as place
    from public.x_accounts a
    cross join lateral (
      select o.post_id, o.posted_at from public.post_attribution o
      where o.account_id = a.id
        and o.posted_at > p_now - interval '30 days' and o.posted_at <= p_now - interval '24 hours'
      order by o.posted_at desc
      limit 40
    ) p
    cross join lateral (
      select r.impressions, r.likes from public.real_tweet_metrics r
      where r.tweet_id = p.post_id and r.quality <> 'suspect' and r.collected_at <= p_now
        and r.age_h >= 24 and r.impressions is not null and r.likes is not null
      order by r.age_h
      limit 1
    ) m
  ),
  ranked as (
    select g.*,
      -- equal numbers share the middle of their ranks
      rank() over (partition by g.account_id order by g.impressions)
        + (count(*) over (partition by g.account_id, g.impressions) - 1) / 2.0 as impressions_rank,
      rank() over (partition by g.account_id order by g.likes)
        + (count(*) over (partition by g.account_id, g.likes) - 1) / 2.0 as likes_rank,
      g.impressions - avg(g.impressions) over (partition by g.account_id) as deviation
    from aged g
    where g.place <= (select b.posts_judged from bound b)
  ),
  account as (
    select r.handle,
      corr(r.impressions_rank::double precision, r.likes_rank::double precision) as spearman,
      (avg(r.deviation ^ 3) / nullif(stddev_pop(r.impressions) ^ 3, 0))::double precision as skewness,
      percentile_cont(0.5) within group (order by r.likes) as median_likes,
      count(*) filter (where r.likes > r.impressions) as impossible
    from ranked r
    group by r.handle
    having count(*) = (select b.posts_judged from bound b)
  ),
  implausible as (
    select x.*, count(*) over () as accounts
    from (
      select a.handle, a.impossible, a.spearman, a.skewness,
        case
          when a.impossible > b.impossible_posts then
            format('%s of %s posts have more likes than impressions', a.impossible, b.posts_judged)
          when a.spearman < b.least_correlation and a.skewness < b.least_skewness
            and a.median_likes >= b.least_median_likes then format(
            'looks uniform: rank correlation of impressions and likes %s, skewness of impressions %s',
            round(a.spearman::numeric, 2), round(a.skewness::numeric, 2))
        end as fault
      from account a
      cross join bound b
    ) x
    where x.fault is not null
    order by x.impossible desc, x.handle
    limit 1
  ),
  -- 4 posts with impressions that nobody saw any more of within a day
  still as (
    select count(*) as posts, count(*) filter (where p.stands_still) as still,
      100.0 * count(*) filter (where p.stands_still) / nullif(count(*), 0) as percent
    from post p
    where p.posted_at > p_now - interval '7 days' and p.early_reads > 1 and p.early_impressions >= 10
  )
  select 'metrics_monotone',
    coalesce(f.status, 'ok'),
    case when f.posts is null then 'too few posts with two reads'
      else format('%s of %s posts %s have numbers that fall', f.falls, f.posts, coalesce('of @' || f.handle, 'of all accounts'))
        || coalesce(', the newest is ' || f.post_id, '') end,
    format('at most %s %% (or %s) of an account''s %s or more posts; failing above %s %%',
      b.warning_percent, b.odd_posts, b.least_posts, b.failing_percent),
    case when f.falls > 0 then format(
        'Counts on X rarely fall. Source, quality and run of its reads say what wrote them: select * from public.real_tweet_metrics where tweet_id = %L order by age_h;', f.post_id)
      else 'If many fall, something other than the scraper wrote them, or the scraper reads the wrong place.' end
  from bound b
  left join worst_falling f on true
  union all
  select 'metrics_plausible',
    case when i.fault is not null then 'failing' else 'ok' end,
    case
      when i.fault is not null then format('@%s: %s', i.handle, i.fault)
        || case when i.accounts > 1 then format(' (and %s more)', postloop.counted(i.accounts - 1, 'account')) else '' end
      else format('%s with %s posts, none looks made up',
        postloop.counted((select count(*) from account), 'account'), b.posts_judged)
    end,
    format('rank correlation of an account''s impressions and likes at least %s or skewness at least %s; more likes than impressions in at most %s of %s posts',
      b.least_correlation, b.least_skewness, b.impossible_posts, b.posts_judged),
    case when i.fault is not null then format(
        'Numbers of real posts are skewed and go together; these look drawn at random or read from the wrong place. Compare some posts of @%s with X, and see which source and run wrote them.', i.handle)
      else 'If an account''s numbers look made up, compare some of its posts with X.' end
  from bound b
  left join implausible i on true
  union all
  select 'metrics_move',
    case when s.posts >= 10 and s.percent > 50 then 'warning' else 'ok' end,
    format('%s of %s of 7 days had the same numbers at every read of the first day', s.still, postloop.counted(s.posts, 'post')),
    'at most 50 % of 10 or more posts with 10 impressions',
    'The scraper is shown old numbers: see that nothing caches X''s answers between it and X, and give it another session (docs/scraper-deploy.md).'
  from still s
$$;
comment on function postloop.check_numbers is
  'Check of pipeline_health. metrics_monotone: counts do not fall; metrics_plausible: an account''s numbers do not look drawn at random; metrics_move: they change in the first day.';

create function postloop.check_rounding(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  account as (
    select a.handle, count(*) as snapshots, count(*) filter (where not s.is_exact) as rounded,
      count(distinct s.followers) filter (where s.is_exact) as counts,
      count(distinct s.followers) filter (where s.is_exact and s.followers % 100 = 0) as round_counts
    from public.x_accounts a
    cross join lateral (
      select f.followers, f.is_exact from public.follower_snapshots f
      where f.account_id = a.id and f.captured_at > p_now - interval '7 days' and f.captured_at <= p_now
      offset 0
    ) s
    group by a.handle
    having count(*) >= 50
  ),
  judged as (
    select a.*, case
        when a.rounded * 2 > a.snapshots then format('%s of %s counts are rounded', a.rounded, a.snapshots)
        -- a count that never changes may well be a round one
        when a.counts > 1 and a.round_counts * 2 > a.counts then
          format('%s of its %s different counts end in 00', a.round_counts, a.counts)
      end as fault
    from account a
  ),
  worst as (
    select j.*, count(*) over () as accounts from judged j
    where j.fault is not null
    order by j.rounded::double precision / j.snapshots desc, j.handle
    limit 1
  )
  select 'follower_counts_exact',
    case when w.fault is not null then 'warning' else 'ok' end,
    case
      when w.fault is not null then format('@%s: %s', w.handle, w.fault)
        || case when w.accounts > 1 then format(' (and %s more)', postloop.counted(w.accounts - 1, 'account')) else '' end
      else format('%s with 50 counts in 7 days, all exact', postloop.counted((select count(*) from account), 'account'))
    end,
    'at most 50 % of an account''s 50 or more counts rounded',
    'Rounded counts are never used, so followers cannot be credited: give the scraper a session, with which X shows whole numbers (docs/scraper-deploy.md).'
  from (select) always
  left join worst w on true
$$;
comment on function postloop.check_rounding is
  'Check of pipeline_health, follower_counts_exact: the follower counts of 7 days are whole numbers.';

revoke all on function
  postloop.check_provenance, postloop.check_numbers, postloop.check_rounding
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.check_provenance, postloop.check_numbers, postloop.check_rounding
  to service_role;

insert into postloop.checks (check_name, position) values
  ('provenance', 180), ('numbers', 181), ('rounding', 182);
