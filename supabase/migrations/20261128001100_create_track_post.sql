-- Tracking a post is one transaction: the post, its decision and its due reads, or nothing.
create function postloop.followers_at_posting(p_account_id bigint, p_posted_at timestamptz)
returns bigint
language sql
stable
set search_path = ''
as $$
  select s.followers
  from public.follower_snapshots s
  where s.account_id = p_account_id
    and s.is_exact
    and s.captured_at <= p_posted_at
    and s.captured_at >= p_posted_at - interval '6 hours'
  order by s.captured_at desc
  limit 1
$$;
comment on function postloop.followers_at_posting is
  'The last exact follower count at most 6 h before a post; null when there is none.';

-- A post and its schedule, in the shape of the track-post reply.
create function postloop.tracked_post(p_post_id text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'post', jsonb_build_object(
      'post_id', p.post_id, 'account_id', p.account_id, 'decision_id', p.decision_id,
      'posted_at', p.posted_at, 'kind', p.kind, 'realised', p.realised,
      'viral_score', p.viral_score, 'followers_before', p.followers_before),
    'collections', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'phase', c.phase, 'due_at', c.due_at, 'expires_at', c.expires_at, 'state', c.state)
        order by c.due_at), '[]'::jsonb)
      from public.metric_collections c
      where c.post_id = p.post_id))
  from public.post_attribution p
  where p.post_id = p_post_id
$$;
comment on function postloop.tracked_post is 'A post and its schedule as the reply of track-post shows them.';

