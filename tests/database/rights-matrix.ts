/**
 * Who may do what: every relation and function of the schemas public and postloop, one line each.
 * `rights.test.ts` compares it with the catalogue, both ways, and acts as each role.
 *
 * PUBLIC, anon and scraper have no right on any relation; authenticated may at most select.
 */

/** What a signed-in user sees: the rows of accounts that they own, every row, or an error. */
type SignedIn = 'own rows' | 'all rows' | 'nothing';

export type RelationRights = {
  is: 'table' | 'view' | 'sequence';
  signedIn: SignedIn;
  /** What service_role may, in the order select, insert, update, delete. */
  service: string;
  /** The column that says whose a row is. */
  key: 'account_id' | 'id' | 'post_id';
};

export type FunctionRights = {
  /** The roles that may execute it, apart from its owner. */
  execute: ('service_role' | 'scraper')[];
  /** Why it runs with the rights of its owner; without a reason it must not. */
  definer?: string;
};

const READ = 'select';
const WRITE = 'select, insert, update';
const DELETE = 'select, insert, update, delete';

const table = (
  signedIn: SignedIn,
  service: string,
  key: RelationRights['key'] = 'account_id',
): RelationRights => ({ is: 'table', signedIn, service, key });
const view = (signedIn: SignedIn): RelationRights => ({
  ...table(signedIn, READ),
  is: 'view',
});
const sequence: RelationRights = { ...table('nothing', ''), is: 'sequence' };

export const RELATIONS: Record<string, RelationRights> = {
  'postloop.checks': table('nothing', READ),
  'postloop.jobs': table('nothing', READ),
  'postloop.imported_accounts': table('nothing', 'select, update'),
  'postloop.job_requests': table('nothing', ''),
  'postloop.schema_findings': table('nothing', WRITE),
  'postloop.upgraded_rows': table('nothing', READ),
  'postloop.upgraded_rows_id_seq': sequence,
  'public.follower_rates': table('own rows', WRITE),
  'public.x_accounts': table('own rows', WRITE, 'id'),
  'public.x_accounts_id_seq': sequence,
  'public.pipeline_alerts': table('nothing', READ),
  'public.pipeline_alerts_id_seq': sequence,
  'public.angle_performance': view('own rows'),
  'public.follower_block_rates': table('own rows', WRITE),
  'public.prediction_calibration': view('own rows'),
  'public.post_predictions': table('own rows', WRITE),
  'public.post_predictions_id_seq': sequence,
  'public.collection_attempts': table('nothing', WRITE),
  'public.collection_attempts_id_seq': sequence,
  'public.collection_phases': table('all rows', READ),
  'public.content_metadata': table('own rows', WRITE),
  'public.credit_calibration': view('own rows'),
  'public.dimension_performance': table('own rows', DELETE),
  'public.content_dimension_values': table('own rows', WRITE),
  'public.content_dimensions': table('all rows', WRITE),
  'public.drift_alarms': table('own rows', 'select, insert, delete'),
  'public.follower_collections': table('nothing', WRITE),
  'public.follower_hour': table('own rows', WRITE),
  'public.follower_ledger': view('own rows'),
  'public.follower_snapshots': table('own rows', WRITE),
  'public.format_performance': view('own rows'),
  'public.generator_performance': view('own rows'),
  'public.growth_curve': table('own rows', DELETE),
  'public.hook_performance': view('own rows'),
  'public.integrity_events': table('own rows', 'select, insert'),
  'public.integrity_events_id_seq': sequence,
  'public.invariant_states': table('nothing', READ),
  'public.account_learning': table('nothing', WRITE),
  'public.metric_collections': table('own rows', WRITE),
  'public.learned_models': table('own rows', DELETE),
  'public.scraper_operation_budgets': table('nothing', 'select, update'),
  'public.payload_shapes': table('nothing', WRITE),
  'public.pipeline_health': view('nothing'),
  'public.pipeline_runs': table('nothing', DELETE),
  'public.x_post_analytics': table('own rows', WRITE, 'post_id'),
  'public.post_attribution': table('own rows', WRITE),
  'public.post_credit': table('own rows', WRITE),
  'public.x_post_hourly_impressions': table('own rows', WRITE, 'post_id'),
  'public.post_outcomes': table('own rows', DELETE),
  'public.post_tracking': view('own rows'),
  'public.read_outcomes': table('nothing', READ),
  'public.real_tweet_metrics': table('own rows', WRITE),
  'public.prompt_worth': view('own rows'),
  'public.reward_weights': table('all rows', 'select, update'),
  'public.scraper_sessions': table('nothing', WRITE),
  'public.scraper_session_budgets': table('nothing', WRITE),
  'public.tone_performance': view('own rows'),
  'public.topic_performance': view('own rows'),
  'public.upgrade_report': view('nothing'),
  'public.viral_thresholds': table('own rows', DELETE),
};

