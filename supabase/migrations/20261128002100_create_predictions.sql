-- What was predicted and what came of it: the only proof that a probability or a range means what it says.
create table public.post_predictions (
  id bigint generated always as identity primary key,
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  kind text not null,
  post_id text not null references public.post_attribution (post_id) on delete cascade,
  phase text references public.collection_phases (phase),
  predicted double precision not null,
  standard_deviation double precision,
  observed double precision,
  threshold double precision,
  created_at timestamptz not null,
  observed_at timestamptz,
  constraint post_predictions_key unique nulls not distinct (kind, post_id, phase),
  constraint kind_is_known check (kind in ('impressions_48h', 'viral', 'reward')),
  constraint standard_deviation_is_not_negative check (standard_deviation >= 0),
  constraint viral_is_a_probability check (
    kind <> 'viral' or (predicted between 0 and 1 and observed in (0, 1) and threshold is not null)),
  constraint observed_has_a_time check ((observed is null) = (observed_at is null))
);
comment on table public.post_predictions is
  'A prediction about one post and what was observed. impressions_48h: ln(1 + impressions) at 48 h; viral: whether the post passes threshold impressions at 48 h; reward: the reward when final. Kept for 180 days.';
comment on column public.post_predictions.phase is 'The read that the prediction rests on; null for one made before any read.';
comment on column public.post_predictions.predicted is 'The expectation, or for viral the probability.';
comment on column public.post_predictions.standard_deviation is 'Standard deviation of the error that was expected; null for viral.';
comment on column public.post_predictions.observed is 'What came of it, 0 or 1 for viral; null until it is known.';
comment on column public.post_predictions.threshold is 'Of viral: impressions at 48 h that one post in twenty of the account passes.';
create index post_predictions_account_id_idx
  on public.post_predictions (account_id, kind, observed_at desc nulls last, id desc);
create index post_predictions_post_id_idx on public.post_predictions (post_id);
create index post_predictions_phase_idx on public.post_predictions (phase);
create index post_predictions_open_idx on public.post_predictions (created_at) where observed is null;
create index post_predictions_created_at_idx on public.post_predictions (created_at);

-- What the newest model expects of posts that it has not seen: the proof of the model, and of drift.
create function postloop.predict_rewards(p_account_id bigint, p_post_ids text[])
returns table (post_id text, predicted double precision, sd double precision)
language sql
stable
set search_path = ''
set jit = off
as $$
  with
  model as materialized (
    select m.residual_variance, m.group_variances, m.features, m.mean, m.factor
    from public.learned_models m
    where m.account_id = p_account_id and m.outcome = 'reward'
  ),
  feature as materialized (
    select (f.position - 1)::integer as i, f.feature ->> 'group' as group_name, f.feature ->> 'name' as name,
      (f.feature ->> 'centre')::double precision as centre,
      (f.feature ->> 'spread')::double precision as spread, c.coefficient
    from model m
    cross join lateral jsonb_array_elements(m.features) with ordinality f(feature, position)
    join lateral unnest(m.mean) with ordinality c(coefficient, position) on c.position = f.position
  ),
  post as (
    select p.post_id, p.posted_at, p.kind, p.realised, p.followers_before
    from public.post_attribution p
    where p.post_id = any (p_post_ids)
  ),
  label as (
    select p.post_id, 'intercept' as group_name, 'intercept' as name from post p
    union all
    select p.post_id, v.key, v.value from post p cross join lateral jsonb_each_text(p.realised) v
    union all
    -- as in learning_statistics
    select p.post_id, l.group_name, l.label
    from post p
    cross join lateral (values
      ('nuisance:week', lpad(floor((extract(epoch from p.posted_at) / 86400 + 3) / 7)::text, 6, '0')),
      ('nuisance:hour_band', (extract(hour from p.posted_at at time zone 'UTC')::integer / 3)::text),
      ('nuisance:weekend', case when extract(isodow from p.posted_at at time zone 'UTC') >= 6 then 'true' else 'false' end),
      ('nuisance:kind', p.kind)
    ) l(group_name, label)
  ),
  -- 1 what the model knows of the post; followers are the only number
  known as materialized (
    select l.post_id, f.i, 1::double precision as x, f.coefficient
    from label l
    join feature f on f.group_name = l.group_name and f.name = l.name
    union all
    select p.post_id, f.i, (ln(p.followers_before + 1::double precision) - f.centre) / f.spread, f.coefficient
    from post p
    join feature f on f.group_name = 'nuisance:ln_followers'
    where p.followers_before is not null
  ),
  -- 2 what it does not: a new week or value is one more of its group, with the group's variance
  unknown as (
    select l.post_id, sum((m.group_variances ->> l.group_name)::double precision
      order by (m.group_variances ->> l.group_name)::double precision) as variance
    from label l
    cross join model m
    where not exists (select from feature f where f.group_name = l.group_name and f.name = l.name)
    group by l.post_id
  ),
  -- 3 x'm, and x'Sx as the squared length of L'x, S = L L'; sums in a fixed order
  expected as (
    select k.post_id, sum(k.x * k.coefficient order by k.i) as predicted
    from known k
    group by k.post_id
  ),
  factor as (
    select u.i, c.l, c.j
    from (select distinct k.i from known k) u
    cross join model m
    cross join lateral unnest(m.factor[u.i * (u.i + 1) / 2 + 1 : u.i * (u.i + 1) / 2 + u.i + 1])
      with ordinality c(l, j)
  ),
  projected as (
    select k.post_id, f.j, sum(k.x * f.l order by k.i) as length
    from known k
    join factor f on f.i = k.i
    group by k.post_id, f.j
  ),
  certain as (
    select p.post_id, sum(p.length * p.length order by p.j) as variance
    from projected p
    group by p.post_id
  )
  select e.post_id, e.predicted, sqrt(m.residual_variance + c.variance + coalesce(u.variance, 0))
  from expected e
  join certain c on c.post_id = e.post_id
  left join unknown u on u.post_id = e.post_id
  cross join model m
