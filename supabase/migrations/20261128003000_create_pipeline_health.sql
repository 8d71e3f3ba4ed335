-- What must hold for the loop to run, each as a check of its own, and since when it does or does not.
create table postloop.checks (
  check_name text primary key,
  position smallint not null,
  constraint check_position_is_unique unique (position)
);
comment on table postloop.checks is
  'The checks of pipeline_health, in order. Check x is the function postloop.check_x(p_now) with one row for each invariant: name, status, measured, threshold, what_to_do.';

create table postloop.invariants (
  name text primary key,
  check_name text not null references postloop.checks (check_name) on delete cascade,
  step text,
  part text,
  holds text not null,
  otherwise text not null
);
comment on table postloop.invariants is
  'What is true of each invariant whatever its state: where it belongs, and what docs/health.md says of it.';
comment on column postloop.invariants.step is
  'The step of loop_steps that is broken while it is failing; null for one that breaks none by itself.';
comment on column postloop.invariants.part is
  'The part of the platform that it watches: Vault, cron, pg_net, Lambda heartbeat or schema. Neither step nor part: it concerns the whole pipeline.';
comment on column postloop.invariants.holds is 'What must hold, without the limits, which its check has in threshold.';
comment on column postloop.invariants.otherwise is 'The state that it is in when it does not hold.';
create index invariants_check_name_idx on postloop.invariants (check_name);

create table public.invariant_states (
  name text primary key,
  status text not null,
  measured text,
  since timestamptz not null,
  checked_at timestamptz not null,
  constraint status_is_known check (status in ('ok', 'warning', 'failing'))
);
comment on table public.invariant_states is 'The state in which each invariant was last found; written by the watch job.';
comment on column public.invariant_states.since is 'When it was first found in this state.';

create function postloop.in_words(p_duration interval)
returns text
language sql
immutable
strict
set search_path = ''
as $$
  select case
    when s < 120 then format('%s s', round(s))
    when s < 7200 then format('%s min', trim_scale(round(s / 60, 1)))
    when s < 172800 then format('%s h', trim_scale(round(s / 3600, 1)))
    else format('%s days', trim_scale(round(s / 86400, 1)))
  end
  from (select extract(epoch from p_duration)) x(s)
$$;
comment on function postloop.in_words is 'A duration for people: 40 s, 12 min, 2.5 h, 3 days.';

create function postloop.counted(p_count bigint, p_noun text)
returns text
language sql
immutable
strict
set search_path = ''
as $$
  select format('%s %s%s', p_count, p_noun, case when p_count <> 1 then 's' end)
$$;
comment on function postloop.counted is 'A number of things for people: 1 read, 2 reads.';

create function public.check_pipeline(p_now timestamptz)
returns table (
  name text, status text, measured text, threshold text, since timestamptz, what_to_do text, step text, part text
)
language plpgsql
set search_path = ''
set statement_timeout = '30s'
as $$
declare
  v_check text;
begin
  for v_check in select c.check_name from postloop.checks c order by c.position loop
    -- A check that cannot be made is itself a failure, and must not hide the others.
    begin
      -- plpgsql_check cannot follow a record that dynamic SQL fills
      return query execute format(
        'select k.name, k.status, k.measured, k.threshold,
           case when s.status = k.status then s.since else $1 end, k.what_to_do, i.step, i.part
         from postloop.%I($1) k
         left join postloop.invariants i on i.name = k.name
         left join public.invariant_states s on s.name = k.name', 'check_' || v_check)
        using p_now;
    exception when others then
      name := v_check;
      status := 'failing';
      measured := format('the check itself failed: %s', sqlerrm);
      threshold := 'can be checked';
      since := coalesce((
        select s.since from public.invariant_states s where s.name = v_check and s.status = 'failing'), p_now);
      what_to_do := 'Apply every migration (supabase db push); if that does not help, the message names what is missing.';
      -- of all its invariants, or of none
      select min(i.step), min(i.part) into step, part
      from postloop.invariants i
      where i.check_name = v_check
      having count(distinct (i.step, i.part)) = 1;
      return next;
    end;
  end loop;
end
$$;
comment on function public.check_pipeline is
  'Every invariant of the pipeline as found at p_now: ok, warning or failing, with what was measured, what to do, and where it belongs.';

create view public.pipeline_health with (security_invoker = on) as
  select name, status, measured, threshold, since, what_to_do, step, part
  from public.check_pipeline(now());
comment on view public.pipeline_health is
  'One row an invariant: its state now, what was measured against which threshold, since when, and what to do.';

alter table postloop.checks enable row level security;
alter table postloop.invariants enable row level security;
alter table public.invariant_states enable row level security;

revoke all on
  postloop.checks, postloop.invariants, public.invariant_states, public.pipeline_health
  from public, anon, authenticated, service_role;
grant select on
  postloop.checks, postloop.invariants, public.invariant_states, public.pipeline_health
  to service_role;
revoke all on function
  postloop.in_words, postloop.counted, public.check_pipeline
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.in_words, postloop.counted, public.check_pipeline
  to service_role;
