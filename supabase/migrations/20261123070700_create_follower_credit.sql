-- Follower growth is one series per account; a post's share of it is computed, never copied from it.
create table public.account_rates (
  account_id bigint primary key references public.accounts (id) on delete cascade,
  b double precision not null,
  q double precision not null,
  phi double precision not null,
  hours integer not null,
  settled_through timestamptz not null,
  fitted_at timestamptz not null,
  constraint organic_rate_is_not_negative check (b >= 0),
  constraint conversion_is_positive check (q > 0),
  constraint dispersion_is_at_least_one check (phi >= 1)
);
comment on table public.account_rates is 'What the last 28 days say about an account: expected follower change per hour = b + q * impressions.';
comment on column public.account_rates.b is 'Organic net followers per hour.';
comment on column public.account_rates.q is 'Followers per impression.';
comment on column public.account_rates.phi is 'Dispersion of the hourly change around its expectation; 1 is Poisson.';
comment on column public.account_rates.hours is 'Hours that the fit rests on.';
comment on column public.account_rates.settled_through is 'Hours before this moment are split for good.';

create table public.follower_hour (
  account_id bigint not null references public.accounts (id) on delete cascade,
  hr timestamptz not null,
  df double precision not null,
  exposure double precision not null,
  explained double precision not null,
  credited double precision not null,
  organic double precision not null,
  unexplained double precision not null,
  gap boolean not null,
  primary key (account_id, hr),
  constraint hour_is_conserved check (abs(credited + organic + unexplained - df) <= 1e-6)
);
comment on table public.follower_hour is 'Follower change of an account in one hour and how it was split: credited + organic + unexplained = df.';
comment on column public.follower_hour.hr is 'Start of the hour, UTC.';
comment on column public.follower_hour.df is 'Followers at the end minus at the start, linear between exact snapshots.';
comment on column public.follower_hour.exposure is 'Impressions that the account''s posts gathered in the hour.';
comment on column public.follower_hour.explained is 'The part of df within what the rates allow; it is split.';
comment on column public.follower_hour.credited is 'The part credited to posts.';
comment on column public.follower_hour.organic is 'The part that the account gains or loses without posting.';
comment on column public.follower_hour.unexplained is 'Shocks, and all of an hour whose snapshots are more than 6 h apart.';
comment on column public.follower_hour.gap is 'The snapshots around the hour are more than 6 h apart.';

create table public.post_credit (
  post_id text primary key references public.post_attribution (post_id) on delete cascade,
  account_id bigint not null references public.accounts (id) on delete cascade,
  credit_2h double precision not null,
  credit_24h double precision not null,
  credit_48h double precision not null,
  credit_7d double precision not null,
  var_48h double precision not null,
  settled_2h double precision not null,
  settled_24h double precision not null,
  settled_48h double precision not null,
  settled_7d double precision not null,
  settled_thinning_48h double precision not null,
  settled_spread_48h double precision not null,
  final boolean not null,
  method text not null,
  computed_at timestamptz not null,
  constraint variance_is_not_negative check (var_48h >= 0)
);
comment on table public.post_credit is 'Followers credited to a post, cumulative at four ages.';
comment on column public.post_credit.var_48h is 'Variance of credit_48h: who followed whom, and the post''s unknown conversion rate.';
comment on column public.post_credit.settled_2h is 'The part of credit_2h from hours that are split for good; likewise the other settled columns.';
comment on column public.post_credit.settled_thinning_48h is 'Settled part of sum |x| p (1 - p).';
comment on column public.post_credit.settled_spread_48h is 'Settled part of sum max(x, 0) p (1 - p).';
comment on column public.post_credit.final is 'All hours of the post''s seven days are split for good.';
create index post_credit_account_id_idx on public.post_credit (account_id);

create table public.learning_state (
  account_id bigint primary key references public.accounts (id) on delete cascade,
  data_version bigint not null default 0,
  learned_version bigint not null default 0,
  priors jsonb not null default '{}',
  finished_posts integer not null default 0,
  learned_at timestamptz,
  constraint learning_does_not_run_ahead check (learned_version <= data_version)
);
comment on table public.learning_state is 'Handover from attribution to learning: an account whose data is newer than what was learned is due.';
comment on column public.learning_state.data_version is 'Counts the attribution runs that changed a post of the account.';
comment on column public.learning_state.learned_version is 'The data_version that dimension_performance rests on.';
comment on column public.learning_state.priors is 'Per dimension, the posterior of a value never used: {mean, scale, df}.';
comment on column public.learning_state.finished_posts is 'Posts with a reward when last learned.';
create index learning_state_due_idx on public.learning_state (account_id) where learned_version < data_version;

alter table public.account_rates enable row level security;
alter table public.follower_hour enable row level security;
alter table public.post_credit enable row level security;
alter table public.learning_state enable row level security;

create policy owners_read_their_rates on public.account_rates
  for select to authenticated
  using (account_id in (select id from public.accounts where owner_id = (select auth.uid())));
create policy owners_read_their_follower_hours on public.follower_hour
  for select to authenticated
  using (account_id in (select id from public.accounts where owner_id = (select auth.uid())));
create policy owners_read_their_credits on public.post_credit
  for select to authenticated
  using (account_id in (select id from public.accounts where owner_id = (select auth.uid())));

grant select on public.account_rates, public.follower_hour, public.post_credit to authenticated;
grant select, insert, update on public.account_rates, public.follower_hour, public.post_credit,
  public.learning_state to service_role;
