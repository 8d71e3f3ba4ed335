-- The first system's tables have names that Postloop needs, so they move to a schema of their own.
do $$
declare
  -- one of these says that this is a database of the first system
  c_marks constant text[] := array['post_attribution', 'real_tweet_metrics', 'content_metadata',
    'angle_performance', 'tone_performance', 'topic_performance', 'format_performance',
    'generator_performance', 'hook_performance'];
  -- every other name that the migrations create in public
  c_names constant text[] := c_marks || array['account_learning', 'collection_attempts',
    'collection_phases', 'content_dimension_values', 'content_dimensions', 'credit_calibration',
    'dimension_performance', 'drift_alarms', 'follower_block_rates', 'follower_collections',
    'follower_hour', 'follower_ledger', 'follower_rates', 'follower_snapshots', 'growth_curve',
    'integrity_events', 'invariant_states', 'learned_models', 'metric_collections',
    'payload_shapes', 'pipeline_alerts', 'pipeline_health', 'pipeline_runs', 'post_credit',
    'post_outcomes', 'post_predictions', 'post_tracking', 'prediction_calibration', 'prompt_worth',
    'read_outcomes', 'reward_weights', 'scraper_operation_budgets', 'scraper_session_budgets',
    'scraper_sessions', 'upgrade_report', 'viral_thresholds', 'x_accounts', 'x_post_analytics',
    'x_post_hourly_impressions'];
  v_name text;
  v_policy name;
  v_reader regclass;
begin
  -- Where Postloop is installed these names are its own. Where nothing is of the first system, a
  -- table of such a name is somebody else's: that must stop the migrations, not be taken away.
  if to_regnamespace('postloop') is not null or not exists (
    select from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname = any (c_marks)
      and c.relkind in ('r', 'p', 'v', 'm', 'f')
  ) then
    return;
  end if;

  create schema first_system;
  comment on schema first_system is
    'Tables of the system before Postloop, as they were; nobody but their owner may read them.';
  revoke all on schema first_system from public;

  for v_name in
    select c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname = any (c_names)
      and c.relkind in ('r', 'p', 'v', 'm', 'f')
    order by c.relname
  loop
    -- views, materialized views and foreign tables too: alter table moves them all
    execute format('alter table public.%I set schema first_system', v_name);
  end loop;

  revoke all on all tables in schema first_system from public, anon, authenticated, service_role;
  revoke all on all sequences in schema first_system from public, anon, authenticated, service_role;
  for v_name in
    select c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'first_system'::regnamespace and c.relkind in ('r', 'p')
  loop
    execute format('alter table first_system.%I enable row level security', v_name);
  end loop;
  for v_policy, v_name in
    select p.polname, c.relname
    from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
    where c.relnamespace = 'first_system'::regnamespace
  loop
    execute format('drop policy %I on first_system.%I', v_policy, v_name);
  end loop;

  -- A view of another name still reads the tables, with its owner's rights: it would go on showing them.
  for v_reader in
    with recursive reader as (
      select c.oid from pg_catalog.pg_class c where c.relnamespace = 'first_system'::regnamespace
      union
      select w.ev_class
      from reader r
      join pg_catalog.pg_depend d
        on d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = r.oid
        and d.classid = 'pg_catalog.pg_rewrite'::regclass
      join pg_catalog.pg_rewrite w on w.oid = d.objid
    )
    select c.oid from reader r join pg_catalog.pg_class c on c.oid = r.oid
    where c.relnamespace <> 'first_system'::regnamespace and c.relkind in ('v', 'm')
  loop
    execute format('revoke all on %s from public, anon, authenticated', v_reader);
  end loop;
end
$$;
