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

revoke all on function postloop.check_rounding from public, anon, authenticated, service_role;
grant execute on function postloop.check_rounding to service_role;

insert into postloop.checks (check_name, position) values ('rounding', 182);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('follower_counts_exact', 'rounding', 'follower_snapshots', null,
    'the follower counts of 7 days are whole numbers', 'warning');
