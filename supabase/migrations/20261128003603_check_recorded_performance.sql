create function postloop.check_recorded_performance(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  -- One outcome of the account tells when its outcomes were computed: their weights, and so their
  -- rows, change with each run.
  unrecorded as (
    select a.handle
    from public.account_learning s
    join public.x_accounts a on a.id = s.account_id
    cross join lateral (
      select o.computed_at
      from public.post_attribution p
      join public.post_outcomes o on o.post_id = p.post_id
      where p.account_id = s.account_id and p.realised <> '{}'
        and p.posted_at > p_now - interval '90 days' and p.posted_at <= p_now
      order by p.posted_at desc limit 1
    ) o
    where o.computed_at <= p_now - interval '10 minutes'
      and (
        s.learned_version < s.data_version and o.computed_at > coalesce(s.learned_at, '-infinity')
        or not exists (select from public.dimension_performance d where d.account_id = s.account_id))
  ),
  tally as (
    select count(*) as accounts, min(u.handle) as handle from unrecorded u
  )
  select 'performance_recorded',
    case when t.accounts > 0 then 'failing' else 'ok' end,
    case when t.accounts > 0 then format('%s with outcomes and no performance, such as @%s',
        postloop.counted(t.accounts, 'account'), t.handle)
      else '0 accounts with outcomes and no performance' end,
    'within 10 min of the outcomes',
    format('Learning ended between the two: see last_run_learning, then run it: %s', postloop.how_to_run('learning'))
  from tally t
$$;
comment on function postloop.check_recorded_performance is
  'Check of pipeline_health, performance_recorded: what an account''s outcomes show was recorded by the run that computed them.';

revoke all on function postloop.check_recorded_performance from public, anon, authenticated, service_role;
grant execute on function postloop.check_recorded_performance to service_role;

insert into postloop.checks (check_name, position) values ('recorded_performance', 153);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('performance_recorded', 'recorded_performance', 'performance', null,
    'the run that computed an account''s outcomes recorded what they show', 'failing');
