/**
 * Reads an account's profile page: its follower count and, in the same load, about 20 of its posts
 * with exact counts. Scrolls for older ones while they are asked for.
 */
import type { Page } from 'puppeteer-core';
import type { PayloadShape } from '../../../shared/contracts/read.ts';
import { isPayloadDegraded } from '../x/degraded.ts';
import { readProfileFromPage } from '../x/dom.ts';
import { isProfileOperation, isTimelineOperation, readProfilePayload } from '../x/graphql.ts';
import { type ProfileRead, type Refusal, refuse } from '../x/outcome.ts';
import { readTimelinePayload, type TimelinePost, type TimelineRead } from '../x/timeline-posts.ts';
import { DOM_GRACE_MS, shapesOf, withOperation } from './post-page.ts';
import { type PageAnswer, type PageEvent, type Visit, visitPage } from './visit.ts';

/** So many more pages of the timeline are scrolled for at most. */
const MORE_PAGES = 5;

/**
 * The next page is waited for during so many looks at this one: five seconds, and longer where the
 * browser itself is slow, as a look waits for it.
 */
const SCROLL_LOOKS = 12;

/**
 * Where no post is asked for, or the profile itself came without its GraphQL answer, the timeline
 * is waited for so long after the profile, in milliseconds.
 */
const TIMELINE_GRACE_MS = 3_000;

export type TimelineAsk = {
  handle: string;
  /** Ids of the posts that are wanted. */
  posts: string[];
  patienceMs: number;
  /** Asked before each further page: whether there is time and X's limits leave room for it. */
  mayReadMore: () => Promise<boolean>;
};

export type TimelinePages = {
  profile: ProfileRead;
  /** Posts of the account itself, each once. */
  posts: TimelinePost[];
  /** Ids of those that came in a payload whose numbers are not believed. */
  degraded: Set<string>;
  /** Why the timeline did not come with the page; null when it did. */
  refused: Refusal | null;
  /** Why scrolling ended early; null when it did not. */
  moreRefused: Refusal | null;
  shapes: PayloadShape[];
};

type Seen = {
  profile: ProfileRead | null;
  userId: string | null;
  timelines: TimelineRead[];
  refused: Refusal | null;
  shapes: PayloadShape[];
};

/** Reads the profile page at `url`. Never throws for what X refuses. */
export function readTimelinePages(
  page: Page,
  url: string,
  ask: TimelineAsk,
): Promise<TimelinePages> {
  return visitPage(page, url, ask.patienceMs, async (visit) => {
    const seen: Seen = { profile: null, userId: null, timelines: [], refused: null, shapes: [] };
    await readFirst(visit, ask, seen);
    const refused = seen.timelines.length > 0 ? null : (seen.refused ?? noAnswer());
    const moreRefused = refused ? null : await readMore(visit, ask, seen);
    return {
      profile: seen.profile ?? seen.refused ?? noAnswer(),
      posts: [...ownPosts(seen, ask.handle).values()],
      degraded: degradedIds(seen.timelines),
      refused,
      moreRefused,
      shapes: seen.shapes,
    };
  });
}

const noAnswer = () => refuse('transient', { page: 'no answer' });

/** Follows the page until it has given both, or cannot any more. */
async function readFirst(visit: Visit, ask: TimelineAsk, seen: Seen): Promise<void> {
  let shownSince: number | null = null;
  for (let event = await visit.next(); event; event = await visit.next()) {
    if (event.kind === 'refused') {
      seen.profile ??= event.refusal;
      seen.refused ??= event.refusal;
      return;
    }
    const hadProfile = seen.profile !== null;
    const shown = event.kind === 'seen' ? readProfileFromPage(event.seen, ask.handle) : null;
    if (shown) shownSince ??= Date.now();
    if (shownSince !== null && Date.now() - shownSince >= DOM_GRACE_MS) seen.profile ??= shown;
    take(event, ask.handle, seen);
    const { profile } = seen;
    if (profile === null) continue;
    if (seen.timelines.length > 0 || seen.refused) return;
    // Without a user X's script asks for no timeline.
    if (profile.outcome !== 'found' && profile.outcome !== 'shape_changed') {
      seen.refused = profile;
      return;
    }
    if (!hadProfile && (ask.posts.length === 0 || seen.profile === shown)) {
      visit.waitAnother(Math.min(TIMELINE_GRACE_MS, ask.patienceMs));
    }
  }
}

