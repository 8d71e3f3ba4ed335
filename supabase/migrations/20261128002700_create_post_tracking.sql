-- Everything about a post in one place, as a view: a second copy would drift.
create view public.post_tracking with (security_invoker = on) as
select
  p.post_id, a.handle, p.account_id, p.decision_id, d.origin, d.policy, d.propensity, d.assigned,
  p.realised, p.kind, p.posted_at, p.viral_score,
  p.likes, p.retweets, p.replies, p.quotes, p.bookmarks, p.profile_clicks, p.impressions,
  p.engagement_rate, p.metrics_phase, p.metrics_captured_at,
  p.followers_before, p.followers_2h_after, p.followers_24h_after, p.followers_48h_after,
  p.followers_gained, p.followers_gained_low, p.followers_gained_high,
  p.followers_48h_after - p.followers_before as followers_gained_naive,
  c.credit_2h, c.credit_24h, c.credit_48h, c.credit_7d, c.final as credit_is_final,
  o.reward,
  r.reads_done, r.reads_waiting, r.reads_missed, r.next_read_at, r.last_outcome,
  p.last_updated,
  p.credit_note, x.follows as x_follows
from public.post_attribution p
join public.x_accounts a on a.id = p.account_id
left join public.content_metadata d on d.decision_id = p.decision_id
left join public.post_credit c on c.post_id = p.post_id
left join public.post_outcomes o on o.post_id = p.post_id
left join lateral (
  select
    count(*) filter (where m.state = 'done') as reads_done,
    count(*) filter (where m.state in ('waiting', 'leased')) as reads_waiting,
    count(*) filter (where m.state = 'missed') as reads_missed,
    min(m.next_attempt_at) filter (where m.state in ('waiting', 'leased')) as next_read_at,
    (array_agg(m.outcome order by m.due_at desc) filter (where m.outcome is not null))[1] as last_outcome
  from public.metric_collections m
  where m.post_id = p.post_id
) r on true
left join lateral (
  select n.follows from public.x_post_analytics n
  where n.post_id = p.post_id and n.follows is not null
  order by n.captured_at desc
  limit 1
) x on true;
comment on view public.post_tracking is
  'A post with its decision, newest numbers, follower horizons, credit or why there is none, reward and reads. followers_gained_naive is the raw 48 h difference, which overlapping posts share; followers_gained is the credit; x_follows are the follows that X itself attributes to the post.';

revoke all on public.post_tracking from public, anon, authenticated, service_role;
grant select on public.post_tracking to authenticated;
grant select on public.post_tracking to service_role;
