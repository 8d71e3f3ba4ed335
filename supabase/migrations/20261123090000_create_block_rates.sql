-- Rates belong to a block of hours, not to an account: a settled block keeps those that it was split with.
create table public.block_rates (
  account_id bigint not null references public.accounts (id) on delete cascade,
  block_start timestamptz not null,
  b double precision not null,
  q double precision not null,
  phi double precision not null,
  lag_h double precision not null,
  hours integer not null,
  fitted_at timestamptz not null,
  primary key (account_id, block_start),
  constraint block_starts_on_its_grid check (extract(epoch from block_start)::bigint % 172800 = 0),
  constraint organic_rate_is_not_negative check (b >= 0),
  constraint conversion_is_positive check (q > 0),
  constraint dispersion_is_at_least_one check (phi >= 1),
  constraint lag_is_not_negative check (lag_h >= 0),
  constraint rates_rest_on_hours check (hours > 0)
);
comment on table public.block_rates is
  'The rates that the 48 hours from block_start on were split with; none for a block without a known hour.';
comment on column public.block_rates.block_start is 'Start of the block: a multiple of 48 hours since 1970.';
comment on column public.block_rates.b is 'Organic net followers per hour.';
comment on column public.block_rates.q is 'Followers per impression, drawn towards 0 by as much as it may be chance.';
comment on column public.block_rates.phi is 'Dispersion of the hourly change around its expectation; 1 is Poisson.';
comment on column public.block_rates.lag_h is 'Mean delay between seeing a post and following, hours.';
comment on column public.block_rates.hours is 'Hours that the fit rests on, of the 672 up to the end of the block.';
comment on column public.block_rates.fitted_at is 'The run that gave these rates.';

alter table public.block_rates enable row level security;
create policy owners_read_their_block_rates on public.block_rates
  for select to authenticated
  using (account_id in (select id from public.accounts where owner_id = (select auth.uid())));
revoke all on public.block_rates from public, anon, authenticated, service_role;
grant select on public.block_rates to authenticated;
grant select, insert, update on public.block_rates to service_role;

-- Derived data of the one-pass method: the next runs compute all of it again from counts and reads.
truncate public.account_rates, public.follower_hour, public.post_credit;

alter table public.account_rates
  alter column b drop not null,
  alter column q drop not null,
  alter column phi drop not null,
  alter column hours drop not null,
  alter column settled_through drop not null,
  alter column fitted_at drop not null,
  add column lag_h double precision,
  add column attributed_at timestamptz,
  add constraint rates_are_all_known_or_none check (
    num_nulls(b, q, phi, hours, lag_h, fitted_at) in (0, 6)),
  add constraint lag_is_not_negative check (lag_h >= 0);
comment on table public.account_rates is
  'How far an account''s followers are attributed, and the rates of its newest block: expected change per hour = b + q * impressions.';
comment on column public.account_rates.q is 'Followers per impression, drawn towards 0 by as much as it may be chance.';
comment on column public.account_rates.lag_h is 'Mean delay between seeing a post and following, hours.';
comment on column public.account_rates.fitted_at is 'The run that gave the rates; null as long as the account has no hour between exact counts.';
comment on column public.account_rates.settled_through is
  'Hours before this moment are split for good; null as long as there is none to split.';
comment on column public.account_rates.attributed_at is
  'The run that last brought all hours of the account up to date; null while its history is worked through.';

comment on column public.post_credit.settled_2h is
  'The part of credit_2h from blocks that are split for good; likewise the other settled columns.';
comment on column public.post_credit.settled_thinning_48h is 'Settled part of sum |x| p (1 - p) up to 48 h.';
comment on column public.post_credit.settled_spread_48h is 'Settled part of the same sum over hours of growth.';
comment on column public.post_credit.final is 'All hours that the post''s impressions act in are split for good.';
comment on column public.post_credit.method is
  'exposure_em: shares of expected arrivals, with a conversion estimated for each young post.';

alter table public.post_attribution
  add column credit_note text,
  add constraint credit_note_is_known check (credit_note in (
    'no_impressions', 'rounded_counts', 'awaiting_counts', 'gapped_counts'));
comment on column public.post_attribution.credit_note is
  'Why the post has no credit: no read showed impressions; X showed only rounded follower counts since it was posted; no count since; or all counts around it are more than 6 h apart. Null with a credit.';
