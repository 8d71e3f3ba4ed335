-- What a page shows beside the numbers that were asked for: other posts, analytics, its own shape.
create table public.payload_shapes (
  operation text not null,
  hash text not null,
  paths jsonb not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (operation, hash),
  constraint paths_are_a_list check (jsonb_typeof(paths) = 'array')
);
comment on table public.payload_shapes is 'The shapes that X''s payloads have had: a new one says that X changed something.';
comment on column public.payload_shapes.hash is 'Hash of the payload''s key paths and types.';
comment on column public.payload_shapes.paths is 'The key paths with their types, as first seen; no values.';

create table public.integrity_events (
  id bigint generated always as identity primary key,
  kind text not null,
  account_id bigint references public.accounts (id) on delete cascade,
  post_id text references public.post_attribution (post_id) on delete cascade,
  run_id uuid,
  created_at timestamptz not null,
  details jsonb not null default '{}',
  constraint kind_is_known check (
    kind in ('shape_changed', 'shape_unseen', 'session_invalid', 'login_required', 'degraded'))
);
comment on table public.integrity_events is 'What a person should know of: changed payloads, refused sessions, numbers not believed.';
comment on column public.integrity_events.details is 'Key paths, codes and counts; never a payload''s text, never a secret.';
create index integrity_events_created_at_idx on public.integrity_events (created_at desc);
create index integrity_events_account_id_idx on public.integrity_events (account_id);
create index integrity_events_post_id_idx on public.integrity_events (post_id);

create table public.post_analytics (
  post_id text not null references public.post_attribution (post_id) on delete cascade,
  captured_at timestamptz not null,
  impressions bigint,
  engagements bigint,
  detail_expands bigint,
  profile_visits bigint,
  link_clicks bigint,
  follows bigint,
  run_id uuid not null,
  primary key (post_id, captured_at),
  constraint counts_are_not_negative check (
    impressions >= 0 and engagements >= 0 and detail_expands >= 0 and profile_visits >= 0
    and link_clicks >= 0 and follows >= 0)
);
comment on table public.post_analytics is 'What X shows an author about a post of their own. A value that X did not show is null.';
comment on column public.post_analytics.follows is 'Follows that X itself attributes to the post.';

create table public.post_hourly_impressions (
  post_id text not null references public.post_attribution (post_id) on delete cascade,
  hr timestamptz not null,
  impressions bigint not null,
  primary key (post_id, hr),
  constraint impressions_are_not_negative check (impressions >= 0)
);
comment on table public.post_hourly_impressions is 'Impressions that a post gathered in each of its first 48 hours, as X shows them to its author.';
comment on column public.post_hourly_impressions.hr is 'Start of the hour.';

alter table public.payload_shapes enable row level security;
alter table public.integrity_events enable row level security;
alter table public.post_analytics enable row level security;
alter table public.post_hourly_impressions enable row level security;

create policy owners_read_their_integrity_events on public.integrity_events
  for select to authenticated
  using (account_id in (select id from public.accounts where owner_id = (select auth.uid())));
create policy owners_read_their_analytics on public.post_analytics
  for select to authenticated
  using (post_id in (
    select p.post_id from public.post_attribution p
    join public.accounts a on a.id = p.account_id where a.owner_id = (select auth.uid())));
create policy owners_read_their_hourly_impressions on public.post_hourly_impressions
  for select to authenticated
  using (post_id in (
    select p.post_id from public.post_attribution p
    join public.accounts a on a.id = p.account_id where a.owner_id = (select auth.uid())));

grant select on public.integrity_events, public.post_analytics, public.post_hourly_impressions
  to authenticated;
grant select, insert, update on public.payload_shapes, public.post_analytics,
  public.post_hourly_impressions to service_role;
grant select, insert on public.integrity_events to service_role;

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
    join public.accounts a on a.id = g.account_id
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
    insert into public.post_analytics (post_id, captured_at, impressions, engagements,
      detail_expands, profile_visits, link_clicks, follows, run_id)
    select g.post_id, g.captured_at, g.impressions, g.engagements, g.detail_expands,
      g.profile_visits, g.link_clicks, g.follows, p_run_id
    from given g
    on conflict (post_id, captured_at) do nothing
  )
  insert into public.post_hourly_impressions as h (post_id, hr, impressions)
  -- an hour that X names twice must not cost the run its whole batch
  select g.post_id, x.hr, max(x.impressions)
  from given g
  cross join lateral jsonb_to_recordset(g.hourly) x(hr timestamptz, impressions bigint)
  group by g.post_id, x.hr
  on conflict (post_id, hr) do update set impressions = excluded.impressions
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
  left join public.accounts a on a.id = g.account_id
  left join public.post_attribution p on p.post_id = g.post_id
  union all
  select 'shape_unseen', null, null, p_run_id, p_now,
    jsonb_build_object('operation', s.operation, 'hash', s.hash)
  from seen s
  where s.is_new
$$;
comment on function postloop.record_events is
  'Stores a run''s events and payload shapes; a shape never seen before is an event itself.';

revoke execute on function postloop.discover_posts, postloop.record_analytics, postloop.record_events
  from public, anon, authenticated;
grant execute on function postloop.discover_posts, postloop.record_analytics, postloop.record_events
  to service_role;
