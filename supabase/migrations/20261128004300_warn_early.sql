-- Predictions for new reads of posts up to 4 h old, within minutes of the read: each read once, and each
-- rising post told once.
create function postloop.warn_early(p_now timestamptz)
returns jsonb
language sql
set search_path = ''
as $$
  with
  -- 1 reads without a prediction; what was posted more than 6 h ago has none of these ages any more
  fresh as (
    select p.account_id, p.post_id, p.posted_at, r.phase, r.age_h, r.impressions, r.collected_at
    from public.post_attribution p
    cross join lateral (
      select m.collection_phase as phase, m.age_h, m.impressions, m.collected_at
      from public.real_tweet_metrics m
      where m.tweet_id = p.post_id
        and m.collection_phase in ('30m', '75m', '2h')
        and m.collected_at <= p_now
        and m.impressions is not null
        and m.quality <> 'suspect'
        and not exists (
          select from public.post_predictions e
          where e.kind = 'impressions_48h' and e.post_id = p.post_id and e.phase = m.collection_phase)
      -- kept apart, and the posts bounded on both sides: else the planner, which does not know p_now,
      -- reads the tables whole
      offset 0
    ) r
    where p.posted_at > p_now - interval '6 hours' and p.posted_at <= p_now
  ),
  -- 2 ln(1 + impressions) at 48 h, and the probability that they pass the account's threshold
  segment as materialized (
    select a.account_id, g.*
    from (select distinct f.account_id from fresh f) a
    cross join lateral postloop.growth_segments(a.account_id) g
    where g.outcome = 'impressions'
  ),
  projected as (
    select f.*, v.impressions as threshold,
      ln(1 + f.impressions::double precision) + s.growth_from + x.share * (s.growth_to - s.growth_from) as y,
      s.spread_from + x.share * (s.spread_to - s.spread_from) as sd
    from fresh f
    join segment s on s.account_id = f.account_id and s.age_from <= f.age_h and f.age_h < s.age_to
    cross join lateral (
      select (ln(1 + f.age_h / (80.0::double precision / 60)) - s.clock_from) / (s.clock_to - s.clock_from) as share
    ) x
    left join public.viral_thresholds v on v.account_id = f.account_id
  ),
  judged as (
    select p.*,
      case when p.sd > 0 then postloop.normal_cdf((p.y - ln(1 + p.threshold)) / p.sd)
        else (p.y > ln(1 + p.threshold))::integer end as probability
    from projected p
  ),
  stored as (
    insert into public.post_predictions
      (account_id, kind, post_id, phase, predicted, standard_deviation, threshold, created_at)
    select x.account_id, x.kind, x.post_id, x.phase, x.predicted, x.sd, x.threshold, p_now
    from (
      select j.account_id, 'impressions_48h' as kind, j.post_id, j.phase, j.age_h, j.y as predicted, j.sd,
        null::double precision as threshold
      from judged j
      union all
      select j.account_id, 'viral', j.post_id, j.phase, j.age_h, j.probability, null, j.threshold
      from judged j
      where j.threshold is not null
    ) x
    -- the newest prediction of a post has its highest id
    order by x.age_h, x.post_id, x.kind
    on conflict on constraint post_predictions_key do nothing
    returning 1
  ),
  rising as (
    select distinct on (j.post_id) j.*
    from judged j
    where j.probability >= 0.5
    order by j.post_id, j.age_h desc
  ),
  -- 3 its curve is followed more closely: the reads between the scheduled ones that are still to come
  scheduled as (
    insert into public.metric_collections
      (post_id, phase, account_id, due_at, expires_at, next_attempt_at)
    select r.post_id, ph.phase, r.account_id, r.posted_at + ph.age, r.posted_at + ph.age + ph.tolerance,
      r.posted_at + ph.age
    from rising r
    join public.collection_phases ph
      on not ph.scheduled and ph.age < interval '48 hours' and r.posted_at + ph.age > p_now
    on conflict (post_id, phase) do nothing
    returning 1
  ),
  -- 4 and people are told, by the delivery of postloop.watch
  told as (
    insert into public.pipeline_alerts (created_at, change, invariant, status, measured, what_to_do, since, next_attempt_at)
    select p_now, 'rising', 'post ' || r.post_id, 'ok',
      format('may go viral: P = %s to pass %s impressions at 48 h, as one post in twenty does; now %s after %s',
        round(r.probability::numeric, 2), round(r.threshold), r.impressions,
        postloop.in_words(r.collected_at - r.posted_at)),
      format('Post a follow-up while it spreads: https://x.com/%s/status/%s', a.handle, r.post_id),
      r.collected_at, p_now
    from rising r
    join public.x_accounts a on a.id = r.account_id
    where not exists (
      select from public.post_predictions e
      where e.kind = 'viral' and e.post_id = r.post_id and e.predicted >= 0.5)
    order by r.post_id
    returning 1
  )
  select jsonb_build_object('code', 'warned', 'predictions', (select count(*) from stored),
    'reads_scheduled', (select count(*) from scheduled), 'alerts', (select count(*) from told))
$$;
comment on function postloop.warn_early is
  'Predicts the impressions at 48 h from each new accepted read of a post up to 4 h old, and the probability of a viral post. At 0.5 or more, reads of all ages to come are scheduled and an alert is stored, once a post. Returns {code: warned, predictions, reads_scheduled, alerts}.';

create function postloop.settle_predictions(p_now timestamptz)
returns jsonb
language sql
set search_path = ''
as $$
  with
  -- predictions are made within 6 h of posting and settled by a read at 48 h to 72 h; older ones without
  -- it stay open
  open_event as (
    select e.id, e.kind, e.post_id, e.threshold
    from public.post_predictions e
    where e.observed is null and e.kind in ('impressions_48h', 'viral')
      and e.created_at > p_now - interval '7 days' and e.created_at <= p_now - interval '42 hours'
  ),
  settled as (
    update public.post_predictions e
    set observed = case o.kind when 'viral' then (f.impressions > o.threshold)::integer
          else ln(1 + f.impressions) end,
        observed_at = p_now
    from open_event o
    cross join lateral (
      select r.impressions::double precision as impressions
      from public.real_tweet_metrics r
      where r.tweet_id = o.post_id
        and r.collection_phase = '48h'
        and r.age_h >= 48 and r.age_h < 72
        and r.collected_at <= p_now
        and r.impressions is not null
        and r.quality <> 'suspect'
      offset 0
    ) f
    where e.id = o.id
    returning 1
  ),
  forgotten as (
    delete from public.post_predictions e where e.created_at < p_now - interval '180 days'
    returning 1
  )
  select jsonb_build_object('code', 'settled', 'settled', (select count(*) from settled),
    'forgotten', (select count(*) from forgotten))
$$;
comment on function postloop.settle_predictions is
  'Fills in what came of predictions of the last 7 days once the read at 48 h is there, and deletes predictions older than 180 days. Returns {code: settled, settled, forgotten}.';

revoke all on function
  postloop.warn_early, postloop.settle_predictions
  from public, anon, authenticated, service_role;
