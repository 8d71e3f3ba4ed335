-- A scraper claims what is due under a lease and records what came back in one transaction. A read with
-- quality suspect is kept as evidence and used nowhere: in no judgement, credit or reward.
create function public.claim_reads(p_now timestamptz, p_limit integer default 40, p_lease_seconds integer default 180)
returns jsonb
language plpgsql
-- as its owner, for the role of the scraper may touch no table
security definer
set search_path = ''
as $$
declare
  v_run_id uuid := gen_random_uuid();
  v_leased_until timestamptz := p_now + make_interval(secs => p_lease_seconds);
  v_missed integer;
  v_reads jsonb;
  v_followers jsonb;
  v_expected integer;
begin
  -- 1 windows that closed unread; a lease that runs out meanwhile does not reopen them
  update public.metric_collections c
  set state = 'missed', lease_id = null, finished_at = p_now
  where c.state in ('waiting', 'leased') and c.next_attempt_at <= p_now and c.expires_at <= p_now;
  get diagnostics v_missed = row_count;

  -- 2 due reads, the longest due first; rows another claim is taking are skipped
  with due as (
    select c.post_id, c.phase
    from public.metric_collections c
    where c.state in ('waiting', 'leased') and c.next_attempt_at <= p_now
    order by c.next_attempt_at, c.post_id, c.phase
    limit p_limit
    for update skip locked
  ), leased as (
    update public.metric_collections c
    set state = 'leased', lease_id = v_run_id, next_attempt_at = v_leased_until,
        attempts = c.attempts + 1
    from due
    where c.post_id = due.post_id and c.phase = due.phase
    returning c.*
  )
  select coalesce(jsonb_agg(jsonb_build_object(
      'post_id', l.post_id, 'phase', l.phase, 'account_id', l.account_id, 'handle', a.handle,
      'posted_at', p.posted_at, 'due_at', l.due_at, 'expires_at', l.expires_at,
      'attempt', l.attempts, 'previous', newest.read) order by l.due_at, l.post_id), '[]'::jsonb)
    into v_reads
  from leased l
  join public.x_accounts a on a.id = l.account_id
  join public.post_attribution p on p.post_id = l.post_id
  left join lateral (
    -- what a new read is judged against
    select jsonb_build_object('captured_at', m.collected_at, 'metrics', jsonb_build_object(
        'likes', m.likes, 'retweets', m.retweets, 'replies', m.replies, 'quotes', m.quotes,
        'bookmarks', m.bookmarks, 'impressions', m.impressions,
        'profile_clicks', m.profile_clicks)) as read
    from public.real_tweet_metrics m
    where m.tweet_id = l.post_id and m.quality <> 'suspect'
    order by m.collected_at desc
    limit 1
  ) newest on true;

  -- 3 follower counts that are due
  with due as (
    select f.account_id, f.next_attempt_at as due_at
    from public.follower_collections f
    where f.next_attempt_at <= p_now
    order by f.next_attempt_at, f.account_id
    limit p_limit
    for update skip locked
  ), leased as (
    update public.follower_collections f
    set lease_id = v_run_id, next_attempt_at = v_leased_until, attempts = f.attempts + 1
    from due
    where f.account_id = due.account_id
    returning f.account_id, f.attempts, due.due_at
  )
  select coalesce(jsonb_agg(jsonb_build_object(
      'account_id', l.account_id, 'handle', a.handle, 'due_at', l.due_at,
      'attempt', l.attempts) order by l.account_id), '[]'::jsonb)
    into v_followers
  from leased l
  join public.x_accounts a on a.id = l.account_id;

  -- 4 the run that holds the leases; an empty one is closed at once and serves as the heartbeat
  v_expected := jsonb_array_length(v_reads) + jsonb_array_length(v_followers);
  insert into public.pipeline_runs (run_id, job, status, as_of, expected, finished_at)
  values (v_run_id, 'scraper', case when v_expected = 0 then 'succeeded' else 'running' end,
    p_now, v_expected, case when v_expected = 0 then clock_timestamp() end);

  return jsonb_build_object('run_id', v_run_id, 'leased_until', v_leased_until,
    'reads', v_reads, 'followers', v_followers, 'missed', v_missed);
end
$$;
comment on function public.claim_reads is
  'Leases due reads of posts and follower counts to a new scraper run and returns them; a row is leased to one run at a time.';

