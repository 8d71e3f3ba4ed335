-- Follower growth is one series per account; a post's share of it is computed, never copied from it.
create table public.follower_rates (
  account_id bigint primary key references public.x_accounts (id) on delete cascade,
  organic_per_hour double precision,
  followers_per_impression double precision,
  dispersion double precision,
  hours integer,
  settled_through timestamptz,
  fitted_at timestamptz,
  lag_h double precision,
  attributed_at timestamptz,
  constraint organic_rate_is_not_negative check (organic_per_hour >= 0),
  constraint conversion_is_positive check (followers_per_impression > 0),
  constraint dispersion_is_at_least_one check (dispersion >= 1),
  constraint rates_are_all_known_or_none check (
    num_nulls(organic_per_hour, followers_per_impression, dispersion, hours, lag_h, fitted_at) in (0, 6)),
  constraint lag_is_not_negative check (lag_h >= 0)
);
comment on table public.follower_rates is
  'How far an account''s followers are attributed, and the rates of its newest block: expected change per hour = organic_per_hour + followers_per_impression * impressions.';
comment on column public.follower_rates.organic_per_hour is 'Net followers per hour that come without a post.';
comment on column public.follower_rates.followers_per_impression is 'Followers per impression, drawn towards 0 by as much as it may be chance.';
comment on column public.follower_rates.dispersion is 'Dispersion of the hourly change around its expectation; 1 is Poisson.';
comment on column public.follower_rates.hours is 'Hours that the fit rests on.';
comment on column public.follower_rates.settled_through is
  'Hours before this moment are split for good; null as long as there is none to split.';
comment on column public.follower_rates.fitted_at is 'The run that gave the rates; null as long as the account has no hour between exact counts.';
comment on column public.follower_rates.lag_h is 'Mean delay between seeing a post and following, hours.';
comment on column public.follower_rates.attributed_at is
  'The run that last brought all hours of the account up to date; null while its history is worked through.';

-- Rates belong to a block of hours, not to an account: a settled block keeps those that it was split with.
create table public.follower_block_rates (
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  block_start timestamptz not null,
  organic_per_hour double precision not null,
  followers_per_impression double precision not null,
  dispersion double precision not null,
  lag_h double precision not null,
  hours integer not null,
  fitted_at timestamptz not null,
  primary key (account_id, block_start),
  constraint block_starts_on_its_grid check (extract(epoch from block_start)::bigint % 172800 = 0),
  constraint organic_rate_is_not_negative check (organic_per_hour >= 0),
  constraint conversion_is_positive check (followers_per_impression > 0),
  constraint dispersion_is_at_least_one check (dispersion >= 1),
  constraint lag_is_not_negative check (lag_h >= 0),
  constraint rates_rest_on_hours check (hours > 0)
);
comment on table public.follower_block_rates is
  'The rates that the 48 hours from block_start on were split with; none for a block without a known hour.';
comment on column public.follower_block_rates.block_start is 'Start of the block: a multiple of 48 hours since 1970.';
comment on column public.follower_block_rates.organic_per_hour is 'Net followers per hour that come without a post.';
comment on column public.follower_block_rates.followers_per_impression is 'Followers per impression, drawn towards 0 by as much as it may be chance.';
comment on column public.follower_block_rates.dispersion is 'Dispersion of the hourly change around its expectation; 1 is Poisson.';
comment on column public.follower_block_rates.lag_h is 'Mean delay between seeing a post and following, hours.';
comment on column public.follower_block_rates.hours is 'Hours that the fit rests on, of the 672 up to the end of the block.';
comment on column public.follower_block_rates.fitted_at is 'The run that gave these rates.';

create table public.follower_hour (
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  hour timestamptz not null,
  change double precision not null,
  exposure double precision not null,
  explained double precision not null,
  credited double precision not null,
  organic double precision not null,
  unexplained double precision not null,
  gap boolean not null,
  primary key (account_id, hour),
  constraint hour_is_conserved check (abs(credited + organic + unexplained - change) <= 1e-6)
);
comment on table public.follower_hour is 'Follower change of an account in one hour and how it was split: credited + organic + unexplained = change.';
comment on column public.follower_hour.hour is 'Start of the hour, UTC.';
comment on column public.follower_hour.change is 'Followers at the end minus at the start, linear between exact snapshots.';
comment on column public.follower_hour.exposure is
  'Impressions that the account''s posts gathered in the hour, weighed by their profile clicks where X shows them.';
