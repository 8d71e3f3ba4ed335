/** Reads all posts of a timeline payload at once: pure, like `graphql.ts`. */
import { type Headers, judgeBody, readPostPlace } from './graphql.ts';
import { type PostFound, type Refusal, refuse } from './outcome.ts';
import { valueAt } from './shapes.ts';
import { collectItems, findInstructions, type TimelineItem } from './timeline.ts';

/** The posts of a timeline payload; `refused` are the entries that gave no numbers, and why. */
export type TimelineRead = {
  posts: PostFound[];
  refused: { entryId: string; refusal: Refusal }[];
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
  if (instructions === null) {
    const user = valueAt(body, ['data', 'user', 'result', '__typename']);
    if (user === 'UserUnavailable') return refuse('suspended', { typename: user });
    return refuse('shape_changed', { missing: ['data…instructions'] });
  }
  const read: TimelineRead = { posts: [], refused: [] };
  const seen = new Set<string>();
  for (const item of collectItems(instructions)) readItem(item, authorId, seen, read);
  return read;
}

function readItem(
  item: TimelineItem,
  authorId: string | undefined,
  seen: Set<string>,
  into: TimelineRead,
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
  into.posts.push(post);
}
