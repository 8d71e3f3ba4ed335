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
      (array_agg(j.remedy order by j.job) filter (where j.fault is not null))[1] as remedy,
      string_agg(format('select postloop.invoke_job(%L);', j.job), ' ' order by j.job)
        filter (where j.fault is not null) as repeat
    from judged j
  )
  select 'requests_answered',
    case when t.faults > 0 then 'failing' else 'ok' end,
    case when t.faults > 0 then t.named
      when t.jobs = 0 then 'no request yet'
      else format('the last requests of %s jobs are answered', t.jobs) end,
    'the last request of each job answered with 2xx within 3 min',
    case when t.faults > 0 then format('%s Mend that, then run %s', t.remedy, t.repeat)
      else 'If one is not, its answer in net._http_response says why.' end
  from tally t
$$;
comment on function postloop.check_requests is
  'Check of pipeline_health, requests_answered: the last request to each function was answered, with success. Runs as its owner, who may read pg_net''s answers.';

revoke all on function postloop.check_requests from public, anon, authenticated, service_role;
grant execute on function postloop.check_requests to service_role;

insert into postloop.checks (check_name, position) values ('requests', 120);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('requests_answered', 'requests', null, 'pg_net',
    'the functions answer; a 503 of health says that something is red, and counts as an answer', 'failing');
