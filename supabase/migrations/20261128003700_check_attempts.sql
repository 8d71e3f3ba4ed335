-- What X refuses, changes or falsifies shows in the attempts long before it shows in what is learned.
create function postloop.check_attempts(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  -- by account, as the attempts are indexed
  attempt as (
    select t.outcome, count(*) as n
    from public.x_accounts a
    cross join lateral (
      select c.outcome from public.collection_attempts c
      where c.account_id = a.id and c.attempted_at > p_now - interval '1 day' and c.attempted_at <= p_now
      offset 0
    ) t
    group by t.outcome
  ),
  tally as (
    select coalesce(sum(t.n), 0)::bigint as attempts,
      coalesce(sum(t.n) filter (where o.consequence = 'retry'), 0) as refused,
      coalesce(sum(t.n) filter (where t.outcome in ('degraded', 'wrong_post')), 0) as disbelieved,
      coalesce(sum(t.n) filter (where t.outcome = 'degraded'), 0) as degraded
    from attempt t
    join public.read_outcomes o on o.outcome = t.outcome
  ),
  share as (
    select t.*, 100.0 * t.refused / nullif(t.attempts, 0) as refused_percent,
      100.0 * t.disbelieved / nullif(t.attempts, 0) as disbelieved_percent
    from tally t
  ),
  often as (
    select t.outcome, t.n from attempt t
    join public.read_outcomes o on o.outcome = t.outcome and o.consequence = 'retry'
    order by t.n desc, t.outcome
    limit 1
  )
  select 'reads_succeed',
    case
      when s.attempts < 20 then 'ok'
      when s.refused_percent > 50 then 'failing'
      when s.refused_percent > 20 then 'warning'
      else 'ok'
    end,
    format('%s of %s refused in 24 h', s.refused, postloop.counted(s.attempts, 'attempt'))
      || case when s.refused > 0 then format(' (%s %%), most often %s (%s)', round(s.refused_percent, 1), o.outcome, o.n)
        else '' end,
    'at most 20 % of 20 or more; failing above 50 %',
    case when s.refused > 0 then format('Most are %s: see docs/operations.md, "Outcomes that need you".', o.outcome)
      else 'If many are refused, their outcome says why.' end
  from share s
  left join often o on true
  union all
  select 'reads_believed',
    case
      when s.attempts < 20 then 'ok'
      when s.disbelieved_percent > 30 then 'failing'
      when s.disbelieved_percent > 10 then 'warning'
      else 'ok'
    end,
    format('%s degraded and %s wrong_post of %s in 24 h', s.degraded, s.disbelieved - s.degraded,
      postloop.counted(s.attempts, 'attempt')),
    'at most 10 % of 20 or more; failing above 30 %',
    case
      when s.disbelieved = 0 then 'If many are not believed, their evidence in collection_attempts says why.'
      when s.degraded * 2 >= s.disbelieved then
        'X shows numbers that cannot be true, as it does to readers it distrusts: give the scraper another session or network, or the X API (docs/scraper-deploy.md).'
      else 'X answers with other posts than were asked for: see the evidence in collection_attempts and docs/scraper.md.'
    end
  from share s
$$;
comment on function postloop.check_attempts is
  'Check of pipeline_health. reads_succeed: few attempts of 24 h were refused; reads_believed: few brought false numbers or another post.';

create function postloop.check_payloads(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  -- an attempt with a changed shape tells an event too; a page without a claimed post only the event
  changed as (
    select 1 as told_by, e.details, e.created_at as at
    from public.integrity_events e
    where e.kind = 'shape_changed' and e.created_at > p_now - interval '1 day' and e.created_at <= p_now
    union all
    select 2, t.evidence, t.attempted_at
    from public.x_accounts a
    cross join lateral (
      select c.evidence, c.attempted_at, c.outcome from public.collection_attempts c
      where c.account_id = a.id and c.attempted_at > p_now - interval '1 day' and c.attempted_at <= p_now
      offset 0
    ) t
    where t.outcome = 'shape_changed'
  ),
  place as (
    select c.told_by, c.at, coalesce(c.details ->> 'operation', 'a page')
      || coalesce(': ' || (
        select string_agg(p.path #>> '{}', ', ' order by p.ordinality)
        from jsonb_path_query(c.details, '$.*[*] ? (@.type() == "string")') with ordinality p(path, ordinality)
        where p.ordinality <= 3 and p.path #>> '{}' is distinct from c.details ->> 'operation'), '') as named
    from changed c
  ),
  changes as (
    select greatest(count(*) filter (where p.told_by = 1), count(*) filter (where p.told_by = 2)) as n,
      (array_agg(p.named order by p.told_by, p.at desc))[1] as named
    from place p
  ),
  unseen as (
    select count(*) as n, string_agg(distinct e.details ->> 'operation', ', ') as named
    from public.integrity_events e
    where e.kind = 'shape_unseen' and e.created_at > p_now - interval '1 day' and e.created_at <= p_now
      and exists (
        select from public.payload_shapes s
        where s.operation = e.details ->> 'operation' and s.first_seen_at < e.created_at - interval '1 day')
  )
  select 'payload_shapes_known',
    case when c.n > 0 then 'failing' when u.n > 0 then 'warning' else 'ok' end,
    case
      when c.n > 0 then format('%s not understood in 24 h, the last: %s', postloop.counted(c.n, 'page'), c.named)
      when u.n > 0 then format('%s of %s in 24 h', postloop.counted(u.n, 'new shape'), u.named)
      else 'no new shape in 24 h'
    end,
    'every page understood; a new shape of a known operation is a warning',
    case when c.n > 0 then
        'X changed its payload: the paths named are missing or of another type. See docs/scraper.md for where they are read; until then the reads are tried again.'
      else 'Nothing is lost yet. Compare the new paths in payload_shapes with those before, and see that no number has become null.' end
  from changes c
  cross join unseen u
$$;
comment on function postloop.check_payloads is
  'Check of pipeline_health, payload_shapes_known: X''s payloads of the last 24 h could be read and have the shapes of before.';

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

revoke all on function
  postloop.check_attempts, postloop.check_payloads, postloop.check_sessions
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.check_attempts, postloop.check_payloads, postloop.check_sessions
  to service_role;

insert into postloop.checks (check_name, position) values
  ('attempts', 160), ('payloads', 161), ('sessions', 162);
