-- The first system stored random numbers as metrics: what moves as no post does must show.
-- Newest posts of each account, so that the work does not grow with the history, and one account of
-- many cannot hide.
-- No bitmap scans: the planner does not know p_now, and would fetch and sort all of an account's posts
-- for the newest.
create function postloop.check_numbers(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
set enable_bitmapscan = off
as $$
  with
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
      from postloop.usable_reads r
      where r.tweet_id = p.post_id and r.collected_at <= p_now
      offset 0
    ) m
  ),
  -- 1 each exact read beside the one before it; rounded ones fall by rounding
  step as (
    select r.*, count(*) over w as place, lag(r.impressions) over w as impressions_before,
      lag(r.likes) over w as likes_before, lag(r.retweets) over w as retweets_before,
      lag(r.replies) over w as replies_before, lag(r.quotes) over w as quotes_before,
      lag(r.bookmarks) over w as bookmarks_before
    from read r
    where r.is_exact
    window w as (partition by r.post_id order by r.age_h)
  ),
  post as (
    select s.account_id, s.handle, s.post_id, s.posted_at,
      coalesce(bool_or(s.impressions < 0.995 * s.impressions_before
        or s.likes < s.likes_before - greatest(3, 0.06 * s.likes_before)
        or s.retweets < s.retweets_before - greatest(3, 0.06 * s.retweets_before)
        or s.replies < s.replies_before - greatest(3, 0.06 * s.replies_before)
        or s.bookmarks < s.bookmarks_before - greatest(3, 0.06 * s.bookmarks_before)), false) as falls,
      count(*) filter (where s.age_h <= 24) as early_reads,
      max(s.impressions) filter (where s.age_h <= 24) as early_impressions,
      bool_and((s.likes, s.retweets, s.replies, s.quotes, s.bookmarks, s.impressions) is not distinct from
          (s.likes_before, s.retweets_before, s.replies_before, s.quotes_before, s.bookmarks_before, s.impressions_before))
        filter (where s.age_h <= 24 and s.place > 1) as stands_still
    from step s
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
    having count(*) >= 10
  ),
  worst_falling as (
    select f.* from falling f
    -- one odd post in ten is no pattern
    order by f.falls > 1 desc, f.percent desc, f.handle
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
      select r.impressions, r.likes from postloop.usable_reads r
      where r.tweet_id = p.post_id and r.collected_at <= p_now
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
    where g.place <= 30
  ),
  account as (
    select r.handle,
      corr(r.impressions_rank::double precision, r.likes_rank::double precision) as spearman,
      (avg(r.deviation ^ 3) / nullif(stddev_pop(r.impressions) ^ 3, 0))::double precision as skewness,
      percentile_cont(0.5) within group (order by r.likes) as median_likes,
      count(*) filter (where r.likes > r.impressions) as impossible
    from ranked r
    group by r.handle
    having count(*) = 30
  ),
  implausible as (
    select x.*, count(*) over () as accounts
    from (
      select a.handle, a.impossible, a.spearman, a.skewness,
        case
          when a.impossible > 3 then format('%s of 30 posts have more likes than impressions', a.impossible)
          -- below, likes are mostly 0 and 1 and follow nothing
          when a.spearman < 0.3 and a.skewness < 0.5 and a.median_likes >= 3 then format(
            'looks uniform: rank correlation of impressions and likes %s, skewness of impressions %s',
            round(a.spearman::numeric, 2), round(a.skewness::numeric, 2))
        end as fault
      from account a
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
    case
      when f.falls > 1 and f.percent > 20 then 'failing'
      when f.falls > 1 and f.percent > 5 then 'warning'
      else 'ok'
    end,
    case when f.posts is null then 'too few posts with two reads'
      else format('%s of %s posts %s have numbers that fall', f.falls, f.posts, coalesce('of @' || f.handle, 'of all accounts'))
        || coalesce(', the newest is ' || f.post_id, '') end,
    'at most 5 % (or 1) of an account''s 10 or more posts; failing above 20 %',
    case when f.falls > 0 then format(
        'Counts on X rarely fall. Source, quality and run of its reads say what wrote them: select * from public.real_tweet_metrics where tweet_id = %L order by age_h;', f.post_id)
      else 'If many fall, something other than the scraper wrote them, or the scraper reads the wrong place.' end
  from (select) always
  left join worst_falling f on true
  union all
  select 'metrics_plausible',
    case when i.fault is not null then 'failing' else 'ok' end,
    case
      when i.fault is not null then format('@%s: %s', i.handle, i.fault)
        || case when i.accounts > 1 then format(' (and %s more)', postloop.counted(i.accounts - 1, 'account')) else '' end
      else format('%s with 30 posts, none looks made up', postloop.counted((select count(*) from account), 'account'))
    end,
    'rank correlation of an account''s impressions and likes at least 0.3 or skewness at least 0.5; more likes than impressions in at most 3 of 30 posts',
    case when i.fault is not null then format(
        'Numbers of real posts are skewed and go together; these look drawn at random or read from the wrong place. Compare some posts of @%s with X, and see which source and run wrote them.', i.handle)
      else 'If an account''s numbers look made up, compare some of its posts with X.' end
  from (select) always
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

revoke all on function postloop.check_numbers from public, anon, authenticated, service_role;
grant execute on function postloop.check_numbers to service_role;

insert into postloop.checks (check_name, position) values ('numbers', 181);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('metrics_monotone', 'numbers', 'metrics', null,
    'the counts of a post do not fall between exact reads by more than they do on X', 'warning, then failing'),
  ('metrics_plausible', 'numbers', 'metrics', null,
    'an account''s newest 30 posts look like posts at the age of a day', 'failing'),
  ('metrics_move', 'numbers', 'metrics', null,
    'numbers change in a post''s first day', 'warning');
