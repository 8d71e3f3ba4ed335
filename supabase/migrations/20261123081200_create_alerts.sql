-- What people were told about the pipeline, and whether it reached them.
create table public.alerts (
  id bigint generated always as identity primary key,
  created_at timestamptz not null,
  change text not null,
  invariant text not null,
  status text not null,
  previous_status text,
  measured text,
  threshold text,
  what_to_do text,
  since timestamptz not null,
  delivery text not null default 'pending',
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  sent_at timestamptz,
  request_id bigint,
  last_error text,
  delivered_at timestamptz,
  constraint change_is_known check (change in ('failing', 'warning', 'recovered', 'reminder')),
  constraint status_is_known check (status in ('ok', 'warning', 'failing')),
  constraint previous_status_is_known check (previous_status in ('ok', 'warning', 'failing')),
  constraint change_fits_status check (case change
    when 'recovered' then status = 'ok'
    when 'reminder' then status <> 'ok'
    else status = change
  end),
  constraint delivery_is_known check (
    delivery in ('pending', 'sent', 'delivered', 'given_up', 'not_configured')),
  constraint attempts_are_not_negative check (attempts >= 0),
  constraint sent_alerts_have_a_request check (
    delivery <> 'sent' or (request_id is not null and sent_at is not null)),
  constraint delivered_alerts_have_a_time check ((delivery = 'delivered') = (delivered_at is not null))
);
comment on table public.alerts is
  'One row a change of an invariant''s state, or a daily reminder of one that lasts, and how its delivery went. Kept for 90 days; written by the watch job.';
comment on column public.alerts.change is
  'failing or warning: it got there; recovered: it is ok again; reminder: it is still not ok a day after the last alert.';
comment on column public.alerts.previous_status is 'Null for an invariant that was never seen before.';
comment on column public.alerts.since is 'When the invariant was first found in this status.';
comment on column public.alerts.delivery is
  'pending: to be sent; sent: with pg_net, no answer seen yet; delivered: the webhook answered 2xx; given_up: not delivered within 24 hours; not_configured: there was no webhook, so it is never sent.';
comment on column public.alerts.next_attempt_at is 'Not sent again before then.';
comment on column public.alerts.sent_at is 'When pg_net got the newest attempt.';
comment on column public.alerts.request_id is
  'The newest attempt in net._http_response, which keeps answers for 6 hours; shared by the alerts of one message.';
comment on column public.alerts.last_error is
  'Why the newest attempt that failed did. Never holds the address of the webhook, which is a secret.';
create index alerts_open_idx on public.alerts (next_attempt_at) where delivery in ('pending', 'sent');
create index alerts_invariant_idx on public.alerts (invariant, id desc);

alter table public.alerts enable row level security;
grant select on public.alerts to service_role;