-- When to try again after an outcome that says so. The jitter (up to a tenth) is drawn from the key,
-- so that a replay gives the same moment.
create function postloop.next_attempt(p_outcome text, p_attempts integer, p_key text, p_now timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
  select p_now + least(
      o.retry_after * case when o.retry_doubles then power(2, least(p_attempts, 12) - 1) else 1 end,
      greatest(interval '6 hours', o.retry_after)
    ) * (1 + abs(pg_catalog.hashtextextended(p_key || p_attempts, 0) % 1000) / 10000.0)
  from public.read_outcomes o
  where o.outcome = p_outcome
$$;
comment on function postloop.next_attempt is
  'The moment of the next try after an outcome with consequence retry; doubling waits end at 6 h.';

-- Posts of a tracked account that nobody tracked: they take their share of the follower credit.
create function postloop.discover_posts(p_discovered jsonb, p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_added text[];
begin
  with added as (
    insert into public.post_attribution (post_id, account_id, posted_at, kind, tracked_at)
    select g.post_id, g.account_id, g.posted_at, g.kind, p_now
    from jsonb_to_recordset(p_discovered) g(account_id bigint, post_id text, posted_at timestamptz, kind text)
    join public.x_accounts a on a.id = g.account_id
    -- older ones have no open hour to take a share of
    where g.posted_at <= p_now and g.posted_at > p_now - interval '8 days'
    on conflict (post_id) do nothing
    returning post_id
  )
  select coalesce(array_agg(a.post_id), '{}') into v_added from added a;

  perform postloop.schedule_reads(v_added, p_now);
  return cardinality(v_added);
end
$$;
comment on function postloop.discover_posts is
  'Tracks posts that were seen on a timeline and are not tracked yet; returns how many.';

create function postloop.record_analytics(p_run_id uuid, p_analytics jsonb)
returns void
language sql
set search_path = ''
as $$
  with given as (
    select g.* from jsonb_to_recordset(p_analytics) g(post_id text, captured_at timestamptz,
      impressions bigint, engagements bigint, detail_expands bigint, profile_visits bigint,
      link_clicks bigint, follows bigint, hourly jsonb)
    join public.post_attribution p on p.post_id = g.post_id
  ), totals as (
    insert into public.x_post_analytics (post_id, captured_at, impressions, engagements,
      detail_expands, profile_visits, link_clicks, follows, run_id)
    select g.post_id, g.captured_at, g.impressions, g.engagements, g.detail_expands,
      g.profile_visits, g.link_clicks, g.follows, p_run_id
    from given g
    on conflict (post_id, captured_at) do nothing
  )
  insert into public.x_post_hourly_impressions as h (post_id, hour, impressions)
  -- an hour that X names twice must not cost the run its whole batch
  select g.post_id, x.hour, max(x.impressions)
  from given g
  cross join lateral jsonb_to_recordset(g.hourly) x(hour timestamptz, impressions bigint)
  group by g.post_id, x.hour
  on conflict (post_id, hour) do update set impressions = excluded.impressions
  where h.impressions is distinct from excluded.impressions
$$;
comment on function postloop.record_analytics is
  'Stores what X showed authors about their own posts.';

create function postloop.record_events(p_run_id uuid, p_shapes jsonb, p_events jsonb, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
  with seen as (
    insert into public.payload_shapes as s (operation, hash, paths, first_seen_at, last_seen_at)
    select distinct on (g.operation, g.hash) g.operation, g.hash, g.paths, p_now, p_now
    from jsonb_to_recordset(p_shapes) g(operation text, hash text, paths jsonb)
    on conflict (operation, hash) do update set last_seen_at = excluded.last_seen_at
    returning s.operation, s.hash, s.first_seen_at = s.last_seen_at as is_new
  )
  insert into public.integrity_events (kind, account_id, post_id, run_id, created_at, details)
  select g.kind, a.id, p.post_id, p_run_id, p_now, g.details
  from jsonb_to_recordset(p_events) g(kind text, account_id bigint, post_id text, details jsonb)
  left join public.x_accounts a on a.id = g.account_id
  left join public.post_attribution p on p.post_id = g.post_id
  union all
  select 'shape_unseen', null, null, p_run_id, p_now,
    jsonb_build_object('operation', s.operation, 'hash', s.hash)
  from seen s
  where s.is_new
$$;
comment on function postloop.record_events is
  'Stores a run''s events and payload shapes; a shape never seen before is an event itself.';

create function public.record_reads(p_run_id uuid, p_batch jsonb, p_now timestamptz)
returns jsonb
language plpgsql
-- as its owner, for the role of the scraper may touch no table
security definer
set search_path = ''
as $$
declare
  v_run public.pipeline_runs;
  v_tally record;
  v_discovered integer;
  v_finished jsonb;
begin
  select * into v_run from public.pipeline_runs r where r.run_id = p_run_id and r.job = 'scraper' for update;
  if not found then
    return jsonb_build_object('code', 'run_unknown');
  end if;
  if v_run.error ->> 'code' = 'abandoned' then
    return jsonb_build_object('code', 'run_closed');
  end if;
  if v_run.status <> 'running' then
    -- The same record call again: everything it says is stored already.
    return jsonb_build_object('code', 'recorded', 'status', v_run.status, 'expected', v_run.expected,
      'done', v_run.done, 'failed', v_run.failed, 'skipped', v_run.skipped,
      'metrics_rows', 0, 'follower_snapshots', 0, 'discovered', 0);
  end if;

  -- No other run may take a lease that has just run out while its result is being stored.
  perform from public.metric_collections c where c.lease_id = p_run_id for update;
  perform from public.follower_collections f where f.lease_id = p_run_id for update;

  with
  -- 1 what this run still holds; a row whose lease was lost belongs to the run that took it
  held_reads as (
    select c.post_id, c.phase, c.account_id, c.expires_at, p.posted_at, o.outcome, o.consequence,
      given.evidence, given.read,
      case o.consequence when 'retry' then
        coalesce(given.retry_at, postloop.next_attempt(o.outcome, c.attempts, c.post_id || c.phase, p_now))
      else p_now end as next_attempt_at
    from public.metric_collections c
    join public.post_attribution p on p.post_id = c.post_id
    left join lateral (
      select g.*
      from jsonb_to_recordset(p_batch -> 'reads') g(
        post_id text, phase text, outcome text, retry_at timestamptz, evidence jsonb, read jsonb)
      where g.post_id = c.post_id and g.phase = c.phase
      limit 1
    ) given on true
    join public.read_outcomes o on o.outcome = coalesce(given.outcome, 'released')
    where c.lease_id = p_run_id
  ),
  held_followers as (
    select f.account_id, o.outcome, o.consequence, given.evidence,
      case o.consequence
        when 'accept' then date_trunc('hour', p_now) + interval '1 hour'
        when 'end' then p_now + interval '1 day'
        when 'release' then p_now
        else coalesce(given.retry_at, postloop.next_attempt(o.outcome, f.attempts, f.account_id::text, p_now))
      end as next_attempt_at
    from public.follower_collections f
    left join lateral (
      -- an account may come back twice, from its posts and from its profile: the number counts
      select g.*
      from jsonb_to_recordset(p_batch -> 'followers') g(
        account_id bigint, outcome text, retry_at timestamptz, evidence jsonb)
      where g.account_id = f.account_id
      order by g.outcome <> 'found'
      limit 1
    ) given on true
    join public.read_outcomes o on o.outcome = coalesce(given.outcome, 'released')
    where f.lease_id = p_run_id
  ),
  -- 2 every try leaves a trace
  traced as (
    insert into public.collection_attempts (run_id, account_id, post_id, phase, attempted_at, outcome, evidence)
    select p_run_id, h.account_id, h.post_id, h.phase, p_now, h.outcome, h.evidence
    from held_reads h where h.consequence <> 'release'
    union all
    select p_run_id, h.account_id, null, null, p_now, h.outcome, h.evidence
    from held_followers h where h.consequence <> 'release'
  ),
  -- 3 accepted numbers
  stored_metrics as (
    insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
      posted_at, likes, retweets, replies, quotes, bookmarks, impressions, profile_clicks, source,
      quality, run_id)
    select h.post_id, h.phase, h.account_id, (h.read ->> 'captured_at')::timestamptz, h.posted_at,
      m.likes, m.retweets, m.replies, m.quotes, m.bookmarks, m.impressions, m.profile_clicks,
      h.read ->> 'source', h.read ->> 'quality', p_run_id
    from held_reads h
    cross join lateral jsonb_to_record(h.read -> 'metrics') m(likes bigint, retweets bigint,
      replies bigint, quotes bigint, bookmarks bigint, impressions bigint, profile_clicks bigint)
    where h.consequence = 'accept'
    on conflict (tweet_id, collection_phase) do nothing
    returning 1
  ),
  stored_followers as (
    insert into public.follower_snapshots (account_id, captured_at, followers, is_exact, source, run_id)
    select g.account_id, s.captured_at, s.followers, s.is_exact, s.source, p_run_id
    from jsonb_to_recordset(p_batch -> 'followers') g(account_id bigint, outcome text, snapshot jsonb)
    cross join lateral jsonb_to_record(g.snapshot) s(
      captured_at timestamptz, followers bigint, is_exact boolean, source text)
    where g.outcome = 'found'
    on conflict (account_id, captured_at) do nothing
    returning 1
  ),
  -- 4 what follows for the schedule; a post that is gone takes its later reads with it
  gone as (
    select distinct on (h.post_id) h.post_id, h.outcome
    from held_reads h where h.consequence = 'end'
    order by h.post_id, h.phase
  ),
  following as (
    select h.post_id, h.phase, h.outcome, h.consequence, h.next_attempt_at,
      case
        when h.consequence = 'accept' then 'done'
        when h.consequence = 'end' then 'ended'
        when h.consequence = 'retry' and h.next_attempt_at >= h.expires_at then 'missed'
        else 'waiting'
      end as state
    from held_reads h
    union all
    select c.post_id, c.phase, gone.outcome, 'end', p_now, 'ended'
    from gone
    join public.metric_collections c on c.post_id = gone.post_id and c.state in ('waiting', 'leased')
    where c.lease_id is distinct from p_run_id
  ),
  rescheduled as (
    update public.metric_collections c
    set state = f.state,
        outcome = f.outcome,
        lease_id = null,
        attempts = c.attempts - case when f.consequence = 'release' then 1 else 0 end,
        next_attempt_at = f.next_attempt_at,
        finished_at = case when f.state <> 'waiting' then p_now end
    from following f
    where c.post_id = f.post_id and c.phase = f.phase
  ),
  -- 5 follower counts are read on the hour
  followers_rescheduled as (
    update public.follower_collections f
    set outcome = h.outcome,
        lease_id = null,
        attempts = case h.consequence when 'accept' then 0 when 'release' then f.attempts - 1 else f.attempts end,
        next_attempt_at = h.next_attempt_at
    from held_followers h
    where f.account_id = h.account_id
  ),
  held as (
    select consequence from held_reads
    union all
    select consequence from held_followers
  )
  -- 6 the run's account of itself
  select
    count(*) filter (where consequence in ('accept', 'end'))::integer as done,
    count(*) filter (where consequence = 'retry')::integer as failed,
    count(*) filter (where consequence = 'release')::integer as released,
    v_run.expected - count(*)::integer as lost,
    (select count(*) from stored_metrics) as metrics_rows,
    (select count(*) from stored_followers) as follower_snapshots
    into v_tally
  from held;

  -- 7 what the pages showed beside
  v_discovered := postloop.discover_posts(coalesce(p_batch -> 'discovered', '[]'), p_now);
  perform postloop.record_analytics(p_run_id, coalesce(p_batch -> 'analytics', '[]'));
  perform postloop.record_events(p_run_id, coalesce(p_batch -> 'shapes', '[]'),
    coalesce(p_batch -> 'events', '[]'), p_now);

  v_finished := public.finish_pipeline_run(p_run_id, v_tally.done,
    jsonb_strip_nulls(jsonb_build_object(
      'released', nullif(v_tally.released, 0), 'lease_lost', nullif(v_tally.lost, 0))),
    v_tally.failed);
  return jsonb_build_object('code', 'recorded', 'metrics_rows', v_tally.metrics_rows,
    'follower_snapshots', v_tally.follower_snapshots, 'discovered', v_discovered, 'status', v_finished -> 'status',
    'expected', v_finished -> 'expected', 'done', v_finished -> 'done',
    'failed', v_finished -> 'failed', 'skipped', v_finished -> 'skipped');
end
$$;
comment on function public.record_reads is
  'Records the batch of a scraper run ({reads, followers, discovered, analytics, shapes, events}), reschedules the rest and closes the run, in one transaction. Repeating the call changes nothing.';

revoke all on function
  public.claim_reads, postloop.next_attempt, postloop.discover_posts, postloop.record_analytics,
  postloop.record_events, public.record_reads
  from public, anon, authenticated, service_role;
grant execute on function
  public.claim_reads, postloop.next_attempt, postloop.discover_posts, postloop.record_analytics,
  postloop.record_events, public.record_reads
  to service_role;
grant execute on function public.claim_reads, public.record_reads to scraper;
