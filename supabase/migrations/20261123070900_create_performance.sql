-- What each value of each dimension has shown, recomputed from the posts and never incremented.
create table public.reward_weights (
  outcome text primary key,
  weight double precision not null,
  description text not null,
  constraint outcome_is_known check (outcome in ('impressions', 'engagement', 'followers')),
  constraint weight_is_not_negative check (weight >= 0)
);
comment on table public.reward_weights is 'How much each outcome of a post counts in its reward.';
insert into public.reward_weights (outcome, weight, description) values
  ('impressions', 0.2, 'ln(1 + impressions); reach is partly luck'),
  ('engagement', 0.4, 'log engagement rate, smoothed by 200 impressions at the account''s median rate'),
  ('followers', 0.4, 'ln(1 + followers credited within 48 h)');

create table public.post_outcomes (
  post_id text primary key references public.post_attribution (post_id) on delete cascade,
  account_id bigint not null references public.accounts (id) on delete cascade,
  posted_at timestamptz not null,
  y_impressions double precision not null,
  y_engagement double precision,
  y_followers double precision,
  reward double precision not null,
  weight double precision not null,
  computed_at timestamptz not null,
  constraint weight_is_a_fraction check (weight > 0 and weight <= 1)
);
comment on table public.post_outcomes is 'A finished post''s outcomes at 48 h and its reward, as last learned from.';
comment on column public.post_outcomes.y_impressions is 'ln(1 + impressions).';
comment on column public.post_outcomes.y_engagement is 'ln((engagements + 200 r0) / (impressions + 200)), r0 the account''s median rate.';
comment on column public.post_outcomes.y_followers is 'ln(1 + max(credited followers, 0)).';
comment on column public.post_outcomes.reward is 'Weighted mean of the known outcomes, each winsorised and scaled to the account''s own spread.';
comment on column public.post_outcomes.weight is '2^(-age / 90 days): what the post still counts.';
create index post_outcomes_account_id_idx on public.post_outcomes (account_id);

create table public.dimension_performance (
  account_id bigint not null references public.accounts (id) on delete cascade,
  dimension text not null,
  value text not null,
  uses integer not null,
  effective_n double precision not null,
  total_impressions bigint not null,
  total_engagements bigint not null,
  total_followers_gained double precision not null,
  mean_impressions double precision,
  mean_engagement_rate double precision,
  mean_followers_gained double precision,
  mean_reward double precision not null,
  posterior_mean double precision not null,
  posterior_scale double precision not null,
  posterior_df double precision not null,
  effect double precision not null,
  effect_low_80 double precision not null,
  effect_high_80 double precision not null,
  effect_low_90 double precision not null,
  effect_high_90 double precision not null,
  prob_above_average double precision not null,
  confidence double precision not null,
  last_posted_at timestamptz not null,
  computed_at timestamptz not null,
  primary key (account_id, dimension, value),
  foreign key (account_id, dimension, value)
    references public.dimension_values (account_id, dimension, value) on delete cascade,
  constraint uses_are_positive check (uses > 0),
  constraint confidence_is_a_fraction check (confidence > 0 and confidence <= 1),
  constraint probability_is_a_fraction check (prob_above_average between 0 and 1),
  constraint intervals_are_nested check (
    effect_low_90 <= effect_low_80 and effect_low_80 <= effect
    and effect <= effect_high_80 and effect_high_80 <= effect_high_90
  )
);
comment on table public.dimension_performance is 'What one value of one dimension has shown. Effects are in units of the reward''s spread; the posterior is marginal: other dimensions are not adjusted for.';
comment on column public.dimension_performance.uses is 'Finished posts with this value.';
comment on column public.dimension_performance.effective_n is 'Sum of the posts'' weights.';
comment on column public.dimension_performance.mean_reward is 'Raw weighted mean; confounded, for display only.';
comment on column public.dimension_performance.posterior_mean is 'Mean of the posterior Student t of the value''s mean reward.';
comment on column public.dimension_performance.posterior_scale is 'Scale of that t.';
comment on column public.dimension_performance.posterior_df is 'Degrees of freedom of that t.';
comment on column public.dimension_performance.effect is 'posterior_mean minus the mean of the dimension.';
comment on column public.dimension_performance.effect_low_80 is 'Lower end of the 80 % credible interval of effect; likewise the other bounds.';
comment on column public.dimension_performance.prob_above_average is 'Probability that the value is better than the mean of its dimension.';
comment on column public.dimension_performance.confidence is 'min(1, uses / 30): how much was tried, not how sure the effect is.';

create view public.angle_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'angle';
create view public.tone_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'tone';
create view public.topic_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'topic';
create view public.format_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'format';
create view public.generator_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'generator';
create view public.hook_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'hook_pattern';
comment on view public.angle_performance is 'dimension_performance of the dimension angle.';
comment on view public.tone_performance is 'dimension_performance of the dimension tone.';
comment on view public.topic_performance is 'dimension_performance of the dimension topic.';
comment on view public.format_performance is 'dimension_performance of the dimension format.';
comment on view public.generator_performance is 'dimension_performance of the dimension generator.';
comment on view public.hook_performance is 'dimension_performance of the dimension hook_pattern.';

alter table public.reward_weights enable row level security;
alter table public.post_outcomes enable row level security;
alter table public.dimension_performance enable row level security;

create policy signed_in_users_read_reward_weights on public.reward_weights
  for select to authenticated using (true);
create policy owners_read_their_outcomes on public.post_outcomes
  for select to authenticated
  using (account_id in (select id from public.accounts where owner_id = (select auth.uid())));
create policy owners_read_their_performance on public.dimension_performance
  for select to authenticated
  using (account_id in (select id from public.accounts where owner_id = (select auth.uid())));

grant select on public.reward_weights, public.post_outcomes, public.dimension_performance,
  public.angle_performance, public.tone_performance, public.topic_performance,
  public.format_performance, public.generator_performance, public.hook_performance to authenticated;
grant select on public.angle_performance, public.tone_performance, public.topic_performance,
  public.format_performance, public.generator_performance, public.hook_performance to service_role;
grant select, update on public.reward_weights to service_role;
grant select, insert, update, delete on public.post_outcomes, public.dimension_performance to service_role;