-- One due read for each phase; a window that is already over counts as missed, never as due.
create function postloop.schedule_reads(p_post_ids text[], p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
  insert into public.metric_collections
    (post_id, phase, account_id, due_at, expires_at, next_attempt_at, state, finished_at)
  select p.post_id, ph.phase, p.account_id,
    p.posted_at + ph.age,
    p.posted_at + ph.age + ph.tolerance,
    p.posted_at + ph.age,
    case when p.posted_at + ph.age + ph.tolerance <= p_now then 'missed' else 'waiting' end,
    case when p.posted_at + ph.age + ph.tolerance <= p_now then p_now end
  from public.post_attribution p
  cross join public.collection_phases ph
  where p.post_id = any (p_post_ids) and ph.scheduled
  on conflict (post_id, phase) do nothing
$$;
comment on function postloop.schedule_reads is 'Schedules every scheduled phase of the posts that has no read yet.';

create function public.track_post(
  p_post_id text,
  p_posted_at timestamptz,
  p_now timestamptz,
  p_decision_id text default null,
  p_account text default null,
  p_kind text default null,
  p_dimensions jsonb default null,
  p_viral_score double precision default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_account public.x_accounts;
  v_decision public.content_metadata;
  v_known public.post_attribution;
  v_realised jsonb;
  v_unknown jsonb;
  v_differs text[];
  v_code text := 'created';
begin
  -- Two calls for the same post, or for the same decision, take turns.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('postloop.post.' || p_post_id, 0));
  if p_decision_id is not null then
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('postloop.decision.' || p_decision_id, 0));
  end if;

  if p_decision_id is not null then
    select * into v_decision from public.content_metadata d where d.decision_id = p_decision_id;
    if not found then
      return jsonb_build_object('code', 'decision_unknown');
    end if;
    select * into v_account from public.x_accounts a where a.id = v_decision.account_id;
    if p_account is not null and lower(p_account) <> lower(v_account.handle) then
      return jsonb_build_object('code', 'account_conflict', 'decided_for', v_account.handle);
    end if;
  else
    select * into v_account from public.x_accounts a where lower(a.handle) = lower(p_account);
    if not found then
      return jsonb_build_object('code', 'account_unknown');
    end if;
  end if;

  if p_posted_at > p_now then
    return jsonb_build_object('code', 'posted_in_future', 'posted_at', p_posted_at, 'now', p_now);
  end if;

  v_unknown := postloop.first_unknown_value(v_account.id, coalesce(p_dimensions, '{}'));
  if v_unknown is not null then
    return jsonb_build_object('code',
      case when (v_unknown ->> 'known_dimension')::boolean then 'value_unknown' else 'dimension_unknown' end,
      'unknown', v_unknown);
  end if;

  select * into v_known from public.post_attribution p where p.post_id = p_post_id;
  if v_known.post_id is not null and v_known.decision_id is not null then
    -- What the caller sends must be what is stored; the rest of the row is not the caller's matter.
    if p_decision_id is null then
      select * into v_decision from public.content_metadata d where d.decision_id = v_known.decision_id;
    end if;
    v_differs := array_remove(array[
      case when v_known.account_id <> v_account.id then 'account' end,
      case when coalesce(p_decision_id, v_known.decision_id) <> v_known.decision_id
        or (p_decision_id is null and v_decision.origin <> 'manual') then 'decision_id' end,
      case when v_known.posted_at <> p_posted_at then 'posted_at' end,
      case when v_known.kind <> p_kind then 'kind' end,
      case when v_known.realised <> v_decision.assigned || p_dimensions then 'dimensions' end,
      case when v_known.viral_score is distinct from p_viral_score and p_viral_score is not null then 'viral_score' end
    ], null);
    if v_differs <> '{}' then
      return jsonb_build_object('code', 'post_conflict', 'differs', v_differs,
        'post', postloop.tracked_post(p_post_id) -> 'post');
    end if;
    return jsonb_build_object('code', 'exists') || postloop.tracked_post(p_post_id);
  end if;

  if v_known.post_id is not null then
    -- Found on the timeline: the caller adds the decision, and cannot change whose post it is or when.
    v_differs := array_remove(array[
      case when v_known.account_id <> v_account.id then 'account' end,
      case when v_known.posted_at <> p_posted_at then 'posted_at' end
    ], null);
    if v_differs <> '{}' then
      return jsonb_build_object('code', 'post_conflict', 'differs', v_differs,
        'post', postloop.tracked_post(p_post_id) -> 'post');
    end if;
    v_code := 'linked';
  end if;

  if exists (select from public.post_attribution p where p.decision_id = p_decision_id) then
    return jsonb_build_object('code', 'decision_taken', 'post_id',
      (select p.post_id from public.post_attribution p where p.decision_id = p_decision_id));
  end if;

  -- Without a decision of ours the bot chose by itself: that is a decision too.
  if p_decision_id is null then
    insert into public.content_metadata (account_id, created_at, origin, kind, assigned)
    values (v_account.id, p_now, 'manual', coalesce(p_kind, 'single'), coalesce(p_dimensions, '{}'))
    returning * into v_decision;
  end if;

  v_realised := v_decision.assigned || coalesce(p_dimensions, '{}');
  insert into public.post_attribution (post_id, account_id, decision_id, posted_at, kind, realised,
    viral_score, tracked_at, followers_before)
  values (p_post_id, v_account.id, v_decision.decision_id, p_posted_at,
    coalesce(p_kind, v_decision.kind), v_realised, p_viral_score, p_now,
    postloop.followers_at_posting(v_account.id, p_posted_at))
  on conflict (post_id) do update
  set decision_id = excluded.decision_id, kind = excluded.kind, realised = excluded.realised,
      viral_score = excluded.viral_score;

  perform postloop.schedule_reads(array[p_post_id], p_now);
  return jsonb_build_object('code', v_code) || postloop.tracked_post(p_post_id);
end
$$;
comment on function public.track_post is
  'Records a post, its decision and its due reads; idempotent by post id. Returns {code, post, collections}: created, linked (a discovered post), exists, or the code of a refusal with nothing written.';

revoke all on function
  postloop.followers_at_posting, postloop.tracked_post, postloop.schedule_reads, public.track_post
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.followers_at_posting, postloop.tracked_post, postloop.schedule_reads, public.track_post
  to service_role;
