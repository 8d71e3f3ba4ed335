-- A post that is likely to be one of the account's best is named while it still spreads.

-- A probability needs the normal distribution, and erf came with Postgres 16.
create function postloop.normal_cdf(p_z double precision)
returns double precision
language plpgsql
immutable
strict
set search_path = ''
as $$
declare
  v_size constant double precision := abs(p_z);
  v_density double precision;
  v_sum double precision := v_size;
  v_term double precision := v_size;
  v_odd integer := 1;
  v_upper double precision;
begin
  -- Postgres raises when a result underflows: the tail beyond 37, and the square of a tiny number
  if v_size > 37 then
    v_upper := 0;
  elsif v_size < 1e-9 then
    v_upper := 0.5 - v_size / sqrt(2 * pi());
  else
    v_density := exp(-0.5 * v_size * v_size) / sqrt(2 * pi());
    if v_size > 5 then
      -- Laplace's continued fraction, from the innermost term that matters
      for v_depth in reverse 100..1 loop
        v_sum := v_size + v_depth / v_sum;
      end loop;
      v_upper := v_density / v_sum;
    else
      -- (Phi(z) - 1/2) / phi(z) = z + z^3/3 + z^5/(3 5) + …
      while v_term > 1e-17 loop
        v_term := v_term * v_size * v_size / (v_odd + 2);
        v_sum := v_sum + v_term;
        v_odd := v_odd + 2;
      end loop;
      v_upper := 0.5 - v_density * v_sum;
    end if;
  end if;
  return case when p_z > 0 then 1 - v_upper else v_upper end;
end
$$;
comment on function postloop.normal_cdf is
  'Probability that a standard normal variable is at most p_z; the absolute error is below 1e-14. Marsaglia 2004: the Taylor series of Phi / phi.';

create function public.rising_posts(p_account_id bigint, p_now timestamptz)
returns table (account_id bigint, post_id text, probability double precision, threshold double precision, since timestamptz)
language sql
stable
set search_path = ''
as $$
  with newest as (
    select distinct on (e.post_id) e.account_id, e.post_id, e.predicted, e.threshold
    from public.post_predictions e
    where e.account_id = p_account_id and e.kind = 'viral' and e.observed_at is null
      and e.created_at > p_now - interval '48 hours' and e.created_at <= p_now
    order by e.post_id, e.created_at desc, e.id desc
  )
  select n.account_id, n.post_id, n.predicted, n.threshold, f.since
  from newest n
  cross join lateral (
    select min(e.created_at) as since
    from public.post_predictions e
    where e.kind = 'viral' and e.post_id = n.post_id and e.predicted >= 0.5 and e.created_at <= p_now
  ) f
  where n.predicted >= 0.5
  order by n.predicted desc, n.post_id
$$;
comment on function public.rising_posts is
  'Posts of an account that its newest prediction of the last 48 h calls at least as likely as not to pass threshold impressions at 48 h; since is when that was first so. The most likely first.';

revoke all on function
  postloop.normal_cdf, public.rising_posts
  from public, anon, authenticated, service_role;
grant execute on function postloop.normal_cdf, public.rising_posts to service_role;
