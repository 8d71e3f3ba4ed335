-- Looks after the pipeline from inside the database: when no edge function can be reached, the alert must still go out.
create function postloop.note_changes(
  p_found jsonb,
  p_is_complete boolean,
  p_has_webhook boolean,
  p_now timestamptz
)
returns integer
language sql
set search_path = ''
as $$
  with found as (
    -- one check that breaks the rules must not silence all: the worse of two rows of a name, and an
    -- unknown status as failing
    select distinct on (r.name) r.name, s.status, r.measured, r.threshold, r.what_to_do
    from jsonb_to_recordset(p_found)
      r(name text, status text, measured text, threshold text, what_to_do text)
    cross join lateral (
      select case when r.status in ('ok', 'warning') then r.status else 'failing' end as status
    ) s
    order by r.name, array_position(array['failing', 'warning', 'ok'], s.status)
  ), stored as (
    insert into public.invariant_states as s (name, status, measured, since, checked_at)
    select f.name, f.status, f.measured, p_now, p_now from found f
    on conflict (name) do update
    set status = excluded.status, measured = excluded.measured, checked_at = excluded.checked_at,
        since = case when s.status = excluded.status then s.since else excluded.since end
  ), gone as (
    -- not while a check could not be made: its invariants are unknown then, not gone
    delete from public.invariant_states s
    where p_is_complete and not exists (select from found f where f.name = s.name)
    returning s.name, s.status
  ), news as (
    -- known is the state as it was before this statement
    select
      case
        when f.status is not distinct from known.status then
          case when f.status <> 'ok' then 'reminder' end
        when f.status <> 'ok' then f.status
        when known.status is not null then 'recovered'
      end as change,
      f.name, f.status, known.status as previous_status, f.measured, f.threshold, f.what_to_do,
      case when f.status = known.status then known.since else p_now end as since
    from found f
    left join public.invariant_states known on known.name = f.name
    union all
    select 'recovered', g.name, 'ok', g.status, 'no longer checked', null, null, p_now
    from gone g
    where g.status <> 'ok'
  ), alerted as (
    insert into public.pipeline_alerts (created_at, change, invariant, status, previous_status, measured,
      threshold, what_to_do, since, next_attempt_at)
    select p_now, n.change, n.name, n.status, n.previous_status, n.measured, n.threshold,
      n.what_to_do, n.since, p_now
    from news n
    left join lateral (
      select a.created_at, a.delivery from public.pipeline_alerts a
      where a.invariant = n.name order by a.id desc limit 1
    ) newest on n.change = 'reminder'
    where n.change <> 'reminder'
      or (n.change = 'reminder' and (
        newest.created_at is null
        -- in whole minutes: a job that starts some milliseconds early must not wait for its next turn
        or date_trunc('minute', newest.created_at) <= p_now - interval '24 hours'
        or (newest.delivery = 'not_configured' and p_has_webhook)))
    order by array_position(array['failing', 'warning', 'ok'], n.status), n.name
    returning 1
  )
  select count(*)::integer from alerted
$$;
comment on function postloop.note_changes is
  'Stores the state of the invariants found and an alert for each change, and for each that is still not ok a day after its last alert, or whose last alert had no webhook to go to while there is one now; returns the number of alerts. p_is_complete: an invariant that is not in p_found exists no longer.';

