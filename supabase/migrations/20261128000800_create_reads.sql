-- What is to be read and when, what came back, and the numbers that were accepted.
create table public.collection_phases (
  phase text primary key,
  age interval not null,
  tolerance interval not null,
  scheduled boolean not null default true,
  constraint phase_age_is_positive check (age > interval '0'),
  constraint phase_tolerance_is_positive check (tolerance > interval '0'),
  constraint phase_age_is_unique unique (age)
);
comment on table public.collection_phases is 'The ages at which a post''s numbers are read.';
comment on column public.collection_phases.age is 'Time since posting at which the read falls due.';
comment on column public.collection_phases.tolerance is 'How late the read may still stand for this age; after it the read counts as missed.';
comment on column public.collection_phases.scheduled is
  'Whether track-post schedules a read at this age; the other phases hold reads that came anyway.';

-- No window reaches the next phase, so that one late read can never fill two phases with one number.
insert into public.collection_phases (phase, age, tolerance) values
  ('30m', '30 minutes', '45 minutes'),
  ('2h', '2 hours', '2 hours'),
  ('6h', '6 hours', '6 hours'),
  ('24h', '24 hours', '12 hours'),
  ('48h', '48 hours', '24 hours'),
  ('7d', '7 days', '7 days');

-- They fill the time between the scheduled windows, so that a read of any age belongs to one phase.
insert into public.collection_phases (phase, age, tolerance, scheduled) values
  ('0m', '1 second', '29 minutes 59 seconds', false),
  ('75m', '75 minutes', '45 minutes', false),
  ('4h', '4 hours', '2 hours', false),
  ('12h', '12 hours', '12 hours', false),
  ('36h', '36 hours', '12 hours', false),
  ('3d', '3 days', '4 days', false),
  ('14d', '14 days', '36500 days', false);

create table public.read_outcomes (
  outcome text primary key,
  consequence text not null,
  retry_after interval,
  retry_doubles boolean not null default false,
  description text not null,
  constraint consequence_is_known check (consequence in ('accept', 'end', 'retry', 'release')),
  constraint retries_say_when check ((consequence = 'retry') = (retry_after is not null))
);
comment on table public.read_outcomes is 'What may come back from reading a page, and what follows from it.';
comment on column public.read_outcomes.consequence is 'accept: store and finish; end: stop the post''s schedule; retry: read again; release: was not tried.';
comment on column public.read_outcomes.retry_after is 'Wait before the next try unless X named a moment.';
comment on column public.read_outcomes.retry_doubles is 'The wait doubles with each try, up to 6 hours.';

insert into public.read_outcomes (outcome, consequence, retry_after, retry_doubles, description) values
  ('found', 'accept', null, false, 'the numbers were read'),
  ('deleted', 'end', null, false, 'the post is gone'),
  ('suspended', 'end', null, false, 'the author is suspended or gone'),
  ('restricted', 'retry', '1 day', false, 'protected, age-gated or blocked'),
  ('rate_limited', 'retry', '15 minutes', false, 'X refuses until its window resets'),
  ('session_invalid', 'retry', '15 minutes', true, 'X refuses the session'),
  ('login_required', 'retry', '15 minutes', true, 'X wants a login'),
  ('blocked', 'retry', '5 minutes', true, 'the network was refused'),
  ('transient', 'retry', '1 minute', true, 'the page did not load'),
  ('shape_changed', 'retry', '1 hour', true, 'the payload has a shape nobody knows'),
  ('wrong_post', 'retry', '1 hour', true, 'another post came back'),
  ('degraded', 'retry', '10 minutes', true, 'the numbers look false'),
  ('released', 'release', null, false, 'the run ended before its turn');

create table public.metric_collections (
  post_id text not null references public.post_attribution (post_id) on delete cascade,
  phase text not null references public.collection_phases (phase),
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  due_at timestamptz not null,
  expires_at timestamptz not null,
  next_attempt_at timestamptz not null,
  state text not null default 'waiting',
  outcome text references public.read_outcomes (outcome),
  attempts integer not null default 0,
  lease_id uuid,
  finished_at timestamptz,
  primary key (post_id, phase),
  constraint state_is_known check (state in ('waiting', 'leased', 'done', 'ended', 'missed')),
  constraint only_leased_rows_have_a_lease check ((state = 'leased') = (lease_id is not null)),
  constraint finished_rows_have_an_end check ((state in ('done', 'ended', 'missed')) = (finished_at is not null)),
  constraint window_is_not_empty check (expires_at > due_at),
  constraint attempts_are_not_negative check (attempts >= 0)
);
comment on table public.metric_collections is 'One read that is due: a post at an age, with its lease, attempts and outcome.';
comment on column public.metric_collections.next_attempt_at is 'When it may be claimed; while leased, when the lease ends.';
comment on column public.metric_collections.outcome is 'What the last try gave.';
comment on column public.metric_collections.lease_id is 'The run that holds it.';
create index metric_collections_open_idx on public.metric_collections (next_attempt_at)
  where state in ('waiting', 'leased');
