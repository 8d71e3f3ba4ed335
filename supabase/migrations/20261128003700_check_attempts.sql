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

revoke all on function postloop.check_attempts from public, anon, authenticated, service_role;
grant execute on function postloop.check_attempts to service_role;

insert into postloop.checks (check_name, position) values ('attempts', 160);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('reads_succeed', 'attempts', 'metrics', null,
    'X does not refuse the attempts of 24 h', 'warning, then failing'),
  ('reads_believed', 'attempts', 'metrics', null,
    'they bring numbers that can be true, of the post that was asked for', 'warning, then failing');
