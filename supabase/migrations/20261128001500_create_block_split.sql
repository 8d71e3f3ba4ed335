-- The split by blocks of 48 hours, for as many accounts and hours at a time as fit into memory.

-- What is to be split, in batches of bounded work: a long history takes several, and may be left
-- between any two. Hours are numbers, counted from 1970.
create function postloop.plan_splits(p_now timestamptz, p_resume boolean, p_work integer default 20000)
returns table (batch integer, account_ids bigint[], until_hours integer[])
language sql
stable
set search_path = ''
set jit = off
as $$
  with
  -- 1 accounts with a count, the one that waits longest first; a resumed run takes those it has not finished
  account as (
    select a.id as account_id, r.attributed_at,
      floor((extract(epoch from p_now) / 3600 - 121) / 48)::integer * 48 as settle_until,
      floor(extract(epoch from coalesce(r.settled_through, first.captured_at)) / 172800)::integer * 48 as first_block,
      floor(extract(epoch from last.captured_at) / 3600)::integer as end_hour
    from public.x_accounts a
    left join public.follower_rates r on r.account_id = a.id
    cross join lateral (
      select s.captured_at from public.follower_snapshots s
      where s.account_id = a.id and s.is_exact and s.captured_at <= p_now
      order by s.captured_at limit 1
    ) first
    cross join lateral (
      select s.captured_at from public.follower_snapshots s
      where s.account_id = a.id and s.is_exact and s.captured_at <= p_now
      order by s.captured_at desc limit 1
    ) last
    where not p_resume or r.attributed_at is distinct from p_now
  ),
  -- 2 their blocks; those that are still open come last and together
  block as (
    select a.account_id, a.attributed_at, g.start,
      case when g.start + 48 <= least(a.settle_until, a.end_hour) then g.start + 48 end as until_hour
    from account a
    cross join lateral generate_series(a.first_block, greatest(a.first_block, a.end_hour), 48) g(start)
  ),
  -- 3 the work of a block: its posts, those of the 183 hours before that are still seen, and the fit
  posted as (
    select a.account_id, b.start, count(*) as posts
    from (select c.account_id, min(c.first_block) as first_block from account c group by c.account_id) a
    join public.post_attribution p on p.account_id = a.account_id
      and p.posted_at >= to_timestamp((a.first_block - 192) * 3600.0) and p.posted_at <= p_now
    cross join lateral (select floor(extract(epoch from p.posted_at) / 172800)::integer * 48 as start) b
    group by a.account_id, b.start
  ),
  unit as (
    select b.account_id, b.attributed_at, b.until_hour, sum(40 + b.posts) as work
    from (
      select k.account_id, k.attributed_at, k.until_hour,
        coalesce(sum(p.posts), 0) as posts
      from block k
      left join posted p on p.account_id = k.account_id and p.start between k.start - 192 and k.start
      group by k.account_id, k.attributed_at, k.start, k.until_hour
    ) b
    group by b.account_id, b.attributed_at, b.until_hour
  ),
  -- 4 an account that fits into one batch is not divided: only a long history is left half done
  divided as (
    select u.*, floor((sum(u.work) over w - u.work) / p_work) as chunk
    from unit u
    window w as (partition by u.account_id order by u.until_hour)
  ),
  chunk as (
    select d.account_id, d.attributed_at, d.chunk, sum(d.work) as work,
      case when count(*) = count(d.until_hour) then max(d.until_hour) end as until_hour
    from divided d
    group by d.account_id, d.attributed_at, d.chunk
  ),
  batched as (
    select c.account_id, c.until_hour,
      floor((sum(c.work) over (order by c.attributed_at nulls first, c.account_id, c.chunk) - c.work) / p_work)::integer as batch
    from chunk c
  ),
  piece as (
    select b.batch, b.account_id,
      case when count(*) = count(b.until_hour) then max(b.until_hour) end as until_hour
    from batched b
    group by b.batch, b.account_id
  )
  select p.batch, array_agg(p.account_id order by p.account_id), array_agg(p.until_hour order by p.account_id)
  from piece p
  group by p.batch
  order by p.batch
$$;
comment on function postloop.plan_splits is
  'The batches in which hours are to be split: accounts and the hour that each is taken to, null for its newest count. p_resume leaves out accounts that the run of p_now has finished. p_work bounds a batch: 20,000 posts of a block are 1 million post-hours and stay within work_mem.';

