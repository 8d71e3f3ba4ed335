-- pg_cron reports success as soon as a request is queued: only its answer says that the function was reached.
create table postloop.job_requests (
  request_id bigint primary key,
  job text not null,
  requested_at timestamptz not null
);
comment on table postloop.job_requests is 'The requests that invoke_job queued, by pg_net''s own ids.';
alter table postloop.job_requests enable row level security;

create or replace function postloop.invoke_job(p_job text)
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

-- A run that nobody closed was killed; its leases have long expired.
create function postloop.close_abandoned_runs(p_now timestamptz)
returns integer
language sql
set search_path = ''
as $$
  with closed as (
    update public.pipeline_runs r
    set status = 'failed', finished_at = clock_timestamp(), error = jsonb_build_object(
      'code', 'abandoned', 'message', 'The run never reported its end; it was killed or timed out.')
    -- no function or Lambda lives for 15 minutes; a run of watch ends with its transaction
    where r.status = 'running' and r.started_at < p_now - interval '15 minutes' and r.job <> 'watch'
    returning 1
  )
  select count(*)::integer from closed
$$;
comment on function postloop.close_abandoned_runs is
  'Fails the runs that have been open for more than 15 minutes, with error code abandoned; returns how many.';

create or replace function postloop.cleanup(p_now timestamptz default now())
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

-- Security definer: pg_net's answers may hold what functions reply, and are for the owner to read.
create function postloop.check_requests(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
security definer
set search_path = ''
as $$
  with
  -- 1 of each job the newest request that is answered or should be; pg_net keeps answers for 6 h
  newest as (
    select distinct on (q.job) q.job, q.requested_at, a.id is not null as answered,
      a.status_code, a.timed_out, a.error_msg
    from postloop.job_requests q
    left join lateral (
      -- answers are unlogged as the ids are: after a crash both begin anew
      select * from net._http_response r
      where r.id = q.request_id
      order by r.created desc
      limit 1
    ) a on true
    where q.requested_at <= p_now
      and (a.id is not null or q.requested_at < p_now - interval '3 minutes')
    order by q.job, q.requested_at desc
  ),
  judged as (
    select n.job, n.status_code,
      case
        when n.answered and n.timed_out then 'timed out'
        when n.answered and n.error_msg is not null then left(n.error_msg, 160)
        when n.answered and n.status_code is null then 'no status'
        -- how health says that something else is red
        when n.answered and n.job = 'health' and n.status_code = 503 then null
        when n.answered and n.status_code not between 200 and 299 then n.status_code::text
        when not n.answered and n.requested_at > p_now - interval '6 hours' then
          format('no answer for %s', postloop.in_words(p_now - n.requested_at))
      end as fault,
      case
        when not n.answered then 'pg_net does not send: select net.worker_restart();'
        when n.timed_out then format('The function %s took longer than 120 s: see its log.', n.job)
        when n.status_code in (401, 403) then
          'The key in Vault is wrong: put the current secret key into postloop_secret_key with vault.update_secret (docs/operations.md, "Rotate the key").'
        when n.status_code = 404 then format(
          'The function is not deployed: npx supabase functions deploy %s. If it is, postloop_project_url in Vault names another project.', n.job)
        when n.status_code >= 500 then format('See last_run_%s and the log of the function %s.', n.job, n.job)
        when n.status_code is not null then format('Deploy the function %s in the version of the migrations, and see its log.', n.job)
        else 'The project cannot be reached at the URL in Vault: check postloop_project_url.'
      end as remedy
    from newest n
  ),
  tally as (
    select count(*) as jobs, count(j.fault) as faults,
      string_agg(format('%s: %s', j.job, j.fault), ', ' order by j.job) filter (where j.fault is not null) as named,
      (array_agg(j.remedy order by j.job) filter (where j.fault is not null))[1] as remedy
    from judged j
  )
  select 'requests_answered',
    case when t.faults > 0 then 'failing' else 'ok' end,
    case when t.faults > 0 then t.named
      when t.jobs = 0 then 'no request yet'
      else format('the last requests of %s jobs are answered', t.jobs) end,
    'the last request of each job answered with 2xx within 3 min',
    coalesce(t.remedy, 'If one is not, its answer in net._http_response says why.')
  from tally t
$$;
comment on function postloop.check_requests is
  'Check of pipeline_health, requests_answered: the last request to each function was answered, with success. Runs as its owner, who may read pg_net''s answers.';

insert into postloop.checks (check_name, position) values ('requests', 120);

revoke execute on function postloop.close_abandoned_runs, postloop.check_requests from public, anon, authenticated;
grant execute on function postloop.check_requests to service_role;
