-- Projects from before 2026-10-30 grant everything in public to every API role by default: the same rights on old and new ones.
do $$
declare
  v_right record;
  v_object text;
begin
  -- Only what is ours: other tables and the project's default privileges stay as they are.
  for v_right in
    select * from (values
      -- relation, what authenticated may (row level security picks the rows), what service_role may
      ('public.account_rates', 'select', 'select, insert, update'),
      ('public.accounts', 'select', 'select, insert, update'),
      ('public.alerts', null, 'select'),
      ('public.angle_performance', 'select', 'select'),
      ('public.collection_attempts', null, 'select, insert, update'),
      ('public.collection_phases', 'select', 'select'),
      ('public.content_metadata', 'select', 'select, insert, update'),
      ('public.dimension_performance', 'select', 'select, insert, update, delete'),
      ('public.dimension_values', 'select', 'select, insert, update'),
      ('public.dimensions', 'select', 'select, insert, update'),
      ('public.follower_collections', null, 'select, insert, update'),
      ('public.follower_hour', 'select', 'select, insert, update'),
      ('public.follower_snapshots', 'select', 'select, insert, update'),
      ('public.format_performance', 'select', 'select'),
      ('public.generator_performance', 'select', 'select'),
      ('public.hook_performance', 'select', 'select'),
      ('public.integrity_events', 'select', 'select, insert'),
      ('public.invariant_states', null, 'select'),
      ('public.job_schedules', 'select', 'select'),
      ('public.learning_state', null, 'select, insert, update'),
      ('public.metric_collections', 'select', 'select, insert, update'),
      ('public.operation_budgets', null, 'select, update'),
      ('public.payload_shapes', null, 'select, insert, update'),
      ('public.pipeline_health', null, 'select'),
      ('public.pipeline_runs', null, 'select, insert, update, delete'),
      ('public.post_analytics', 'select', 'select, insert, update'),
      ('public.post_attribution', 'select', 'select, insert, update'),
      ('public.post_credit', 'select', 'select, insert, update'),
      ('public.post_hourly_impressions', 'select', 'select, insert, update'),
      ('public.post_outcomes', 'select', 'select, insert, update, delete'),
      ('public.post_tracking', 'select', 'select'),
      ('public.read_outcomes', null, 'select'),
      ('public.real_tweet_metrics', 'select', 'select, insert, update'),
      ('public.reward_weights', 'select', 'select, update'),
      ('public.scraper_sessions', null, 'select, insert, update'),
      ('public.session_budgets', null, 'select, insert, update'),
      ('public.tone_performance', 'select', 'select'),
      ('public.topic_performance', 'select', 'select'),
      ('public.upgrade_report', null, 'select')
    ) as rights (relation, authenticated, service_role)
  loop
    -- An identity column needs no right to its sequence.
    for v_object in
      select format('table %s', v_right.relation)
      union all
      select format('sequence %s', d.objid::regclass)
      from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = d.classid
        and d.refobjid = v_right.relation::regclass and d.deptype = 'i'
        and exists (select from pg_catalog.pg_class s where s.oid = d.objid and s.relkind = 'S')
    loop
      execute format('revoke all on %s from public, anon, authenticated, service_role, scraper', v_object);
    end loop;
    if v_right.authenticated is not null then
      execute format('grant %s on table %s to authenticated', v_right.authenticated, v_right.relation);
    end if;
    execute format('grant %s on table %s to service_role', v_right.service_role, v_right.relation);
  end loop;
end
$$;

revoke all on function
  public.attribute_posts, public.attribution_backlog, public.check_pipeline, public.claim_reads,
  public.finish_run, public.learning_backlog, public.learning_statistics,
  public.loop_steps, public.name_imported_account, public.pipeline_state,
  public.recommendation_inputs, public.record_failed_call,
  public.record_performance, public.record_reads,
  public.register_account, public.report_session, public.reserve_session,
  public.schema_drift, public.start_run,
  public.store_decisions, public.track_post
  from public, anon, authenticated, service_role, scraper;
grant execute on function
  public.attribute_posts, public.attribution_backlog, public.check_pipeline, public.claim_reads,
  public.finish_run, public.learning_backlog, public.learning_statistics,
  public.loop_steps, public.name_imported_account, public.pipeline_state,
  public.recommendation_inputs, public.record_failed_call,
  public.record_performance, public.record_reads,
  public.register_account, public.report_session, public.reserve_session,
  public.schema_drift, public.start_run,
  public.store_decisions, public.track_post
  to service_role;
grant execute on function
  public.claim_reads, public.record_reads, public.reserve_session, public.report_session
  to scraper;
