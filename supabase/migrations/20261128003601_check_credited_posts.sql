create function postloop.check_credited_posts(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  patience as (
    select j.late_after from postloop.jobs j where j.job = 'attribution'
  ),
  -- both ends: with one, the planner takes the window for a third of the table
  week_post as materialized (
    select p.post_id, p.account_id, p.posted_at
    from public.post_attribution p
    where p.posted_at > p_now - interval '7 days' and p.posted_at <= p_now
      and p.credit_note is distinct from 'gapped_counts'
  ),
  -- credit is due once an hour lies between a used read and exact follower counts around both
  counted as materialized (
    select a.id as account_id, a.handle,
      (select min(s.captured_at) from public.follower_snapshots s
       where s.account_id = a.id and s.is_exact) as since,
      (select max(s.captured_at) from public.follower_snapshots s
       where s.account_id = a.id and s.is_exact
         and s.captured_at <= p_now - (select p.late_after from patience p)) as until
    from public.x_accounts a
  ),
  uncredited as (
    select w.post_id, w.posted_at, k.handle
    from week_post w
    join counted k on k.account_id = w.account_id and k.since <= w.posted_at
    where not exists (select from public.post_credit c where c.post_id = w.post_id)
      and exists (
        select from postloop.usable_reads m
        where m.tweet_id = w.post_id and m.attributed_at is not null
          and m.impressions is not null and m.age_h >= 2 and m.collected_at <= k.until)
  ),
  oldest as (
    select u.*, count(*) over () as posts from uncredited u
    order by u.posted_at, u.post_id
    limit 1
  )
  select 'posts_credited',
    case when o.posts > 0 then 'failing' else 'ok' end,
    case when o.posts > 0 then format('%s attributed without credit, the oldest is %s of @%s',
        postloop.counted(o.posts, 'post'), o.post_id, o.handle)
      else '0 attributed posts without credit' end,
    format('0 posts of 7 days with exact follower counts around a read for %s', postloop.in_words(p.late_after)),
    format('Attribution did not split the follower change: see last_run_attribution, then run it: %s',
      postloop.how_to_run('attribution'))
  from patience p
  left join oldest o on true
$$;
comment on function postloop.check_credited_posts is
  'Check of pipeline_health, posts_credited: every post of 7 days that has an attributed read among exact follower counts has its credit.';

revoke all on function postloop.check_credited_posts from public, anon, authenticated, service_role;
grant execute on function postloop.check_credited_posts to service_role;

insert into postloop.checks (check_name, position) values ('credited_posts', 151);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('posts_credited', 'credited_posts', 'credit', null,
    'a post of the week with an attributed read has follower credit; one whose hours are all gaps says so itself, and has none', 'failing');
