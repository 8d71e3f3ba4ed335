-- A decision is what was to be posted, a post what was; learning needs both and what they brought.
create table public.content_metadata (
  decision_id text primary key default gen_random_uuid()::text,
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  created_at timestamptz not null default now(),
  origin text not null,
  kind text not null default 'single',
  assigned jsonb not null default '{}',
  policy text,
  propensity double precision,
  slate jsonb,
  rng_seed bigint,
  topic text generated always as (assigned ->> 'topic') stored,
  angle text generated always as (assigned ->> 'angle') stored,
  tone text generated always as (assigned ->> 'tone') stored,
  format text generated always as (assigned ->> 'format') stored,
  generator text generated always as (assigned ->> 'generator') stored,
  hook_pattern text generated always as (assigned ->> 'hook_pattern') stored,
  chosen integer,
  model_version bigint,
  prompted boolean,
  control_share double precision,
  constraint origin_is_known check (origin in ('recommended', 'manual', 'imported')),
  constraint kind_is_known check (kind in ('single', 'thread', 'reply')),
  constraint assigned_is_an_object check (jsonb_typeof(assigned) = 'object'),
  constraint propensity_is_a_probability check (propensity > 0 and propensity <= 1),
  constraint recommendations_are_logged check (
    origin <> 'recommended'
    or num_nulls(policy, propensity, slate, chosen, rng_seed, prompted, control_share) = 0
  ),
  constraint chosen_is_what_was_assigned check (
    chosen is null or slate is null or chosen >= 0 and coalesce(slate -> chosen = assigned, false)),
  constraint joint_draws_name_their_model check (policy <> 'thompson_joint' or model_version is not null),
  constraint control_share_is_at_most_half check (control_share between 0 and 0.5),
  constraint only_a_control_share_goes_unprompted check (prompted or control_share > 0)
);
comment on table public.content_metadata is 'A decision: what was (to be) posted, and with which probability each choice was made.';
comment on column public.content_metadata.origin is 'recommended by Postloop, manual (the bot chose), or imported.';
comment on column public.content_metadata.assigned is 'The value assigned to each dimension: {"tone": "dry", ...}.';
comment on column public.content_metadata.policy is 'The rule that drew the slate; null, as all that is logged of a draw, unless origin is recommended.';
comment on column public.content_metadata.propensity is 'Exact probability of this combination given its slate: multiplicity / slate size.';
comment on column public.content_metadata.slate is 'All draws of the slate, in order; one was picked uniformly.';
comment on column public.content_metadata.rng_seed is 'Seed of the generator that drew the slate and picked from it.';
comment on column public.content_metadata.chosen is 'Index from 0 of the pick in slate.';
comment on column public.content_metadata.model_version is
  'learned_models.data_version that the slate was drawn from; null for a draw without a model.';
comment on column public.content_metadata.prompted is
  'Whether the prompt held the evidence: false for the control share.';
comment on column public.content_metadata.control_share is
  'Probability, when it was drawn, of belonging to the control share.';
create index content_metadata_account_id_idx on public.content_metadata (account_id, created_at desc);
-- Few decisions have a control beside them, and prompt_worth reads no others.
create index content_metadata_control_idx on public.content_metadata (account_id) where control_share > 0;

create trigger assigned_values_are_known
  before insert or update of assigned, account_id on public.content_metadata
  for each row execute function postloop.refuse_unknown_values('assigned');

-- What counts as an engagement is decided here, for rates, totals, rewards and growth alike. Bookmarks
-- do not: X leaves them out at times, and a post would lose its whole outcome for want of one number.
create function postloop.engagements(p_likes bigint, p_retweets bigint, p_replies bigint)
returns bigint
language sql
immutable
set search_path = ''
as $$
  select p_likes + p_retweets + p_replies
$$;
comment on function postloop.engagements is 'Engagements of a post: likes + retweets + replies; null when one is unknown.';

