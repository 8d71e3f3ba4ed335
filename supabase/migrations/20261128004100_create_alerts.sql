-- What people were told about the pipeline, and whether it reached them.
create table public.pipeline_alerts (
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
  constraint status_is_known check (status in ('ok', 'warning', 'failing')),
  constraint previous_status_is_known check (previous_status in ('ok', 'warning', 'failing')),
  constraint delivery_is_known check (
    delivery in ('pending', 'sent', 'delivered', 'given_up', 'not_configured')),
  constraint attempts_are_not_negative check (attempts >= 0),
  constraint sent_alerts_have_a_request check (
    delivery <> 'sent' or (request_id is not null and sent_at is not null)),
  constraint delivered_alerts_have_a_time check ((delivery = 'delivered') = (delivered_at is not null)),
  constraint change_is_known check (change in ('failing', 'warning', 'recovered', 'reminder', 'rising')),
  constraint change_fits_status check (case change
    when 'recovered' then status = 'ok'
    when 'rising' then status = 'ok'
    when 'reminder' then status <> 'ok'
    else status = change
  end)
);
comment on table public.pipeline_alerts is
  'One row a change of an invariant''s state, or a daily reminder of one that lasts, or a post that may go viral, and how its delivery went. Kept for 90 days; written by the watch job and the early warning.';
comment on column public.pipeline_alerts.change is
  'failing or warning: it got there; recovered: it is ok again; reminder: it is still not ok a day after the last alert; rising: a post that may go viral.';
comment on column public.pipeline_alerts.invariant is 'The invariant, or "post" and the id of a rising post.';
comment on column public.pipeline_alerts.previous_status is 'Null for an invariant that was never seen before.';
comment on column public.pipeline_alerts.since is 'When the invariant was first found in this status.';
comment on column public.pipeline_alerts.delivery is
  'pending: to be sent; sent: with pg_net, no answer seen yet; delivered: the webhook answered 2xx; given_up: not delivered within 24 hours; not_configured: there was no webhook, so it is never sent.';
comment on column public.pipeline_alerts.next_attempt_at is 'Not sent again before then.';
comment on column public.pipeline_alerts.sent_at is 'When pg_net got the newest attempt.';
comment on column public.pipeline_alerts.request_id is
  'The newest attempt in net._http_response, which keeps answers for 6 hours; shared by the alerts of one message.';
comment on column public.pipeline_alerts.last_error is
  'Why the newest attempt that failed did. Never holds the address of the webhook, which is a secret.';
create index pipeline_alerts_open_idx on public.pipeline_alerts (next_attempt_at) where delivery in ('pending', 'sent');
create index pipeline_alerts_invariant_idx on public.pipeline_alerts (invariant, id desc);

-- What a webhook is sent: text for Slack and Discord, which take nothing else, and data for all others.
create function postloop.alert_message(
  p_url text,
  p_alerts jsonb,
  p_now timestamptz,
  p_project text default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_is_slack constant boolean := p_url ~ '^https://hooks\.slack(-gov)?\.com/';
  v_is_discord constant boolean :=
    p_url ~ '^https://((ptb|canary)\.)?discord(app)?\.com/api/(v\d+/)?webhooks/';
  -- Discord refuses a content of more than 2000 characters, Slack cuts a text at 40,000.
  v_max_length constant integer := case when v_is_discord then 2000 else 40000 end;
  -- the end of a cut text: a line break and "… and n more"
  c_tail_length constant integer := 30;
  v_head constant text := concat_ws(' ', 'Postloop', regexp_replace(p_project, '^https?://', ''));
  v_text text;
begin
  if not v_is_slack and not v_is_discord then
    return jsonb_build_object(
      'project', p_project,
      'as_of', p_now,
      'alerts', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'id', a.alert -> 'id',
          'change', a.alert -> 'change',
          'invariant', a.alert -> 'invariant',
          'status', a.alert -> 'status',
          'previous_status', a.alert -> 'previous_status',
          'measured', a.alert -> 'measured',
          'threshold', a.alert -> 'threshold',
          'what_to_do', a.alert -> 'what_to_do',
          'since', a.alert -> 'since',
          'created_at', a.alert -> 'created_at') order by a.position), '[]')
        from jsonb_array_elements(p_alerts) with ordinality a(alert, position)));
  end if;

  with alert as (
    select e.position, a.*
    from jsonb_array_elements(p_alerts) with ordinality e(alert, position)
    cross join lateral jsonb_to_record(e.alert) a(change text, invariant text, status text,
      measured text, threshold text, what_to_do text, since timestamptz)
  ), line as (
    -- one line each, and none so long that it alone fills a message
    select a.position, left(regexp_replace(concat(
      case a.change
        when 'recovered' then 'RECOVERED'
        when 'reminder' then 'STILL ' || upper(a.status)
        else upper(a.change)
      end,
      ' ', a.invariant, ': ' || left(a.measured, 400), ' (allowed: ' || left(a.threshold, 200) || ')',
      ' since ', to_char(a.since at time zone 'UTC',
        case
          when date_trunc('day', a.since, 'UTC') = date_trunc('day', p_now, 'UTC') then 'HH24:MI'
          else 'YYYY-MM-DD HH24:MI'
        end),
      ' UTC.', case when a.change <> 'recovered' then ' ' || a.what_to_do end), '\s+', ' ', 'g'), 1200) as content
    from alert a
  ), escaped as (
    -- Slack reads these three as markup, for example <!channel>.
    select l.position, case
      when v_is_slack then replace(replace(replace(l.content, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')
      else l.content
    end as content
    from line l
  ), measured as (
    select s.position, s.content,
      length(v_head) + sum(length(s.content) + 1) over (order by s.position) + c_tail_length < v_max_length as fits
    from escaped s
  )
  select concat_ws(E'\n', v_head, string_agg(m.content, E'\n' order by m.position) filter (where m.fits),
    '… and ' || nullif(count(*) filter (where not m.fits), 0) || ' more')
    into v_text
  from measured m;

  return case
    when v_is_slack then jsonb_build_object('text', v_text)
    -- measured values may hold an @; nobody is to be called by them
    else jsonb_build_object('content', v_text, 'allowed_mentions', '{"parse": []}'::jsonb)
  end;
end
$$;
comment on function postloop.alert_message is
  'The body for a webhook, by its address: {text} for Slack, {content} of less than 2000 characters for Discord, {project, as_of, alerts} for any other. p_alerts is an array of rows of alerts in the order of the message.';

alter table public.pipeline_alerts enable row level security;

revoke all on public.pipeline_alerts from public, anon, authenticated, service_role;
revoke all on sequence public.pipeline_alerts_id_seq from public, anon, authenticated, service_role;
grant select on public.pipeline_alerts to service_role;
revoke all on function postloop.alert_message from public, anon, authenticated, service_role;
