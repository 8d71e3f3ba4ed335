-- Every follower is credited once or to nobody; sums that no longer agree with the counts mean that one
-- was invented.
create function postloop.check_ledger(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  account as (
    select a.id as account_id, a.handle, coalesce(r.settled_through, '-infinity') as settled_through, known.until
    from public.x_accounts a
    left join public.follower_rates r on r.account_id = a.id
    -- Up to here no snapshot can have come after the last attribution: a scraper's run, which brings
    -- it, is at most 15 minutes long.
    left join lateral (
      select max(s.captured_at) as until from public.follower_snapshots s
      where s.account_id = a.id and s.is_exact and s.captured_at <= r.fitted_at - interval '15 minutes'
    ) known on true
  ),
  hour as materialized (
    select a.account_id, a.until, f.hour, f.change, f.credited, f.organic, f.unexplained
    from account a
    cross join lateral (
      select h.* from public.follower_hour h
      where h.account_id = a.account_id and h.hour >= p_now - interval '10 days' and h.hour < p_now
      offset 0
    ) f
  ),
  -- 1 the split of each hour
  split as (
    select h.account_id, max(abs(h.credited + h.organic + h.unexplained - h.change)) as error
    from hour h
    group by h.account_id
  ),
  -- 2 hours without a hole between them, against the counts at their ends, whatever they were split into
  stretch as (
    select h.account_id, min(h.hour) as starts_at, max(h.hour) + interval '1 hour' as ends_at, sum(h.change) as change
    from (
      select o.account_id, o.hour, o.change,
        o.hour - row_number() over (partition by o.account_id order by o.hour) * interval '1 hour' as stretch
      from hour o
      where o.hour + interval '1 hour' <= o.until
    ) h
    group by h.account_id, h.stretch
  ),
  counted as (
    select s.account_id, max(abs(coalesce(
      postloop.followers_at(s.account_id, s.ends_at) - postloop.followers_at(s.account_id, s.starts_at) - s.change,
      'infinity'))) as error
    from stretch s
    group by s.account_id
  ),
  -- 3 what the open hours gave to posts, against what the posts have beyond their settled part; what
  -- is settled is never written again
  credit as (
    select a.account_id,
      abs(coalesce(hours.credited, 0) - coalesce(posts.credited, 0)) as error,
      greatest(hours.n, 1) as hours
    from account a
    cross join lateral (
      select count(*) as n, sum(f.credited) as credited from public.follower_hour f
      where f.account_id = a.account_id and f.hour >= a.settled_through
    ) hours
    cross join lateral (
      select sum(c.credit_7d - c.settled_7d) as credited from public.post_credit c
      where c.account_id = a.account_id and c.credit_7d <> c.settled_7d
    ) posts
  ),
  error as (
    select a.handle, e.what, e.error, e.allowed
    from account a
    left join split s on s.account_id = a.account_id
    left join counted k on k.account_id = a.account_id
    left join credit c on c.account_id = a.account_id
    cross join lateral (values
      ('an hour''s parts against its change', s.error, 1e-6),
      ('the hours against the follower counts', k.error, 1e-6),
      ('the posts'' credits against the hours''', c.error, 1e-6 * c.hours)
    ) e(what, error, allowed)
    where e.error is not null
  ),
  worst as (
    select e.* from error e
    order by e.error / e.allowed desc, e.handle, e.what
    limit 1
  )
  select 'ledger_conserved',
    case when w.error > w.allowed then 'failing' else 'ok' end,
    case when w.error > w.allowed then format('off by %s on @%s: %s', w.error::real, w.handle, w.what)
      else format('off by at most %s', coalesce(w.error, 0)::real) end,
    'at most 0.000001 followers; of the posts, for each hour',
    case when w.error > w.allowed then format(
        'Rows of follower_hour, post_credit or follower_snapshots of @%s were changed by hand, or attribution has a defect. Run it once: %s If it stays, set the rows back from a backup.',
        w.handle, postloop.how_to_run('attribution'))
      else 'If it is off, rows were changed by hand or attribution has a defect.' end
  from (select) always
  left join worst w on true
$$;
comment on function postloop.check_ledger is
  'Check of pipeline_health, ledger_conserved: the hours of 10 days split without a rest, add up to the follower counts, and gave to posts what the posts have.';

revoke all on function postloop.check_ledger from public, anon, authenticated, service_role;
grant execute on function postloop.check_ledger to service_role;

insert into postloop.checks (check_name, position) values ('ledger', 170);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('ledger_conserved', 'ledger', 'credit', null,
    'every hour''s follower change is split without a rest, the hours of 10 days add up to the counts, and what the hours gave to posts is what the posts have', 'failing');
