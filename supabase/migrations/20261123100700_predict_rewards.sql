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
    select m.sigma2, m.tau2, m.features, m.mean, m.factor
    from public.models m
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
    select l.post_id, sum((m.tau2 ->> l.group_name)::double precision
      order by (m.tau2 ->> l.group_name)::double precision) as variance
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
  select e.post_id, e.predicted, sqrt(m.sigma2 + c.variance + coalesce(u.variance, 0))
  from expected e
  join certain c on c.post_id = e.post_id
  left join unknown u on u.post_id = e.post_id
  cross join model m
$$;
comment on function postloop.predict_rewards is
  'The reward that an account''s stored model expects of posts, and the standard deviation of a post around it: sqrt(sigma^2 + x''Sx). No row without a model.';

revoke all on function postloop.predict_rewards
  from public, anon, authenticated, service_role;
grant execute on function postloop.predict_rewards to service_role;
