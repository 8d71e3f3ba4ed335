/** Reads all posts of a timeline payload at once: pure, like `graphql.ts`. */
import type { PostKind } from '../../../shared/contracts/identifiers.ts';
import { snowflakeTime } from '../../../shared/snowflake.ts';
import { type Headers, judgeBody } from './body.ts';
import { type PostFound, type Refusal, refuse } from './outcome.ts';
import { isEmptyPlace, threadSchema, valueAt } from './payload-schemas.ts';
import { readPostPlace } from './post.ts';
import { bottomCursorOf, collectItems, findInstructions, type TimelineItem } from './timeline.ts';

/** A post of a timeline, with what is needed to track it. */
export type TimelinePost = PostFound & {
  /** ISO 8601, from the id; null for ids from before November 2010, which carry no time. */
  postedAt: string | null;
  /** An answer to somebody else is a reply, an answer to oneself goes on with a thread. */
  kind: PostKind;
};

/** The posts among items of a timeline; `refused` are the entries that gave no numbers, and why. */
type ItemsRead = {
  posts: TimelinePost[];
  refused: { entryId: string; refusal: Refusal }[];
};

export type TimelineRead = ItemsRead & {
  /** What asks for the next page; null when the payload names none. */
  bottomCursor: string | null;
  /** Whose timeline it is: as given, or as the payload says; null when neither is known. */
  authorId: string | null;
};

/**
 * Reads every post of a timeline (`UserTweets`, `UserTweetsAndReplies`, `UserMedia`,
 * `SearchTimeline`, `ListTimeline`, and the conversation of `TweetDetail`) that is itself on it:
 * retweet wrappers, quoted posts and promoted entries are not.
 * @param authorId only the posts of this user; without it, of everyone on the timeline
 */
export function readTimelinePayload(
  body: unknown,
  authorId?: string,
  headers: Headers = {},
): TimelineRead | Refusal {
  const refused = judgeBody(body, headers);
  if (refused) return refused;
  const instructions = findInstructions(valueAt(body, ['data']));
  if (instructions === null) return judgeNoTimeline(valueAt(body, ['data', 'user', 'result']));
  return {
    ...readItems(collectItems(instructions), authorId),
    bottomCursor: bottomCursorOf(instructions),
    authorId: authorId ?? statedAuthor(body),
  };
}

/** Reads the posts among the items of a timeline, each once. */
export function readItems(items: TimelineItem[], authorId?: string): ItemsRead {
  const read: ItemsRead = { posts: [], refused: [] };
  const seen = new Set<string>();
  for (const item of items) readItem(item, authorId, seen, read);
  return read;
}

/**
 * What a user without a timeline means. X leaves out, or empties, that of a protected account; a
 * user who has anything else may have their timeline there.
 */
function judgeNoTimeline(user: unknown): Refusal {
  const typename = valueAt(user, ['__typename']);
  if (typename === 'UserUnavailable') return refuse('suspended', { typename });
  const isBare =
    typename === 'User' &&
    Object.values(user as object).every((part) => typeof part === 'string' || isEmptyPlace(part));
  return isBare
    ? refuse('restricted', { missing: ['data.user.result.timeline'] })
    : refuse('shape_changed', { missing: ['data…instructions'] });
}

/** The id of the user whose profile the timeline belongs to, where X puts it beside it. */
function statedAuthor(body: unknown): string | null {
  const id =
    valueAt(body, ['data', 'user', 'result', 'rest_id']) ??
    valueAt(body, ['data', 'user', 'rest_id']);
  return typeof id === 'string' ? id : null;
}

function readItem(
  item: TimelineItem,
  authorId: string | undefined,
  seen: Set<string>,
  into: ItemsRead,
): void {
  if (item.isPromoted) return;
  const post = readPostPlace(item.place, null, `entries[${item.entryId}].tweet_results`);
  if (post.outcome !== 'found') {
    if (!post.evidence?.retweet) into.refused.push({ entryId: item.entryId, refusal: post });
    return;
  }
  if (authorId !== undefined && post.author?.id !== authorId) return;
  if (seen.has(post.id)) return;
  seen.add(post.id);
  const postedAt = snowflakeTime(post.id)?.toISOString() ?? null;
  into.posts.push({ ...post, postedAt, kind: kindOf(item.place) });
}

/** Of a post that was read: what it answers is said in its `legacy`. */
function kindOf(place: unknown): PostKind {
  const result = valueAt(place, ['result']);
  const parsed = threadSchema.safeParse(valueAt(valueAt(result, ['tweet']) ?? result, ['legacy']));
  if (!parsed.success) return 'single';
  const { in_reply_to_status_id_str, in_reply_to_user_id_str, user_id_str } = parsed.data;
  if (!in_reply_to_status_id_str && !in_reply_to_user_id_str) return 'single';
  return in_reply_to_user_id_str && in_reply_to_user_id_str === user_id_str ? 'thread' : 'reply';
}
