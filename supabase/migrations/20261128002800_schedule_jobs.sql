-- pg_cron reports success as soon as a request is queued: only its answer says that the function was reached.
create table postloop.job_requests (
  request_id bigint primary key,
  job text not null,
  requested_at timestamptz not null
);
comment on table postloop.job_requests is 'The requests that invoke_job queued, by pg_net''s own ids.';

-- pg_cron starts the jobs. The key stays in Vault: a cron command is readable by its owner.
create function postloop.invoke_job(p_job text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  -- below the 150 s that the platform allows an idle request
  c_timeout_ms constant integer := 120000;
  v_url text;
  v_key text;
  v_request_id bigint;
begin
  select max(s.decrypted_secret) filter (where s.name = 'postloop_project_url'),
    max(s.decrypted_secret) filter (where s.name = 'postloop_secret_key')
    into v_url, v_key
  from vault.decrypted_secrets s;

  if coalesce(v_url, '') = '' or coalesce(v_key, '') = '' then
    insert into public.pipeline_runs (job, status, as_of, finished_at, error)
    values (p_job, 'failed', now(), clock_timestamp(), jsonb_build_object(
      'code', 'vault_secret_missing',
      'message', format('No request was sent: Vault has no %1$s. Run: select vault.create_secret(''...'', %1$L); or, if it is there and empty, vault.update_secret.',
        case when coalesce(v_url, '') = '' then 'postloop_project_url' else 'postloop_secret_key' end)));
    return null;
  end if;

  select net.http_post(
    url := rtrim(v_url, '/') || '/functions/v1/' || p_job,
    body := '{}'::jsonb,
    headers := jsonb_build_object('Content-Type', 'application/json', 'apikey', v_key),
    timeout_milliseconds := c_timeout_ms
  ) into v_request_id;

  -- pg_net's queue is unlogged: after a crash its ids begin again
  insert into postloop.job_requests as r (request_id, job, requested_at)
  values (v_request_id, p_job, now())
  on conflict (request_id) do update
  set job = excluded.job, requested_at = excluded.requested_at;
  return v_request_id;
end
$$;
comment on function postloop.invoke_job is
  'Posts to the edge function of a job with the URL and key from Vault, and notes the request; without them sends nothing and records a failed run. Returns the pg_net request id.';

create function postloop.how_to_run(p_job text)
returns text
language sql
stable
set search_path = ''
as $$
  select coalesce(
    (select j.command || ';' from postloop.jobs j where j.job = p_job),
    format('invoke the Lambda of the %s', p_job))
$$;
comment on function postloop.how_to_run is 'How to start a job by hand: the statement that its schedule runs.';

create function postloop.cleanup(p_now timestamptz default now())
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_runs integer;
  v_abandoned integer;
  v_cron integer;
  v_requests integer;
begin
  v_abandoned := postloop.close_abandoned_runs(p_now);

  delete from public.pipeline_runs r
  where r.started_at < p_now - interval '90 days'
    or (r.started_at < p_now - interval '1 day' and r.job = 'scraper' and r.expected = 0 and r.status = 'succeeded');
  get diagnostics v_runs = row_count;

  delete from cron.job_run_details d where d.end_time < p_now - interval '7 days';
  get diagnostics v_cron = row_count;

  delete from postloop.job_requests q where q.requested_at < p_now - interval '7 days';
  get diagnostics v_requests = row_count;

  insert into public.pipeline_runs (job, status, as_of, expected, done, finished_at)
  values ('cleanup', 'succeeded', p_now, v_runs + v_abandoned + v_cron + v_requests,
    v_runs + v_abandoned + v_cron + v_requests, clock_timestamp());
end
$$;
comment on function postloop.cleanup is
  'Deletes cron records and noted requests older than 7 days, runs older than 90 days and yesterday''s empty scraper runs; marks abandoned runs failed.';

alter table postloop.job_requests enable row level security;

revoke all on postloop.job_requests from public, anon, authenticated, service_role;
revoke all on function
  postloop.invoke_job, postloop.how_to_run, postloop.cleanup
  from public, anon, authenticated, service_role;
grant execute on function postloop.how_to_run to service_role;
