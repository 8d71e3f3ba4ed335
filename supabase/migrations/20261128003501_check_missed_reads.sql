create function postloop.check_missed_reads(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  finished as (
    select c.account_id, c.outcome, c.state = 'missed' as missed
    from public.metric_collections c
    where c.finished_at > p_now - interval '1 day' and c.finished_at <= p_now
      -- over before the post was tracked: nobody could have read it
      and not (c.state = 'missed' and exists (
        select from public.post_attribution p
        where p.post_id = c.post_id and p.tracked_at >= c.expires_at))
  ),
  tally as (
    select count(*) as windows, count(*) filter (where f.missed) as missed,
      100.0 * count(*) filter (where f.missed) / nullif(count(*), 0) as percent
    from finished f
  ),
  worst as (
    select a.handle from finished f
    join public.x_accounts a on a.id = f.account_id
    where f.missed
    group by a.handle
    order by count(*) desc, a.handle
    limit 1
  ),
  often as (
    select coalesce(f.outcome, 'never tried') as outcome from finished f
    where f.missed
    group by f.outcome
    order by count(*) desc, f.outcome
    limit 1
  )
  select 'reads_not_missed',
    case
      when t.windows < 20 then 'ok'
      when t.percent > 25 then 'failing'
      when t.percent > 5 then 'warning'
      else 'ok'
    end,
    format('%s of %s missed in 24 h', t.missed, postloop.counted(t.windows, 'window'))
      || case when t.missed > 0 then format(' (%s %%), most of @%s, most often %s', round(t.percent, 1), w.handle, o.outcome)
        else '' end,
    'at most 5 % of 20 or more; failing above 25 %',
    case
      when o.outcome = 'never tried' then
        'Windows close before the scraper comes to them: see heartbeat_scraper and reads_on_time.'
      when o.outcome is not null then format(
        'The last try of most was %s: see docs/operations.md, "Outcomes that need you".', o.outcome)
      else 'If many are missed, their last outcome says why.'
    end
  from tally t
  left join worst w on true
  left join often o on true
$$;
comment on function postloop.check_missed_reads is
  'Check of pipeline_health, reads_not_missed: few windows of the last 24 h closed unread.';

revoke all on function postloop.check_missed_reads from public, anon, authenticated, service_role;
grant execute on function postloop.check_missed_reads to service_role;

insert into postloop.checks (check_name, position) values ('missed_reads', 141);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('reads_not_missed', 'missed_reads', 'due_reads', null,
    'the windows that ended in 24 h were read; one that was over before its post was tracked does not count', 'warning, then failing');
