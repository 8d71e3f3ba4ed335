create function postloop.check_tracked_posts(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  unread as (
    select p.post_id, a.handle, p.posted_at
    from public.post_attribution p
    join public.x_accounts a on a.id = p.account_id
    -- while a window of it may still be open
    where p.posted_at <= p_now and p.posted_at > p_now - (
        select max(ph.age + ph.tolerance) from public.collection_phases ph where ph.scheduled)
      and not exists (select from public.metric_collections c where c.post_id = p.post_id)
      -- an account whose followers are not read is not read at all: imported and not named yet
      and exists (select from public.follower_collections f where f.account_id = p.account_id)
  ),
  newest as (
    select u.post_id, u.handle, count(*) over () as posts from unread u
    order by u.posted_at desc
    limit 1
  )
  select 'posts_have_reads',
    case when n.posts > 0 then 'failing' else 'ok' end,
    case when n.posts > 0 then format('%s without, the newest is %s of @%s',
        postloop.counted(n.posts, 'post'), n.post_id, n.handle)
      else '0 posts without' end,
    '0 posts of the last 14 days without scheduled reads',
    case when n.posts > 0 then
        'They were written past track_post. Schedule what is still open: select postloop.schedule_reads(array(select p.post_id from public.post_attribution p where p.posted_at > now() - interval ''14 days''), now());'
      else 'If one has none, it was written past track_post: postloop.schedule_reads schedules them.' end
  from (select) always
  left join newest n on true
$$;
comment on function postloop.check_tracked_posts is
  'Check of pipeline_health, posts_have_reads: every post whose last window may be open, of 14 days, has a schedule of reads.';

revoke all on function postloop.check_tracked_posts from public, anon, authenticated, service_role;
grant execute on function postloop.check_tracked_posts to service_role;

insert into postloop.checks (check_name, position) values ('tracked_posts', 142);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('posts_have_reads', 'tracked_posts', 'due_reads', null,
    'every post of which a window may be open has a schedule of reads; of accounts that are read', 'failing');