comment on column public.follower_hour.explained is 'The part of change within what the rates allow; it is split.';
comment on column public.follower_hour.credited is 'The part credited to posts.';
comment on column public.follower_hour.organic is 'The part that the account gains or loses without posting.';
comment on column public.follower_hour.unexplained is 'Shocks, and all of an hour whose snapshots are more than 6 h apart.';
comment on column public.follower_hour.gap is 'The snapshots around the hour are more than 6 h apart.';

create table public.post_credit (
  post_id text primary key references public.post_attribution (post_id) on delete cascade,
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  credit_2h double precision not null,
  credit_24h double precision not null,
  credit_48h double precision not null,
  credit_7d double precision not null,
  variance_48h double precision not null,
  settled_2h double precision not null,
  settled_24h double precision not null,
  settled_48h double precision not null,
  settled_7d double precision not null,
  settled_thinning_48h double precision not null,
  settled_spread_48h double precision not null,
  final boolean not null,
  computed_at timestamptz not null,
  constraint variance_is_not_negative check (variance_48h >= 0)
);
comment on table public.post_credit is 'Followers credited to a post, cumulative at four ages: its shares of expected arrivals, with a conversion estimated for each young post.';
comment on column public.post_credit.variance_48h is 'Variance of credit_48h: who followed whom, and the post''s unknown conversion rate.';
comment on column public.post_credit.settled_2h is
  'The part of credit_2h from blocks that are split for good; likewise the other settled columns.';
comment on column public.post_credit.settled_thinning_48h is 'Settled part of sum |x| p (1 - p) up to 48 h.';
comment on column public.post_credit.settled_spread_48h is 'Settled part of the same sum over hours of growth.';
comment on column public.post_credit.final is 'All hours that the post''s impressions act in are split for good.';
create index post_credit_account_id_idx on public.post_credit (account_id);
-- Only posts with a share in hours that are still open differ: few, of whatever age.
create index post_credit_open_idx on public.post_credit (account_id) where credit_7d <> settled_7d;

create function postloop.followers_at(p_account_id bigint, p_at timestamptz)
returns double precision
language sql
stable
set search_path = ''
as $$
  select case when before.captured_at = p_at then before.followers
    else before.followers + (after.followers - before.followers)
      * (extract(epoch from p_at - before.captured_at)
        / extract(epoch from after.captured_at - before.captured_at))::double precision
    end
  from (
    select s.captured_at, s.followers from public.follower_snapshots s
    where s.account_id = p_account_id and s.is_exact and s.captured_at <= p_at
    order by s.captured_at desc
    limit 1
  ) before
  left join lateral (
    select s.captured_at, s.followers from public.follower_snapshots s
    where s.account_id = p_account_id and s.is_exact and s.captured_at > p_at
    order by s.captured_at
    limit 1
  ) after on true
$$;
comment on function postloop.followers_at is
  'The exact follower series of an account at a moment, linear between counts; null outside of them.';

alter table public.follower_rates enable row level security;
alter table public.follower_block_rates enable row level security;
alter table public.follower_hour enable row level security;
alter table public.post_credit enable row level security;
create policy owners_read_their_rates on public.follower_rates
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));
create policy owners_read_their_block_rates on public.follower_block_rates
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));
create policy owners_read_their_follower_hours on public.follower_hour
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));
create policy owners_read_their_credits on public.post_credit
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));

revoke all on
  public.follower_rates, public.follower_block_rates, public.follower_hour, public.post_credit
  from public, anon, authenticated, service_role;
grant select on
  public.follower_rates, public.follower_block_rates, public.follower_hour, public.post_credit
  to authenticated;
grant select, insert, update on
  public.follower_rates, public.follower_block_rates, public.follower_hour, public.post_credit
  to service_role;
revoke all on function postloop.followers_at from public, anon, authenticated, service_role;
grant execute on function postloop.followers_at to service_role;
