import { z } from 'zod';
import {
  countSchema,
  handleSchema,
  momentSchema,
  postIdSchema,
  postKindSchema,
} from './identifiers.ts';

/** What came back when one post or profile was read. Only `found` carries numbers. */
export const outcomeSchema = z.enum([
  'found',
  'deleted',
  'suspended',
  'restricted',
  'rate_limited',
  'session_invalid',
  'login_required',
  'blocked',
  'transient',
  'shape_changed',
  'wrong_post',
  'degraded',
  'released',
]);
export type Outcome = z.infer<typeof outcomeSchema>;

/** Where a number was read: the page's own GraphQL response, its action bar, or the X API. */
export const sourceSchema = z.enum(['graphql', 'dom', 'api']);
export type Source = z.infer<typeof sourceSchema>;

/** `rounded` when X showed an abbreviated number such as 1.5K. */
export const qualitySchema = z.enum(['exact', 'rounded']);
export type Quality = z.infer<typeof qualitySchema>;

/** The numbers of one post at one moment. Null means not read, never zero. */
export const metricsSchema = z.strictObject({
  likes: countSchema,
  retweets: countSchema,
  replies: countSchema,
  quotes: countSchema,
  bookmarks: countSchema,
  impressions: countSchema,
  profile_clicks: countSchema,
});
export type Metrics = z.infer<typeof metricsSchema>;

/** One accepted read of a post: its numbers, when they were true, and where they come from. */
export const metricsReadSchema = z.strictObject({
  captured_at: momentSchema,
  source: sourceSchema,
  quality: qualitySchema,
  metrics: metricsSchema,
});

/** The follower count of one account at one moment. */
export const followerSnapshotSchema = z.strictObject({
  captured_at: momentSchema,
  followers: z.int().nonnegative(),
  is_exact: z.boolean(),
  source: sourceSchema,
});

/** One due read of a post, held under the lease of the run that claimed it. */
export const claimedReadSchema = z.object({
  post_id: postIdSchema,
  phase: z.string(),
  account_id: z.int(),
  handle: handleSchema,
  posted_at: momentSchema,
  due_at: momentSchema,
  expires_at: momentSchema,
  attempt: z.int().positive(),
  /** The post's newest accepted read, against which a new one is judged; null before the first. */
  previous: z.object({ captured_at: momentSchema, metrics: metricsSchema }).nullable(),
});
export type ClaimedRead = z.infer<typeof claimedReadSchema>;

/** One account whose follower count is due. */
export const claimedFollowerReadSchema = z.object({
  account_id: z.int(),
  handle: handleSchema,
  due_at: momentSchema,
  attempt: z.int().positive(),
});

/** The reply of the `claim_reads` RPC: the run that holds the leases and what it holds. */
export const claimSchema = z.object({
  run_id: z.uuid(),
  leased_until: momentSchema,
  reads: z.array(claimedReadSchema),
  followers: z.array(claimedFollowerReadSchema),
  missed: z.int().nonnegative(),
});
export type Claim = z.infer<typeof claimSchema>;

const refusedOutcomeSchema = outcomeSchema.exclude(['found']);

/** Evidence of a refused read: key paths, codes and counts, never the payload's text or secrets. */
const evidenceSchema = z.record(z.string(), z.unknown());
export type Evidence = z.infer<typeof evidenceSchema>;

const refusal = {
  outcome: refusedOutcomeSchema,
  retry_at: momentSchema.optional(),
  evidence: evidenceSchema.optional(),
};

/** What reading one post gave. */
export const postReadResultSchema = z.discriminatedUnion('outcome', [
  z.strictObject({
    post_id: postIdSchema,
    phase: z.string(),
    outcome: z.literal('found'),
    read: metricsReadSchema,
    evidence: evidenceSchema.optional(),
  }),
  z.strictObject({ post_id: postIdSchema, phase: z.string(), ...refusal }),
]);
export type PostReadResult = z.infer<typeof postReadResultSchema>;

/** What reading one account's follower count gave. */
const followerReadResultSchema = z.discriminatedUnion('outcome', [
  z.strictObject({
    account_id: z.int(),
    outcome: z.literal('found'),
    snapshot: followerSnapshotSchema,
  }),
  z.strictObject({ account_id: z.int(), ...refusal }),
]);
export type FollowerReadResult = z.infer<typeof followerReadResultSchema>;

/** A post of a claimed account that was seen on its timeline. It may be tracked already. */
export const discoveredPostSchema = z.strictObject({
  account_id: z.int(),
  post_id: postIdSchema,
  posted_at: momentSchema,
  kind: postKindSchema,
});
export type DiscoveredPost = z.infer<typeof discoveredPostSchema>;

/** What X shows an author about a post of their own; null where it showed nothing. */
export const postAnalyticsSchema = z.strictObject({
  post_id: postIdSchema,
  captured_at: momentSchema,
  impressions: countSchema,
  engagements: countSchema,
  detail_expands: countSchema,
  profile_visits: countSchema,
  link_clicks: countSchema,
  follows: countSchema,
  /** Impressions gathered in the hour that starts at `hour`, over the first 48 hours. */
  hourly: z.array(z.strictObject({ hour: momentSchema, impressions: z.int().nonnegative() })),
});
export type PostAnalytics = z.infer<typeof postAnalyticsSchema>;

/** The key paths and types of a payload, as a hash: an unseen one says that X changed something. */
export const payloadShapeSchema = z.strictObject({
  operation: z.string().min(1).max(100),
  hash: z.string().regex(/^[0-9a-f]{16,64}$/),
  paths: z.array(z.string().max(300)).max(2000),
});
export type PayloadShape = z.infer<typeof payloadShapeSchema>;

export const integrityEventKindSchema = z.enum([
  'shape_changed',
  'shape_unseen',
  'session_invalid',
  'login_required',
  'degraded',
]);

/** Something that a person should know of. `details` never holds a payload's text or a secret. */
export const integrityEventSchema = z.strictObject({
  kind: integrityEventKindSchema,
  account_id: z.int().optional(),
  post_id: postIdSchema.optional(),
  details: evidenceSchema,
});
export type IntegrityEvent = z.infer<typeof integrityEventSchema>;

/** Everything that a run brought home, recorded in one transaction. */
export const recordBatchSchema = z.strictObject({
  reads: z.array(postReadResultSchema),
  followers: z.array(followerReadResultSchema),
  discovered: z.array(discoveredPostSchema).default([]),
  analytics: z.array(postAnalyticsSchema).default([]),
  shapes: z.array(payloadShapeSchema).default([]),
  events: z.array(integrityEventSchema).default([]),
});
export type RecordBatch = z.input<typeof recordBatchSchema>;

/** The reply of the `record_reads` RPC. */
export const recordReplySchema = z.object({
  code: z.enum(['recorded', 'run_unknown', 'run_closed']),
  status: z.enum(['succeeded', 'partial', 'failed']).optional(),
  expected: z.int().optional(),
  done: z.int().optional(),
  failed: z.int().optional(),
  skipped: z.record(z.string(), z.int()).optional(),
  metrics_rows: z.int().optional(),
  follower_snapshots: z.int().optional(),
  discovered: z.int().optional(),
});
export type RecordReply = z.infer<typeof recordReplySchema>;
