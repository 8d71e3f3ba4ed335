-- A bot's call that failed for a defect of ours leaves a trace: it has no run row to fail.
create function public.record_failed_call(p_function text, p_error jsonb, p_now timestamptz)
returns jsonb
language sql
set search_path = ''
as $$
  insert into public.integrity_events (kind, created_at, details)
  values ('call_failed', p_now, jsonb_build_object(
    'function', p_function, 'code', p_error -> 'code', 'message', p_error -> 'message'))
  returning jsonb_build_object('code', 'recorded')
$$;
comment on function public.record_failed_call is
  'Notes that an edge function answered a call with a 5xx: the function, and its error {code, message}.';

create function postloop.check_calls(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, what_to_do text)
language sql
stable
set search_path = ''
as $$
  select 'calls_succeed',
    case when failed.calls > 0 then 'failing' else 'ok' end,
    format('%s failed in the last hour%s', failed.calls,
      ': ' || failed.function || ' with ' || failed.code || ', ' || left(failed.message, 200)),
    '0 failed in the last hour',
    'The message says what is wrong; npx supabase db push --remote if it names something that does not exist. Then repeat the calls: track-post may be repeated safely.'
  from (
    select count(*) as calls,
      (array_agg(e.details ->> 'function' order by e.id desc))[1] as function,
      (array_agg(e.details ->> 'code' order by e.id desc))[1] as code,
      (array_agg(e.details ->> 'message' order by e.id desc))[1] as message
    from public.integrity_events e
    where e.kind = 'call_failed' and e.created_at > p_now - interval '1 hour' and e.created_at <= p_now
  ) failed
$$;
comment on function postloop.check_calls is
  'Check of pipeline_health, calls_succeed: no call of a bot has failed for a defect of ours in the last hour.';

revoke all on function
  public.record_failed_call, postloop.check_calls
  from public, anon, authenticated, service_role;
grant execute on function public.record_failed_call, postloop.check_calls to service_role;

insert into postloop.checks (check_name, position) values ('calls', 190);
insert into postloop.invariants (name, check_name, step, part, holds, otherwise) values
  ('calls_succeed', 'calls', 'decision', null,
    'no call of a bot is answered with a 5xx', 'failing');