create index metric_collections_lease_id_idx on public.metric_collections (lease_id)
  where lease_id is not null;
create index metric_collections_account_id_idx on public.metric_collections (account_id);
create index metric_collections_phase_idx on public.metric_collections (phase);
create index metric_collections_outcome_idx on public.metric_collections (outcome);
create index metric_collections_finished_at_idx on public.metric_collections (finished_at)
  where finished_at is not null;

create table public.follower_collections (
  account_id bigint primary key references public.x_accounts (id) on delete cascade,
  next_attempt_at timestamptz not null,
  outcome text references public.read_outcomes (outcome),
  attempts integer not null default 0,
  lease_id uuid,
  constraint attempts_are_not_negative check (attempts >= 0)
);
comment on table public.follower_collections is 'The next hourly read of an account''s follower count.';
comment on column public.follower_collections.next_attempt_at is 'When it may be claimed; while leased, when the lease ends.';
comment on column public.follower_collections.attempts is 'Tries since the last count was read.';
create index follower_collections_next_attempt_at_idx on public.follower_collections (next_attempt_at);
create index follower_collections_outcome_idx on public.follower_collections (outcome);

create table public.real_tweet_metrics (
  tweet_id text not null references public.post_attribution (post_id) on delete cascade,
  collection_phase text not null references public.collection_phases (phase),
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  collected_at timestamptz not null,
  posted_at timestamptz not null,
  likes bigint,
  retweets bigint,
  replies bigint,
  quotes bigint,
  bookmarks bigint,
  impressions bigint,
  profile_clicks bigint,
  source text not null,
  quality text not null,
  run_id uuid not null,
  attributed_at timestamptz,
  age_h double precision generated always as (extract(epoch from collected_at - posted_at)::double precision / 3600) stored,
  engagement_rate double precision generated always as (
    case when impressions > 0
      then postloop.engagements(likes, retweets, replies)::double precision / impressions end
  ) stored,
  primary key (tweet_id, collection_phase),
  constraint counts_are_not_negative check (
    likes >= 0 and retweets >= 0 and replies >= 0 and quotes >= 0 and bookmarks >= 0
    and impressions >= 0 and profile_clicks >= 0
  ),
  constraint reads_follow_the_post check (collected_at > posted_at),
  constraint source_is_known check (source in ('graphql', 'dom', 'api', 'imported')),
  constraint quality_is_known check (quality in ('exact', 'rounded', 'suspect'))
);
comment on table public.real_tweet_metrics is 'One accepted read of a post. A number that was not read is null.';
comment on column public.real_tweet_metrics.collected_at is 'When the numbers were read; the phase says only which read it was.';
comment on column public.real_tweet_metrics.source is
  'Where X showed it: graphql (page payload), dom (action bar) or api; imported from a database of before.';
comment on column public.real_tweet_metrics.quality is 'exact, or rounded when X showed an abbreviated number.';
comment on column public.real_tweet_metrics.run_id is 'The scraper run that recorded it.';
comment on column public.real_tweet_metrics.attributed_at is 'When attribution took it up; null until then.';
comment on column public.real_tweet_metrics.age_h is 'True age of the read: hours since posting.';
comment on column public.real_tweet_metrics.engagement_rate is 'Engagements (likes + retweets + replies) / impressions, a fraction; null when any is unknown.';
create index real_tweet_metrics_unattributed_idx on public.real_tweet_metrics (tweet_id)
  where attributed_at is null;
create index real_tweet_metrics_account_id_idx on public.real_tweet_metrics (account_id, collected_at);
create index real_tweet_metrics_collection_phase_idx on public.real_tweet_metrics (collection_phase);
create index real_tweet_metrics_awaiting_idx on public.real_tweet_metrics (collected_at)
  where attributed_at is null and quality <> 'suspect';

-- Two rules that many statements need. The planner takes the views apart and uses the tables' indexes.
create view postloop.usable_reads with (security_invoker = on) as
  select * from public.real_tweet_metrics where quality <> 'suspect';
comment on view postloop.usable_reads is 'The reads that numbers, credit and learning may rest on: all but the suspect ones.';

create view postloop.unattributed_reads with (security_invoker = on) as
  select * from postloop.usable_reads where attributed_at is null;
comment on view postloop.unattributed_reads is 'The usable reads that attribution has not taken up.';

