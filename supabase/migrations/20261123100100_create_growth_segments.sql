-- Posts younger than 48 h count too: their newest read is projected along the curve of mature posts.
alter table public.growth_curve
  add column low_90 double precision not null,
  add column high_90 double precision not null,
  add constraint range_is_in_order check (low_90 <= log_ratio and log_ratio <= high_90);
comment on column public.growth_curve.posts is 'Posts that the point rests on; at least 30.';
comment on column public.growth_curve.low_90 is '5th percentile of that difference, at p (n + 1).';
comment on column public.growth_curve.high_90 is '95th percentile of that difference, at p (n + 1).';
comment on column public.growth_curve.spread is
  'Standard deviation of a normal with as wide a 90 % range: (high_90 - low_90) / 3.29.';

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

revoke all on function postloop.sorted_quantile, postloop.growth_segments
  from public, anon, authenticated, service_role;
grant execute on function postloop.sorted_quantile, postloop.growth_segments to service_role;
