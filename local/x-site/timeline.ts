/** What stands on a profile's timeline, page by page. */
import { authorOf, type Site, splitAnswer } from './numbers.ts';
import type { SiteAccount, SitePost } from './payloads.ts';
import { servePost } from './posts.ts';
import {
  postEntry,
  promotedEntry,
  protectedTimeline,
  quoting,
  retweetEntry,
  type Shown,
  strangersEntry,
  suggestionsEntry,
  userTweets,
} from './timeline-payloads.ts';
import { type Answer, json, refusedAnswer, refusedUser, type Variant } from './variants.ts';

/** X shows about 20 posts on one load of a profile. */
const POSTS_PER_PAGE = 20;

/** One foreign entry is mixed in after each group of this many of the account's posts. */
const POSTS_BETWEEN_MIXED = 3;

/** X shows at most this many posts of a thread together. */
const POSTS_PER_THREAD = 3;

/** A quarter of a second in post ids: a foreign entry is a little older than the post before it. */
const MIXED_OFFSET = 1n << 30n;

/**
 * Answers `UserTweets`.
 * @param variables `userId`, or `screen_name`; `cursor` of the answer before for the next page
 * @param forced a variant that overrides what the provider says
 * @returns null when the call is never answered
 */
export function answerTimeline(
  site: Site,
  variables: Record<string, unknown>,
  forced: Variant | null,
): Answer | null {
  const handle = site.handles.get(String(variables.userId)) ?? String(variables.screen_name ?? '');
  const answer = splitAnswer<SiteAccount>(site.numbers.account(handle), forced);
  const account = answer.numbers;
  const variant = forced ?? account?.timeline ?? answer.variant;
  if (variant === 'silent') return null;
  const refused = variant && refusedAnswer(variant);
  if (refused) return refused;
  if (variant === 'protected') return json(protectedTimeline());
  const user = variant ? refusedUser(variant) : undefined;
  if (user !== undefined) return json({ data: { user: { result: user } } });
  if (account === null) return json({ data: { user: {} } });

  const pages = pagesOf(groupsOf(site, handle, account.posts ?? []));
  const index = pageIndex(variables.cursor);
  const serve = (id: string) => showPost(site, id, variant);
  const entries = (pages[index] ?? []).flatMap((group, place) => {
    const posts = group.map(serve);
    return [
      postEntry(account.mixIn?.includes('quote') ? posts.map(withQuote(site)) : posts),
      ...mixedIn(site, handle, account, place, group),
    ];
  });
  const pinned = index === 0 && account.pinned !== undefined ? serve(account.pinned) : null;
  const cursors = { top: cursorOf('top', index), bottom: cursorOf('bottom', index + 1) };
  return json(userTweets({ entries, pinned, cursors }));
}

/** Cursors are opaque on X. */
const cursorOf = (place: string, page: number) => btoa(`${place}:${page}`);

/** The page that a cursor names; an unknown one is the end. */
function pageIndex(cursor: unknown): number {
  if (typeof cursor !== 'string') return 0;
  const page = /^bottom:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString())?.[1];
  return page === undefined ? Number.POSITIVE_INFINITY : Number(page);
}

/** The post with its numbers, when it exists and shows any. */
const numbersOf = (site: Site, id: string) => splitAnswer<SitePost>(site.numbers.post(id), null);

/**
 * The account's posts as they stand together, newest first: a post by itself, or the end of a
 * thread. Answers to other people are not on this tab of a profile.
 */
function groupsOf(site: Site, handle: string, ids: string[]): string[][] {
  const isOwn = (id: string) =>
    numbersOf(site, id).numbers?.handle.toLowerCase() === handle.toLowerCase();
  const shown = new Set<string>();
  return ids.flatMap((id) => {
    if (shown.has(id) || !isOwn(id)) return [];
    const thread = [id];
    for (let parent = numbersOf(site, id).numbers?.replyTo; parent !== undefined; ) {
      if (!isOwn(parent)) return [];
      if (thread.length < POSTS_PER_THREAD) thread.unshift(parent);
      parent = numbersOf(site, parent).numbers?.replyTo;
    }
    for (const one of thread) shown.add(one);
    return [thread];
  });
}

function pagesOf(groups: string[][]): string[][][] {
  const pages: string[][][] = [];
  let room = 0;
  for (const group of groups) {
    if (room <= 0) {
      pages.push([]);
      room = POSTS_PER_PAGE;
    }
    pages.at(-1)?.push(group);
    room -= group.length;
  }
  return pages;
}

function showPost(site: Site, id: string, timelineVariant: Variant | null): Shown {
  const { variant, numbers } = numbersOf(site, id);
  if (numbers === null) throw new Error(`post ${id} is on a timeline without numbers`);
  return {
    id,
    result: servePost(site, 'UserTweets', id, numbers, timelineVariant ?? variant),
  };
}

const beside = (id: string) => String(BigInt(id) - MIXED_OFFSET);

const withQuote =
  (site: Site) =>
  ({ id, result }: Shown): Shown => ({ id, result: quoting(result, beside(id), site.era) });

/** What follows the group at this place of the page: nothing, or the next foreign entry. */
function mixedIn(
  site: Site,
  handle: string,
  account: SiteAccount,
  place: number,
  group: string[],
): unknown[] {
  const kinds = (account.mixIn ?? []).filter((kind) => kind !== 'quote');
  const last = group.at(-1);
  if (last === undefined || (place + 1) % POSTS_BETWEEN_MIXED !== 0) return [];
  const id = beside(last);
  switch (kinds[Math.floor(place / POSTS_BETWEEN_MIXED) % kinds.length]) {
    case 'retweet':
      return [retweetEntry(id, beside(id), { handle, account: authorOf(site, handle) }, site.era)];
    case 'promoted':
      return [promotedEntry(id, site.era)];
    case 'other':
      return [strangersEntry(id, site.era)];
    case 'suggestions':
      return [suggestionsEntry(id, site.era)];
    default:
      return [];
  }
}
