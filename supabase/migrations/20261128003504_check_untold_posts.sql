-- People post by hand too, so only an account of which nothing was told while decisions were drawn for
-- it, several of both, has lost its track-post call.
create function postloop.check_untold_posts(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  with
  drawn as (
    select d.account_id, min(d.created_at) as since
    from public.x_accounts a
    cross join lateral (
      select m.account_id, m.created_at from public.content_metadata m
      where m.account_id = a.id and m.origin = 'recommended'
        and m.created_at > p_now - interval '7 days' and m.created_at <= p_now
    ) d
    group by d.account_id
    having count(*) >= 3
  ),
  week_post as materialized (
    select p.account_id, p.decision_id, p.posted_at
    from drawn d
    join public.post_attribution p on p.account_id = d.account_id
      and p.posted_at > p_now - interval '7 days' and p.posted_at <= p_now
  ),
  untold as (
    select d.account_id, count(*) as posts
    from drawn d
    join week_post w on w.account_id = d.account_id
      and w.posted_at > d.since and w.posted_at <= p_now - interval '1 hour'
    where not exists (
      select from week_post t where t.account_id = d.account_id and t.decision_id is not null)
    group by d.account_id
    having count(*) >= 3
  ),
  tally as (
    select coalesce(sum(u.posts), 0)::bigint as posts, min(a.handle) as handle
    from untold u
    join public.x_accounts a on a.id = u.account_id
  )
  select 'posts_tracked',
    case when t.posts > 0 then 'failing' else 'ok' end,
    case when t.posts > 0 then format(
        '%s found on the timeline and none told of while decisions are drawn, such as of @%s',
        postloop.counted(t.posts, 'post'), t.handle)
      else 'no bot is silent' end,
    'one post told of within an hour of the third',
    case when t.posts > 0 then
        'Have the bot call track-post with the decision_id after each post; look for refused calls in its log.'
      else 'If a bot is silent, it does not call track-post, or its calls are refused.' end
  from tally t
$$;
comment on function postloop.check_untold_posts is
  'Check of pipeline_health, posts_tracked: no bot that draws decisions has stopped to tell of its posts.';

revoke all on function postloop.check_untold_posts from public, anon, authenticated, service_role;
grant execute on function postloop.check_untold_posts to service_role;

insert into postloop.checks (check_name, position) values ('untold_posts', 139);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('posts_tracked', 'untold_posts', 'tracking_row', null,
    'the bot tells of its posts: where 3 decisions of 7 days were drawn and 3 later posts found on the timeline, one was told of', 'failing');
