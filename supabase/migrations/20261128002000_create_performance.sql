-- What the joint fit says: its posterior for the next draw, and what each value of each dimension has
-- shown, recomputed from the posts and never incremented.
create table public.learned_models (
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  outcome text not null,
  data_version bigint not null,
  fitted_at timestamptz not null,
  finished_posts integer not null,
  effective_n double precision not null,
  residual_variance double precision not null,
  group_variances jsonb not null,
  centre double precision,
  spread double precision,
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
comment on table public.learned_models is 'The newest joint fit of each outcome of an account: the normal posterior of all coefficients.';
comment on column public.learned_models.data_version is 'The account_learning.data_version that it was fitted on; decisions name it.';
comment on column public.learned_models.effective_n is 'Sum of the posts'' weights.';
comment on column public.learned_models.residual_variance is 'Variance of a fresh post around its expectation, in units of the outcome squared.';
comment on column public.learned_models.group_variances is 'Variance of the coefficients by group: {dimension or nuisance: number}.';
comment on column public.learned_models.centre is 'The account''s median of the logarithm, which the medians of its kinds of post are drawn towards; null for the reward, which is made of several.';
comment on column public.learned_models.spread is 'What it was then divided by, in natural logarithms; null for the reward.';
comment on column public.learned_models.features is '[{group, name}] in the order of mean: the values of dimensions first, then intercept and nuisances.';
comment on column public.learned_models.chosen_features is 'How many of the features are values of dimensions.';
comment on column public.learned_models.mean is 'Posterior mean of the coefficients.';
comment on column public.learned_models.factor is 'Lower Cholesky factor of their covariance, row by row without its zeros: cell (i, j) is at i (i + 1) / 2 + j. Its first rows are the factor of the first features alone.';

create table public.dimension_performance (
  account_id bigint not null references public.x_accounts (id) on delete cascade,
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
  effect double precision not null,
  effect_low_80 double precision not null,
  effect_high_80 double precision not null,
  effect_low_90 double precision not null,
  effect_high_90 double precision not null,
  prob_above_average double precision not null,
  confidence double precision not null,
  last_posted_at timestamptz not null,
  computed_at timestamptz not null,
  effect_standard_error double precision not null,
  prob_best double precision not null,
  reliability double precision not null,
  lift double precision,
  lift_low_80 double precision,
  lift_high_80 double precision,
  engagement_lift double precision,
  engagement_lift_low_80 double precision,
  engagement_lift_high_80 double precision,
  followers_lift double precision,
  followers_lift_low_80 double precision,
  followers_lift_high_80 double precision,
  marginal_mean double precision not null,
  marginal_standard_error double precision not null,
  primary key (account_id, dimension, value),
  foreign key (account_id, dimension, value)
    references public.content_dimension_values (account_id, dimension, value) on delete cascade,
  constraint uses_are_positive check (uses > 0),
  constraint confidence_is_a_fraction check (confidence > 0 and confidence <= 1),
  constraint probability_is_a_fraction check (prob_above_average between 0 and 1),
  constraint intervals_are_nested check (
    effect_low_90 <= effect_low_80 and effect_low_80 <= effect
    and effect <= effect_high_80 and effect_high_80 <= effect_high_90
  ),
  constraint standard_errors_are_not_negative check (effect_standard_error >= 0 and marginal_standard_error >= 0),
  constraint shares_are_fractions check (prob_best between 0 and 1 and reliability between 0 and 1),
  constraint lifts_are_nested check (
    (lift is null or lift_low_80 <= lift and lift <= lift_high_80)
    and (engagement_lift is null
      or engagement_lift_low_80 <= engagement_lift and engagement_lift <= engagement_lift_high_80)
    and (followers_lift is null
      or followers_lift_low_80 <= followers_lift and followers_lift <= followers_lift_high_80)
  )
);
comment on table public.dimension_performance is 'What one value of one dimension has shown, all other dimensions, week, hour, weekend, kind of post and followers being equal. Effects are in spreads of the account''s reward.';
comment on column public.dimension_performance.uses is 'Posts with this value that have a reward, read or projected.';
comment on column public.dimension_performance.effective_n is 'Sum of the posts'' weights: old, projected and doubtful ones count less.';
comment on column public.dimension_performance.total_impressions is 'Of these posts, as last read; likewise the other totals.';
comment on column public.dimension_performance.total_engagements is 'Likes + retweets + replies of these posts.';
comment on column public.dimension_performance.mean_impressions is 'Of the finished posts among them, null without one; likewise mean_engagement_rate and mean_followers_gained.';
comment on column public.dimension_performance.mean_reward is 'Raw weighted mean; confounded, for display only.';
comment on column public.dimension_performance.effect is 'The value''s coefficient in the joint fit minus the mean of its dimension''s, in spreads of the reward.';
comment on column public.dimension_performance.effect_low_80 is 'Lower end of the 80 % credible interval of effect; likewise the other bounds.';
comment on column public.dimension_performance.prob_above_average is 'Probability that the value is better than the mean of its dimension.';
comment on column public.dimension_performance.confidence is 'min(1, uses / 30): how much was tried, not how sure the effect is.';
comment on column public.dimension_performance.effect_standard_error is 'Posterior standard deviation of effect.';
comment on column public.dimension_performance.prob_best is 'Probability that no other value of the dimension is better: the share of 2,000 draws from the posterior, always the same for the same posts.';
comment on column public.dimension_performance.reliability is 'Share of the prior uncertainty of effect that the posts have removed, 0 to 1.';
comment on column public.dimension_performance.lift is 'Impressions of a post with this value against one with the average value of its dimension, as a fraction more: 0.2 is 20 % more. Compares medians; null when no post with the value shows it. The other bounds are of its 80 % credible interval.';
comment on column public.dimension_performance.engagement_lift is 'As lift, of the engagement rate.';
comment on column public.dimension_performance.followers_lift is 'As lift, of 1 + credited followers.';
comment on column public.dimension_performance.marginal_mean is 'Raw: mean of the posterior of the value''s reward without adjusting for anything else. Its distance from effect is what other choices had to do with it.';
comment on column public.dimension_performance.marginal_standard_error is 'Raw: standard deviation of that posterior.';

create view public.angle_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'angle';
comment on view public.angle_performance is 'dimension_performance of the dimension angle.';

create view public.tone_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'tone';
comment on view public.tone_performance is 'dimension_performance of the dimension tone.';

create view public.topic_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'topic';
comment on view public.topic_performance is 'dimension_performance of the dimension topic.';

create view public.format_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'format';
comment on view public.format_performance is 'dimension_performance of the dimension format.';

create view public.generator_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'generator';
comment on view public.generator_performance is 'dimension_performance of the dimension generator.';

create view public.hook_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'hook_pattern';
comment on view public.hook_performance is 'dimension_performance of the dimension hook_pattern.';

alter table public.learned_models enable row level security;
alter table public.dimension_performance enable row level security;
create policy owners_read_their_models on public.learned_models
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));
create policy owners_read_their_performance on public.dimension_performance
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));

revoke all on
  public.learned_models, public.dimension_performance, public.angle_performance, public.tone_performance,
  public.topic_performance, public.format_performance, public.generator_performance,
  public.hook_performance
  from public, anon, authenticated, service_role;
grant select on
  public.learned_models, public.dimension_performance, public.angle_performance, public.tone_performance,
  public.topic_performance, public.format_performance, public.generator_performance,
  public.hook_performance
  to authenticated;
grant select, insert, update, delete on public.learned_models, public.dimension_performance to service_role;
grant select on
  public.angle_performance, public.tone_performance, public.topic_performance,
  public.format_performance, public.generator_performance, public.hook_performance
  to service_role;
