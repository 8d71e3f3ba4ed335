-- Whether what was said comes true, over the last hundred predictions: enough to see, few enough to be of now.
create view public.calibration with (security_invoker = on) as
  with newest as (
    select a.id as account_id, k.kind, e.predicted, e.sd, e.observed
    from public.accounts a
    cross join (values ('impressions_48h'), ('viral'), ('reward')) k(kind)
    cross join lateral (
      select c.predicted, c.sd, c.observed
      from public.calibration_events c
      where c.account_id = a.id and c.kind = k.kind and c.observed_at is not null
      order by c.observed_at desc nulls last, c.id desc
      limit 100
    ) e
  ), bin as (
    select n.account_id, abs(sum(n.predicted order by n.predicted) - sum(n.observed)) as missed
    from newest n
    where n.kind = 'viral'
    group by n.account_id, least(floor(n.predicted * 10), 9)
  ), error as (
    select b.account_id, sum(b.missed order by b.missed) as missed from bin b group by b.account_id
  )
  select n.account_id, n.kind, count(*)::integer as n,
    avg((n.observed between n.predicted - 0.6744897501960817 * n.sd and n.predicted + 0.6744897501960817 * n.sd)::integer)::double precision as coverage_50,
    avg((n.observed between n.predicted - 1.2815515655446004 * n.sd and n.predicted + 1.2815515655446004 * n.sd)::integer)::double precision as coverage_80,
    avg((n.observed between n.predicted - 1.6448536269514722 * n.sd and n.predicted + 1.6448536269514722 * n.sd)::integer)::double precision as coverage_90,
    avg(n.predicted order by n.predicted) as mean_predicted,
    avg(n.observed order by n.observed) as mean_observed,
    case when n.kind = 'viral' then max(e.missed) / count(*) end as calibration_error
  from newest n
  left join error e on e.account_id = n.account_id
  group by n.account_id, n.kind;
comment on view public.calibration is
  'How the last 100 settled predictions of an account came true, by kind.';
comment on column public.calibration.n is 'Settled predictions, 100 at most; below 30 the shares say little.';
comment on column public.calibration.coverage_50 is 'Share of observations within the 50 % range; likewise the other two. Null for viral.';
comment on column public.calibration.mean_predicted is 'Mean prediction; for viral the mean probability.';
comment on column public.calibration.mean_observed is 'Mean observation; for viral the share of posts that did go viral.';
comment on column public.calibration.calibration_error is
  'Of viral: mean distance between probability and share, in ten bins of equal width (ECE); too high by chance where bins hold few.';

revoke all on public.calibration from public, anon, authenticated, service_role;
grant select on public.calibration to authenticated, service_role;