create table public.collection_attempts (
  id bigint generated always as identity primary key,
  run_id uuid not null,
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  post_id text references public.post_attribution (post_id) on delete cascade,
  phase text references public.collection_phases (phase),
  attempted_at timestamptz not null,
  outcome text not null references public.read_outcomes (outcome),
  evidence jsonb,
  constraint post_reads_have_a_phase check ((post_id is null) = (phase is null))
);
comment on table public.collection_attempts is 'Every try and what came back, the refused ones with their evidence; no post for a follower read.';
comment on column public.collection_attempts.evidence is 'Key paths, codes and counts; never the payload''s text.';
create index collection_attempts_run_id_idx on public.collection_attempts (run_id);
create index collection_attempts_account_id_idx on public.collection_attempts (account_id, attempted_at desc);
create index collection_attempts_post_id_idx on public.collection_attempts (post_id);
create index collection_attempts_phase_idx on public.collection_attempts (phase);
create index collection_attempts_outcome_idx on public.collection_attempts (outcome);

create table public.follower_snapshots (
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  captured_at timestamptz not null,
  followers bigint not null,
  is_exact boolean not null,
  source text not null,
  run_id uuid not null,
  primary key (account_id, captured_at),
  constraint followers_are_not_negative check (followers >= 0),
  constraint source_is_known check (source in ('graphql', 'dom', 'api'))
);
comment on table public.follower_snapshots is 'The follower count of an account at a moment.';
comment on column public.follower_snapshots.is_exact is 'False when X showed a rounded number; such a count is never used for attribution.';

-- Registering an account is one call, and may be repeated to add values.
create function public.register_x_account(p_handle text, p_values jsonb default '{}', p_now timestamptz default now())
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_account_id bigint;
  v_unknown text;
begin
  if p_handle !~ '^[A-Za-z0-9_]{1,15}$' then
    return jsonb_build_object('code', 'handle_invalid', 'handle', p_handle);
  end if;

  select given.key into v_unknown
  from jsonb_object_keys(p_values) given(key)
  where not exists (select from public.content_dimensions d where d.dimension = given.key)
  limit 1;
  if v_unknown is not null then
    return jsonb_build_object('code', 'dimension_unknown', 'dimension', v_unknown);
  end if;

  insert into public.x_accounts (handle, created_at)
  values (p_handle, p_now)
  on conflict ((lower(handle))) do update set handle = excluded.handle
  returning id into v_account_id;

  insert into public.content_dimension_values (account_id, dimension, value, created_at)
  select v_account_id, given.key, item.value, p_now
  from jsonb_each(p_values) given
  cross join lateral jsonb_array_elements_text(given.value) item(value)
  on conflict (account_id, dimension, value) do nothing;

  insert into public.follower_collections (account_id, next_attempt_at)
  values (v_account_id, p_now)
  on conflict (account_id) do nothing;

  return jsonb_build_object('code', 'registered', 'account_id', v_account_id);
end
$$;
comment on function public.register_x_account is
  'Adds an account or widens its vocabulary: {"tone": ["dry", "warm"], ...}; its follower count is read from now on.';

alter table public.collection_phases enable row level security;
alter table public.read_outcomes enable row level security;
alter table public.metric_collections enable row level security;
alter table public.follower_collections enable row level security;
alter table public.real_tweet_metrics enable row level security;
alter table public.collection_attempts enable row level security;
alter table public.follower_snapshots enable row level security;
create policy signed_in_users_read_phases on public.collection_phases
  for select to authenticated using (true);
create policy owners_read_their_collections on public.metric_collections
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));
create policy owners_read_their_metrics on public.real_tweet_metrics
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));
create policy owners_read_their_follower_counts on public.follower_snapshots
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));

revoke all on
  public.collection_phases, public.read_outcomes, public.metric_collections,
  public.follower_collections, public.real_tweet_metrics, public.collection_attempts,
  public.follower_snapshots, postloop.usable_reads, postloop.unattributed_reads
  from public, anon, authenticated, service_role;
revoke all on sequence
  public.collection_attempts_id_seq
  from public, anon, authenticated, service_role;
grant select on
  public.collection_phases, public.metric_collections, public.real_tweet_metrics,
  public.follower_snapshots
  to authenticated;
grant select on public.collection_phases, public.read_outcomes to service_role;
grant select, insert, update on
  public.metric_collections, public.follower_collections, public.real_tweet_metrics,
  public.collection_attempts, public.follower_snapshots
  to service_role;
-- attribution marks the reads that it takes up
grant select, update on postloop.usable_reads, postloop.unattributed_reads to service_role;
revoke all on function public.register_x_account from public, anon, authenticated, service_role;
grant execute on function public.register_x_account to service_role;
