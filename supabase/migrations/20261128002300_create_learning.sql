-- Learning is handed the sums that a fit needs, and keeps a fit in one call.
create function public.learning_backlog(p_account_ids bigint[] default null)
returns bigint[]
language sql
stable
set search_path = ''
as $$
  select coalesce(array_agg(s.account_id order by s.account_id), '{}')
  from public.account_learning s
  where case when p_account_ids is null then s.learned_version < s.data_version
    else s.account_id = any (p_account_ids) end
$$;
comment on function public.learning_backlog is
  'Accounts whose data changed since they were learned, or those of the given ids that have data.';

-- Learning fits all dimensions together, from the sums of one pass over the account's posts.
create function public.learning_statistics(p_account_id bigint, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '55s'
set jit = off
set work_mem = '32MB'
-- the planner guesses ten times the rows and would sort them all, by text
set enable_mergejoin = off
as $$
declare
  -- what an edge function fits within its 2 s of CPU
  c_most_features constant integer := 200;
  c_half_life_days constant double precision := 90;
  c_alarm_discount constant double precision := 0.1;
  -- alarms older than the second are settled; the sums from which younger ones are made start at the first
  -- weights are counted in units of 2^-36: sums of whole numbers below 2^53 are exact, so they do not
  -- depend on the order of the rows, as long as an account's weights add up to less than 131,072
  c_unit constant double precision := 68719476736;
  c_drift_days constant integer := 120;
  c_open_alarm_days constant integer := 60;
  v_version bigint;
  v_result jsonb;
  v_fresh text[];
  v_newest date;
begin
  -- Read before the data, so that a change in between makes the account due again.
  select s.data_version into v_version from public.account_learning s where s.account_id = p_account_id;

  with
  reward as materialized (
    select row_number() over () as post_no, r.*, r.posted_at at time zone 'UTC' as utc,
      floor((extract(epoch from r.posted_at) / 86400 + 3) / 7)::integer as week
    from postloop.post_rewards(p_account_id, p_now) r
  ),
  -- 1 age counts back from the end of the newest post's day: a pause forgets nothing, and the same
  -- posts weigh the same whenever they are learned
  reference as (
    select date_trunc('day', max(r.posted_at), 'UTC') + interval '1 day' as until, max(r.week) as week
    from reward r
  ),
  audience as (
    select avg(ln(r.followers + 1) order by r.followers) as centre,
      stddev_pop(ln(r.followers + 1) order by r.followers) as spread
    from reward r
  ),
  -- a change that all posts show is not counted again for each value that shows it too
  alarm as materialized (
    select a.dimension, a.value, a.day::timestamp at time zone 'UTC' as day
    from public.drift_alarms a
    where a.account_id = p_account_id
      and (a.dimension is null or not exists (
        select from public.drift_alarms o
        where o.account_id = p_account_id and o.dimension is null and o.since <= a.day and o.day >= a.since))
  ),
  -- 2 the weights of the four outcomes: discount / (1 + noise), for the outcomes have spread 1; the
  -- variance of the last fit in its place would give another fit each time. Unknown outcomes weigh 0.
  weighed as materialized (
    select r.post_no, r.posted_at, r.kind, r.realised, r.is_final, r.utc, r.week, d.alarms,
      r.impressions, r.engagements, r.engagement_rate, r.followers_gained,
      case when a.spread > 1e-6 then coalesce((ln(r.followers + 1) - a.centre) / a.spread, 0) else 0 end as z,
      r.reward as y0, coalesce(r.r_impressions, 0) as y1, coalesce(r.r_engagement, 0) as y2, coalesce(r.r_followers, 0) as y3,
      greatest(1, round(d.discount / (1 + r.noise))) as w0,
      case when r.r_impressions is null then 0 else round(d.discount / (1 + r.noise_impressions)) end as w1,
      case when r.r_engagement is null then 0 else round(d.discount / (1 + r.noise_engagement)) end as w2,
      case when r.r_followers is null then 0 else round(d.discount / (1 + r.noise_followers)) end as w3,
      d.discount as n0,
      case when r.r_impressions is null then 0 else d.discount end as n1,
      case when r.r_engagement is null then 0 else d.discount end as n2,
      case when r.r_followers is null then 0 else d.discount end as n3
    from reward r
    cross join reference f
    cross join audience a
    cross join lateral (
      select s.alarms, round(c_unit * greatest(1e-9,
        power(2, -extract(epoch from f.until - r.posted_at)::double precision / 86400 / c_half_life_days)
        * power(c_alarm_discount, s.alarms))) as discount
      from (
        -- of all posts, and of the value with most: what two values of a post show is one change
        select (select count(*) from alarm l where l.day > r.posted_at and l.dimension is null)
          + coalesce((
            select max(v.alarms) from (
              select count(*) as alarms from alarm l
              where l.day > r.posted_at and r.realised ->> l.dimension = l.value
              group by l.dimension
            ) v), 0) as alarms
      ) s
      -- kept apart: merged, it is computed for each of its uses
      offset 0
    ) d
  ),
  -- 3 the outcomes that are new or other than before. The rest is not touched: an upsert would lock, and
  -- so write, every row. Looked up post by post, as in post_rewards.
  change as materialized (
    select r.post_id, r.account_id, r.posted_at, r.y_impressions, r.y_engagement, r.y_followers, r.reward,
      r.horizon_h, r.is_final, r.noise, w.alarms, k.post_id is null as is_fresh
    from reward r
    join weighed w on w.post_no = r.post_no
    left join lateral (
      select * from public.post_outcomes o where o.post_id = r.post_id limit 1
    ) k on true
    where (k.log_impressions, k.log_engagement, k.log_followers, k.reward, k.horizon_h, k.is_final, k.noise, k.alarms)
      is distinct from (r.y_impressions, r.y_engagement, r.y_followers, r.reward, r.horizon_h, r.is_final, r.noise, w.alarms)
  ),
  stored as (
    insert into public.post_outcomes (post_id, account_id, posted_at, log_impressions, log_engagement, log_followers,
      reward, horizon_h, is_final, noise, alarms, computed_at)
    select c.post_id, c.account_id, c.posted_at, c.y_impressions, c.y_engagement, c.y_followers,
      c.reward, c.horizon_h, c.is_final, c.noise, c.alarms, p_now
    from change c
    on conflict (post_id) do update
    set log_impressions = excluded.log_impressions, log_engagement = excluded.log_engagement,
        log_followers = excluded.log_followers, reward = excluded.reward, horizon_h = excluded.horizon_h,
        is_final = excluded.is_final, noise = excluded.noise, alarms = excluded.alarms,
        computed_at = excluded.computed_at
  ),
  -- 4 the features, numbered from 1 on in the order of the design; 0 is the intercept
  label as materialized (
    select w.post_no, 1 as section, v.key as group_name, v.value as label
    from weighed w
    cross join lateral jsonb_each_text(w.realised) v
    union all
    -- weeks from Monday, counted from 29 December 1969; older ones have little weight and share a level
    select w.post_no, 2, 'nuisance:week', case when w.week > f.week - 26 then lpad(w.week::text, 6, '0') else 'older' end
    from weighed w
    cross join reference f
    union all
    select w.post_no, 3, 'nuisance:hour_band', (extract(hour from w.utc)::integer / 3)::text from weighed w
    union all
    select w.post_no, 4, 'nuisance:weekend', case when extract(isodow from w.utc) >= 6 then 'true' else 'false' end from weighed w
    union all
    select w.post_no, 5, 'nuisance:kind', w.kind from weighed w
  ),
  level as (
    select c.*, count(*) over (partition by c.group_name) as levels,
      row_number() over (partition by c.group_name order by c.uses desc, c.label collate "C") as place
    from (
      select l.section, l.group_name, l.label, count(*) as uses
      from label l
      group by l.section, l.group_name, l.label
    ) c
  ),
  -- no dimension has more values than this, so that all features together are as many as can be fitted
  room as (
    select coalesce(max(g.most), 1) as most
    from generate_series(1, c_most_features) g(most)
    where (select sum(least(l.levels, g.most)) from level l where l.section = 1 and l.place = 1)
      <= c_most_features - 2 - (select count(*) from level l where l.section > 1 and l.levels > 1)
  ),
  feature as materialized (
    select l.section, l.group_name, l.label,
      row_number() over (order by l.section, l.group_name collate "C", l.label collate "C")::integer as f
    from level l
    cross join room r
    where case when l.section = 1 then l.place <= r.most else l.levels > 1 end
  ),
  size as (
    -- the logarithm of followers comes last
    select (select count(*)::integer from feature) as levels,
      case when (select a.spread from audience a) > 1e-6 then (select count(*)::integer from feature) + 1 end as audience
  ),
  marked as materialized (
    select l.post_no, f.f
    from label l
    join feature f on f.section = l.section and f.group_name = l.group_name and f.label = l.label
  ),
  -- 5 the sums by feature and by pair of features, and of what posts brought as it was read
  term as materialized (
    select w.post_no, w.posted_at, w.z, w.w0, w.w1, w.w2, w.w3,
      round(w.w0 * w.y0) as u0, round(w.w1 * w.y1) as u1, round(w.w2 * w.y2) as u2, round(w.w3 * w.y3) as u3,
      round(w.w0 * w.z) as z0, round(w.w1 * w.z) as z1, round(w.w2 * w.z) as z2, round(w.w3 * w.z) as z3,
      round(w.w0 * w.y0 * w.y0) as v0,
      w.impressions::double precision as impressions,
      w.engagements::double precision as engagements,
      round(c_unit * w.followers_gained) as gained,
      case when w.is_final then w.impressions::double precision end as final_impressions,
      case when w.is_final then round(c_unit * w.engagement_rate) end as final_rate,
      case when w.is_final then round(c_unit * w.followers_gained) end as final_gained
    from weighed w
  ),
  by_feature as materialized (
    select m.f, count(*) as uses,
      sum(t.w0) as w0, sum(t.w1) as w1, sum(t.w2) as w2, sum(t.w3) as w3,
      sum(t.u0) as u0, sum(t.u1) as u1, sum(t.u2) as u2, sum(t.u3) as u3,
      sum(t.z0) as z0, sum(t.z1) as z1, sum(t.z2) as z2, sum(t.z3) as z3,
      sum(t.v0) as v0, sum(t.impressions) as impressions, sum(t.engagements) as engagements, sum(t.gained) as gained,
      sum(t.final_impressions) as final_impressions, count(t.final_impressions) as final_impressions_n,
      sum(t.final_rate) as final_rate, count(t.final_rate) as final_rate_n,
      sum(t.final_gained) as final_gained, count(t.final_gained) as final_gained_n,
      max(t.posted_at) as last_posted_at
    from (select m.post_no, m.f from marked m union all select w.post_no, 0 from weighed w) m
    join term t on t.post_no = m.post_no
    group by m.f
  ),
  -- the logarithm of followers is the only feature that is not 0 or 1
  by_audience as (
    select s.audience as f, count(*) as uses, sum(t.z0) as w0, sum(t.z1) as w1, sum(t.z2) as w2, sum(t.z3) as w3,
      sum(round(t.u0 * t.z)) as u0, sum(round(t.u1 * t.z)) as u1, sum(round(t.u2 * t.z)) as u2, sum(round(t.u3 * t.z)) as u3,
      sum(round(t.z0 * t.z)) as z0, sum(round(t.z1 * t.z)) as z1, sum(round(t.z2 * t.z)) as z2, sum(round(t.z3 * t.z)) as z3
    from term t
    join size s on s.audience is not null
    group by s.audience
  ),
  vector as materialized (
    select m.f, t.w0, t.w1, t.w2, t.w3
    from (select k.post_no, array_agg(k.f order by k.f) as f from marked k group by k.post_no) m
    join term t on t.post_no = m.post_no
  ),
  pair as materialized (
    select i, j
    from generate_series(2, (select count(distinct f.group_name)::integer from feature f)) j
    cross join lateral generate_series(1, j - 1) i
  ),
  by_pair as (
    select v.f[p.j] * (v.f[p.j] + 1) / 2 + v.f[p.i] as cell,
      sum(v.w0) as w0, sum(v.w1) as w1, sum(v.w2) as w2, sum(v.w3) as w3
    from vector v
    join pair p on p.j <= cardinality(v.f)
    group by 1
  ),
  -- 6 the lower triangle row by row: cell (i, j) is at i (i + 1) / 2 + j
  cell as (
    select p.cell, p.w0, p.w1, p.w2, p.w3 from by_pair p
    union all
    select b.f * (b.f + 1) / 2, b.w0, b.w1, b.w2, b.w3 from by_feature b
    union all
    select b.f * (b.f + 1) / 2 + b.f, b.w0, b.w1, b.w2, b.w3 from by_feature b where b.f > 0
    union all
    select a.f * (a.f + 1) / 2, a.w0, a.w1, a.w2, a.w3 from by_audience a
    union all
    select a.f * (a.f + 1) / 2 + b.f, b.z0, b.z1, b.z2, b.z3
    from by_audience a join by_feature b on b.f > 0
    union all
    select a.f * (a.f + 1) / 2 + a.f, a.z0, a.z1, a.z2, a.z3 from by_audience a
  ),
  gram as (
    select jsonb_agg(coalesce(c.w0, 0) / c_unit order by g.cell) as g0, jsonb_agg(coalesce(c.w1, 0) / c_unit order by g.cell) as g1,
      jsonb_agg(coalesce(c.w2, 0) / c_unit order by g.cell) as g2, jsonb_agg(coalesce(c.w3, 0) / c_unit order by g.cell) as g3
    from size s
    cross join lateral generate_series(0,
      (coalesce(s.audience, s.levels) + 1) * (coalesce(s.audience, s.levels) + 2) / 2 - 1) g(cell)
    left join cell c on c.cell = g.cell
  ),
  rhs as (
    select jsonb_agg(b.uses order by b.f) as uses,
      jsonb_agg(b.u0 / c_unit order by b.f) as u0, jsonb_agg(b.u1 / c_unit order by b.f) as u1,
      jsonb_agg(b.u2 / c_unit order by b.f) as u2, jsonb_agg(b.u3 / c_unit order by b.f) as u3
    from (
      select b.f, b.uses, b.u0, b.u1, b.u2, b.u3 from by_feature b
      union all
      select a.f, a.uses, a.u0, a.u1, a.u2, a.u3 from by_audience a
    ) b
  ),
  total as (
    select count(*) as posts, count(*) filter (where w.is_final) as finished,
      sum(round(w.w0 * w.y0 * w.y0)) / c_unit as yy0, sum(round(w.w1 * w.y1 * w.y1)) / c_unit as yy1,
      sum(round(w.w2 * w.y2 * w.y2)) / c_unit as yy2, sum(round(w.w3 * w.y3 * w.y3)) / c_unit as yy3,
      sum(w.n0) / c_unit as n0, sum(w.n1) / c_unit as n1, sum(w.n2) / c_unit as n2, sum(w.n3) / c_unit as n3
    from weighed w
  ),
  measure as (
    select r.centre_impressions, r.spread_impressions, r.centre_engagement, r.spread_engagement,
      r.centre_followers, r.spread_followers
    from reward r
    limit 1
  ),
  outcome as (
    select jsonb_object_agg(o.name, jsonb_build_object('gram', o.gram, 'rhs', o.rhs, 'yy', o.yy, 'n', o.n,
      'centre', o.centre, 'spread', o.spread)) as moments
    from gram g
    cross join rhs r
    cross join total t
    cross join measure m
    cross join lateral (values
      ('reward', g.g0, r.u0, t.yy0, t.n0, null, null),
      ('impressions', g.g1, r.u1, t.yy1, t.n1, m.centre_impressions, m.spread_impressions),
      ('engagement', g.g2, r.u2, t.yy2, t.n2, m.centre_engagement, m.spread_engagement),
      ('followers', g.g3, r.u3, t.yy3, t.n3, m.centre_followers, m.spread_followers)
    ) o(name, gram, rhs, yy, n, centre, spread)
    where o.n > 0
  ),
  design as (
    select jsonb_agg(jsonb_build_object('name', g.group_name, 'features', g.features) order by g.section, g.group_name collate "C") as groups
    from (
      select 0 as section, 'intercept' as group_name, '["intercept"]'::jsonb as features
      union all
      select f.section, f.group_name, jsonb_agg(f.label order by f.f) from feature f group by f.section, f.group_name
      union all
      select 6, 'nuisance:ln_followers', '["nuisance:ln_followers"]'::jsonb from size s where s.audience is not null
    ) g
  ),
  -- 7 what is shown of each value without a model
  value_sum as (
    select f.group_name as dimension, f.label as value, b.uses,
      b.w0 / c_unit as n, b.u0 / c_unit as s1, b.v0 / c_unit as s2,
      coalesce(b.impressions, 0) as total_impressions, coalesce(b.engagements, 0) as total_engagements,
      coalesce(b.gained / c_unit, 0) as total_followers_gained,
      b.final_impressions / nullif(b.final_impressions_n, 0) as mean_impressions,
      b.final_rate / c_unit / nullif(b.final_rate_n, 0) as mean_engagement_rate,
      b.final_gained / c_unit / nullif(b.final_gained_n, 0) as mean_followers_gained,
      b.last_posted_at
    from by_feature b
    join feature f on f.f = b.f and f.section = 1
  )
  select jsonb_build_object(
      'account_id', p_account_id,
      'data_version', v_version,
      'posts', t.posts,
      'finished_posts', t.finished,
      'groups', d.groups,
      'uses', coalesce(r.uses, '[]'::jsonb),
      'followers', case when s.audience is not null
        then (select jsonb_build_object('centre', a.centre, 'spread', a.spread) from audience a) end,
      'left_out', (
        select coalesce(jsonb_object_agg(x.group_name, x.n), '{}'::jsonb)
        from (
          select l.group_name, count(*) as n
          from level l cross join room m
          where l.section = 1 and l.place > m.most
          group by l.group_name
        ) x),
      'moments', coalesce(o.moments, '{}'::jsonb),
      'values', coalesce((
        select jsonb_agg(to_jsonb(v) order by v.dimension collate "C", v.value collate "C") from value_sum v), '[]'::jsonb)),
      (select array_agg(c.post_id) from change c where c.is_fresh),
      ((select x.until from reference x) at time zone 'UTC')::date
    into v_result, v_fresh, v_newest
  from total t
  cross join size s
  cross join design d
  cross join rhs r
  cross join outcome o;

  -- Rows that stay as they were keep their time; that of the newest decided post says when this ran.
  update public.post_outcomes o
  set computed_at = p_now
  where o.post_id = (
    select p.post_id
    from public.post_attribution p
    join public.post_outcomes n on n.post_id = p.post_id
    where p.account_id = p_account_id and p.realised <> '{}'
    order by p.posted_at desc
    limit 1);

  -- What the model of the last fit expects of posts that it has not seen, and what came of them.
  if v_fresh is not null then
    insert into public.post_predictions (account_id, kind, post_id, predicted, standard_deviation, created_at)
    select p_account_id, 'reward', x.post_id, x.predicted, x.sd, p_now
    from postloop.predict_rewards(p_account_id, v_fresh) x
    on conflict (kind, post_id, phase) do nothing;
  end if;
  update public.post_predictions e
  set observed = o.reward, observed_at = p_now
  from public.post_outcomes o
  where e.account_id = p_account_id and e.kind = 'reward' and e.observed is null
    and o.post_id = e.post_id and o.is_final;

  return v_result || (
    select jsonb_build_object(
      'alarms_from', v_newest - c_open_alarm_days,
      'alarms', (
        select coalesce(jsonb_agg(jsonb_build_object('dimension', a.dimension, 'value', a.value,
          'direction', a.direction, 'day', a.day)), '[]'::jsonb)
        from public.drift_alarms a
        where a.account_id = p_account_id and a.day >= v_newest - c_open_alarm_days),
      'residuals', (
        select coalesce(jsonb_agg(jsonb_build_object('day', (p.posted_at at time zone 'UTC')::date,
          'residual', (e.observed - e.predicted) / e.standard_deviation, 'values', p.realised)), '[]'::jsonb)
        from public.post_predictions e
        join public.post_attribution p on p.post_id = e.post_id
        where e.account_id = p_account_id and e.kind = 'reward' and e.observed is not null
          and p.posted_at >= (v_newest - c_drift_days)::timestamp at time zone 'UTC')));
end
$$;
comment on function public.learning_statistics is
  'Recomputes an account''s post outcomes; predicts the rewards of posts new to its model and notes what came of earlier predictions; returns the design, the weighted sums of each outcome for the joint fit, raw sums of each value and the residuals that drift is watched by.';

-- One call keeps a fit: what each value has shown, and the models that the next decisions are drawn from.
create function public.record_performance(p_account_id bigint, p_data_version bigint, p_finished_posts integer,
  p_rows jsonb, p_models jsonb, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_written integer;
  v_removed integer;
begin
  -- Two learners of one account take turns, and the one with older data does not overwrite.
  perform from public.account_learning s where s.account_id = p_account_id for update;
  if exists (select from public.account_learning s where s.account_id = p_account_id and s.learned_version > p_data_version) then
    return jsonb_build_object('code', 'superseded');
  end if;

  select count(*) into v_removed
  from public.dimension_performance d
  where d.account_id = p_account_id
    and not exists (
      select from jsonb_to_recordset(p_rows) g(dimension text, value text)
      where g.dimension = d.dimension and g.value = d.value);

  delete from public.dimension_performance d where d.account_id = p_account_id;
  insert into public.dimension_performance
  select g.*
  from jsonb_array_elements(p_rows) r(shown)
  cross join lateral jsonb_populate_record(null::public.dimension_performance,
    r.shown || jsonb_build_object('account_id', p_account_id, 'computed_at', p_now)) g;
  get diagnostics v_written = row_count;

  delete from public.learned_models m where m.account_id = p_account_id;
  insert into public.learned_models
  select g.*
  from jsonb_array_elements(p_models) r(fit)
  cross join lateral jsonb_populate_record(null::public.learned_models, r.fit || jsonb_build_object(
    'account_id', p_account_id, 'data_version', p_data_version, 'finished_posts', p_finished_posts,
    'fitted_at', p_now)) g;

  update public.account_learning s
  set learned_version = p_data_version, finished_posts = p_finished_posts,
      learned_at = p_now
  where s.account_id = p_account_id;

  return jsonb_build_object('code', 'recorded', 'written', v_written, 'removed', v_removed);
end
$$;
comment on function public.record_performance is
  'Replaces an account''s dimension_performance and models by what was learned from the given data version.';

revoke all on function
  public.learning_backlog, public.learning_statistics, public.record_performance
  from public, anon, authenticated, service_role;
grant execute on function
  public.learning_backlog, public.learning_statistics, public.record_performance
  to service_role;
