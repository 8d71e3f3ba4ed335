/** Whether a read is believed: it must be of the post that was asked for, and not look degraded. */
import type { ClaimedRead } from '../../shared/contracts/read.ts';
import { snowflakeTime } from '../../shared/snowflake.ts';
import { judgeDegraded } from './x/degraded.ts';
import { type PostFound, type Refusal, refuse } from './x/outcome.ts';

/** A post may be tracked with a time that is so far from that of its id, in milliseconds. */
const TIME_TOLERANCE_MS = 10 * 60_000;

/** Below this, a count may well have been taken back by those who gave it. */
const SMALL_COUNT = 5;

/** From this try on, a small count that is still 0 is believed. */
const BELIEVED_FROM_TRY = 3;

/** What the read is judged against: the claim of the post. */
export type Asked = Pick<ClaimedRead, 'post_id' | 'handle' | 'posted_at' | 'attempt' | 'previous'>;

/**
 * Why a read is not taken, or null when it is: `wrong_post` when its id, author or time is not that
 * of the post asked for; `degraded` when its numbers fell to zero as X's false zeros do, unless they
 * were small and stayed so over three tries. The evidence of the latter holds the numbers refused.
 */
export function judgeRead(asked: Asked, read: PostFound): Refusal | null {
  const wrong = wrongPost(asked, read);
  if (wrong) return refuse('wrong_post', wrong);
  const degraded = judgeDegraded(asked.previous, read);
  if (!degraded || (asked.attempt >= BELIEVED_FROM_TRY && isSmall(asked.previous, read)))
    return null;
  const { reason, details } = degraded;
  return refuse('degraded', { reason, ...details, source: read.source, refused: read.metrics });
}

function wrongPost(asked: Asked, { id, author }: PostFound) {
  if (id !== asked.post_id) return { read: id };
  const handle = author?.handle?.toLowerCase() ?? null;
  if (handle !== null && handle !== asked.handle.toLowerCase()) return { differing: ['author'] };
  const minted = snowflakeTime(id);
  const apartMs = minted ? Math.abs(minted.getTime() - Date.parse(asked.posted_at)) : 0;
  return apartMs > TIME_TOLERANCE_MS ? { differing: ['posted_at'] } : null;
}

/** Whether every count that is 0 now was small before. */
function isSmall(previous: ClaimedRead['previous'], { metrics }: PostFound): boolean {
  if (previous === null) return true;
  const { impressions: _, profile_clicks: __, ...before } = previous.metrics;
  return Object.entries(before).every(
    ([name, count]) => metrics[name as keyof typeof before] !== 0 || (count ?? 0) < SMALL_COUNT,
  );
}
