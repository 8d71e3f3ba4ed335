-- What a value has shown now comes from the joint fit: what was learned of each alone is learned anew.
delete from public.dimension_performance;
update public.learning_state set learned_version = 0;

alter table public.dimension_performance
  add column effect_se double precision not null,
  add column prob_best double precision not null,
  add column reliability double precision not null,
  add column lift double precision,
  add column lift_low_80 double precision,
  add column lift_high_80 double precision,
  add column engagement_lift double precision,
  add column engagement_lift_low_80 double precision,
  add column engagement_lift_high_80 double precision,
  add column followers_lift double precision,
  add column followers_lift_low_80 double precision,
  add column followers_lift_high_80 double precision,
  add column marginal_mean double precision not null,
  add column marginal_se double precision not null,
  add constraint effect_se_is_not_negative check (effect_se >= 0 and marginal_se >= 0),
  add constraint shares_are_fractions check (prob_best between 0 and 1 and reliability between 0 and 1),
  add constraint lifts_are_nested check (
    (lift is null or lift_low_80 <= lift and lift <= lift_high_80)
    and (engagement_lift is null
      or engagement_lift_low_80 <= engagement_lift and engagement_lift <= engagement_lift_high_80)
    and (followers_lift is null
      or followers_lift_low_80 <= followers_lift and followers_lift <= followers_lift_high_80)
  );
comment on table public.dimension_performance is 'What one value of one dimension has shown, all other dimensions, week, hour, weekend, kind of post and followers being equal. Effects are in spreads of the account''s reward.';
comment on column public.dimension_performance.uses is 'Posts with this value that have a reward, read or projected.';
comment on column public.dimension_performance.effective_n is 'Sum of the posts'' weights: old, projected and doubtful ones count less.';
comment on column public.dimension_performance.total_impressions is 'Of these posts, as last read; likewise the other totals.';
comment on column public.dimension_performance.mean_impressions is 'Of the finished posts among them, null without one; likewise mean_engagement_rate and mean_followers_gained.';
comment on column public.dimension_performance.mean_reward is 'Raw weighted mean; confounded, for display only.';
comment on column public.dimension_performance.effect is 'The value''s coefficient in the joint fit minus the mean of its dimension''s, in spreads of the reward.';
comment on column public.dimension_performance.effect_se is 'Posterior standard deviation of effect.';
comment on column public.dimension_performance.prob_best is 'Probability that no other value of the dimension is better: the share of 2,000 draws from the posterior, always the same for the same posts.';
comment on column public.dimension_performance.reliability is 'Share of the prior uncertainty of effect that the posts have removed, 0 to 1.';
comment on column public.dimension_performance.lift is 'Impressions of a post with this value against one with the average value of its dimension, as a fraction more: 0.2 is 20 % more. Compares medians; null when no post with the value shows it. The other bounds are of its 80 % credible interval.';
comment on column public.dimension_performance.engagement_lift is 'As lift, of the engagement rate.';
comment on column public.dimension_performance.followers_lift is 'As lift, of 1 + credited followers.';
comment on column public.dimension_performance.marginal_mean is 'Raw: mean of the posterior of the value''s reward without adjusting for anything else. Its distance from effect is what other choices had to do with it.';
comment on column public.dimension_performance.marginal_se is 'Raw: standard deviation of that posterior.';
comment on column public.dimension_performance.posterior_mean is 'Mean of the marginal Student t of the value''s mean reward; raw as marginal_mean.';

create or replace view public.angle_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'angle';
create or replace view public.tone_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'tone';
create or replace view public.topic_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'topic';
create or replace view public.format_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'format';
create or replace view public.generator_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'generator';
create or replace view public.hook_performance with (security_invoker = on) as
  select * from public.dimension_performance where dimension = 'hook_pattern';
