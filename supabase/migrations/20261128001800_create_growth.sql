-- Once a night the growth curves are fitted anew, for the projection of young posts and the early warning.
create table public.growth_curve (
  account_id bigint references public.x_accounts (id) on delete cascade,
  outcome text not null,
  phase text not null references public.collection_phases (phase),
  age_h double precision not null,
  posts integer not null,
  log_ratio double precision not null,
  spread double precision not null,
  computed_at timestamptz not null,
  low_90 double precision not null,
  high_90 double precision not null,
  constraint growth_curve_key unique nulls not distinct (account_id, outcome, phase),
  constraint outcome_is_known check (outcome in ('impressions', 'engagement', 'followers')),
  constraint posts_are_positive check (posts > 0),
  constraint spread_is_not_negative check (spread >= 0),
  constraint range_is_in_order check (low_90 <= log_ratio and log_ratio <= high_90)
);
comment on table public.growth_curve is 'How far an outcome still moves from a phase to 48 h, from posts that have both; account_id null is all accounts together.';
comment on column public.growth_curve.age_h is 'Median true age of the phase''s reads, in hours.';
comment on column public.growth_curve.posts is 'Posts that the point rests on; at least 30.';
comment on column public.growth_curve.log_ratio is 'Median of the outcome at 48 h minus the outcome at the phase, in natural logarithms.';
comment on column public.growth_curve.spread is
  'Standard deviation of a normal with as wide a 90 % range: (high_90 - low_90) / 3.29.';
comment on column public.growth_curve.low_90 is '5th percentile of that difference, at p (n + 1).';
comment on column public.growth_curve.high_90 is '95th percentile of that difference, at p (n + 1).';
create index growth_curve_phase_idx on public.growth_curve (phase);

create table public.viral_thresholds (
  account_id bigint primary key references public.x_accounts (id) on delete cascade,
  impressions double precision not null,
  posts integer not null,
  computed_at timestamptz not null,
  constraint impressions_are_not_negative check (impressions >= 0),
  constraint posts_suffice check (posts >= 40)
);
comment on table public.viral_thresholds is 'What counts as a viral post of an account.';
comment on column public.viral_thresholds.impressions is
  'Impressions at 48 h that one post in twenty passes: their 95th percentile over 90 days.';
comment on column public.viral_thresholds.posts is
  'Posts that it rests on; below 40 the percentile means nothing: at 40 two are above it.';

-- At p (n + 1), type 6 of Hyndman & Fan: the percentiles of Postgres leave out too much in small samples.
create function postloop.sorted_quantile(p_sorted double precision[], p_share double precision)
returns double precision
language sql
immutable
strict
set search_path = ''
as $$
  select p_sorted[floor(x.position)::integer]
    + (x.position - floor(x.position))
      * (p_sorted[ceil(x.position)::integer] - p_sorted[floor(x.position)::integer])
  from (
    select least(cardinality(p_sorted)::double precision,
      greatest(1, p_share * (cardinality(p_sorted) + 1))) as position
  ) x
$$;
comment on function postloop.sorted_quantile is
  'The value that the next one drawn alike is below with probability p_share; p_sorted ascends. Null without values.';

-- Between two ages of the curve growth is linear in ln(1 + age / 80 minutes), the median half-life of a
-- post's impressions (Pfeffer et al. 2023), in which they accrue about evenly; at 48 h nothing is to come.
create function postloop.growth_segments(p_account_id bigint)
returns table (outcome text, age_from double precision, age_to double precision,
  growth_from double precision, growth_to double precision, spread_from double precision, spread_to double precision,
  clock_from double precision, clock_to double precision)
language sql
stable
set search_path = ''
as $$
  with point as (
    -- the account's own where it has one, else that of all accounts
    select distinct on (g.outcome, g.phase) g.outcome, g.phase, g.age_h, g.log_ratio, g.spread
    from public.growth_curve g
    where g.account_id = p_account_id or g.account_id is null
    order by g.outcome, g.phase, g.account_id nulls last
  ), segment as (
    select p.outcome, p.age_h as age_from, lead(p.age_h, 1, 48::double precision) over w as age_to,
      p.log_ratio as growth_from, lead(p.log_ratio, 1, 0::double precision) over w as growth_to,
      p.spread as spread_from, lead(p.spread, 1, 0::double precision) over w as spread_to
    from point p
    window w as (partition by p.outcome order by p.age_h, p.phase)
  )
  select s.*, ln(1 + s.age_from / (80.0::double precision / 60)), ln(1 + s.age_to / (80.0::double precision / 60))
  from segment s
