-- The rates of a block of 48 hours from its last four weeks; simulation/reference/attribution has the
-- same arithmetic in the same order.

-- change ~ b + q * exposure by least squares weighted by 1 / expectation, as the variance of a count is
-- its mean. Unweighted, the few hours of a large post decide both rates, and b is lost in their noise.
create function postloop.fit_rates(p_change double precision[], p_exposure double precision[],
  p_rounds integer default 3, p_b double precision default null, p_q double precision default null,
  out b double precision, out q double precision)
language plpgsql
immutable
set search_path = ''
as $$
declare
  -- an hour in which next to nothing is expected must not outweigh all others: followers
  c_least_expectation constant double precision := 0.05;
  c_least_q constant double precision := 1e-9;
  s_w double precision;
  s_e double precision;
  s_ee double precision;
  s_d double precision;
  s_ed double precision;
  v_det double precision;
begin
  b := p_b;
  q := p_q;
  for round in 1 .. p_rounds loop
    -- in the order of the arrays, which is that of time: the same hours give the same sums to the last bit
    select sum(h.w), sum(h.w * h.e), sum(h.w * h.e * h.e), sum(h.w * h.d), sum(h.w * h.e * h.d)
      into s_w, s_e, s_ee, s_d, s_ed
    from (
      select u.d, u.e, case when b is null then 1 else 1 / greatest(b + q * u.e, c_least_expectation) end as w
      from (select unnest(p_change) as d, unnest(p_exposure) as e) u
      offset 0
    ) h;
    v_det := s_w * s_ee - s_e * s_e;
    if v_det <= 1e-9 * s_w * s_ee then
      -- the same exposure in every hour: all of it to the posts if there is any
      if s_e > 0 then
        b := 0;
        q := greatest(s_d / s_e, c_least_q);
      else
        b := greatest(s_d / s_w, 0);
        q := c_least_q;
      end if;
    else
      b := (s_ee * s_d - s_e * s_ed) / v_det;
      q := (s_w * s_ed - s_e * s_d) / v_det;
      if b < 0 then
        b := 0;
        q := greatest(s_ed / s_ee, c_least_q);
      elsif q < c_least_q then
        b := greatest(s_d / s_w, 0);
        q := c_least_q;
      end if;
    end if;
  end loop;
end
$$;
comment on function postloop.fit_rates is
  'Organic followers per hour (b) and followers per impression (q) from hourly changes and exposures; weights start from p_b and p_q, without them the first round is unweighted.';

-- Rates that a shout-out or a purge does not move: fitted, then twice fitted again to what the last
-- rates explain. The first clip assumes Poisson scatter.
create function postloop.fit_robust_rates(p_change double precision[], p_exposure double precision[],
  out b double precision, out q double precision, out phi double precision, out explained double precision[])
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_scatter double precision[];
  v_n constant integer := cardinality(p_change);
begin
  select f.b, f.q into b, q from postloop.fit_rates(p_change, p_exposure) f;
  phi := 1;
  for round in 1 .. 2 loop
    select array_agg(least(greatest(m.d, least(m.mu - m.reach, 0)), 5 * m.mu + m.reach))
      into explained
    from (
      select u.d, b + q * u.e as mu, 6 * sqrt(phi * greatest(b + q * u.e, 1)) as reach
      from (select unnest(p_change) as d, unnest(p_exposure) as e) u
      offset 0
    ) m;
    select f.b, f.q into b, q from postloop.fit_rates(explained, p_exposure, 3, b, q) f;
    -- over the median of a chi-square with one degree of freedom
    select array_agg(s.scatter order by s.scatter) into v_scatter
    from (
      select (u.d - (b + q * u.e)) * (u.d - (b + q * u.e)) / greatest(b + q * u.e, 1) as scatter
      from (select unnest(p_change) as d, unnest(p_exposure) as e) u
    ) s;
    phi := greatest(1, (v_scatter[(v_n + 1) / 2] + v_scatter[v_n / 2 + 1]) / 2 / 0.455);
  end loop;
end
$$;
comment on function postloop.fit_robust_rates is
  'Rates that shocks do not move, the dispersion phi around them, and the part of each change that they rest on.';