$$;
comment on function postloop.predict_rewards is
  'The reward that an account''s stored model expects of posts, and the standard deviation of a post around it: sqrt(sigma^2 + x''Sx). No row without a model.';

-- Whether what was said comes true, over the last hundred predictions: enough to see, few enough to be of now.
create view public.prediction_calibration with (security_invoker = on) as
  with newest as (
    select a.id as account_id, k.kind, e.predicted, e.sd, e.observed
    from public.x_accounts a
    cross join (values ('impressions_48h'), ('viral'), ('reward')) k(kind)
    cross join lateral (
      select c.predicted, c.standard_deviation as sd, c.observed
      from public.post_predictions c
      where c.account_id = a.id and c.kind = k.kind and c.observed_at is not null
      order by c.observed_at desc nulls last, c.id desc
      limit 100
    ) e
  ), bin as (
    select n.account_id, abs(sum(n.predicted order by n.predicted) - sum(n.observed)) as missed
    from newest n
    where n.kind = 'viral'
    group by n.account_id, least(floor(n.predicted * 10), 9)
  ), error as (
    select b.account_id, sum(b.missed order by b.missed) as missed from bin b group by b.account_id
  )
  select n.account_id, n.kind, count(*)::integer as predictions,
    avg((n.observed between n.predicted - 0.6744897501960817 * n.sd and n.predicted + 0.6744897501960817 * n.sd)::integer)::double precision as coverage_50,
    avg((n.observed between n.predicted - 1.2815515655446004 * n.sd and n.predicted + 1.2815515655446004 * n.sd)::integer)::double precision as coverage_80,
    avg((n.observed between n.predicted - 1.6448536269514722 * n.sd and n.predicted + 1.6448536269514722 * n.sd)::integer)::double precision as coverage_90,
    avg(n.predicted order by n.predicted) as mean_predicted,
    avg(n.observed order by n.observed) as mean_observed,
    case when n.kind = 'viral' then max(e.missed) / count(*) end as calibration_error
  from newest n
  left join error e on e.account_id = n.account_id
  group by n.account_id, n.kind;
comment on view public.prediction_calibration is
  'How the last 100 settled predictions of an account came true, by kind.';
comment on column public.prediction_calibration.predictions is 'Settled predictions, 100 at most; below 30 the shares say little.';
comment on column public.prediction_calibration.coverage_50 is 'Share of observations within the 50 % range; likewise the other two. Null for viral.';
comment on column public.prediction_calibration.mean_predicted is 'Mean prediction; for viral the mean probability.';
comment on column public.prediction_calibration.mean_observed is 'Mean observation; for viral the share of posts that did go viral.';
comment on column public.prediction_calibration.calibration_error is
  'Of viral: mean distance between probability and share, in ten bins of equal width (ECE); too high by chance where bins hold few.';

alter table public.post_predictions enable row level security;
create policy owners_read_their_predictions on public.post_predictions
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));

revoke all on
  public.post_predictions, public.prediction_calibration
  from public, anon, authenticated, service_role;
revoke all on sequence
  public.post_predictions_id_seq
  from public, anon, authenticated, service_role;
grant select on public.post_predictions, public.prediction_calibration to authenticated;
grant select, insert, update on public.post_predictions to service_role;
grant select on public.prediction_calibration to service_role;
revoke all on function postloop.predict_rewards from public, anon, authenticated, service_role;
grant execute on function postloop.predict_rewards to service_role;
