-- Where learning keeps what it fitted: how posts grow, and the joint model of each outcome.
create table public.growth_curve (
  account_id bigint references public.accounts (id) on delete cascade,
  outcome text not null,
  phase text not null references public.collection_phases (phase),
  age_h double precision not null,
  posts integer not null,
  log_ratio double precision not null,
  spread double precision not null,
  computed_at timestamptz not null,
  constraint growth_curve_key unique nulls not distinct (account_id, outcome, phase),
  constraint outcome_is_known check (outcome in ('impressions', 'engagement', 'followers')),
  constraint posts_are_positive check (posts > 0),
  constraint spread_is_not_negative check (spread >= 0)
);
comment on table public.growth_curve is 'How far an outcome still moves from a phase to 48 h, from posts that have both; account_id null is all accounts together.';
comment on column public.growth_curve.age_h is 'Median true age of the phase''s reads, in hours.';
comment on column public.growth_curve.log_ratio is 'Median of the outcome at 48 h minus the outcome at the phase, in natural logarithms.';
comment on column public.growth_curve.spread is '1.4826 times the median absolute deviation of that difference.';
create index growth_curve_phase_idx on public.growth_curve (phase);

create table public.models (
  account_id bigint not null references public.accounts (id) on delete cascade,
  outcome text not null,
  data_version bigint not null,
  fitted_at timestamptz not null,
  finished_posts integer not null,
  effective_n double precision not null,
  sigma2 double precision not null,
  tau2 jsonb not null,
  centre double precision,
  spread double precision,
  half_life_days double precision not null,
  features jsonb not null,
  chosen_features integer not null,
  mean double precision[] not null,
  factor double precision[] not null,
  primary key (account_id, outcome),
  constraint outcome_is_known check (outcome in ('reward', 'impressions', 'engagement', 'followers')),
  constraint sizes_agree check (
    cardinality(mean) = jsonb_array_length(features)
    and cardinality(factor) = cardinality(mean) * (cardinality(mean) + 1) / 2
    and chosen_features between 0 and cardinality(mean)
  )
);
comment on table public.models is 'The newest joint fit of each outcome of an account: the normal posterior of all coefficients.';
comment on column public.models.data_version is 'The learning_state.data_version that it was fitted on; decisions name it.';
comment on column public.models.effective_n is 'Sum of the posts'' weights.';
comment on column public.models.sigma2 is 'Variance of a fresh post around its expectation, in units of the outcome squared.';
comment on column public.models.tau2 is 'Variance of the coefficients by group: {dimension or nuisance: number}.';
comment on column public.models.centre is 'The account''s median of the logarithm, which the medians of its kinds of post are drawn towards; null for the reward, which is made of several.';
comment on column public.models.spread is 'What it was then divided by, in natural logarithms; null for the reward.';
comment on column public.models.features is '[{group, name}] in the order of mean: the values of dimensions first, then intercept and nuisances.';
comment on column public.models.chosen_features is 'How many of the features are values of dimensions.';
comment on column public.models.mean is 'Posterior mean of the coefficients.';
comment on column public.models.factor is 'Lower Cholesky factor of their covariance, row by row without its zeros: cell (i, j) is at i (i + 1) / 2 + j. Its first rows are the factor of the first features alone.';

alter table public.growth_curve enable row level security;
alter table public.models enable row level security;
create policy owners_read_their_growth on public.growth_curve
  for select to authenticated
  using (account_id in (select id from public.accounts where owner_id = (select auth.uid())));
create policy owners_read_their_models on public.models
  for select to authenticated
  using (account_id in (select id from public.accounts where owner_id = (select auth.uid())));
revoke all on public.growth_curve, public.models from public, anon, authenticated, service_role;
grant select on public.growth_curve, public.models to authenticated;
grant select, insert, update, delete on public.growth_curve, public.models to service_role;
