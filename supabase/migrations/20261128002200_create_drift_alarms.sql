-- When posts stop doing what was learned, what was learned before counts less.
create table public.drift_alarms (
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  dimension text,
  value text,
  direction text not null,
  since date not null,
  day date not null,
  statistic double precision not null,
  threshold double precision not null,
  created_at timestamptz not null,
  constraint drift_alarms_key unique nulls not distinct (account_id, day, dimension, value, direction),
  constraint direction_is_known check (direction in ('up', 'down')),
  constraint value_has_a_dimension check ((dimension is null) = (value is null)),
  constraint alarm_follows_its_change check (since <= day)
);
comment on table public.drift_alarms is 'Posts did better or worse than was learned for longer than chance explains. Lets the account''s earlier posts count for a tenth: all of them, or those with the value that it names, unless the alarm of all posts tells of the same days.';
comment on column public.drift_alarms.dimension is 'Null, as value, for the alarm of all posts together.';
comment on column public.drift_alarms.since is 'First UTC day of posting of the run that led to it: about when the change came.';
comment on column public.drift_alarms.day is 'UTC day of posting that raised it; posts from before this day are discounted.';
comment on column public.drift_alarms.statistic is 'Where the CUSUM of standardised daily residuals stood, in standard deviations.';
comment on column public.drift_alarms.threshold is 'What it had to pass, in standard deviations.';

create function public.record_drift(p_account_id bigint, p_from date, p_alarms jsonb, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_added integer;
  v_removed integer;
begin
  -- two learners of one account take turns
  perform from public.account_learning s where s.account_id = p_account_id for update;

  delete from public.drift_alarms a
  where a.account_id = p_account_id and a.day >= p_from
    and not exists (
      select from jsonb_to_recordset(p_alarms) g(dimension text, value text, direction text, day date)
      where g.day = a.day and g.direction = a.direction
        and (g.dimension, g.value) is not distinct from (a.dimension, a.value));
  get diagnostics v_removed = row_count;

  with added as (
    insert into public.drift_alarms
      (account_id, dimension, value, direction, since, day, statistic, threshold, created_at)
    select p_account_id, g.dimension, g.value, g.direction, g.since, g.day, g.sum, g."limit", p_now
    from jsonb_to_recordset(p_alarms) g(dimension text, value text, direction text, since date, day date,
      sum double precision, "limit" double precision)
    where g.day >= p_from
    on conflict on constraint drift_alarms_key do nothing
    returning dimension, value, direction, since, day
  )
  insert into public.integrity_events (kind, account_id, created_at, details)
  select 'drift', p_account_id, p_now, to_jsonb(a) from added a;
  get diagnostics v_added = row_count;

  return jsonb_build_object('added', v_added, 'removed', v_removed);
end
$$;
comment on function public.record_drift is
  'Makes p_alarms [{dimension, value, direction, since, day, sum, limit}] the account''s alarms from the day p_from on; earlier ones stay. A new one is an integrity event. Returns {added, removed}.';

alter table public.drift_alarms enable row level security;
create policy owners_read_their_drift_alarms on public.drift_alarms
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));

revoke all on public.drift_alarms from public, anon, authenticated, service_role;
grant select on public.drift_alarms to authenticated;
grant select, insert, delete on public.drift_alarms to service_role;
revoke all on function public.record_drift from public, anon, authenticated, service_role;
grant execute on function public.record_drift to service_role;
