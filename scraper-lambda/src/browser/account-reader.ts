/**
 * Reads one account from X's pages: the timeline first, then the posts that it did not carry one
 * by one, with whichever session X answers.
 */
import type {
  DiscoveredPost,
  IntegrityEvent,
  PayloadShape,
  PostAnalytics,
} from '../../../shared/contracts/read.ts';
import { GUEST_SESSION, type SessionLabel } from '../../../shared/contracts/session.ts';
import type { AccountAsk, AccountRead } from '../source.ts';
import { unbelieved } from '../x/degraded.ts';
import { type PostRead, type Refusal, refuse } from '../x/outcome.ts';
import { isReaderRefusal } from '../x/reader-refusal.ts';
import type { PageRead } from './post-page.ts';
import type { Calls, Reader, SessionPool } from './sessions.ts';
import type { TimelineAsk, TimelinePages } from './timeline-page.ts';

/** What X shows an author is read from this age of a post on, in milliseconds. */
const ANALYTICS_FROM_MS = 24 * 3_600_000;

const TIMELINE_CALLS: Calls = {
  session: ['UserByScreenName', 'UserTweets'],
  guest: ['UserByScreenName', 'UserTweets'],
};
const MORE_CALLS: Calls = { session: ['UserTweets'], guest: ['UserTweets'] };
const POST_CALLS: Calls = { session: ['TweetDetail'], guest: ['TweetResultByRestId'] };
const ANALYTICS_CALLS: Calls = { session: ['TweetActivityQuery'], guest: [] };

/** The pages of X. Each waits for a free tab; null when there is no time left for it. */
export type Pages = {
  timeline(
    reader: Reader,
    ask: Omit<TimelineAsk, 'patienceMs'>,
    patience: Patience,
  ): Promise<TimelinePages | null>;
  post(
    reader: Reader,
    post: { id: string; handle: string | null },
    patience: Patience,
  ): Promise<PageRead<PostRead> | null>;
  analytics(
    reader: Reader,
    post: { id: string; handle: string; capturedAt: string },
    patience: Patience,
  ): Promise<PageRead<PostAnalytics | Refusal | 'absent'> | null>;
};

/** How long the next page may be waited for in ms; null when it must not be opened any more. */
export type Patience = () => number | null;

export type AccountReaderOptions = {
  pages: Pages;
  sessions: SessionPool;
  /** The moment that a read is stamped with, ISO 8601. */
  now: () => string;
};

/** What one page gave with the reader that X answered, or with the last one that it refused. */
type Attempt<Read> = { read: Read | null; exhausted: AccountRead['exhausted'] };

