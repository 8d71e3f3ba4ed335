/** An account whose posts the stand-in site shows and the database wants read. */
import type postgres from 'postgres';
import type { NumbersProvider } from '../local/x-site/numbers.ts';
import type { PageWeight } from '../local/x-site/page-weight.ts';
import type { PostNumbers } from '../local/x-site/payloads.ts';
import { snowflakeId } from '../shared/snowflake.ts';

export const HANDLE = 'bench1';

const FIRST_POSTED_AT = new Date('2026-03-01T08:00:00Z');
const FOLLOWERS = 4_120;

/**
 * 2.3 MB of assets a page beside its data: of the order of what a page of X moves. The third
 * party's script is on another host.
 */
export const PAGE_WEIGHT: PageWeight = {
  scripts: { count: 4, bytes: 350_000 },
  images: { count: 12, bytes: 60_000 },
  fonts: { count: 2, bytes: 40_000 },
  thirdPartyBytes: 100_000,
};

/** When post `index` was posted: a second apart, so that their reads fall due together. */
const postedAt = (index: number) => new Date(FIRST_POSTED_AT.getTime() + index * 1_000);

/** Ids of the account's posts, oldest first. */
export const postIds = (posts: number) =>
  Array.from({ length: posts }, (_, index) => snowflakeId(postedAt(index), index));

/** Numbers that tell posts apart. */
function numbersAt(index: number): PostNumbers {
  const likes = 11 + index;
  return { likes, retweets: 3, replies: 2, quotes: 1, bookmarks: 4, impressions: 41 * likes };
}

/** The site's numbers: the same at every look. */
export function accountNumbers(ids: string[]): NumbersProvider {
  const places = new Map(ids.map((id, index) => [id, index]));
  return {
    post(id) {
      const index = places.get(id);
      return index === undefined ? null : { handle: HANDLE, ...numbersAt(index) };
    },
    account: (handle) =>
      handle === HANDLE
        ? { followers: FOLLOWERS, posts: ids.toReversed(), mixIn: ['retweet', 'promoted'] }
        : null,
  };
}

/** The likes that the site shows, by post id. */
export const likesOf = (ids: string[]) =>
  new Map(ids.map((id, index) => [id, numbersAt(index).likes]));

/**
 * Tracks the posts.
 * @returns the moments at which one read of each of them is due, phase by phase
 */
export async function track(sql: postgres.Sql, ids: string[]): Promise<Date[]> {
  await sql`select public.register_x_account(${HANDLE}, '{}', ${FIRST_POSTED_AT})`;
  for (const [index, id] of ids.entries()) {
    await sql`
      select public.track_post(${id}, ${postedAt(index)}, ${postedAt(index)}, p_account => ${HANDLE})`;
  }
  const due = await sql<{ at: Date }[]>`
    select max(due_at) as at from public.metric_collections group by phase order by at`;
  return due.map(({ at }) => at);
}

/**
 * @throws Error when fewer reads are stored than the site was asked for, or with other numbers
 */
export async function checkStored(sql: postgres.Sql, ids: string[], rounds: number): Promise<void> {
  const likes = likesOf(ids);
  const rows = await sql<{ tweet_id: string; likes: string }[]>`
    select tweet_id, likes from public.real_tweet_metrics`;
  const wrong = rows.filter((row) => Number(row.likes) !== likes.get(row.tweet_id));
  if (rows.length !== rounds * ids.length || wrong.length > 0) {
    throw new Error(
      `${rows.length} reads are stored of ${rounds * ids.length}, ${wrong.length} of them wrong.`,
    );
  }
}
