/**
 * The parts of X's GraphQL payloads that are read, as Zod schemas. They accept whatever else is
 * there; what is missing or of another type is named by its path.
 */
import { z } from 'zod';
import { postIdSchema } from '../../../shared/contracts/identifiers.ts';
import type { Evidence } from '../../../shared/contracts/read.ts';

/** A count that a JavaScript number holds exactly. */
export const count = z.int().nonnegative();

/** X sends views as text; every count that a JavaScript number holds exactly is accepted. */
export const countText = z
  .union([z.string().regex(/^\d{1,15}$/), count])
  .transform((value) => Number(value));

/**
 * `{state: "EnabledWithCount", count: "979440"}`, or `{state: "Enabled"}` when X does not say the
 * number: then it is unknown, not 0.
 */
const viewsSchema = z
  .object({ state: z.string().optional(), count: countText.nullish() })
  .refine((views) => views.state !== 'EnabledWithCount' || typeof views.count === 'number', {
    path: ['count'],
  });

/** The ids that a post has had, oldest first: every edit mints a new one. */
const editIds = z.object({ edit_tweet_ids: z.array(postIdSchema) });

/** Before an edit the ids stand by themselves, after it inside `edit_control_initial`. */
const editControlSchema = z
  .union([
    z.object({ edit_control_initial: editIds }).transform((edits) => edits.edit_control_initial),
    editIds,
  ])
  .nullish()
  .catch(null);

/** The counts of one post. Likes, retweets and replies are on every post that X shows. */
export const tweetSchema = z.object({
  rest_id: postIdSchema,
  legacy: z.object({
    id_str: postIdSchema.optional(),
    user_id_str: z.string().optional(),
    created_at: z.string().nullish().catch(null),
    favorite_count: count,
    retweet_count: count,
    reply_count: count,
    quote_count: count.nullish(),
    bookmark_count: count.nullish(),
  }),
  views: viewsSchema.nullish(),
  view_count_info: viewsSchema.nullish(),
  ext_views: viewsSchema.nullish(),
  edit_control: editControlSchema,
});

/** Whom a post answers: ids of the post and of its author, absent when it answers nobody. */
export const threadSchema = z.object({
  user_id_str: z.string().nullish(),
  in_reply_to_status_id_str: z.string().nullish(),
  in_reply_to_user_id_str: z.string().nullish(),
});

/** Followers moved from `legacy` to `relationship_counts` between 2026-07-21 and 2026-08-07. */
export const userSchema = z.object({
  rest_id: z.string().optional(),
  core: z.object({ screen_name: z.string().optional() }).nullish(),
  legacy: z
    .object({ screen_name: z.string().optional(), followers_count: count.nullish() })
    .nullish(),
  relationship_counts: z.object({ followers: count.nullish() }).nullish(),
});

type User = z.infer<typeof userSchema>;

export function handleOf({ core, legacy }: User): string | null {
  return core?.screen_name ?? legacy?.screen_name ?? null;
}

/** The exact follower count; null when X sent none. */
export function followersOf({ relationship_counts, legacy }: User): number | null {
  return relationship_counts?.followers ?? legacy?.followers_count ?? null;
}

/** The value at a path, or undefined where the path ends early. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** So many paths say enough, however long a list of changed things is. */
const MAX_PATHS = 20;

/**
 * What a payload lacks: `missing` are the paths that are not there, `differing` those that are of
 * another type, each with the type that was found. Never a value.
 * @param prefix where `root` is in the payload, for example `data.tweetResult.result`
 */
export function describeIssues(error: z.ZodError, root: unknown, prefix: string): Evidence {
  const missing = new Set<string>();
  const differing = new Set<string>();
  for (const issue of error.issues) {
    const path = [prefix, ...issue.path.map(String)].join('.');
    const value = valueAt(root, issue.path);
    if (value === undefined || value === null) missing.add(path);
    else differing.add(`${path}: ${Array.isArray(value) ? 'array' : typeof value}`);
  }
  return {
    missing: [...missing].slice(0, MAX_PATHS),
    differing: [...differing].slice(0, MAX_PATHS),
  };
}

/** `{}` is how X says that there is nothing; a place with other keys has moved its result. */
export function isEmptyPlace(place: unknown): boolean {
  return typeof place === 'object' && place !== null && Object.keys(place).length === 0;
}
