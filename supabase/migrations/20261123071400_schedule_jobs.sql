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
  return v_request_id;
end
$$;
comment on function postloop.invoke_job is
  'Posts to the edge function of a job with the URL and key from Vault; without them sends nothing and records a failed run. Returns the pg_net request id.';

create function postloop.cleanup(p_now timestamptz default now())
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_runs integer;
  v_abandoned integer;
  v_cron integer;
begin
  -- A run that nobody closed within an hour was killed; its leases have long expired.
  update public.pipeline_runs r
  set status = 'failed', finished_at = clock_timestamp(), error = jsonb_build_object(
    'code', 'abandoned', 'message', 'The run never reported its end; it was killed or timed out.')
  where r.status = 'running' and r.started_at < p_now - interval '1 hour';
  get diagnostics v_abandoned = row_count;

  delete from public.pipeline_runs r
  where r.started_at < p_now - interval '90 days'
    or (r.started_at < p_now - interval '1 day' and r.job = 'scraper' and r.expected = 0 and r.status = 'succeeded');
  get diagnostics v_runs = row_count;

  delete from cron.job_run_details d where d.end_time < p_now - interval '7 days';
  get diagnostics v_cron = row_count;

  insert into public.pipeline_runs (job, status, as_of, expected, done, finished_at)
  values ('cleanup', 'succeeded', p_now, v_runs + v_abandoned + v_cron,
    v_runs + v_abandoned + v_cron, clock_timestamp());
end
$$;
comment on function postloop.cleanup is
  'Deletes cron records older than 7 days, runs older than 90 days and yesterday''s empty scraper runs; marks abandoned runs failed.';

revoke execute on function postloop.invoke_job, postloop.cleanup from public, anon, authenticated;

-- Times are GMT; minutes are staggered so that the jobs do not meet.
select cron.schedule('postloop-attribution', '5 */2 * * *', $$select postloop.invoke_job('attribution')$$);
select cron.schedule('postloop-learning', '35 */2 * * *', $$select postloop.invoke_job('learning')$$);
select cron.schedule('postloop-health', '*/15 * * * *', $$select postloop.invoke_job('health')$$);
select cron.schedule('postloop-cleanup', '20 3 * * *', $$select postloop.cleanup()$$);
