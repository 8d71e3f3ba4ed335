-- A read with quality suspect is kept as evidence and used nowhere: in no judgement, credit or reward.
create or replace function public.claim_reads(p_now timestamptz, p_limit integer default 40, p_lease_seconds integer default 180)
returns jsonb
language plpgsql
-- as its owner, for the role of the scraper may touch no table
security definer
set search_path = ''
as $$
declare
  v_run_id uuid := gen_random_uuid();
  v_leased_until timestamptz := p_now + make_interval(secs => p_lease_seconds);
  v_missed integer;
  v_reads jsonb;
  v_followers jsonb;
  v_expected integer;
begin
  -- 1 windows that closed unread; a lease that runs out meanwhile does not reopen them
  update public.metric_collections c
  set state = 'missed', lease_id = null, finished_at = p_now
  where c.state in ('waiting', 'leased') and c.next_attempt_at <= p_now and c.expires_at <= p_now;
  get diagnostics v_missed = row_count;

  -- 2 due reads, the longest due first; rows another claim is taking are skipped
  with due as (
    select c.post_id, c.phase
    from public.metric_collections c
    where c.state in ('waiting', 'leased') and c.next_attempt_at <= p_now
    order by c.next_attempt_at, c.post_id, c.phase
    limit p_limit
    for update skip locked
  ), leased as (
    update public.metric_collections c
    set state = 'leased', lease_id = v_run_id, next_attempt_at = v_leased_until,
        attempts = c.attempts + 1
    from due
    where c.post_id = due.post_id and c.phase = due.phase
    returning c.*
  )
  select coalesce(jsonb_agg(jsonb_build_object(
      'post_id', l.post_id, 'phase', l.phase, 'account_id', l.account_id, 'handle', a.handle,
      'posted_at', p.posted_at, 'due_at', l.due_at, 'expires_at', l.expires_at,
      'attempt', l.attempts, 'previous', newest.read) order by l.due_at, l.post_id), '[]'::jsonb)
    into v_reads
  from leased l
  join public.accounts a on a.id = l.account_id
  join public.post_attribution p on p.post_id = l.post_id
  left join lateral (
    -- what a new read is judged against
    select jsonb_build_object('captured_at', m.collected_at, 'metrics', jsonb_build_object(
        'likes', m.likes, 'retweets', m.retweets, 'replies', m.replies, 'quotes', m.quotes,
        'bookmarks', m.bookmarks, 'impressions', m.impressions,
        'profile_clicks', m.profile_clicks)) as read
    from public.real_tweet_metrics m
    where m.tweet_id = l.post_id and m.quality <> 'suspect'
    order by m.collected_at desc
    limit 1
  ) newest on true;

  -- 3 follower counts that are due
  with due as (
    select f.account_id, f.next_attempt_at as due_at
    from public.follower_collections f
    where f.next_attempt_at <= p_now
    order by f.next_attempt_at, f.account_id
    limit p_limit
    for update skip locked
  ), leased as (
    update public.follower_collections f
    set lease_id = v_run_id, next_attempt_at = v_leased_until, attempts = f.attempts + 1
    from due
    where f.account_id = due.account_id
    returning f.account_id, f.attempts, due.due_at
  )
  select coalesce(jsonb_agg(jsonb_build_object(
      'account_id', l.account_id, 'handle', a.handle, 'due_at', l.due_at,
      'attempt', l.attempts) order by l.account_id), '[]'::jsonb)
    into v_followers
  from leased l
  join public.accounts a on a.id = l.account_id;

  -- 4 the run that holds the leases; an empty one is closed at once and serves as the heartbeat
  v_expected := jsonb_array_length(v_reads) + jsonb_array_length(v_followers);
  insert into public.pipeline_runs (run_id, job, status, as_of, expected, finished_at)
  values (v_run_id, 'scraper', case when v_expected = 0 then 'succeeded' else 'running' end,
    p_now, v_expected, case when v_expected = 0 then clock_timestamp() end);

  return jsonb_build_object('run_id', v_run_id, 'leased_until', v_leased_until,
    'reads', v_reads, 'followers', v_followers, 'missed', v_missed);
