/** Records a post that a bot published, the decision behind it, and when its numbers are read. */
import { z } from 'zod';
import {
  PostloopError,
  snowflakeTime,
  type TrackPostRequest,
  trackPostReplySchema,
} from '../_shared/contracts.ts';
import { callDatabase, type DatabaseClient } from '../_shared/database.ts';
import type { Reply } from '../_shared/http.ts';
import { accountUnknown } from '../_shared/refusals.ts';
import { momentOf } from '../_shared/run.ts';

/** A time of posting further than this from the time inside the post id is not that post's. */
const POSTED_AT_TOLERANCE_MS = 10 * 60_000;

const refusalSchema = z.discriminatedUnion('code', [
  z.object({ code: z.literal('account_unknown') }),
  z.object({ code: z.literal('account_conflict'), decided_for: z.string() }),
  z.object({ code: z.literal('decision_unknown') }),
  z.object({ code: z.literal('decision_taken'), post_id: z.string() }),
  z.object({ code: z.literal('post_conflict'), differs: z.array(z.string()), post: z.unknown() }),
  z.object({ code: z.literal('posted_in_future'), posted_at: z.string(), now: z.string() }),
  z.object({
    code: z.enum(['dimension_unknown', 'value_unknown']),
    unknown: z.object({
      dimension: z.string(),
      value: z.string(),
      known_values: z.array(z.string()),
    }),
  }),
]);
type Refusal = z.infer<typeof refusalSchema>;

/**
 * 201 with the post and its schedule; 200 with the same when it was tracked before.
 *
 * @throws PostloopError 404 account_unknown | decision_unknown, 409 account_conflict |
 *   decision_taken | post_conflict, 422 posted_at_mismatch | posted_at_required |
 *   posted_in_future | dimension_unknown | value_unknown; nothing is written
 */
export async function trackPost(body: TrackPostRequest, database: DatabaseClient): Promise<Reply> {
  const result = await callDatabase(
    database,
    'track_post',
    {
      p_post_id: body.post_id,
      p_posted_at: postedAt(body),
      p_now: momentOf(body),
      ...(body.decision_id === undefined ? {} : { p_decision_id: body.decision_id }),
      ...(body.account === undefined ? {} : { p_account: body.account }),
      ...(body.kind === undefined ? {} : { p_kind: body.kind }),
      ...(body.dimensions === undefined ? {} : { p_dimensions: body.dimensions }),
      ...(body.viral_score === undefined ? {} : { p_viral_score: body.viral_score }),
    },
    z.union([trackPostReplySchema, refusalSchema]),
  );
  if ('collections' in result) {
    return { status: result.code === 'created' ? 201 : 200, body: result };
  }
  throw refusal(result, body);
}

/** The time inside the id is X's own; what a caller says must agree with it. */
function postedAt(body: TrackPostRequest): string {
  const minted = snowflakeTime(body.post_id);
  if (body.posted_at === undefined) {
    if (minted) return minted.toISOString();
    throw new PostloopError(
      422,
      'posted_at_required',
      `The id ${body.post_id} is too old to hold its time; send posted_at.`,
    );
  }
  if (minted && Math.abs(Date.parse(body.posted_at) - minted.getTime()) > POSTED_AT_TOLERANCE_MS) {
    throw new PostloopError(
      422,
      'posted_at_mismatch',
      `posted_at is ${body.posted_at}, but X minted the id ${body.post_id} at ${minted.toISOString()}. Send the time of posting, not of queueing, or leave posted_at out.`,
      { posted_at: body.posted_at, minted_at: minted.toISOString() },
    );
  }
  return body.posted_at;
}

function refusal(result: Refusal, body: TrackPostRequest): PostloopError {
  switch (result.code) {
    case 'account_unknown':
      return accountUnknown(body.account);
    case 'account_conflict':
      return new PostloopError(
        409,
        result.code,
        `The decision ${body.decision_id} was made for ${result.decided_for}, not for ${body.account}.`,
      );
    case 'decision_unknown':
      return new PostloopError(
        404,
        result.code,
        `No decision ${body.decision_id} exists. Send the decision_id that recommend returned, or account without decision_id.`,
      );
    case 'decision_taken':
      return new PostloopError(
        409,
        result.code,
        `The decision ${body.decision_id} belongs to the post ${result.post_id}. Ask recommend for a new one.`,
        { post_id: result.post_id },
      );
    case 'post_conflict':
      return new PostloopError(
        409,
        result.code,
        `The post ${body.post_id} is tracked with another ${result.differs.join(', ')}. What is stored stays as it is.`,
        { differs: result.differs, post: result.post },
      );
    case 'posted_in_future':
      return new PostloopError(
        422,
        result.code,
        `posted_at is ${result.posted_at}, after now (${result.now}). Track a post once it is published.`,
      );
    case 'dimension_unknown':
      return new PostloopError(
        422,
        result.code,
        `${result.unknown.dimension} is not a dimension.`,
        result.unknown,
      );
    case 'value_unknown':
      return new PostloopError(
        422,
        result.code,
        `${result.unknown.dimension} has no value "${result.unknown.value}". Add it with register_x_account, or send one of: ${result.unknown.known_values.join(', ') || 'none yet'}.`,
        result.unknown,
      );
  }
}