const SERVER: FunctionRights = { execute: ['service_role'] };
const SCRAPER: FunctionRights = {
  execute: ['scraper', 'service_role'],
  definer: 'its caller scraper may touch no table',
};
/** pg_cron calls it as its owner. */
const OWNER: FunctionRights = { execute: [] };

/** By name; none is overloaded. A name that ends in * stands for those without a line of their own. */
export const FUNCTIONS: Record<string, FunctionRights> = {
  'postloop.alert_message': OWNER,
  'postloop.check_*': SERVER,
  'postloop.check_cron_jobs': {
    execute: ['service_role'],
    definer: 'cron.job shows its owner only',
  },
  'postloop.check_requests': {
    execute: ['service_role'],
    definer: "pg_net's answers are the owner's",
  },
  'postloop.check_secrets': { execute: ['service_role'], definer: 'Vault shows its owner only' },
  'postloop.cleanup': OWNER,
  'postloop.close_abandoned_runs': OWNER,
  'postloop.copy_metrics': SERVER,
  'postloop.counted': SERVER,
  'postloop.deliver_alerts': OWNER,
  'postloop.discover_posts': SERVER,
  'postloop.fill_followers': SERVER,
  'postloop.first_system_rows': OWNER,
  'postloop.first_unknown_value': SERVER,
  'postloop.fit_block': SERVER,
  'postloop.fit_growth': SERVER,
  'postloop.fit_rates': SERVER,
  'postloop.fit_robust_rates': SERVER,
  'postloop.engagements': SERVER,
  'postloop.followers_at': SERVER,
  'postloop.followers_at_posting': SERVER,
  'postloop.forget_alerts': OWNER,
  'postloop.growth_segments': SERVER,
  'postloop.how_to_run': SERVER,
  'postloop.import_decisions': OWNER,
  'postloop.import_first_system': OWNER,
  'postloop.import_posts': OWNER,
  'postloop.import_reads': OWNER,
  'postloop.import_vocabulary': OWNER,
  'postloop.in_words': SERVER,
  'postloop.invoke_job': OWNER,
  'postloop.live_schema': SERVER,
  'postloop.minted_at': OWNER,
  'postloop.next_attempt': SERVER,
  'postloop.normal_cdf': SERVER,
  'postloop.note_changes': OWNER,
  'postloop.old_count': OWNER,
  'postloop.old_decision_id': OWNER,
  'postloop.old_decisions': OWNER,
  'postloop.old_moment': OWNER,
  'postloop.old_post_id': OWNER,
  'postloop.plan_splits': SERVER,
  'postloop.post_rewards': SERVER,
  'postloop.predict_rewards': SERVER,
  'postloop.record_analytics': SERVER,
  'postloop.record_events': SERVER,
  'postloop.refuse_broken_rules': SERVER,
  'postloop.refuse_unknown_values': SERVER,
  'postloop.rules_problem': SERVER,
  'postloop.run_status': SERVER,
  'postloop.schedule_jobs': OWNER,
  'postloop.schedule_reads': SERVER,
  'postloop.settle_predictions': OWNER,
  'postloop.sorted_quantile': SERVER,
  'postloop.split_blocks': SERVER,
  'postloop.tracked_post': SERVER,
  'postloop.warn_early': OWNER,
  'postloop.watch': {
    execute: ['service_role'],
    definer: 'Vault and the tables of pg_net show their owner only',
  },
  'public.attribute_posts': SERVER,
  'public.attribution_backlog': SERVER,
  'public.check_pipeline': SERVER,
  'public.claim_reads': SCRAPER,
  'public.finish_pipeline_run': SERVER,
  'public.learning_backlog': SERVER,
  'public.learning_statistics': SERVER,
  'public.logged_slates': SERVER,
  'public.loop_steps': SERVER,
  'public.name_imported_account': SERVER,
  'public.pipeline_state': SERVER,
  'public.recommendation_inputs': SERVER,
  'public.record_drift': SERVER,
  'public.record_failed_call': SERVER,
  'public.record_performance': SERVER,
  'public.record_reads': SCRAPER,
  'public.register_x_account': SERVER,
  'public.report_session': SCRAPER,
  'public.reserve_session': SCRAPER,
  'public.rising_posts': SERVER,
  'public.schema_drift': SERVER,
  'public.set_content_rules': SERVER,
  'public.start_pipeline_run': SERVER,
  'public.store_decisions': SERVER,
  'public.track_post': SERVER,
};
