create function postloop.check_vain_attempts(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  tried as (
    select count(distinct (t.post_id, t.phase)) as reads, min(t.attempted_at) as since,
      mode() within group (order by t.outcome) as outcome,
      bool_or(o.consequence in ('accept', 'end')) as has_answer
    from public.x_accounts a
    cross join lateral (
      select c.post_id, c.phase, c.attempted_at, c.outcome
      from public.collection_attempts c
      where c.account_id = a.id and c.post_id is not null
        and c.attempted_at > p_now - interval '1 day' and c.attempted_at <= p_now
      offset 0
    ) t
    join public.read_outcomes o on o.outcome = t.outcome
  ),
  judged as (
    -- half an hour holds five tries of a page that does not load; before that, one more may well do
    select t.*, not t.has_answer and t.since <= p_now - interval '30 minutes' as in_vain from tried t
  )
  select 'reads_bring_numbers',
    case when j.in_vain then 'failing' else 'ok' end,
    case
      when j.in_vain then format('%s tried in 24 h without a number, mostly %s', postloop.counted(j.reads, 'read'), j.outcome)
      when j.reads = 0 then 'no read was tried in 24 h'
      when j.has_answer then format('%s tried in 24 h, with numbers', postloop.counted(j.reads, 'read'))
      else format('%s tried, for less than 30 min', postloop.counted(j.reads, 'read'))
    end,
    'an answer within 30 min of the first try of 24 h',
    case when j.in_vain then format(
        'Look up the outcome %s under "Outcomes that need you" in docs/operations.md; collection_attempts has the evidence.', j.outcome)
      else 'If all are in vain, their outcome in collection_attempts says why.' end
  from judged j
$$;
comment on function postloop.check_vain_attempts is
  'Check of pipeline_health, reads_bring_numbers: of the posts that were tried in the last 24 h, not all were tried in vain.';

revoke all on function postloop.check_vain_attempts from public, anon, authenticated, service_role;
grant execute on function postloop.check_vain_attempts to service_role;

insert into postloop.checks (check_name, position) values ('vain_attempts', 163);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('reads_bring_numbers', 'vain_attempts', 'metrics', null,
    'of the posts that are read in 24 h, one gives a number or turns out to be gone', 'failing');