end
$$;

-- Copies the newest accepted numbers to the posts that have new reads, and marks those reads taken up.
create or replace function postloop.copy_metrics(p_now timestamptz)
returns table (account_id bigint, posts integer, changed integer)
language sql
set search_path = ''
as $$
  with
  -- 1 posts with reads that attribution has not seen
  fresh as (
    update public.real_tweet_metrics m
    set attributed_at = p_now
    where m.attributed_at is null and m.collected_at <= p_now and m.quality <> 'suspect'
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
  select n.account_id, count(*)::integer, count(c.post_id)::integer
  from newest n
  left join copied c on c.post_id = n.tweet_id
  group by n.account_id
$$;

create or replace function public.attribution_backlog(p_now timestamptz)
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

-- Splits every hour's follower change between organic drift and the posts that were seen in it
-- (a Poisson mixture: shares in proportion to expected arrivals), one pass. Hours older than 8 days
-- are settled: all on-time reads of their posts are in, their split is never touched again.
-- More work_mem, for 22,500 active posts are 2.6 million post-hours; no jit, for the planner takes them
-- for ten times as many and would compile every run.
create or replace function postloop.split_followers(p_now timestamptz)
returns table (account_id bigint)
language sql
set search_path = ''
set work_mem = '64MB'
set jit = off
as $$
  with
  -- 1 per account, the first hour that is still open, before and after this run
  account as (
    select a.id as account_id,
      coalesce(r.settled_through, '-infinity') as open_from,
      -- never past the last count: the hours of a long outage are booked when counts come again
      greatest(coalesce(r.settled_through, '-infinity'),
        least(date_trunc('hour', p_now, 'UTC') - interval '8 days',
          date_trunc('hour', newest.captured_at, 'UTC'))) as settle_until
    from public.accounts a
    left join public.account_rates r on r.account_id = a.id
    left join lateral (
      select max(s.captured_at) as captured_at
      from public.follower_snapshots s
      where s.account_id = a.id and s.is_exact and s.captured_at <= p_now
    ) newest on true
  ),
  -- 2 spans between exact follower counts, from the last one before the open hours on
  span as (
    select s.account_id, s.captured_at as t0, s.followers as f0,
      lead(s.captured_at) over w as t1, lead(s.followers) over w as f1
    from account a
    join public.follower_snapshots s on s.account_id = a.account_id
    where s.is_exact
      and s.captured_at <= p_now
      and s.captured_at >= coalesce((
        select max(l.captured_at) from public.follower_snapshots l
        where l.account_id = a.account_id and l.is_exact and l.captured_at <= a.open_from), '-infinity')
    window w as (partition by s.account_id order by s.captured_at)
  ),
  -- 3 the count at each full hour; the last snapshot only when it lies on one
  boundary as (
    select s.account_id, g.hr, s.t0, s.t1 - s.t0 > interval '6 hours' as in_gap,
      s.f0 + (s.f1 - s.f0) * (extract(epoch from g.hr - s.t0) / extract(epoch from s.t1 - s.t0))::double precision as followers
    from span s
    cross join lateral generate_series(
      date_trunc('hour', s.t0, 'UTC'), s.t1, interval '1 hour') g(hr)
    where s.t1 is not null and g.hr >= s.t0 and g.hr < s.t1
    union all
    select s.account_id, s.t0, s.t0, false, s.f0::double precision
    from span s
    where s.t1 is null and s.t0 = date_trunc('hour', s.t0, 'UTC')
  ),
  hour_change as (
    select b.account_id, b.hr,
      lead(b.followers) over w - b.followers as df,
      lead(b.hr) over w as hr_end,
      b.in_gap or (lead(b.in_gap) over w and lead(b.t0) over w < lead(b.hr) over w) as gap
    from boundary b
    window w as (partition by b.account_id order by b.hr)
  ),
  open_hour as (
    select h.account_id, h.hr, h.df, h.gap
    from hour_change h
    join account a on a.account_id = h.account_id
    where h.hr_end is not null and h.hr >= a.open_from
  ),
  -- 4 impressions between reads, of posts whose seven days reach into the open hours; within a
  -- segment they follow ln(1 + age / 1.333 h), the median half-life of a post (Pfeffer et al. 2023).
  -- Looked up by account and by post: the planner knows neither p_now nor how few hours are open,
  -- and would read both tables whole.
  open_post as (
    select row_number() over () as post_no, p.post_id, a.account_id, p.posted_at, a.open_from, a.settle_until,
      floor(extract(epoch from p.posted_at) / 3600)::integer as posted_hour,
      extract(epoch from p.posted_at - date_trunc('hour', p.posted_at, 'UTC'))::double precision / 3600 as into_hour
    from account a
    cross join lateral (
      select o.post_id, o.posted_at
      from public.post_attribution o
      where o.account_id = a.account_id and o.posted_at > a.open_from - interval '7 days'
      offset 0
    ) p
  ),
  -- What is the same for all hours of a segment is computed once, and hours and posts are numbers from
  -- here on: timestamps and text ids made the split twice as slow. Each post by itself, so that
  -- no sort grows with their number.
  exposure as materialized (
    select o.account_id, o.post_no, o.posted_hour + x.k as hour, x.k - o.into_hour as age, x.e
    from open_post o
    cross join lateral (
      select g.k,
        sum(t.gained
          * ln((1.333 + least(t.h1, g.k - o.into_hour + 1)) / (1.333 + greatest(t.h0, g.k - o.into_hour)))
          / t.log_length) as e
      from (
        select s.h0, s.h1, s.gained,
          ln((1.333 + s.h1) / (1.333 + s.h0)) as log_length,
          floor(extract(epoch from greatest(
            s.posted_at + make_interval(secs => s.h0 * 3600), s.open_from)) / 3600)::integer - o.posted_hour as first_k,
          floor(extract(epoch from
            s.posted_at + make_interval(secs => least(s.h1, 168) * 3600) - interval '1 microsecond') / 3600)::integer - o.posted_hour as last_k
        from (
          select o.posted_at, o.open_from, coalesce(lag(r.age_h) over w, 0) as h0, r.age_h as h1,
            greatest(r.impressions - coalesce(max(r.impressions) over (w rows between unbounded preceding and 1 preceding), 0), 0)::double precision as gained
          from (
            select distinct on (m.age_h) m.age_h, m.impressions
            from public.real_tweet_metrics m
            where m.tweet_id = o.post_id and m.impressions is not null and m.collected_at <= p_now
              and m.quality <> 'suspect'
            order by m.age_h, m.impressions desc
          ) r
          window w as (order by r.age_h)
        ) s
        -- kept apart from the hours: merged, the planner computes all of this for each of them
        offset 0
      ) t
      cross join lateral generate_series(t.first_k, t.last_k) g(k)
      group by g.k
    ) x
  ),
  hour_exposure as (
    select e.account_id, e.hour, sum(e.e) as exposure
    from exposure e
    group by e.account_id, e.hour
  ),
  hour as (
    select h.account_id, h.hr, n.hour, h.df, h.gap, coalesce(e.exposure, 0) as exposure
    from open_hour h
    cross join lateral (select (extract(epoch from h.hr) / 3600)::integer as hour) n
    left join hour_exposure e on e.account_id = h.account_id and e.hour = n.hour
  ),
  -- 5 the account's two rates over 28 days
  fitted_hour as (
    select h.account_id, h.hr, h.df, h.exposure
    from hour h
    where not h.gap and h.hr >= p_now - interval '28 days'
    union all
    select f.account_id, f.hr, f.df, f.exposure
    from public.follower_hour f
    join account a on a.account_id = f.account_id
    where not f.gap and f.hr < a.open_from and f.hr >= p_now - interval '28 days'
  ),
  rate as (
    select h.account_id, fit.n, fit.b, fit.q
    from (
      -- in order of time, so that the same hours give the same sums to the last bit
      select f.account_id, array_agg(f.df order by f.hr) as df, array_agg(f.exposure order by f.hr) as exposure
      from fitted_hour f
      group by f.account_id
    ) h
    cross join lateral postloop.fit_rates(h.df, h.exposure) fit
  ),
  dispersion as (
    select r.account_id, greatest(1, percentile_cont(0.5) within group (
        order by (f.df - r.b - r.q * f.exposure) ^ 2 / greatest(r.b + r.q * f.exposure, 1e-6)) / 0.455) as phi
    from rate r
    join fitted_hour f on f.account_id = r.account_id
    group by r.account_id
  ),
  -- 6 what is out of reach of the rates is a shock, not anybody's credit
  bounded as (
    select h.account_id, h.hr, h.hour, h.df, h.gap, h.exposure, coalesce(r.b, 0) as b, coalesce(r.q, 1e-9) as q,
      case when h.gap or r.account_id is null then 0
        else least(greatest(h.df, least(x.mu - x.reach, 0)), 5 * x.mu + x.reach) end as explained
    from hour h
    left join rate r on r.account_id = h.account_id
    left join dispersion d on d.account_id = h.account_id
    cross join lateral (
      select r.b + r.q * h.exposure as mu, 6 * sqrt(d.phi * greatest(r.b + r.q * h.exposure, 1)) as reach
    ) x
  ),
  -- 7 the ledger of hours; the shares of an hour's posts add up to that of its whole exposure
  split_hour as materialized (
    select b.*, b.hr < a.settle_until as settles,
      coalesce(b.explained * b.q * b.exposure / nullif(b.b + b.q * b.exposure, 0), 0) as credited
    from bounded b
    join account a on a.account_id = b.account_id
  ),
  booked as (
    insert into public.follower_hour as f
      (account_id, hr, df, exposure, explained, credited, organic, unexplained, gap)
    select b.account_id, b.hr, b.df, b.exposure, b.explained, b.credited,
      b.explained - b.credited, b.df - b.explained, b.gap
    from split_hour b
    on conflict (account_id, hr) do update
    set df = excluded.df, exposure = excluded.exposure, explained = excluded.explained,
        credited = excluded.credited, organic = excluded.organic,
        unexplained = excluded.unexplained, gap = excluded.gap
    where (f.df, f.exposure, f.explained, f.credited, f.gap)
      is distinct from (excluded.df, excluded.exposure, excluded.explained, excluded.credited, excluded.gap)
  ),
  rated as (
    insert into public.account_rates as r (account_id, b, q, phi, hours, settled_through, fitted_at)
    select t.account_id, t.b, t.q, d.phi, t.n, a.settle_until, p_now
    from rate t
    join dispersion d on d.account_id = t.account_id
    join account a on a.account_id = t.account_id
    on conflict (account_id) do update
    set b = excluded.b, q = excluded.q, phi = excluded.phi, hours = excluded.hours,
        settled_through = excluded.settled_through, fitted_at = excluded.fitted_at
  ),
  -- 8 each post's share of each hour
  share as (
    select e.post_no, e.age, b.settles, b.explained as x,
      b.q * e.e / nullif(b.b + b.q * b.exposure, 0) as p
    from exposure e
    join split_hour b on b.account_id = e.account_id and b.hour = e.hour
  ),
  -- 9 each post's credit: what was settled before, what settles now, what is still open
  part as (
    select s.post_no, s.settles,
      sum(s.x * s.p) filter (where s.age < 2) as c2,
      sum(s.x * s.p) filter (where s.age < 24) as c24,
      sum(s.x * s.p) filter (where s.age < 48) as c48,
      sum(s.x * s.p) as c7d,
      sum(abs(s.x) * s.p * (1 - s.p)) filter (where s.age < 48) as thinning,
      sum(greatest(s.x, 0) * s.p * (1 - s.p)) filter (where s.age < 48) as spread
    from share s
    group by s.post_no, s.settles
  ),
  settled as (
    select w.post_no, w.post_id, w.account_id, w.posted_at, w.settle_until,
      coalesce(k.settled_2h, 0) + coalesce(n.c2, 0) as c2,
      coalesce(k.settled_24h, 0) + coalesce(n.c24, 0) as c24,
      coalesce(k.settled_48h, 0) + coalesce(n.c48, 0) as c48,
      coalesce(k.settled_7d, 0) + coalesce(n.c7d, 0) as c7d,
      coalesce(k.settled_thinning_48h, 0) + coalesce(n.thinning, 0) as thinning,
      coalesce(k.settled_spread_48h, 0) + coalesce(n.spread, 0) as spread
    from open_post w
    left join public.post_credit k on k.post_id = w.post_id
    left join part n on n.post_no = w.post_no and n.settles
    where w.post_no in (select p.post_no from part p)
  ),
  credited as (
    insert into public.post_credit as c
      (post_id, account_id, credit_2h, credit_24h, credit_48h, credit_7d, var_48h,
       settled_2h, settled_24h, settled_48h, settled_7d, settled_thinning_48h, settled_spread_48h,
       final, method, computed_at)
    select s.post_id, s.account_id,
      s.c2 + coalesce(o.c2, 0), s.c24 + coalesce(o.c24, 0), s.c48 + coalesce(o.c48, 0),
      s.c7d + coalesce(o.c7d, 0),
      -- the second term is the spread of conversion rates between posts, cv^2 = 1/4
      s.thinning + coalesce(o.thinning, 0) + (s.spread + coalesce(o.spread, 0)) ^ 2 / 4,
      s.c2, s.c24, s.c48, s.c7d, s.thinning, s.spread,
      s.posted_at + interval '7 days' <= s.settle_until, 'exposure_share', p_now
    from settled s
    left join part o on o.post_no = s.post_no and not o.settles
    on conflict (post_id) do update
    set credit_2h = excluded.credit_2h, credit_24h = excluded.credit_24h,
        credit_48h = excluded.credit_48h, credit_7d = excluded.credit_7d,
        var_48h = excluded.var_48h, settled_2h = excluded.settled_2h,
        settled_24h = excluded.settled_24h, settled_48h = excluded.settled_48h,
        settled_7d = excluded.settled_7d, settled_thinning_48h = excluded.settled_thinning_48h,
        settled_spread_48h = excluded.settled_spread_48h, final = excluded.final,
        method = excluded.method, computed_at = excluded.computed_at
    where (c.credit_2h, c.credit_24h, c.credit_48h, c.credit_7d, c.var_48h, c.settled_7d, c.final)
      is distinct from (excluded.credit_2h, excluded.credit_24h, excluded.credit_48h,
        excluded.credit_7d, excluded.var_48h, excluded.settled_7d, excluded.final)
    returning c.account_id
  ),
  -- 10 posts whose last read never came have no share in the open hours; their credit is final too
  concluded as (
    update public.post_credit c
    set final = true
    from account a, public.post_attribution p
    where c.account_id = a.account_id and p.post_id = c.post_id and not c.final
      and p.posted_at + interval '7 days' <= a.settle_until
      and c.post_id not in (select s.post_id from settled s)
  )
  select distinct c.account_id from credited c
$$;

-- Rewards of an account's finished posts. The outcome is that of the read nearest after 48 h, by true
-- age; no rolling mean is subtracted, for a policy that plays its best values would erase them.
create or replace function postloop.post_rewards(p_account_id bigint, p_now timestamptz)
returns table (post_id text, account_id bigint, posted_at timestamptz, y_impressions double precision,
  y_engagement double precision, y_followers double precision, reward double precision, weight double precision)
language sql
stable
set search_path = ''
as $$
  with
  -- 1 the first accepted read at 48 h or later, and the credit at 48 h; looked up post by post, for
  -- joined they made the planner read both tables whole, all accounts' posts
  finished as (
    select p.post_id, p.account_id, p.posted_at,
      m.impressions::double precision as impressions,
      (m.likes + m.retweets + m.replies + m.bookmarks)::double precision as engagements,
      case when p.posted_at + interval '48 hours' <= p_now then c.credit_48h end as credit
    from public.post_attribution p
    cross join lateral (
      select r.impressions, r.likes, r.retweets, r.replies, r.bookmarks
      from public.real_tweet_metrics r
      where r.tweet_id = p.post_id
        and r.collection_phase = any (array(
          select ph.phase from public.collection_phases ph where ph.age >= interval '48 hours'))
        and r.collected_at <= p_now
        and r.impressions is not null
        and r.quality <> 'suspect'
      order by r.age_h
      limit 1
    ) m
    left join lateral (
      select k.credit_48h from public.post_credit k where k.post_id = p.post_id limit 1
    ) c on true
    where p.account_id = p_account_id
  ),
  -- 2 what is recent counts back from the newest finished post, so that a pause forgets nothing
  recent as (
    select max(f.posted_at) - interval '90 days' as since from finished f
  ),
  -- 3 the account's usual engagement rate; never 0, so that a post without engagement has a logarithm
  usual as (
    select coalesce(
      nullif(percentile_cont(0.5) within group (order by f.engagements / f.impressions)
        filter (where f.impressions > 0 and f.posted_at > r.since), 0),
      (sum(f.engagements) + 0.5) / (sum(f.impressions) filter (where f.engagements is not null) + 1)) as rate
    from finished f
    cross join recent r
  ),
  outcome as (
    select f.post_id, f.account_id, f.posted_at, f.posted_at > r.since as is_recent,
      ln(1 + f.impressions) as y_impressions,
      ln((f.engagements + 200 * u.rate) / (f.impressions + 200)) as y_engagement,
      case when f.credit is not null then ln(1 + greatest(f.credit, 0)) end as y_followers
    from finished f
    cross join usual u
    cross join recent r
  ),
  -- 4 centre and spread of each outcome over the recent posts
  long as (
    select o.post_id, o.is_recent, x.outcome, x.y
    from outcome o
    cross join lateral (values
      ('impressions', o.y_impressions), ('engagement', o.y_engagement), ('followers', o.y_followers)
    ) x(outcome, y)
    where x.y is not null
  ),
  centre as (
    select l.outcome, percentile_cont(0.5) within group (order by l.y) as median
    from long l
    where l.is_recent
    group by l.outcome
  ),
  spread as (
    select l.outcome, c.median,
      coalesce(nullif(1.4826 * percentile_cont(0.5) within group (order by abs(l.y - c.median)), 0),
        stddev_samp(l.y)) as scale
    from long l
    join centre c on c.outcome = l.outcome
    where l.is_recent
    group by l.outcome, c.median
  ),
  -- 5 winsorised at three spreads, weighted by what the account is after
  scored as (
    select l.post_id,
      sum(w.weight * case when s.scale > 0 then greatest(-3, least(3, (l.y - s.median) / s.scale)) else 0 end)
        / sum(w.weight) as reward
    from long l
    join spread s on s.outcome = l.outcome
    join public.reward_weights w on w.outcome = l.outcome and w.weight > 0
    group by l.post_id
  )
  select o.post_id, o.account_id, o.posted_at, o.y_impressions, o.y_engagement, o.y_followers, s.reward,
    greatest(power(2, -extract(epoch from p_now - o.posted_at)::double precision / 86400 / 90), 1e-9)
  from outcome o
  join scored s on s.post_id = o.post_id
$$;