-- Splits the hours of some accounts from the first that is still open. A block of 48 hours rests on the
-- reads up to 120 hours after its end, on its own hours and on the four weeks up to its end: nothing
-- depends on another block's split, so all blocks are split at once. Sums over posts are sums of
-- multiples of 2^-20 impressions or 2^-30 followers and so exact: the order of rows is no matter.
-- The planner takes each step for one row: nested loops over two of them would take minutes, so what is
-- to be looked up by index is lateral, and all else is hashed. No jit, which would compile every run.
create function postloop.split_blocks(p_now timestamptz, p_account_ids bigint[], p_until_hours integer[])
returns table (account_id bigint, post_id text)
language sql
set search_path = ''
set work_mem = '64MB'
set jit = off
set enable_nestloop = off
as $$
  with
  -- 1 per account: hours settled before and after this run, and the last one that was booked
  given as materialized (
    select g.account_id, g.until_hour,
      floor(extract(epoch from r.settled_through) / 3600)::integer as settled,
      floor(extract(epoch from booked.hour) / 3600)::integer + 1 as booked_until,
      floor((extract(epoch from p_now) / 3600 - 121) / 48)::integer * 48 as settle_until
    from unnest(p_account_ids, p_until_hours) g(account_id, until_hour)
    left join public.follower_rates r on r.account_id = g.account_id
    left join lateral (
      select max(f.hour) as hour from public.follower_hour f where f.account_id = g.account_id
    ) booked on true
  ),
  account as materialized (
    select g.account_id, g.until_hour, g.settled, g.booked_until,
      least(g.settled, g.booked_until) as from_hour,
      greatest(g.settled, coalesce(g.until_hour, g.settle_until)) as settle_until
    from given g
  ),
  -- 2 spans between exact follower counts, from the last one before the open hours on
  span as (
    select a.account_id, s.captured_at as t0, s.followers as f0,
      lead(s.captured_at) over w as t1, lead(s.followers) over w as f1
    from account a
    cross join lateral (
      select c.captured_at, c.followers
      from public.follower_snapshots c
      where c.account_id = a.account_id and c.is_exact
        and c.captured_at <= p_now
        and c.captured_at >= coalesce((
          select max(l.captured_at) from public.follower_snapshots l
          where l.account_id = a.account_id and l.is_exact
            and l.captured_at <= to_timestamp(a.from_hour * 3600.0)), '-infinity')
        and c.captured_at <= coalesce((
          select min(l.captured_at) from public.follower_snapshots l
          where l.account_id = a.account_id and l.is_exact
            and l.captured_at > to_timestamp(a.until_hour * 3600.0)), 'infinity')
      offset 0
    ) s
    window w as (partition by a.account_id order by s.captured_at)
  ),
  -- 3 the count at each full hour; the last snapshot only when it lies on one
  boundary as (
    select s.account_id, (extract(epoch from g.starts_at) / 3600)::integer as hour, g.starts_at, s.t0,
      s.t1 - s.t0 > interval '6 hours' as in_gap,
      s.f0 + (s.f1 - s.f0) * (extract(epoch from g.starts_at - s.t0)::double precision
        / extract(epoch from s.t1 - s.t0)::double precision) as followers
    from span s
    cross join lateral generate_series(
      date_trunc('hour', s.t0, 'UTC'), s.t1, interval '1 hour') g(starts_at)
    where s.t1 is not null and g.starts_at >= s.t0 and g.starts_at < s.t1
    union all
    select s.account_id, (extract(epoch from s.t0) / 3600)::integer, s.t0, s.t0, false,
      s.f0::double precision
    from span s
    where s.t1 is null and s.t0 = date_trunc('hour', s.t0, 'UTC')
  ),
  hour_change as (
    select b.account_id, b.hour,
      lead(b.followers) over w - b.followers as change,
      b.in_gap or (lead(b.in_gap) over w and lead(b.t0) over w < lead(b.starts_at) over w) as gap
    from boundary b
    window w as (partition by b.account_id order by b.hour)
  ),
  open_hour as materialized (
    select h.account_id, h.hour, h.change, h.gap
    from hour_change h
    join account a on a.account_id = h.account_id
    where h.change is not null
      and h.hour >= coalesce(a.from_hour, h.hour) and h.hour < coalesce(a.until_hour, h.hour + 1)
  ),
  -- 4 the blocks of these hours, split or only booked: gaps whose count came after they were settled
  block as materialized (
    select row_number() over (order by h.account_id, h.start)::integer as block_no, h.account_id, h.start,
      least(h.start + 48, max(h.last_hour) over (partition by h.account_id) + 1) as stop,
      h.start + 48 <= a.settle_until as settles,
      h.start >= coalesce(a.settled, h.start) and h.known as splits,
      least(p_now, to_timestamp((h.start + 168) * 3600.0)) as as_of
    from (
      select o.account_id, o.hour - o.hour % 48 as start, max(o.hour) as last_hour, bool_or(not o.gap) as known
      from open_hour o
      group by o.account_id, o.hour - o.hour % 48
    ) h
    join account a on a.account_id = h.account_id
  ),
  -- 5 their posts. Looked up by account and by post: the planner knows neither p_now nor how few hours
  -- are open, and would read both tables whole. Hours and posts are numbers from here on: timestamps
  -- and text ids made the split twice as slow.
  post as materialized (
    select row_number() over ()::integer as post_no, p.post_id, w.account_id, p.posted_at,
      floor(extract(epoch from p.posted_at) / 3600)::integer as posted_hour,
      (extract(epoch from p.posted_at) * 1000)::double precision as posted_ms
    from (
      -- up to the last hour that any post may have had a share of
      select a.account_id, least(a.settled, min(b.start)) as from_hour,
        greatest(max(b.stop), a.booked_until) as until_hour
      from account a
      left join block b on b.account_id = a.account_id
      group by a.account_id, a.settled, a.booked_until
    ) w
    cross join lateral (
      select o.post_id, o.posted_at
      from public.post_attribution o
      where o.account_id = w.account_id
        and o.posted_at >= to_timestamp((w.from_hour - 183) * 3600.0)
        and o.posted_at < coalesce(to_timestamp(w.until_hour * 3600.0), p_now)
      offset 0
    ) p
  ),
  -- 6 impressions between reads. A count below an earlier one gained nothing, and nothing is gained
  -- again until the highest is passed.
  segments as materialized (
    select p.post_no, p.account_id, p.posted_hour, p.posted_ms, s.from_ages, s.to_ages, s.per_units, s.known_at,
      s.clicks_known_at, s.clicks, s.clicks_of
    from post p
    cross join lateral (
      select array_agg(x.from_age order by x.to_age) as from_ages,
        array_agg(x.to_age order by x.to_age) as to_ages,
        array_agg(x.gained / ln((1.333 + x.to_age) / (1.333 + x.from_age)) order by x.to_age) as per_units,
        array_agg(x.collected_at order by x.to_age) as known_at,
        array_agg(x.collected_at order by x.to_age) filter (where x.profile_clicks is not null) as clicks_known_at,
        array_agg(x.profile_clicks order by x.to_age) filter (where x.profile_clicks is not null) as clicks,
        array_agg(x.impressions order by x.to_age) filter (where x.profile_clicks is not null) as clicks_of
      from (
        select r.collected_at, r.impressions, r.profile_clicks, r.to_age, coalesce(lag(r.to_age) over w, 0) as from_age,
          greatest(r.impressions - coalesce(max(r.impressions) over (w rows between unbounded preceding and 1 preceding), 0), 0)::double precision as gained
        from (
          select distinct on (m.collected_at) m.collected_at, m.impressions,
            -- the first system never read clicks: its 0 is a default
            case when m.profile_clicks > 0 or m.source <> 'imported' then m.profile_clicks end as profile_clicks,
            ((extract(epoch from m.collected_at) - extract(epoch from p.posted_at)) * 1000)::double precision / 3600000 as to_age
          from public.real_tweet_metrics m
          where m.tweet_id = p.post_id and m.impressions is not null and m.quality <> 'suspect'
            and m.collected_at <= p_now
          order by m.collected_at, m.impressions desc, m.profile_clicks desc nulls last
        ) r
        window w as (order by r.to_age)
      ) x
    ) s
    where s.to_ages is not null
  ),
  -- 7 what an impression of each post counts: who looks who wrote a post is on the way to follow. The
  -- newest clicks known, with 4 more at the usual rate of the block's posts, for few say little.
  clicked as materialized (
    select b.block_no, s.post_no, k.clicks, k.impressions
    from block b
    join segments s on s.account_id = b.account_id
      and s.posted_hour + 169 > b.start - 15 and s.posted_hour < b.stop
    cross join lateral (
      select u.clicks::double precision as clicks, u.impressions::double precision as impressions
      from unnest(s.clicks_known_at, s.clicks, s.clicks_of) u(known_at, clicks, impressions)
      where u.known_at <= b.as_of
      order by u.known_at desc
      limit 1
    ) k
    where s.clicks is not null
  ),
  weight as materialized (
    select c.block_no, c.post_no, (4 + c.clicks) / (4 + r.usual * c.impressions) as weight
    from clicked c
    join (
      select a.block_no, sum(a.clicks) / sum(a.impressions) as usual
      from clicked a
      group by a.block_no
      having sum(a.clicks) > 0 and sum(a.impressions) > 0
    ) r on r.block_no = c.block_no
  ),
  -- 8 impressions seen by hour, from 15 hours before the block to its end: within a segment they follow
  -- ln(1 + age / 1.333 h), the median half-life of a post (Pfeffer et al. 2023)
  seen as materialized (
    select (row_number() over ())::integer as part_no, x.*
    from (
      select b.block_no, s.post_no, o.origin, o.origin - b.start as offset_h, b.stop - b.start as hours,
        (b.start * 3600000.0::double precision - s.posted_ms) / 3600000 as age, e.seen
      from block b
      join segments s on s.account_id = b.account_id
        and s.posted_hour + 169 > b.start - 15 and s.posted_hour < b.stop
      left join weight w on w.block_no = b.block_no and w.post_no = s.post_no
      cross join lateral (
        select greatest(s.posted_hour, b.start - 15) as origin, coalesce(w.weight, 1) as weight
      ) o
      cross join lateral (
        select (o.origin * 3600000.0::double precision - s.posted_ms) / 3600000 as age
      ) a
      cross join lateral (
        select array_agg(h.seen order by h.i) as seen
        from (
          select g.i,
            sum(floor(t.per_unit * o.weight * ln(greatest(
                (1.333 + least(t.to_age, a.age + g.i + 1)) / (1.333 + greatest(t.from_age, a.age + g.i)), 1))
              * 1048576 + 0.5)) / 1048576 as seen
          from (
            select u.from_age, u.to_age, u.per_unit,
              greatest(floor(u.from_age - a.age), 0)::integer as first_i,
              least(ceil(u.to_age - a.age), ceil(168 - a.age), b.stop - o.origin)::integer - 1 as last_i
            from unnest(s.from_ages, s.to_ages, s.per_units, s.known_at) u(from_age, to_age, per_unit, known_at)
            where u.known_at <= b.as_of
            -- kept apart from the hours: merged, the planner computes all of this for each of them
            offset 0
          ) t
          cross join lateral generate_series(t.first_i, t.last_i) g(i)
          group by g.i
        ) h
      ) e
      where e.seen is not null
    ) x
  ),
  -- 9 the hours with all that was seen in them; a cell is an hour of a block
  seen_cell as (
    select u.cell, sum(u.seen) as seen
    from (
      select s.block_no * 48 + greatest(s.offset_h, 0) + generate_series(0, cardinality(s.seen) - 1 - greatest(-s.offset_h, 0)) as cell,
        unnest(s.seen[greatest(-s.offset_h, 0) + 1 :]) as seen
      from seen s
      where cardinality(s.seen) > -s.offset_h
    ) u
    group by u.cell
  ),
  hour as materialized (
    select h.account_id, h.hour, h.change, h.gap, b.block_no, h.hour - b.start as at, coalesce(c.seen, 0) as exposure
    from open_hour h
    join block b on b.account_id = h.account_id and b.start = h.hour - h.hour % 48
    left join seen_cell c on c.cell = b.block_no * 48 + h.hour - b.start
  ),
  -- 10 each account's hours of the last four weeks, and what acted in them at each delay: a third of the
  -- audience each follows .18, .69 and 1.79 times the mean delay after it saw the post
  series as materialized (
    select x.account_id, min(x.hour) as first_hour,
      array_agg(x.change order by x.hour) as change, array_agg(x.gap order by x.hour) as gap,
      array_agg(x.exposure order by x.hour) as exposure
    from (
      select h.account_id, h.hour, h.change, h.gap, h.exposure from hour h
      union all
      select w.account_id, (extract(epoch from f.hour) / 3600)::integer, f.change, f.gap, f.exposure
      from (
        select b.account_id, min(b.start) filter (where b.splits) - 639 as from_hour, min(o.hour) as until_hour
        from block b
        join lateral (select min(h.hour) as hour from open_hour h where h.account_id = b.account_id) o on true
        group by b.account_id
      ) w
      cross join lateral (
        select o.hour, o.change, o.gap, o.exposure
        from public.follower_hour o
        where o.account_id = w.account_id
          and o.hour >= to_timestamp(w.from_hour * 3600.0) and o.hour < to_timestamp(w.until_hour * 3600.0)
        offset 0
      ) f
    ) x
    group by x.account_id
  ),
  kernel as materialized (
    select l.lag_no, l.lag_h, array_agg(t.tap order by t.tap) as taps, array_agg(t.weight order by t.tap) as weights,
      max(t.tap) as reach
    from (values (1, 0::double precision), (2, 0.5), (3, 1), (4, 2), (5, 4), (6, 8)) l(lag_no, lag_h)
    cross join lateral (
      select w.tap, sum(w.weight order by w.third) as weight
      from (values (1, 0.18::double precision), (2, 0.69), (3, 1.79)) x(third, delay)
      cross join lateral (
        select floor(x.delay * l.lag_h)::integer + n.next as tap, x.third,
          case n.next when 0 then 1 - (x.delay * l.lag_h - floor(x.delay * l.lag_h))
            else x.delay * l.lag_h - floor(x.delay * l.lag_h) end / 3 as weight
        from (values (0), (1)) n(next)
      ) w
      group by w.tap
    ) t
    where t.weight > 0
    group by l.lag_no, l.lag_h
  ),
  lagged as (
    select s.account_id, n.hours, n.change, l.acting
    from series s
    cross join lateral (
      select array_agg(s.first_hour + i - 1) as hours, array_agg(s.change[i]) as change
      from generate_series(1, cardinality(s.change)) i
      where not s.gap[i]
    ) n
    cross join lateral (
      select array_agg(a.acting order by k.lag_no) as acting
      from kernel k
      cross join lateral (
        -- no delay has more than six taps; before the first hour there was nothing
        select array_agg((coalesce(floor(k.weights[1] * s.exposure[i - k.taps[1]] * 1048576 + 0.5), 0)
          + coalesce(floor(k.weights[2] * s.exposure[i - k.taps[2]] * 1048576 + 0.5), 0)
          + coalesce(floor(k.weights[3] * s.exposure[i - k.taps[3]] * 1048576 + 0.5), 0)
          + coalesce(floor(k.weights[4] * s.exposure[i - k.taps[4]] * 1048576 + 0.5), 0)
          + coalesce(floor(k.weights[5] * s.exposure[i - k.taps[5]] * 1048576 + 0.5), 0)
          + coalesce(floor(k.weights[6] * s.exposure[i - k.taps[6]] * 1048576 + 0.5), 0)) / 1048576) as acting
        from generate_series(1, cardinality(s.exposure)) i
        where not s.gap[i]
      ) a
    ) l
    where n.hours is not null
  ),
  -- 11 the rates of each block
  rate as materialized (
    select b.block_no, b.account_id, b.start, b.stop, b.settles, n.last - n.first + 1 as hours,
      f.b, f.q, f.phi, f.lag_h, k.taps, k.weights, k.reach
    from block b
    join lagged l on l.account_id = b.account_id
    cross join lateral (
      select (count(*) filter (where u.hour < b.start - 624) + 1)::integer as first,
        (count(*) filter (where u.hour < b.stop))::integer as last
      from unnest(l.hours) u(hour)
    ) n
    cross join lateral postloop.fit_block(l.change, l.acting, n.first, n.last) f
    join kernel k on k.lag_h = f.lag_h
    where b.splits
  ),
  -- 12 each post's exposure that acts in the block, at the block's delay
  acting as materialized (
    select s.part_no, s.post_no, r.block_no, r.settles, r.q, s.age, f.first_h,
      a.acting, cardinality(a.acting) as hours
    from seen s
    join rate r on r.block_no = s.block_no
    cross join lateral (select greatest(s.offset_h, 0) as first_h) f
    cross join lateral (
      select case when r.reach = 0 then s.seen when r.reach = 1 then (
          select (array_agg((floor(r.weights[1] * u.now * 1048576 + 0.5)
            + floor(r.weights[2] * u.before * 1048576 + 0.5)) / 1048576))
          from (select unnest(s.seen || 0::double precision) as now, unnest(0::double precision || s.seen) as before) u
        )
        else (
          select array_agg((coalesce(floor(r.weights[1] * s.seen[i - r.taps[1]] * 1048576 + 0.5), 0)
            + coalesce(floor(r.weights[2] * s.seen[i - r.taps[2]] * 1048576 + 0.5), 0)
            + coalesce(floor(r.weights[3] * s.seen[i - r.taps[3]] * 1048576 + 0.5), 0)
            + coalesce(floor(r.weights[4] * s.seen[i - r.taps[4]] * 1048576 + 0.5), 0)
            + coalesce(floor(r.weights[5] * s.seen[i - r.taps[5]] * 1048576 + 0.5), 0)
            + coalesce(floor(r.weights[6] * s.seen[i - r.taps[6]] * 1048576 + 0.5), 0)) / 1048576)
          from generate_series(1, cardinality(s.seen) + r.reach) i
        ) end as whole
      -- else it is computed for each use of it
      offset 0
    ) w
    cross join lateral (
      select w.whole[f.first_h - s.offset_h + 1 : s.hours - s.offset_h] as acting
      offset 0
    ) a
    where cardinality(a.acting) > 0
  ),
  acting_cell as (
    select u.cell, sum(u.acting) as acting,
      sum(floor(u.q * u.acting * 1073741824 + 0.5)) / 1073741824 as arrivals,
      coalesce(sum(floor(u.q * u.acting * 1073741824 + 0.5)) filter (where u.age > 24), 0) / 1073741824 as old_arrivals
    from (
      select a.block_no * 48 + a.first_h + generate_series(0, a.hours - 1) as cell, unnest(a.acting) as acting, a.q, a.age
      from acting a
    ) u
    group by u.cell
  ),
  -- 13 what is out of reach of the rates is a shock, not anybody's credit
  block_hours as materialized (
    select r.block_no, array_agg(x.known order by g.at) as known,
      array_agg(case when x.known then least(greatest(h.change, least(x.mu - x.reach, 0)), 5 * x.mu + x.reach) else 0 end order by g.at) as explained,
      array_agg(coalesce(c.arrivals, 0) + r.b order by g.at) as expected,
      array_agg(coalesce(c.old_arrivals, 0) order by g.at) as old_arrivals, r.b
    from rate r
    cross join lateral generate_series(0, r.stop - r.start - 1) g(at)
    left join hour h on h.block_no = r.block_no and h.at = g.at
    left join acting_cell c on c.cell = r.block_no * 48 + g.at
    cross join lateral (
      select h.gap is false as known, r.b + r.q * coalesce(c.acting, 0) as mu,
        6 * sqrt(r.phi * greatest(r.b + r.q * coalesce(c.acting, 0), 1)) as reach
    ) x
    group by r.block_no, r.b
  ),
  -- 14 how well posts convert that were at most 24 hours old when the block began: three rounds of
  -- expectation and maximisation, each post's conversion being q times a Gamma(4) with mean 1
  young as materialized (
    select a.part_no, a.block_no, a.first_h, a.hours, a.q, a.acting, h.explained[a.first_h + 1 : a.first_h + a.hours] as explained, s.seen
    from acting a
    join block_hours h on h.block_no = a.block_no
    cross join lateral (
      select coalesce(sum(u.acting) filter (where u.known), 0) as seen
      from (select unnest(a.acting) as acting, unnest(h.known[a.first_h + 1 : a.first_h + a.hours]) as known) u
    ) s
    where a.age <= 24
  ),
  conversion_1 as materialized (
    select y.part_no, (4 + g.gained) / (4 / y.q + y.seen) as q
    from young y
    join block_hours h on h.block_no = y.block_no
    cross join lateral (
      select coalesce(sum(floor(u.x * (floor(y.q * u.e * 1073741824 + 0.5) / 1073741824 / u.mu) * 1073741824 + 0.5)), 0) / 1073741824 as gained
      from (select unnest(y.acting) as e, unnest(y.explained) as x, unnest(h.expected[y.first_h + 1 : y.first_h + y.hours]) as mu) u
      where u.x > 0 and u.mu > 0
    ) g
  ),
  cell_1 as (
    select u.cell, sum(floor(u.q * u.e * 1073741824 + 0.5)) / 1073741824 as arrivals
    from (
      select y.block_no * 48 + y.first_h + generate_series(0, y.hours - 1) as cell, unnest(y.acting) as e, c.q
      from young y join conversion_1 c on c.part_no = y.part_no
    ) u
    group by u.cell
  ),
  expected_1 as materialized (
    select h.block_no, array_agg(g.old_arrivals + coalesce(c.arrivals, 0) + h.b order by g.at) as expected
    from block_hours h
    cross join lateral unnest(h.old_arrivals) with ordinality g(old_arrivals, at)
    left join cell_1 c on c.cell = h.block_no * 48 + g.at - 1
    group by h.block_no
  ),
  conversion_2 as materialized (
    select y.part_no, (4 + g.gained) / (4 / y.q + y.seen) as q
    from young y
    join conversion_1 c on c.part_no = y.part_no
    join expected_1 h on h.block_no = y.block_no
    cross join lateral (
      select coalesce(sum(floor(u.x * (floor(c.q * u.e * 1073741824 + 0.5) / 1073741824 / u.mu) * 1073741824 + 0.5)), 0) / 1073741824 as gained
      from (select unnest(y.acting) as e, unnest(y.explained) as x, unnest(h.expected[y.first_h + 1 : y.first_h + y.hours]) as mu) u
      where u.x > 0 and u.mu > 0
    ) g
  ),
  cell_2 as (
    select u.cell, sum(floor(u.q * u.e * 1073741824 + 0.5)) / 1073741824 as arrivals
    from (
      select y.block_no * 48 + y.first_h + generate_series(0, y.hours - 1) as cell, unnest(y.acting) as e, c.q
      from young y join conversion_2 c on c.part_no = y.part_no
    ) u
    group by u.cell
  ),
  expected_2 as materialized (
    select h.block_no, array_agg(g.old_arrivals + coalesce(c.arrivals, 0) + h.b order by g.at) as expected
    from block_hours h
    cross join lateral unnest(h.old_arrivals) with ordinality g(old_arrivals, at)
    left join cell_2 c on c.cell = h.block_no * 48 + g.at - 1
    group by h.block_no
  ),
  conversion_3 as materialized (
    select y.part_no, (4 + g.gained) / (4 / y.q + y.seen) as q
    from young y
    join conversion_2 c on c.part_no = y.part_no
    join expected_2 h on h.block_no = y.block_no
    cross join lateral (
      select coalesce(sum(floor(u.x * (floor(c.q * u.e * 1073741824 + 0.5) / 1073741824 / u.mu) * 1073741824 + 0.5)), 0) / 1073741824 as gained
      from (select unnest(y.acting) as e, unnest(y.explained) as x, unnest(h.expected[y.first_h + 1 : y.first_h + y.hours]) as mu) u
      where u.x > 0 and u.mu > 0
    ) g
  ),
  cell_3 as (
    select u.cell, sum(floor(u.q * u.e * 1073741824 + 0.5)) / 1073741824 as arrivals
    from (
      select y.block_no * 48 + y.first_h + generate_series(0, y.hours - 1) as cell, unnest(y.acting) as e, c.q
      from young y join conversion_3 c on c.part_no = y.part_no
    ) u
    group by u.cell
  ),
  expected_3 as materialized (
    select h.block_no, array_agg(g.old_arrivals + coalesce(c.arrivals, 0) + h.b order by g.at) as expected
    from block_hours h
    cross join lateral unnest(h.old_arrivals) with ordinality g(old_arrivals, at)
    left join cell_3 c on c.cell = h.block_no * 48 + g.at - 1
    group by h.block_no
  ),
  -- 15 credits: x times the share of what was expected; an hour in which an age ends counts for its part
  credit as materialized (
    select a.post_no, a.block_no, a.settles, a.first_h, a.hours, s.credits, s.c2, s.c24, s.c48, s.c7d, s.thinning, s.spread
    from acting a
    join block_hours h on h.block_no = a.block_no
    join expected_3 x on x.block_no = a.block_no
    left join conversion_3 c on c.part_no = a.part_no
    cross join lateral (
      select array_agg(u.credit) as credits,
        coalesce(sum(floor(u.credit * least(greatest(2 - u.age, 0), 1) * 1073741824 + 0.5)), 0) / 1073741824 as c2,
        coalesce(sum(floor(u.credit * least(greatest(24 - u.age, 0), 1) * 1073741824 + 0.5)), 0) / 1073741824 as c24,
        coalesce(sum(floor(u.credit * least(greatest(48 - u.age, 0), 1) * 1073741824 + 0.5)), 0) / 1073741824 as c48,
        sum(u.credit) as c7d,
        coalesce(sum(floor(abs(u.credit) * (1 - u.share) * least(greatest(48 - u.age, 0), 1) * 1073741824 + 0.5)), 0) / 1073741824 as thinning,
        coalesce(sum(floor(abs(u.credit) * (1 - u.share) * least(greatest(48 - u.age, 0), 1) * 1073741824 + 0.5)) filter (where u.x > 0), 0) / 1073741824 as spread
      from (
        select v.x, v.age, v.share, floor(v.x * v.share * 1073741824 + 0.5) / 1073741824 as credit
        from (
          select t.x, a.age + t.h as age,
            case when t.x <> 0 and t.mu > 0 then floor(coalesce(c.q, a.q) * t.e * 1073741824 + 0.5) / 1073741824 / t.mu else 0 end as share
          from (
            select unnest(a.acting) as e, unnest(h.explained[a.first_h + 1 : a.first_h + a.hours]) as x,
              unnest(x.expected[a.first_h + 1 : a.first_h + a.hours]) as mu,
              generate_series(a.first_h, a.first_h + a.hours - 1) as h
          ) t
          offset 0
        ) v
        offset 0
      ) u
    ) s
    -- a post that is seen only in gaps has no credit, which is not the same as a credit of 0
    where true = any (h.known[a.first_h + 1 : a.first_h + a.hours])
  ),
  credited_cell as (
    select u.cell, sum(u.credit) as credited
    from (
      select c.block_no * 48 + c.first_h + generate_series(0, c.hours - 1) as cell, unnest(c.credits) as credit
      from credit c
    ) u
    group by u.cell
  ),
  -- 16 the ledger of hours
  split_hour as (
    select h.account_id, h.hour, h.change, h.exposure, h.gap, coalesce(b.explained[h.at + 1], 0) as explained,
      coalesce(c.credited, 0) as credited
    from hour h
    left join block_hours b on b.block_no = h.block_no
    left join credited_cell c on c.cell = h.block_no * 48 + h.at
  ),
  booked as (
    insert into public.follower_hour as f
      (account_id, hour, change, exposure, explained, credited, organic, unexplained, gap)
    select s.account_id, to_timestamp(s.hour * 3600.0), s.change, s.exposure, s.explained, s.credited,
      s.explained - s.credited, s.change - s.explained, s.gap
    from split_hour s
    union all
    -- hours that an earlier run split and this batch does not reach wait: nothing of them is credited
    select a.account_id, w.hour, w.change, w.exposure, 0, 0, 0, w.change, w.gap
    from account a
    cross join lateral (
      select o.hour, o.change, o.exposure, o.gap
      from public.follower_hour o
      where o.account_id = a.account_id and o.hour >= to_timestamp(a.until_hour * 3600.0)
      offset 0
    ) w
    on conflict (account_id, hour) do update
    set change = excluded.change, exposure = excluded.exposure, explained = excluded.explained,
        credited = excluded.credited, organic = excluded.organic,
        unexplained = excluded.unexplained, gap = excluded.gap
    where (f.change, f.exposure, f.explained, f.credited, f.gap)
      is distinct from (excluded.change, excluded.exposure, excluded.explained, excluded.credited, excluded.gap)
  ),
  rated as (
    insert into public.follower_block_rates as r
      (account_id, block_start, organic_per_hour, followers_per_impression, dispersion, lag_h, hours, fitted_at)
    select t.account_id, to_timestamp(t.start * 3600.0), t.b, t.q, t.phi, t.lag_h, t.hours, p_now
    from rate t
    on conflict (account_id, block_start) do update
    set organic_per_hour = excluded.organic_per_hour,
        followers_per_impression = excluded.followers_per_impression,
        dispersion = excluded.dispersion, lag_h = excluded.lag_h,
        hours = excluded.hours, fitted_at = excluded.fitted_at
    where (r.organic_per_hour, r.followers_per_impression, r.dispersion, r.lag_h, r.hours)
      is distinct from (excluded.organic_per_hour, excluded.followers_per_impression,
        excluded.dispersion, excluded.lag_h, excluded.hours)
  ),
  advanced as (
    insert into public.follower_rates as r
      (account_id, organic_per_hour, followers_per_impression, dispersion, lag_h, hours,
       settled_through, fitted_at, attributed_at)
    select a.account_id, t.b, t.q, t.phi, t.lag_h, t.hours, to_timestamp(a.settle_until * 3600.0),
      case when t.b is not null then p_now end, case when a.until_hour is null then p_now end
    from account a
    left join lateral (
      select x.* from rate x where x.account_id = a.account_id order by x.start desc limit 1
    ) t on true
    -- an account without an hour to split is looked at afresh each time
    where a.settled is not null or exists (select from open_hour o where o.account_id = a.account_id)
    on conflict (account_id) do update
    set organic_per_hour = coalesce(excluded.organic_per_hour, r.organic_per_hour),
        followers_per_impression = coalesce(excluded.followers_per_impression, r.followers_per_impression),
        dispersion = coalesce(excluded.dispersion, r.dispersion),
        lag_h = coalesce(excluded.lag_h, r.lag_h), hours = coalesce(excluded.hours, r.hours),
        fitted_at = coalesce(excluded.fitted_at, r.fitted_at),
        settled_through = excluded.settled_through, attributed_at = excluded.attributed_at
  ),
  -- 17 each post's credit: what was settled before, what settles now, what is still open
  part as (
    select c.post_no, c.settles, sum(c.c2) as c2, sum(c.c24) as c24, sum(c.c48) as c48, sum(c.c7d) as c7d,
      sum(c.thinning) as thinning, sum(c.spread) as spread
    from credit c
    group by c.post_no, c.settles
  ),
  sums as (
    select p.post_id, p.account_id, p.posted_hour + 183 < a.settle_until as final,
      coalesce(k.settled_2h, 0) + coalesce(n.c2, 0) as c2,
      coalesce(k.settled_24h, 0) + coalesce(n.c24, 0) as c24,
      coalesce(k.settled_48h, 0) + coalesce(n.c48, 0) as c48,
      coalesce(k.settled_7d, 0) + coalesce(n.c7d, 0) as c7d,
      coalesce(k.settled_thinning_48h, 0) + coalesce(n.thinning, 0) as thinning,
      coalesce(k.settled_spread_48h, 0) + coalesce(n.spread, 0) as spread,
      coalesce(o.c2, 0) as o2, coalesce(o.c24, 0) as o24, coalesce(o.c48, 0) as o48, coalesce(o.c7d, 0) as o7d,
      coalesce(o.thinning, 0) as o_thinning, coalesce(o.spread, 0) as o_spread
    from post p
    join account a on a.account_id = p.account_id
    -- of a credit that was computed before anything settled, nothing is settled
    left join lateral (
      select c.* from public.post_credit c where c.post_id = p.post_id offset 0
    ) k on true
    left join part n on n.post_no = p.post_no and n.settles
    left join part o on o.post_no = p.post_no and not o.settles
    -- a post that has no share any more, its read being disbelieved, gives its open credit back
    where k.post_id is not null or n.post_no is not null or o.post_no is not null
  ),
  credited as (
    insert into public.post_credit as c
      (post_id, account_id, credit_2h, credit_24h, credit_48h, credit_7d, variance_48h,
       settled_2h, settled_24h, settled_48h, settled_7d, settled_thinning_48h, settled_spread_48h,
       final, computed_at)
    select s.post_id, s.account_id, s.c2 + s.o2, s.c24 + s.o24, s.c48 + s.o48, s.c7d + s.o7d,
      -- the second term is the spread of conversions between posts, cv^2 = 1/4
      s.thinning + s.o_thinning + (s.spread + s.o_spread) * (s.spread + s.o_spread) / 4,
      s.c2, s.c24, s.c48, s.c7d, s.thinning, s.spread, s.final, p_now
    from sums s
    on conflict (post_id) do update
    set credit_2h = excluded.credit_2h, credit_24h = excluded.credit_24h,
        credit_48h = excluded.credit_48h, credit_7d = excluded.credit_7d,
        variance_48h = excluded.variance_48h, settled_2h = excluded.settled_2h,
        settled_24h = excluded.settled_24h, settled_48h = excluded.settled_48h,
        settled_7d = excluded.settled_7d, settled_thinning_48h = excluded.settled_thinning_48h,
        settled_spread_48h = excluded.settled_spread_48h, final = excluded.final,
        computed_at = excluded.computed_at
    where (c.credit_2h, c.credit_24h, c.credit_48h, c.credit_7d, c.variance_48h, c.settled_2h, c.settled_24h,
        c.settled_48h, c.settled_7d, c.settled_thinning_48h, c.settled_spread_48h, c.final)
      is distinct from (excluded.credit_2h, excluded.credit_24h, excluded.credit_48h, excluded.credit_7d,
        excluded.variance_48h, excluded.settled_2h, excluded.settled_24h, excluded.settled_48h,
        excluded.settled_7d, excluded.settled_thinning_48h, excluded.settled_spread_48h, excluded.final)
    returning c.account_id, c.post_id
  )
  select c.account_id, c.post_id from credited c
$$;
comment on function postloop.split_blocks is
  'Splits the follower change of some accounts'' hours between organic drift, posts and shocks, from their first open hour to the given one or, if null, to their newest count; returns the posts whose credits changed.';

revoke all on function
  postloop.plan_splits, postloop.split_blocks
  from public, anon, authenticated, service_role;
grant execute on function postloop.plan_splits, postloop.split_blocks to service_role;
