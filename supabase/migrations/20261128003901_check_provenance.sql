-- No bitmap scans: the planner does not know p_now, takes an account's reads of 30 days for few, and
-- would fetch and sort them all for the newest.
create function postloop.check_provenance(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
set enable_bitmapscan = off
as $$
  with
  claimed as materialized (
    select m.* from public.x_accounts a
    cross join lateral (
      select r.tweet_id, r.collection_phase, r.account_id, r.run_id, r.collected_at, r.source
      from postloop.usable_reads r
      where r.account_id = a.id and r.collected_at > p_now - interval '30 days' and r.collected_at <= p_now
      order by r.collected_at desc
      limit 300
    ) m
    where m.source <> 'imported'
  ),
  -- by run, whose attempts lie together; by read this took five times as long
  proof as materialized (
    select t.run_id, t.post_id, t.phase
    from (select distinct c.run_id from claimed c) c
    join public.pipeline_runs r on r.run_id = c.run_id
    cross join lateral (
      select f.* from public.collection_attempts f
      where f.run_id = r.run_id and f.outcome = 'found'
      offset 0
    ) t
  ),
  unproven as (
    select c.* from claimed c
    where not exists (
      select from proof p
      where p.run_id = c.run_id and p.post_id = c.tweet_id and p.phase = c.collection_phase)
  ),
  newest as (
    select u.*, a.handle, count(*) over () as reads from unproven u
    join public.x_accounts a on a.id = u.account_id
    order by u.collected_at desc, u.tweet_id
    limit 1
  )
  select 'reads_have_provenance',
    case when n.reads > 0 then 'failing' else 'ok' end,
    case when n.reads > 0 then format('%s without, the newest is %s of post %s of @%s',
        postloop.counted(n.reads, 'read'), n.collection_phase, n.tweet_id, n.handle)
      else '0 reads without' end,
    '0 of each account''s newest 300 reads of 30 days without their run and attempt',
    case when n.reads > 0 then format(
        'Something other than the scraper wrote real_tweet_metrics: find who holds a secret key and change it. Take its rows out of learning: update public.real_tweet_metrics set quality = ''suspect'' where run_id = %L;', n.run_id)
      else 'If one has none, something other than the scraper wrote it.' end
  from (select) always
  left join newest n on true
$$;
comment on function postloop.check_provenance is
  'Check of pipeline_health, reads_have_provenance: of each account, the newest 300 usable reads of 30 days that were not imported have their run and the attempt that found them.';

revoke all on function postloop.check_provenance from public, anon, authenticated, service_role;
grant execute on function postloop.check_provenance to service_role;

insert into postloop.checks (check_name, position) values ('provenance', 180);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('reads_have_provenance', 'provenance', 'metrics', null,
    'every usable read has the run and the attempt that found it; an imported one needs none', 'failing');
