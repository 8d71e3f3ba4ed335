-- A post that learning skips is lost without an error.
create function postloop.check_learned_posts(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  patience as (
    select j.late_after from postloop.jobs j where j.job = 'learning'
  ),
  unlearned as (
    select p.post_id, p.account_id, p.posted_at
    from public.post_attribution p
    where p.posted_at > p_now - interval '30 days' and p.posted_at <= p_now - interval '48 hours'
      and not exists (select from public.post_outcomes o where o.post_id = p.post_id)
      and exists (
        select from postloop.usable_reads m
        where m.tweet_id = p.post_id and m.impressions is not null
          and m.collection_phase = any (array(
            select ph.phase from public.collection_phases ph where ph.age >= interval '48 hours'))
          -- what attribution has not taken up is no work of learning yet
          and m.attributed_at < p_now - (select q.late_after from patience q))
  ),
  oldest as (
    select u.*, a.handle, count(*) over () as posts from unlearned u
    join public.x_accounts a on a.id = u.account_id
    order by u.posted_at, u.post_id
    limit 1
  )
  select 'posts_learned',
    case when o.posts > 0 then 'failing' else 'ok' end,
    case when o.posts > 0 then format('%s waiting, the oldest is %s of @%s',
        postloop.counted(o.posts, 'post'), o.post_id, o.handle)
      else '0 posts waiting' end,
    format('0 posts attributed for more than %s and not learned from', postloop.in_words(p.late_after)),
    case when o.posts > 0 then format(
        'See last_run_learning and last_run_attribution. Make the account due, then run learning: update public.account_learning set data_version = data_version + 1 where account_id = %s; %s',
        o.account_id, postloop.how_to_run('learning'))
      else 'If one waits, last_run_learning and last_run_attribution say why.' end
  from patience p
  left join oldest o on true
$$;
comment on function postloop.check_learned_posts is
  'Check of pipeline_health, posts_learned: every finished post of 30 days that attribution took up has an outcome before learning would be late itself.';

revoke all on function postloop.check_learned_posts from public, anon, authenticated, service_role;
grant execute on function postloop.check_learned_posts to service_role;

insert into postloop.checks (check_name, position) values ('learned_posts', 152);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('posts_learned', 'learned_posts', 'learning', null,
    'a post of 30 days with an attributed read at 48 h or later has an outcome', 'failing');
