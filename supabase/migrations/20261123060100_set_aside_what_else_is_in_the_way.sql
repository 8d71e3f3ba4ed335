-- Names that Postloop has taken since the list before this: the first system's tables leave these too.
do $$
declare
  c_names constant text[] := array['block_rates', 'calibration', 'calibration_events', 'credit_calibration',
    'drift_alarms', 'follower_ledger', 'growth_curve', 'models', 'prompt_worth', 'viral_thresholds'];
  v_name text;
begin
  -- Only what was set aside just now is a first system; where Postloop is installed the names are its own.
  if to_regnamespace('postloop') is not null or to_regnamespace('first_system') is null then
    return;
  end if;
  for v_name in
    select c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname = any (c_names)
      and c.relkind in ('r', 'p', 'v', 'm', 'f')
    order by c.relname
  loop
    execute format('alter table public.%I set schema first_system', v_name);
    execute format('revoke all on first_system.%I from public, anon, authenticated, service_role', v_name);
  end loop;
  for v_name in
    select c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'first_system'::regnamespace and c.relname = any (c_names)
      and c.relkind in ('r', 'p')
  loop
    execute format('alter table first_system.%I enable row level security', v_name);
  end loop;
end
$$;
