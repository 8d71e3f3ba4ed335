create function postloop.check_handover(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  -- 1 reads wait from when their run stored them: an imported one may be years older than that
  waiting as (
    select m.tweet_id as post_id, m.account_id, m.collection_phase as phase, x.since
    from public.real_tweet_metrics m
    left join public.pipeline_runs r on r.run_id = m.run_id
    cross join lateral (select greatest(m.collected_at, r.as_of) as since) x
    where m.attributed_at is null and m.quality <> 'suspect'
      and m.collected_at < p_now - interval '5 hours' and x.since < p_now - interval '5 hours'
  ),
  waiting_longest as (
    select w.*, a.handle, count(*) over () as reads from waiting w
    join public.x_accounts a on a.id = w.account_id
    order by w.since, w.post_id
    limit 1
  ),
  -- 2 posts whose outcome is known for two runs of learning and more
  unlearned as (
    select p.post_id, p.account_id, p.posted_at
    from public.post_attribution p
    where p.posted_at > p_now - interval '30 days' and p.posted_at < p_now - interval '53 hours'
      and not exists (select from public.post_outcomes o where o.post_id = p.post_id)
      and exists (
        select from public.real_tweet_metrics m
        left join public.pipeline_runs r on r.run_id = m.run_id
        where m.tweet_id = p.post_id and m.quality <> 'suspect' and m.impressions is not null
          and m.collection_phase = any (array(
            select ph.phase from public.collection_phases ph where ph.age >= interval '48 hours'))
          and greatest(m.collected_at, r.as_of) < p_now - interval '5 hours')
  ),
  unlearned_oldest as (
    select u.*, a.handle, count(*) over () as posts from unlearned u
    join public.x_accounts a on a.id = u.account_id
    order by u.posted_at, u.post_id
    limit 1
  )
  select 'reads_attributed',
    case when w.reads > 0 then 'failing' else 'ok' end,
    case when w.reads > 0 then format('%s waiting, the oldest for %s: %s of post %s of @%s',
        postloop.counted(w.reads, 'read'), postloop.in_words(p_now - w.since), w.phase, w.post_id, w.handle)
      else '0 reads waiting' end,
    '0 reads waiting for more than 5 h',
    format('Attribution did not take them up: see heartbeat_attribution and last_run_attribution, then run it: %s',
      postloop.how_to_run('attribution'))
  from (select) always
  left join waiting_longest w on true
  union all
  select 'posts_learned',
    case when u.posts > 0 then 'failing' else 'ok' end,
    case when u.posts > 0 then format('%s waiting, the oldest is %s of @%s',
        postloop.counted(u.posts, 'post'), u.post_id, u.handle)
      else '0 posts waiting' end,
    '0 posts of the last 30 days finished for more than 5 h and not learned from',
    case when u.posts > 0 then format(
        'See last_run_learning and last_run_attribution. Make the account due, then run learning: update public.account_learning set data_version = data_version + 1 where account_id = %s; %s',
        u.account_id, postloop.how_to_run('learning'))
      else 'If one waits, last_run_learning and last_run_attribution say why.' end
  from (select) always
  left join unlearned_oldest u on true
$$;
comment on function postloop.check_handover is
  'Check of pipeline_health. reads_attributed: attribution took up every usable read; posts_learned: every post with a usable read at 48 h has an outcome. Both after 5 h, two and a half intervals.';

revoke all on function postloop.check_handover from public, anon, authenticated, service_role;
grant execute on function postloop.check_handover to service_role;

insert into postloop.checks (check_name, position) values ('handover', 150);