function take(event: PageEvent, handle: string, seen: Seen): void {
  if (event.kind !== 'answer' || !isAbout(event, handle)) return;
  const { operation, body, headers, refused } = event;
  if (isProfileOperation(operation.name) && seen.profile === null) {
    const read = refused ?? readProfilePayload(body, handle, headers);
    seen.profile = withOperation(read, event);
    if (read.outcome === 'found') seen.userId = read.id;
    seen.shapes.push(...shapesOf(event));
  } else if (operation.name === 'UserTweets') {
    const read = refused ?? readTimelinePayload(body, undefined, headers);
    if ('outcome' in read) seen.refused = withOperation(read, event);
    else seen.timelines.push(read);
    seen.userId ??= userIdOf(event);
    seen.shapes.push(...shapesOf(event));
  }
}

function userIdOf({ operation }: PageAnswer): string | null {
  const { userId } = operation.variables;
  return typeof userId === 'string' ? userId : null;
}

/** A tab that was used before may still get answers about the account before. */
function isAbout({ operation }: PageAnswer, handle: string): boolean {
  const { name, variables } = operation;
  if (!isProfileOperation(name) && !isTimelineOperation(name)) return false;
  return String(variables.screen_name ?? handle).toLowerCase() === handle.toLowerCase();
}

/** Scrolls while posts are asked for that are older than the oldest seen. */
async function readMore(visit: Visit, ask: TimelineAsk, seen: Seen): Promise<Refusal | null> {
  for (let more = 0; more < MORE_PAGES; more += 1) {
    const last = seen.timelines.at(-1);
    // A page without posts is the end, although X names a cursor there too.
    if (!last?.bottomCursor || last.posts.length === 0 || !wantsOlder(ask, seen)) return null;
    if (!(await ask.mayReadMore())) return null;
    const known = ownPosts(seen, ask.handle).size;
    visit.waitAnother(ask.patienceMs);
    const refusal = await readNext(visit, ask.handle, seen);
    if (refusal || ownPosts(seen, ask.handle).size === known) return refusal;
  }
  return null;
}

/** Scrolls until the next page of the timeline is there; null also when the patience was over. */
async function readNext(visit: Visit, handle: string, seen: Seen): Promise<Refusal | null> {
  const pages = seen.timelines.length;
  seen.refused = null;
  let looks = 0;
  await visit.scrollFor('UserTweets');
  for (let event = await visit.next(); event; event = await visit.next()) {
    if (event.kind === 'refused') return event.refusal;
    if (event.kind === 'seen') {
      looks += 1;
      if (looks > SCROLL_LOOKS) return null;
      await visit.scrollOn('UserTweets');
    }
    take(event, handle, seen);
    if (seen.refused || seen.timelines.length > pages) return seen.refused;
  }
  return null;
}

function wantsOlder({ posts, handle }: TimelineAsk, seen: Seen): boolean {
  const known = ownPosts(seen, handle);
  const oldest = oldestInOrder([...known.keys()]);
  return posts.some((id) => !known.has(id) && (oldest === null || BigInt(id) < oldest));
}

/** The oldest but one: the oldest may be a pinned post, which stands outside the order of time. */
function oldestInOrder(ids: string[]): bigint | null {
  const sorted = ids.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
  return sorted[1] ?? sorted[0] ?? null;
}

function ownPosts({ timelines, userId }: Seen, handle: string): Map<string, TimelinePost> {
  const own = new Map<string, TimelinePost>();
  for (const post of timelines.flatMap(({ posts }) => posts)) {
    const { id, handle: author } = post.author ?? {};
    const isOwn =
      userId !== null && id ? id === userId : author?.toLowerCase() === handle.toLowerCase();
    if (isOwn && !own.has(post.id)) own.set(post.id, post);
  }
  return own;
}

function degradedIds(timelines: TimelineRead[]): Set<string> {
  const unbelieved = timelines.filter(({ posts }) => isPayloadDegraded(posts));
  return new Set(unbelieved.flatMap(({ posts }) => posts.map(({ id }) => id)));
}
