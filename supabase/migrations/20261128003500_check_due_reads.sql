-- A post whose read is late or missed has lost that number for good: the earlier it shows the better.
create function postloop.check_due_reads(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  -- a scraper that is to run seldom leaves reads waiting for longer
  patience as (
    select greatest(interval '10 minutes', j.late_after) as warning,
      3 * greatest(interval '10 minutes', j.late_after) as failing
    from postloop.jobs j
    where j.job = 'scraper'
  ),
  overdue as (
    (
      select c.account_id, c.post_id, c.phase, c.next_attempt_at
      from public.metric_collections c
      where c.state in ('waiting', 'leased') and c.next_attempt_at < p_now - (select p.warning from patience p)
      order by c.next_attempt_at
      -- after weeks without a scraper there may be millions; ten thousand are bad enough
      limit 10001
    )
    union all
    select f.account_id, null, null, f.next_attempt_at
    from public.follower_collections f
    where f.next_attempt_at < p_now - (select p.warning from patience p)
  ),
  tally as (
    select count(*) as reads, min(o.next_attempt_at) as since from overdue o
  ),
  oldest as (
    select case when o.post_id is null then format('follower count of @%s', a.handle)
        else format('%s of post %s of @%s', o.phase, o.post_id, a.handle) end as named
    from overdue o
    join public.x_accounts a on a.id = o.account_id
    order by o.next_attempt_at, o.post_id
    limit 1
  )
  select 'reads_on_time',
    case
      when t.since < p_now - p.failing then 'failing'
      when t.reads > 0 then 'warning'
      else 'ok'
    end,
    case when t.reads > 0 then format('%s overdue, the oldest for %s: %s',
        case when t.reads > 10000 then 'more than 10000' else t.reads::text end,
        postloop.in_words(p_now - t.since), o.named)
      else '0 overdue' end,
    format('none due for more than %s; failing from %s', postloop.in_words(p.warning), postloop.in_words(p.failing)),
    'The scraper is not running or does not keep up: see heartbeat_scraper and scraper_works. If both are ok, raise claimLimit or the Lambda''s memory (docs/scraper-deploy.md).'
  from tally t
  cross join patience p
  left join oldest o on true
$$;
comment on function postloop.check_due_reads is
  'Check of pipeline_health, reads_on_time: no read of a post or follower count is due for long.';

revoke all on function postloop.check_due_reads from public, anon, authenticated, service_role;
grant execute on function postloop.check_due_reads to service_role;

insert into postloop.checks (check_name, position) values ('due_reads', 140);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('reads_on_time', 'due_reads', 'due_reads', null,
    'no read of a post or follower count is due for long', 'warning, then failing');