create table public.post_attribution (
  post_id text primary key,
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  decision_id text unique references public.content_metadata (decision_id),
  posted_at timestamptz not null,
  kind text not null default 'single',
  realised jsonb not null default '{}',
  viral_score double precision,
  tracked_at timestamptz not null default now(),
  likes bigint,
  retweets bigint,
  replies bigint,
  quotes bigint,
  bookmarks bigint,
  profile_clicks bigint,
  impressions bigint,
  metrics_captured_at timestamptz,
  metrics_phase text,
  followers_before bigint,
  followers_2h_after bigint,
  followers_24h_after bigint,
  followers_48h_after bigint,
  followers_gained double precision,
  followers_gained_low double precision,
  followers_gained_high double precision,
  last_updated timestamptz,
  topic text generated always as (realised ->> 'topic') stored,
  angle text generated always as (realised ->> 'angle') stored,
  tone text generated always as (realised ->> 'tone') stored,
  format text generated always as (realised ->> 'format') stored,
  generator_used text generated always as (realised ->> 'generator') stored,
  hook_pattern text generated always as (realised ->> 'hook_pattern') stored,
  engagement_rate double precision generated always as (
    case when impressions > 0
      then postloop.engagements(likes, retweets, replies)::double precision / impressions end
  ) stored,
  credit_note text,
  constraint post_id_is_digits check (post_id ~ '^[0-9]{1,20}$'),
  constraint kind_is_known check (kind in ('single', 'thread', 'reply')),
  constraint realised_is_an_object check (jsonb_typeof(realised) = 'object'),
  constraint counts_are_not_negative check (
    likes >= 0 and retweets >= 0 and replies >= 0 and quotes >= 0 and bookmarks >= 0
    and profile_clicks >= 0 and impressions >= 0
  ),
  constraint follower_counts_are_not_negative check (
    followers_before >= 0 and followers_2h_after >= 0 and followers_24h_after >= 0
    and followers_48h_after >= 0
  ),
  constraint credit_note_is_known check (credit_note in (
    'no_impressions', 'rounded_counts', 'awaiting_counts', 'gapped_counts'))
);
comment on table public.post_attribution is 'A post and what it brought: its newest accepted numbers and its share of follower change.';
comment on column public.post_attribution.post_id is 'The tweet id, as digits.';
comment on column public.post_attribution.decision_id is 'The decision behind it; null for a post that was found on the timeline.';
comment on column public.post_attribution.posted_at is 'When X published it; every window is measured from here.';
comment on column public.post_attribution.realised is 'The dimension values of the text as posted; learning uses these.';
comment on column public.post_attribution.viral_score is 'What the bot predicted for it, on the bot''s own scale.';
comment on column public.post_attribution.metrics_captured_at is 'When the numbers on this row were true.';
comment on column public.post_attribution.followers_before is 'The last exact follower count at most 6 h before posting.';
comment on column public.post_attribution.followers_2h_after is 'Exact follower series at posting + 2 h, linear between snapshots at most 6 h apart.';
comment on column public.post_attribution.followers_24h_after is 'As followers_2h_after, at + 24 h.';
comment on column public.post_attribution.followers_48h_after is 'As followers_2h_after, at + 48 h.';
comment on column public.post_attribution.followers_gained is 'Followers credited to the post within 48 h of posting.';
comment on column public.post_attribution.followers_gained_low is 'Lower end of the 90 % interval of followers_gained.';
comment on column public.post_attribution.followers_gained_high is 'Upper end of the 90 % interval of followers_gained.';
comment on column public.post_attribution.engagement_rate is 'Engagements (likes + retweets + replies) / impressions, a fraction; null when any is unknown.';
comment on column public.post_attribution.credit_note is
  'Why the post has no credit: no read showed impressions; X showed only rounded follower counts since it was posted; no count since; or all counts around it are more than 6 h apart. Null with a credit.';
create index post_attribution_account_id_idx on public.post_attribution (account_id, posted_at desc);
create index post_attribution_posted_at_idx on public.post_attribution (posted_at);

create trigger realised_values_are_known
  before insert or update of realised, account_id on public.post_attribution
  for each row execute function postloop.refuse_unknown_values('realised');

alter table public.content_metadata enable row level security;
alter table public.post_attribution enable row level security;
create policy owners_read_their_decisions on public.content_metadata
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));
create policy owners_read_their_posts on public.post_attribution
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));

revoke all on
  public.content_metadata, public.post_attribution
  from public, anon, authenticated, service_role;
grant select on public.content_metadata, public.post_attribution to authenticated;
grant select, insert, update on public.content_metadata, public.post_attribution to service_role;
revoke all on function postloop.engagements from public, anon, authenticated, service_role;
grant execute on function postloop.engagements to service_role;
