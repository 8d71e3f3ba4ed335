-- What was predicted and what came of it: the only proof that a probability or a range means what it says.
create table public.calibration_events (
  id bigint generated always as identity primary key,
  account_id bigint not null references public.accounts (id) on delete cascade,
  kind text not null,
  post_id text not null references public.post_attribution (post_id) on delete cascade,
  phase text references public.collection_phases (phase),
  predicted double precision not null,
  sd double precision,
  observed double precision,
  threshold double precision,
  created_at timestamptz not null,
  observed_at timestamptz,
  constraint calibration_events_key unique nulls not distinct (kind, post_id, phase),
  constraint kind_is_known check (kind in ('impressions_48h', 'viral', 'reward')),
  constraint sd_is_not_negative check (sd >= 0),
  constraint viral_is_a_probability check (
    kind <> 'viral' or (predicted between 0 and 1 and observed in (0, 1) and threshold is not null)),
  constraint observed_has_a_time check ((observed is null) = (observed_at is null))
);
comment on table public.calibration_events is
  'A prediction about one post and what was observed. impressions_48h: ln(1 + impressions) at 48 h; viral: whether the post passes threshold impressions at 48 h; reward: the reward when final. Kept for 180 days.';
comment on column public.calibration_events.phase is 'The read that the prediction rests on; null for one made before any read.';
comment on column public.calibration_events.predicted is 'The expectation, or for viral the probability.';
comment on column public.calibration_events.sd is 'Standard deviation of the error that was expected; null for viral.';
comment on column public.calibration_events.observed is 'What came of it, 0 or 1 for viral; null until it is known.';
comment on column public.calibration_events.threshold is 'Of viral: impressions at 48 h that one post in twenty of the account passes.';
create index calibration_events_account_id_idx
  on public.calibration_events (account_id, kind, observed_at desc nulls last, id desc);
create index calibration_events_post_id_idx on public.calibration_events (post_id);
create index calibration_events_phase_idx on public.calibration_events (phase);
create index calibration_events_open_idx on public.calibration_events (created_at) where observed is null;
create index calibration_events_created_at_idx on public.calibration_events (created_at);

alter table public.calibration_events enable row level security;
create policy owners_read_their_calibration on public.calibration_events
  for select to authenticated
  using (account_id in (select id from public.accounts where owner_id = (select auth.uid())));
revoke all on public.calibration_events from public, anon, authenticated, service_role;
revoke all on sequence public.calibration_events_id_seq from public, anon, authenticated, service_role;
grant select on public.calibration_events to authenticated;
grant select, insert, update on public.calibration_events to service_role;