$$;
comment on function postloop.growth_segments is
  'How far an account''s outcomes still move until 48 h, by age in hours: from the first read age of the curve to 48 h without a gap, ln units. Interpolate in ln(1 + age / 80 minutes) between clock_from and clock_to.';

-- More than enough of the newest posts, not all: a curve of 1,000 posts is known to a hundredth, and an
-- account that posts every few minutes costs no more than others.
create function postloop.fit_growth(p_account_ids bigint[], p_now timestamptz)
returns jsonb
language sql
set search_path = ''
set work_mem = '64MB'
set jit = off
as $$
  with
  account as (
    select a.id as account_id
    from public.x_accounts a
    where p_account_ids is null or a.id = any (p_account_ids)
  ),
  -- 1 mature posts: the newest 2,500 of 180 days with a read at 48 h (to 72 h), counted from the newest
  mature as materialized (
    select a.account_id, p.post_id, p.posted_at,
      row_number() over (partition by a.account_id order by p.posted_at desc, p.post_id) as nr,
      f.impressions, f.engagements
    from account a
    cross join lateral (
      select o.post_id, o.posted_at
      from public.post_attribution o
      where o.account_id = a.account_id
        and o.posted_at > p_now - interval '180 days' and o.posted_at <= p_now - interval '48 hours'
      order by o.posted_at desc
      limit 2500
    ) p
    cross join lateral (
      select r.impressions::double precision as impressions,
        postloop.engagements(r.likes, r.retweets, r.replies)::double precision as engagements
      from postloop.usable_reads r
      where r.tweet_id = p.post_id
        and r.collection_phase = '48h'
        and r.age_h >= 48 and r.age_h < 72
        and r.collected_at <= p_now
        and r.impressions is not null
      offset 0
    ) f
  ),
  -- 2 the account's usual engagement rate, as in post_rewards; what a post still gains depends little on it
  newest as (
    select m.account_id, max(m.posted_at) - interval '90 days' as since from mature m group by m.account_id
  ),
  usual as (
    select m.account_id, coalesce(
      nullif(percentile_cont(0.5) within group (order by m.engagements / m.impressions)
        filter (where m.impressions > 0 and m.posted_at > n.since), 0),
      (sum(m.engagements) + 0.5) / (sum(m.impressions) filter (where m.engagements is not null) + 1)) as rate
    from mature m
    join newest n on n.account_id = m.account_id
    group by m.account_id
  ),
  -- 3 what each of the newest 1,000 posts still gained after each of its earlier reads
  read as (
    select m.account_id, m.nr, m.impressions, m.engagements, u.rate, r.phase, r.age_h,
      r.impressions as early_impressions, r.engagements as early_engagements
    from mature m
    join usual u on u.account_id = m.account_id
    cross join lateral (
      select k.collection_phase as phase, k.age_h, k.impressions::double precision as impressions,
        postloop.engagements(k.likes, k.retweets, k.replies)::double precision as engagements
      from postloop.usable_reads k
      where k.tweet_id = m.post_id
        and k.age_h < 48
        and k.collected_at <= p_now
        and k.impressions is not null
      offset 0
    ) r
    where m.nr <= 1000
  ),
  step as (
    select r.account_id, r.nr, 'impressions' as outcome, r.phase, r.age_h,
      ln(1 + r.impressions) - ln(1 + r.early_impressions) as growth
    from read r
    union all
    select r.account_id, r.nr, 'engagement', r.phase, r.age_h,
      ln((r.engagements + 200 * r.rate) / (r.impressions + 200))
        - ln((r.early_engagements + 200 * r.rate) / (r.early_impressions + 200))
    from read r
    where r.engagements is not null and r.early_engagements is not null and r.rate is not null
    union all
    -- credit is kept at two ages; it needs no read there
    select m.account_id, m.nr, 'followers', x.phase, x.age_h,
      ln(1 + greatest(c.credit_48h, 0)) - ln(1 + greatest(x.credit, 0))
    from mature m
    join public.post_credit c on c.post_id = m.post_id
    cross join lateral (values
      ('2h', 2::double precision, c.credit_2h), ('24h', 24::double precision, c.credit_24h)
    ) x(phase, age_h, credit)
    where m.nr <= 1000
  ),
  -- 4 by account, and over all, where no account counts more than its newest 100
  sorted as (
    select s.account_id, s.outcome, s.phase, count(*)::integer as posts,
      percentile_cont(0.5) within group (order by s.age_h) as age_h,
      array_agg(s.growth order by s.growth) as growth
    from step s
    group by s.account_id, s.outcome, s.phase
    having count(*) >= 30
    union all
    select null, s.outcome, s.phase, count(*)::integer,
      percentile_cont(0.5) within group (order by s.age_h),
      array_agg(s.growth order by s.growth)
    from step s
    where p_account_ids is null and s.nr <= 100
    group by s.outcome, s.phase
    having count(*) >= 30
  ),
  point as (
    select s.account_id, s.outcome, s.phase, s.age_h, s.posts,
      postloop.sorted_quantile(s.growth, 0.5) as log_ratio, q.low, q.high,
      (q.high - q.low) / (2 * 1.6448536269514722) as spread
    from sorted s
    cross join lateral (
      select postloop.sorted_quantile(s.growth, 0.05) as low, postloop.sorted_quantile(s.growth, 0.95) as high
    ) q
    -- credit that never changes was not measured
    where s.outcome <> 'followers' or q.high > q.low
  ),
  removed as (
    delete from public.growth_curve g
    where (p_account_ids is null or g.account_id = any (p_account_ids))
      and not exists (
        select from point p
        where p.account_id is not distinct from g.account_id and p.outcome = g.outcome and p.phase = g.phase)
  ),
  written as (
    insert into public.growth_curve as g
      (account_id, outcome, phase, age_h, posts, log_ratio, low_90, high_90, spread, computed_at)
    select p.account_id, p.outcome, p.phase, p.age_h, p.posts, p.log_ratio, p.low, p.high, p.spread, p_now
    from point p
    on conflict on constraint growth_curve_key do update
    set age_h = excluded.age_h, posts = excluded.posts, log_ratio = excluded.log_ratio,
        low_90 = excluded.low_90, high_90 = excluded.high_90, spread = excluded.spread,
        computed_at = excluded.computed_at
    returning 1
  ),
  -- 5 what one post in twenty passes
  threshold as (
    select m.account_id, count(*)::integer as posts,
      postloop.sorted_quantile(array_agg(m.impressions order by m.impressions), 0.95) as impressions
    from mature m
    where m.posted_at > p_now - interval '90 days'
    group by m.account_id
    having count(*) >= 40
  ),
  threshold_removed as (
    delete from public.viral_thresholds v
    where v.account_id in (select a.account_id from account a)
      and v.account_id not in (select t.account_id from threshold t)
  ),
  threshold_written as (
    insert into public.viral_thresholds as v (account_id, impressions, posts, computed_at)
    select t.account_id, t.impressions, t.posts, p_now from threshold t
    on conflict (account_id) do update
    set impressions = excluded.impressions, posts = excluded.posts, computed_at = excluded.computed_at
    returning 1
  )
  select jsonb_build_object('code', 'fitted', 'points', (select count(*) from written),
    'thresholds', (select count(*) from threshold_written))
$$;
comment on function postloop.fit_growth is
  'Fits growth_curve and viral_thresholds of the given accounts; with null of all, and the curve of all together, which takes no more than the newest 100 posts of each. Returns {code: fitted, points, thresholds}.';

alter table public.growth_curve enable row level security;
alter table public.viral_thresholds enable row level security;
create policy owners_read_their_growth on public.growth_curve
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));
create policy owners_read_their_threshold on public.viral_thresholds
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));

revoke all on
  public.growth_curve, public.viral_thresholds
  from public, anon, authenticated, service_role;
grant select on public.growth_curve, public.viral_thresholds to authenticated;
grant select, insert, update, delete on
  public.growth_curve, public.viral_thresholds
  to service_role;
revoke all on function
  postloop.sorted_quantile, postloop.growth_segments, postloop.fit_growth
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.sorted_quantile, postloop.growth_segments, postloop.fit_growth
  to service_role;