create function postloop.deliver_alerts(p_url text, p_project text, p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  c_timeout_ms constant integer := 10000;
  -- whole minutes, as in note_changes
  v_minute constant timestamptz := date_trunc('minute', p_now);
  v_due bigint[];
  v_alerts jsonb;
  v_request_id bigint;
  v_error text;
begin
  with answer as (
    select a.id, r.created as answered_at,
      coalesce(r.status_code between 200 and 299, false) as is_delivered,
      case
        when r.status_code is not null then format('The webhook answered HTTP %s.', r.status_code)
        when r.timed_out then format('The webhook did not answer within %s s.', c_timeout_ms / 1000)
        -- not the message of pg_net, which may name the address
        when r.id is not null then
          format('The webhook could not be reached; net._http_response says why under id %s.', a.request_id)
        -- pg_net has not taken it yet: a second request would tell the same twice
        when exists (select from net.http_request_queue q where q.id = a.request_id) then
          case when a.created_at <= p_now - interval '24 hours' then 'pg_net does not send what it is given.' end
        when date_trunc('minute', a.sent_at) <= p_now - interval '5 minutes' then 'pg_net recorded no answer.'
      end as failure
    from public.pipeline_alerts a
    left join lateral (
      select n.* from net._http_response n where n.id = a.request_id order by n.created desc limit 1
    ) r on true
    where a.delivery = 'sent'
  )
  update public.pipeline_alerts a
  set delivery = case when r.is_delivered then 'delivered' else 'pending' end,
      delivered_at = case when r.is_delivered then r.answered_at end,
      last_error = case when r.is_delivered then a.last_error else r.failure end
  from answer r
  where r.id = a.id and (r.is_delivered or r.failure is not null);

  update public.pipeline_alerts a
  set delivery = case when p_url is null then 'not_configured' else 'given_up' end
  where a.delivery = 'pending'
    and (p_url is null or date_trunc('minute', a.created_at) <= p_now - interval '24 hours');

  select array_agg(a.id), jsonb_agg(to_jsonb(a) order by a.id) into v_due, v_alerts
  from public.pipeline_alerts a
  where a.delivery = 'pending' and a.next_attempt_at <= p_now;

  if v_due is not null then
    begin
      if p_url !~ '^https?://' then
        v_error := 'The Vault secret postloop_alert_webhook is no web address: it must begin with https:// or http://.';
      else
        v_request_id := net.http_post(
          url := p_url,
          body := postloop.alert_message(p_url, v_alerts, p_now, p_project),
          headers := '{"Content-Type": "application/json"}'::jsonb,
          timeout_milliseconds := c_timeout_ms);
      end if;
    exception when others then
      -- not its message, which may hold the address
      v_error := format('pg_net did not take the request (SQLSTATE %s).', sqlstate);
    end;

    update public.pipeline_alerts a
    set attempts = a.attempts + 1,
        next_attempt_at = v_minute
          + least(interval '5 minutes' * power(2, least(a.attempts, 10)), interval '6 hours'),
        delivery = case when v_request_id is null then 'pending' else 'sent' end,
        request_id = coalesce(v_request_id, a.request_id),
        sent_at = case when v_request_id is null then a.sent_at else p_now end,
        last_error = coalesce(v_error, a.last_error)
    where a.id = any (v_due);
  end if;

  return case when v_request_id is null then 0 else cardinality(v_due) end;
end
$$;
comment on function postloop.deliver_alerts is
  'Settles what was sent by the answers of pg_net and sends everything that is due in one request; without an address nothing is sent, now or later. Waits 5 minutes after the first attempt, then twice as long each time up to 6 hours; gives up after 24 hours. Returns how many alerts were sent.';

create function postloop.forget_alerts(p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
  delete from public.pipeline_alerts a where a.created_at < p_now - interval '90 days';
  -- what such a run found is in invariant_states and alerts
  delete from public.pipeline_runs r
  where r.job = 'watch' and r.started_at < p_now - interval '1 day' and r.status = 'succeeded';
$$;
comment on function postloop.forget_alerts is
  'Deletes alerts older than 90 days, and runs of watch that succeeded more than a day ago.';

-- As its owner, because Vault and the tables of pg_net are open to nobody else who may call it.
create function postloop.watch(p_now timestamptz default now())
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_url text;
  v_project text;
  v_found jsonb := '[]'::jsonb;
  v_is_complete boolean;
  v_alerts integer := 0;
  v_sent integer := 0;
  v_abandoned integer := 0;
  v_checked integer;
  v_run_id uuid;
  v_error jsonb;
begin
  if not pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('postloop.watch', 0)) then
    return jsonb_build_object('code', 'busy');
  end if;

  begin
    select nullif(btrim(max(s.decrypted_secret) filter (where s.name = 'postloop_alert_webhook'), E' \t\r\n'), ''),
      nullif(rtrim(max(s.decrypted_secret) filter (where s.name = 'postloop_project_url'), '/'), '')
      into v_url, v_project
    from vault.decrypted_secrets s;

    -- When even the frame of the checks fails, or takes too long, that is what people are told.
    begin
      select coalesce(jsonb_agg(to_jsonb(c)), '[]'::jsonb),
        coalesce(bool_and(c.measured not like 'the check itself failed: %'), true)
        into v_found, v_is_complete
      from public.check_pipeline(p_now) c;
    exception when others or query_canceled then
      v_error := jsonb_build_object('code', 'checks_failed', 'message', sqlerrm);
      v_is_complete := false;
      v_found := jsonb_build_array(jsonb_build_object('name', 'checks_made', 'status', 'failing',
        'measured', format('the checks could not be made: %s', sqlerrm), 'threshold', 'can be made',
        'what_to_do', 'Run: select * from public.pipeline_health; the message says what is missing or too slow.'));
    end;

    v_alerts := postloop.note_changes(v_found, v_is_complete, v_url is not null, p_now);
    v_sent := postloop.deliver_alerts(v_url, v_project, p_now);
  exception when others or query_canceled then
    v_error := jsonb_build_object('code', 'watch_failed', 'message', sqlerrm);
    v_found := '[]'::jsonb;
    v_alerts := 0;
    v_sent := 0;
  end;

  -- Apart from the above, so that a damaged pipeline_runs does not keep the alert about it from going out.
  v_checked := jsonb_array_length(v_found);
  begin
    v_abandoned := postloop.close_abandoned_runs(p_now);
    perform postloop.forget_alerts(p_now);
    insert into public.pipeline_runs (job, status, as_of, started_at, finished_at, expected, done, error)
    values ('watch', postloop.run_status(v_checked, v_checked, 0, v_error), p_now, v_started_at,
      clock_timestamp(), v_checked, v_checked, v_error)
    returning run_id into v_run_id;
  exception when others or query_canceled then
    v_error := coalesce(v_error, jsonb_build_object('code', 'run_not_recorded', 'message', sqlerrm));
    v_abandoned := 0;
  end;

  return jsonb_build_object('code', case when v_error is null then 'watched' else 'failed' end,
    'run_id', v_run_id, 'checked', v_checked, 'alerts', v_alerts, 'sent', v_sent,
    'abandoned', v_abandoned, 'error', v_error);
end
$$;
comment on function postloop.watch is
  'Checks every invariant, stores its state, and tells the webhook in Vault (postloop_alert_webhook) of each change. Returns {code, run_id, checked, alerts, sent, abandoned, error}; code is watched, failed (error is {code, message}) or busy (another one runs, nothing was done).';

revoke all on function
  postloop.note_changes, postloop.deliver_alerts, postloop.forget_alerts, postloop.watch
  from public, anon, authenticated, service_role;
grant execute on function postloop.watch to service_role;
