/** The door to the contracts: requests, replies and errors, and what the database has. */
export { checkAnswer } from '../../../shared/contracts/call.ts';
export { errorBodySchema, PostloopError } from '../../../shared/contracts/error.ts';
export {
  type HealthReply,
  type Invariant,
  invariantSchema,
  type JobName,
  type JobReply,
  type JobRequest,
  jobNameSchema,
  jobReplySchema,
  jobRequestSchema,
  type LearningRequest,
  learningRequestSchema,
  pipelineStateSchema,
  runStatusSchema,
  type SchemaFinding,
  schemaFindingSchema,
  tallySchema,
} from '../../../shared/contracts/job.ts';
export {
  type PolicyEvaluationReply,
  type PolicyEvaluationRequest,
  policyEvaluationRequestSchema,
} from '../../../shared/contracts/policy-evaluation.ts';
export {
  type RecommendReply,
  type RecommendRequest,
  recommendRequestSchema,
  risingPostSchema,
} from '../../../shared/contracts/recommend.ts';
export {
  type TrackPostRequest,
  trackPostReplySchema,
  trackPostRequestSchema,
} from '../../../shared/contracts/track-post.ts';
export type { Database } from '../../../shared/database/types.ts';
export { snowflakeTime } from '../../../shared/snowflake.ts';