/** A reader of accounts over some pages. */
export function createAccountReader({ pages, sessions, now }: AccountReaderOptions) {
  /** Reads with one reader after the other until X refuses none for what it is. */
  async function withReaders<Read>(
    calls: Calls,
    events: IntegrityEvent[],
    read: (reader: Reader) => Promise<Read | null>,
    refusalOf: (read: Read) => Refusal | null,
  ): Promise<Attempt<Read>> {
    let last: Read | null = null;
    for (;;) {
      const reserved = await sessions.reserve(calls);
      if (reserved.reader === null) return { read: last, exhausted: { retryAt: reserved.retryAt } };
      const result = await read(reserved.reader);
      if (result === null) return { read: last, exhausted: null };
      const refusal = refusalOf(result);
      if (refusal === null) return { read: result, exhausted: null };
      await refuseReader(reserved.reader.label, calls, refusal, events);
      last = result;
    }
  }

  async function refuseReader(
    label: SessionLabel,
    calls: Calls,
    refusal: Refusal,
    events: IntegrityEvent[],
  ): Promise<void> {
    const named = refusal.evidence?.operation;
    const booked = label === GUEST_SESSION ? calls.guest : calls.session;
    const operation = booked.find((one) => one === named) ?? booked[0] ?? 'page';
    const isNews = await sessions.refuse(label, operation, refusal);
    const { outcome, evidence = {} } = refusal;
    if (!isNews) return;
    if (outcome === 'session_invalid' || outcome === 'login_required') {
      events.push({ kind: outcome, details: { ...evidence, operation, session: label } });
    }
  }

  async function readTimeline(ask: AccountAsk, patience: Patience, into: AccountRead) {
    const wanted = ask.posts.map(({ post_id }) => post_id);
    const attempt = await withReaders(
      TIMELINE_CALLS,
      into.events,
      async (reader) => {
        const mayReadMore = async () =>
          patience() !== null && (await sessions.reserve(MORE_CALLS, reader.label)).reader !== null;
        const timeline = { handle: ask.handle, posts: wanted, mayReadMore };
        const read = await pages.timeline(reader, timeline, patience);
        if (read) into.shapes.push(...read.shapes);
        if (read?.moreRefused && isReaderRefusal(read.moreRefused.outcome)) {
          await refuseReader(reader.label, MORE_CALLS, read.moreRefused, into.events);
        }
        return read;
      },
      ({ profile, refused }) =>
        [profile, refused].find(
          (one): one is Refusal => one !== null && isReaderRefusal(one.outcome),
        ) ?? null,
    );
    return attempt;
  }

  /** Takes from the timeline what it carried; what is left must be read by itself. */
  function takeTimeline(ask: AccountAsk, timeline: TimelinePages, into: AccountRead): void {
    into.profile = timeline.profile;
    const asked = new Set(ask.posts.map(({ post_id }) => post_id));
    for (const post of timeline.posts) {
      const { postedAt, kind, ...found } = post;
      if (asked.has(post.id)) {
        into.posts.set(post.id, timeline.degraded.has(post.id) ? unbelieved(found) : found);
      } else if (postedAt !== null) {
        into.discovered.push({ post_id: post.id, posted_at: postedAt, kind });
      }
    }
    noteShape(timeline.profile, {}, into.events);
    if (timeline.refused !== timeline.profile) noteShape(timeline.refused, {}, into.events);
    noteShape(timeline.moreRefused, {}, into.events);
  }

  async function readSingle(
    post: { id: string; handle: string | null },
    patience: Patience,
    into: Pick<AccountRead, 'events' | 'shapes'>,
  ): Promise<Attempt<PostRead>> {
    const attempt = await withReaders(
      POST_CALLS,
      into.events,
      async (reader) => {
        const page = await pages.post(reader, post, patience);
        if (page) into.shapes.push(...page.shapes);
        return page?.read ?? null;
      },
      (read) => (read.outcome !== 'found' && isReaderRefusal(read.outcome) ? read : null),
    );
    return { ...attempt, read: attempt.read && untilFree(attempt.read, attempt.exhausted) };
  }

  /** The analytics of one post with the author's own session; false when the next is in vain. */
  async function readAnalytics(
    post: { id: string; handle: string },
    patience: Patience,
    into: AccountRead,
  ): Promise<boolean> {
    const own = sessions.ownSession(post.handle);
    if (own === null || patience() === null) return false;
    const { reader } = await sessions.reserve(ANALYTICS_CALLS, own);
    if (reader === null) return false;
    const page = await pages.analytics(reader, { ...post, capturedAt: now() }, patience);
    if (page === null) return false;
    into.shapes.push(...page.shapes);
    const { read } = page;
    if (read === 'absent') return true;
    if (!('outcome' in read)) {
      into.analytics.push(read);
      return true;
    }
    if (isReaderRefusal(read.outcome)) {
      await refuseReader(reader.label, ANALYTICS_CALLS, read, into.events);
    }
    noteShape(read, { post_id: post.id }, into.events);
    return read.outcome !== 'transient' && read.outcome !== 'blocked';
  }

  return {
    async readAccount(ask: AccountAsk, patience: Patience): Promise<AccountRead> {
      const into = emptyRead();
      const { read: timeline, exhausted } = await readTimeline(ask, patience, into);
      into.exhausted = exhausted;
      if (timeline === null) return into;
      takeTimeline(ask, timeline, into);

      const missing = ask.posts.filter(({ post_id }) => !into.posts.has(post_id));
      const refused = pageRefusal(timeline);
      if (refused || exhausted) {
        // What refused the whole page would refuse each of its posts as well.
        const read = refused && untilFree(refused, exhausted);
        if (read) for (const { post_id } of missing) into.posts.set(post_id, read);
        return into;
      }
      await Promise.all(
        missing.map(async ({ post_id }) => {
          if (into.exhausted) return;
          const single = await readSingle({ id: post_id, handle: ask.handle }, patience, into);
          into.exhausted ??= single.exhausted;
          if (single.read === null) return;
          into.posts.set(post_id, single.read);
          noteShape(single.read, { post_id }, into.events);
        }),
      );
      const due = ask.posts.filter(
        ({ post_id, posted_at }) =>
          Date.parse(now()) - Date.parse(posted_at) >= ANALYTICS_FROM_MS &&
          into.posts.get(post_id)?.outcome === 'found',
      );
      for (const { post_id } of due) {
        if (!(await readAnalytics({ id: post_id, handle: ask.handle }, patience, into))) break;
      }
      return into;
    },

    /** Reads one post by itself; `transient` when nobody may read it now. */
    async readPost(post: { id: string; handle: string | null }, patience: Patience) {
      const { read, exhausted } = await readSingle(post, patience, { events: [], shapes: [] });
      if (read) return read;
      return exhausted
        ? untilFree(refuse('rate_limited'), exhausted)
        : refuse('transient', { page: 'no time left' });
    },
  };
}

function emptyRead(): AccountRead {
  const shapes: PayloadShape[] = [];
  const discovered: Omit<DiscoveredPost, 'account_id'>[] = [];
  return {
    posts: new Map(),
    profile: null,
    discovered,
    analytics: [],
    shapes,
    events: [],
    exhausted: null,
  };
}

/** A refusal of the page as a whole or of its reader; null where single posts may still be read. */
function pageRefusal({ profile, refused }: TimelinePages): Refusal | null {
  if (refused === null) return null;
  if (isReaderRefusal(refused.outcome)) return refused;
  const isWhole = profile.outcome !== 'found' && profile.outcome !== 'shape_changed';
  return isWhole && ['blocked', 'transient'].includes(profile.outcome) ? refused : null;
}

/** A rate limit lasts until another reader is free, where that is known. */
function untilFree<Read extends PostRead>(
  read: Read,
  exhausted: AccountRead['exhausted'],
): Read | Refusal {
  if (read.outcome !== 'rate_limited' || !exhausted?.retryAt) return read;
  return { ...(read as Refusal), retry_at: exhausted.retryAt };
}

/** A shape that nobody knows is told, with its key paths. */
function noteShape(
  read: { outcome: string; evidence?: unknown } | null,
  about: { post_id?: string },
  events: IntegrityEvent[],
): void {
  if (read?.outcome !== 'shape_changed') return;
  const details = (read as Refusal).evidence ?? {};
  events.push({ kind: 'shape_changed', ...about, details });
}
