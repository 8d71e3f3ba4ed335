-- Anyone can check that nothing was invented: the split of each hour beside the raw counts around it.
create view public.follower_ledger with (security_invoker = on) as
select f.account_id, f.hour, o.observed, f.credited, f.organic, f.unexplained, f.gap,
  f.credited + f.organic + f.unexplained - o.observed as error
from public.follower_hour f
cross join lateral (
  select max(c.followers) filter (where b.at > f.hour) - max(c.followers) filter (where b.at = f.hour) as observed
  from (values (f.hour), (f.hour + interval '1 hour')) b(at)
  cross join lateral (
    select s.captured_at, s.followers
    from public.follower_snapshots s
    where s.account_id = f.account_id and s.is_exact and s.captured_at <= b.at
    order by s.captured_at desc
    limit 1
  ) before
  left join lateral (
    select s.captured_at, s.followers
    from public.follower_snapshots s
    where s.account_id = f.account_id and s.is_exact and s.captured_at > b.at
    order by s.captured_at
    limit 1
  ) after on before.captured_at < b.at
  cross join lateral (
    select before.followers + coalesce((after.followers - before.followers)
      * (extract(epoch from b.at - before.captured_at)
        / extract(epoch from after.captured_at - before.captured_at))::double precision, 0) as followers
  ) c
) o;
comment on view public.follower_ledger is
  'Each hour of an account: what its raw exact counts changed by, computed afresh, beside what was booked. error = credited + organic + unexplained - observed, and is 0 but for rounding.';
comment on column public.follower_ledger.hour is 'Start of the hour, UTC.';
comment on column public.follower_ledger.observed is 'Followers at the end of the hour minus at its start, linear between exact snapshots.';
comment on column public.follower_ledger.credited is 'Followers credited to posts.';
comment on column public.follower_ledger.error is 'Followers booked too many.';

-- X counts follows that began on a post; the estimate is net growth, and also has those who came by a
-- detour. The two differ by design: what counts is whether they move together.
create view public.credit_calibration with (security_invoker = on) as
select c.account_id, count(*) as posts, sum(c.credit_48h) as credited, sum(x.follows)::bigint as x_follows,
  sum(c.credit_48h) / nullif(sum(x.follows), 0)::double precision as credited_per_x_follow,
  corr(c.credit_48h, x.follows::double precision) as correlation,
  avg((x.follows between c.credit_48h - 1.6448536269514722 * sqrt(c.variance_48h) and c.credit_48h + 1.6448536269514722 * sqrt(c.variance_48h))::integer)::double precision as covered
from public.post_credit c
join public.post_attribution p on p.post_id = c.post_id
cross join lateral (
  select n.follows from public.x_post_analytics n
  where n.post_id = c.post_id and n.follows is not null
    and n.captured_at >= p.posted_at + interval '48 hours'
  order by n.captured_at
  limit 1
) x
group by c.account_id;
comment on view public.credit_calibration is
  'The credits of an account''s posts beside the follows that X attributes to them, for posts of which X showed follows after 48 h.';
comment on column public.credit_calibration.posts is 'Posts that have both figures.';
comment on column public.credit_calibration.credited is 'Sum of their credit_48h, followers.';
comment on column public.credit_calibration.x_follows is 'Sum of what X showed first after 48 h, follows.';
comment on column public.credit_calibration.covered is 'Share of the posts whose follows lie in the 90 % interval of the credit.';

revoke all on
  public.follower_ledger, public.credit_calibration
  from public, anon, authenticated, service_role;
grant select on public.follower_ledger, public.credit_calibration to authenticated;
grant select on public.follower_ledger, public.credit_calibration to service_role;
