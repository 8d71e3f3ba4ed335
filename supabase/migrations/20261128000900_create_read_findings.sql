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
  account_id bigint references public.x_accounts (id) on delete cascade,
  post_id text references public.post_attribution (post_id) on delete cascade,
  run_id uuid,
  created_at timestamptz not null,
  details jsonb not null default '{}',
  constraint kind_is_known check (kind in (
    'shape_changed', 'shape_unseen', 'session_invalid', 'login_required', 'degraded', 'call_failed',
    'drift'))
);
comment on table public.integrity_events is 'What a person should know of: changed payloads, refused sessions, numbers not believed.';
comment on column public.integrity_events.details is 'Key paths, codes and counts; never a payload''s text, never a secret.';
create index integrity_events_created_at_idx on public.integrity_events (created_at desc);
create index integrity_events_account_id_idx on public.integrity_events (account_id);
create index integrity_events_post_id_idx on public.integrity_events (post_id);

create table public.x_post_analytics (
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
comment on table public.x_post_analytics is 'What X shows an author about a post of their own. A value that X did not show is null.';
comment on column public.x_post_analytics.engagements is 'As X counts them: clicks too, and more.';
comment on column public.x_post_analytics.follows is 'Follows that X itself attributes to the post.';

create table public.x_post_hourly_impressions (
  post_id text not null references public.post_attribution (post_id) on delete cascade,
  hour timestamptz not null,
  impressions bigint not null,
  primary key (post_id, hour),
  constraint impressions_are_not_negative check (impressions >= 0)
);
comment on table public.x_post_hourly_impressions is 'Impressions that a post gathered in each of its first 48 hours, as X shows them to its author.';
comment on column public.x_post_hourly_impressions.hour is 'Start of the hour.';

alter table public.payload_shapes enable row level security;
alter table public.integrity_events enable row level security;
alter table public.x_post_analytics enable row level security;
alter table public.x_post_hourly_impressions enable row level security;
create policy owners_read_their_integrity_events on public.integrity_events
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));
create policy owners_read_their_analytics on public.x_post_analytics
  for select to authenticated
  using (post_id in (
    select p.post_id from public.post_attribution p
    join public.x_accounts a on a.id = p.account_id where a.owner_id = (select auth.uid())));
create policy owners_read_their_hourly_impressions on public.x_post_hourly_impressions
  for select to authenticated
  using (post_id in (
    select p.post_id from public.post_attribution p
    join public.x_accounts a on a.id = p.account_id where a.owner_id = (select auth.uid())));

revoke all on
  public.payload_shapes, public.integrity_events, public.x_post_analytics,
  public.x_post_hourly_impressions
  from public, anon, authenticated, service_role;
revoke all on sequence
  public.integrity_events_id_seq
  from public, anon, authenticated, service_role;
grant select on
  public.integrity_events, public.x_post_analytics, public.x_post_hourly_impressions
  to authenticated;
grant select, insert, update on
  public.payload_shapes, public.x_post_analytics, public.x_post_hourly_impressions
  to service_role;
grant select, insert on public.integrity_events to service_role;
