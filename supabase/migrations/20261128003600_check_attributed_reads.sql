-- A read that attribution skips is lost without an error.
create function postloop.check_attributed_reads(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  patience as (
    select j.late_after from postloop.jobs j where j.job = 'attribution'
  ),
  -- reads wait from when their run stored them: an imported one may be years older than that
  waiting as (
    select m.tweet_id as post_id, m.account_id, m.collection_phase as phase, x.since
    from postloop.unattributed_reads m
    left join public.pipeline_runs r on r.run_id = m.run_id
    cross join lateral (select greatest(m.collected_at, r.as_of) as since) x
    where m.collected_at < p_now - (select p.late_after from patience p)
      and x.since < p_now - (select p.late_after from patience p)
  ),
  waiting_longest as (
    select w.*, a.handle, count(*) over () as reads from waiting w
    join public.x_accounts a on a.id = w.account_id
    order by w.since, w.post_id
    limit 1
  )
  select 'reads_attributed',
    case when w.reads > 0 then 'failing' else 'ok' end,
    case when w.reads > 0 then format('%s waiting, the oldest for %s: %s of post %s of @%s',
        postloop.counted(w.reads, 'read'), postloop.in_words(p_now - w.since), w.phase, w.post_id, w.handle)
      else '0 reads waiting' end,
    format('0 reads waiting for more than %s', postloop.in_words(p.late_after)),
    format('Attribution did not take them up: see heartbeat_attribution and last_run_attribution, then run it: %s',
      postloop.how_to_run('attribution'))
  from patience p
  left join waiting_longest w on true
$$;
comment on function postloop.check_attributed_reads is
  'Check of pipeline_health, reads_attributed: attribution took up every usable read before it would be late itself.';

revoke all on function postloop.check_attributed_reads from public, anon, authenticated, service_role;
grant execute on function postloop.check_attributed_reads to service_role;

insert into postloop.checks (check_name, position) values ('attributed_reads', 150);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('reads_attributed', 'attributed_reads', 'attribution', null,
    'attribution takes up every usable read', 'failing');
