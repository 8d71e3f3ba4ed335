create function postloop.check_follower_counts(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  account as (
    select a.handle, f.outcome, newest.captured_at, coalesce(o.consequence = 'end', false) as is_gone,
      a.created_at < p_now - interval '3 hours'
        and coalesce(newest.captured_at, '-infinity') < p_now - interval '3 hours' as is_stale
    from public.follower_collections f
    join public.x_accounts a on a.id = f.account_id
    left join public.read_outcomes o on o.outcome = f.outcome
    left join lateral (
      select s.captured_at from public.follower_snapshots s
      where s.account_id = f.account_id and s.is_exact and s.captured_at <= p_now
      order by s.captured_at desc
      limit 1
    ) newest on true
  ),
  worst as (
    select s.*, count(*) over () as accounts from account s
    where s.is_stale and not s.is_gone
    order by s.captured_at nulls first, s.handle
    limit 1
  ),
  gone as (
    select min(s.handle) as handle, string_agg('@' || s.handle, ', ' order by s.handle) as named
    from account s
    where s.is_gone
  )
  select 'follower_counts_fresh',
    case when w.accounts > 0 then 'failing' else 'ok' end,
    case when w.accounts > 0 then format('%s without, the worst is @%s: %s, last try %s',
        postloop.counted(w.accounts, 'account'), w.handle,
        coalesce('last exact count ' || postloop.in_words(p_now - w.captured_at) || ' ago', 'never counted'),
        coalesce(w.outcome, 'none'))
      else 'every account has one' || coalesce(', gone from X: ' || g.named, '') end,
    'an exact count of each account in the last 3 h',
    case
      when w.accounts is null and g.handle is not null then format(
        '@%s is gone from X. To stop reading it: delete from public.follower_collections f using public.x_accounts a where a.id = f.account_id and a.handle = %L;', g.handle, g.handle)
      when w.accounts is null then 'If one has none, the outcome in follower_collections says why.'
      when w.outcome = 'found' then format(
        'X shows the count of @%s rounded: give the scraper a session (docs/scraper-deploy.md). Or it is not read: see heartbeat_scraper.', w.handle)
      else 'See heartbeat_scraper and reads_succeed.'
    end
  from gone g
  left join worst w on true
$$;
comment on function postloop.check_follower_counts is
  'Check of pipeline_health, follower_counts_fresh: every account that is read, and is not gone from X, has an exact follower count of the last 3 hours.';

revoke all on function postloop.check_follower_counts from public, anon, authenticated, service_role;
grant execute on function postloop.check_follower_counts to service_role;

insert into postloop.checks (check_name, position) values ('follower_counts', 143);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('follower_counts_fresh', 'follower_counts', 'follower_snapshots', null,
    'every account that is read and not gone from X has a young exact count, from 3 h after registration on', 'failing');
