create function postloop.check_sessions(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  refused as (
    select e.kind, e.details ->> 'session' as session
    from public.integrity_events e
    where e.kind in ('session_invalid', 'login_required')
      and e.created_at > p_now - interval '1 day' and e.created_at <= p_now
    union all
    select s.outcome, s.session from public.scraper_sessions s
    where s.outcome in ('session_invalid', 'login_required')
      and s.reported_at > p_now - interval '1 day' and s.reported_at <= p_now
    union all
    select t.outcome, null
    from public.x_accounts a
    cross join lateral (
      select c.outcome from public.collection_attempts c
      where c.account_id = a.id and c.attempted_at > p_now - interval '1 day' and c.attempted_at <= p_now
      offset 0
    ) t
    where t.outcome in ('session_invalid', 'login_required')
  ),
  tally as (
    select count(*) as n, string_agg(distinct r.kind, ' and ') as kinds,
      string_agg(distinct r.session, ', ') as sessions
    from refused r
  )
  select 'sessions_accepted',
    case when t.n > 0 then 'warning' else 'ok' end,
    case when t.n > 0 then format('X answered %s in 24 h', t.kinds) || coalesce(' (session ' || t.sessions || ')', '')
      else 'no refusal in 24 h' end,
    'no session refused in 24 h',
    case when t.n > 0 then
        'Log in again and replace the cookies of the session in the Lambda''s secret (docs/scraper-deploy.md); a refused session is not tried again.'
      else 'If one is refused, replace its cookies in the Lambda''s secret (docs/scraper-deploy.md).' end
  from tally t
$$;
comment on function postloop.check_sessions is
  'Check of pipeline_health, sessions_accepted: X refused no session of the scraper in the last 24 h.';

revoke all on function postloop.check_sessions from public, anon, authenticated, service_role;
grant execute on function postloop.check_sessions to service_role;

insert into postloop.checks (check_name, position) values ('sessions', 162);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('sessions_accepted', 'sessions', 'metrics', null,
    'X refuses no session', 'warning');