-- Chooses the delay by quasi-likelihood and draws q towards 0 by as much as it may be chance.
create function postloop.fit_block(p_change double precision[], p_lagged double precision[],
  p_first integer, p_last integer,
  out b double precision, out q double precision, out phi double precision, out lag_h double precision)
language plpgsql
immutable
set search_path = ''
as $$
declare
  c_lags constant double precision[] := array[0, 0.5, 1, 2, 4, 8];
  c_usual constant integer := 2;
  c_least_expectation constant double precision := 0.05;
  c_least_q constant double precision := 1e-9;
  -- twice the quasi-likelihood that another delay must gain, in units of phi, is 6: once in 70 by chance
  c_gain_to_switch constant double precision := 3;
  -- how much of the variance of q is taken off
  c_shrinkage constant double precision := 0.5;
  v_change constant double precision[] := p_change[p_first : p_last];
  v_usual constant double precision[] := p_lagged[c_usual : c_usual][p_first : p_last];
  v_exposure double precision[] := v_usual;
  v_explained double precision[];
  v_candidate double precision[];
  v_rates record;
  v_likelihood double precision;
  v_best double precision;
  v_best_lag integer := c_usual;
  s record;
  v_det double precision;
  v_scale double precision;
begin
  select * into v_rates from postloop.fit_robust_rates(v_change, v_usual);
  b := v_rates.b;
  q := v_rates.q;
  phi := v_rates.phi;
  v_explained := v_rates.explained;

  select sum(l.x * ln(l.m) - l.m) into v_best
  from (
    select u.x, greatest(b + q * u.e, c_least_expectation) as m
    from (select unnest(v_explained) as x, unnest(v_usual) as e) u
  ) l;
  v_best := v_best + c_gain_to_switch * phi;
  for i in 1 .. cardinality(c_lags) loop
    continue when i = c_usual;
    v_candidate := p_lagged[i : i][p_first : p_last];
    select sum(l.x * ln(l.m) - l.m) into v_likelihood
    from postloop.fit_rates(v_explained, v_candidate, 2, b, q) f
    cross join lateral (
      select u.x, greatest(f.b + f.q * u.e, c_least_expectation) as m
      from (select unnest(v_explained) as x, unnest(v_candidate) as e) u
    ) l;
    if v_likelihood > v_best then
      v_best := v_likelihood;
      v_best_lag := i;
      v_exposure := v_candidate;
    end if;
  end loop;
  lag_h := c_lags[v_best_lag];
  if v_best_lag <> c_usual then
    select * into v_rates from postloop.fit_robust_rates(v_change, v_exposure);
    b := v_rates.b;
    q := v_rates.q;
    phi := v_rates.phi;
    v_explained := v_rates.explained;
  end if;

  select sum(h.w) as w, sum(h.w * h.e) as e, sum(h.w * h.e * h.e) as ee, sum(h.w * h.x) as x,
    sum(h.w * ((h.x - b - q * h.e) * (h.x - b - q * h.e))) as residual
    into s
  from (
    select u.x, u.e, 1 / greatest(b + q * u.e, c_least_expectation) as w
    from (select unnest(v_explained) as x, unnest(v_exposure) as e) u
    offset 0
  ) h;
  v_det := s.w * s.ee - s.e * s.e;
  -- else nothing tells posts and drift apart
  if v_det > 1e-9 * s.w * s.ee then
    -- counts do not scatter less than Poisson, however well a few hours happen to fit
    v_scale := greatest(1, s.residual / greatest(cardinality(v_change) - 2, 1));
    q := greatest(q * greatest(0, 1 - c_shrinkage * (v_scale * s.w / v_det) / (q * q)), c_least_q);
    b := greatest((s.x - q * s.e) / s.w, 0);
  end if;
end
$$;
comment on function postloop.fit_block is
  'Rates, dispersion and mean delay in hours from known hours p_first to p_last of an account; p_lagged has a row of as many exposures for each delay 0, .5, 1, 2, 4 and 8 h.';

revoke all on function
  postloop.fit_rates, postloop.fit_robust_rates, postloop.fit_block
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.fit_rates, postloop.fit_robust_rates, postloop.fit_block
  to service_role;
