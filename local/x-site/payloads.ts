/**
 * GraphQL bodies of the shape that X sends, built from numbers. The fields are those that real
 * payloads had in 2026; texts and names are made up.
 */
import type { Variant } from './variants.ts';

/** The counts of one post as the site serves them. Null impressions: X does not say the views. */
export type PostNumbers = {
  likes: number;
  retweets: number;
  replies: number;
  quotes: number;
  bookmarks: number;
  impressions: number | null;
};

export type SitePost = PostNumbers & {
  handle: string;
  /** The post that this one answers; the page shows it first. */
  replyTo?: string;
};

export type SiteAccount = {
  followers: number;
  /** Ids of the account's posts, newest first. */
  posts?: string[];
  /** The post that the profile shows first. */
  pinned?: string;
  /** What else its timeline shows: after every third post the next of these. */
  mixIn?: TimelineMix[];
  /** How the timeline alone deviates, beside a profile that is served plainly. */
  timeline?: Variant;
};

/**
 * What stands on a timeline beside the account's own posts: its retweets, advertisements, posts of
 * others, quoted posts inside its own, and users to follow.
 */
type TimelineMix = 'retweet' | 'promoted' | 'other' | 'quote' | 'suggestions';

/** Where the user object carries its followers: `legacy` until July 2026, then its own object. */
export type UserEra = 'legacy' | 'relationship_counts';

const TWITTER_EPOCH_MS = 1_288_834_974_657n;

/** The moment inside a post id. */
export function momentOfId(id: string): Date {
  return new Date(Number((BigInt(id) >> 22n) + TWITTER_EPOCH_MS));
}

/** A stable user id for a handle, so that every payload names the same author. */
export function userIdOf(handle: string): string {
  let hash = 0n;
  for (const char of handle.toLowerCase()) {
    hash = (hash * 131n + BigInt(char.charCodeAt(0))) % 10n ** 15n;
  }
  return String(10n ** 15n + hash);
}

/** `Fri Jul 31 21:34:08 +0000 2026`, the form in which X writes time. */
function xDate(moment: Date): string {
  const [day, date, month, year, time] = moment.toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${date} ${time} +0000 ${year}`;
}

/** The user object of one account in either era. */
export function userResult(
  handle: string,
  account: SiteAccount,
  era: UserEra,
  isProtected = false,
) {
  const shared = {
    __typename: 'User',
    rest_id: userIdOf(handle),
    is_blue_verified: false,
    core: { created_at: 'Sat Dec 14 04:35:55 +0000 2013', name: handle, screen_name: handle },
    privacy: { protected: isProtected },
  };
  return era === 'legacy'
    ? {
        ...shared,
        legacy: {
          fast_followers_count: 0,
          favourites_count: 12,
          followers_count: account.followers,
          friends_count: 80,
          normal_followers_count: account.followers,
          statuses_count: 340,
        },
      }
    : {
        ...shared,
        action_counts: { favorites_count: 12 },
        relationship_counts: { followers: account.followers, following: 80 },
        tweet_counts: { media_tweets: 5, tweets: 340 },
      };
}

/** What a post answers, and the first post of that conversation. */
export type Parent = { id: string; handle: string; conversationId: string };

/** One post with its author, as it stands in `result`. */
export function tweetResult(
  id: string,
  post: SitePost,
  account: SiteAccount,
  era: UserEra,
  parent: Parent | null = null,
) {
  return {
    __typename: 'Tweet',
    rest_id: id,
    core: { user_results: { result: userResult(post.handle, account, era) } },
    edit_control: { edit_tweet_ids: [id], edits_remaining: '5', is_edit_eligible: true },
    is_translatable: false,
    views:
      post.impressions === null
        ? { state: 'Enabled' }
        : { count: String(post.impressions), state: 'EnabledWithCount' },
    source: 'redacted',
    legacy: {
      bookmark_count: post.bookmarks,
      bookmarked: false,
      conversation_id_str: parent?.conversationId ?? id,
      created_at: xDate(momentOfId(id)),
      favorite_count: post.likes,
      favorited: false,
      full_text: 'redacted',
      id_str: id,
      ...(parent
        ? {
            in_reply_to_screen_name: parent.handle,
            in_reply_to_status_id_str: parent.id,
            in_reply_to_user_id_str: userIdOf(parent.handle),
          }
        : {}),
      is_quote_status: false,
      lang: 'en',
      quote_count: post.quotes,
      reply_count: post.replies,
      retweet_count: post.retweets,
      retweeted: false,
      user_id_str: userIdOf(post.handle),
    },
  };
}

export function tweetItem(result: unknown) {
  return {
    __typename: 'TimelineTweet',
    itemType: 'TimelineTweet',
    tweetDisplayType: 'Tweet',
    tweet_results: { result },
  };
}

export function tweetEntry(id: string, result: unknown) {
  return {
    entryId: `tweet-${id}`,
    sortIndex: id,
    content: {
      __typename: 'TimelineTimelineItem',
      entryType: 'TimelineTimelineItem',
      itemContent: tweetItem(result),
    },
  };
}

export function cursorEntry(name: 'Top' | 'Bottom', value: string) {
  return {
    entryId: `cursor-${name.toLowerCase()}-1`,
    sortIndex: '1',
    content: {
      __typename: 'TimelineTimelineCursor',
      cursorType: name,
      entryType: 'TimelineTimelineCursor',
      value,
    },
  };
}

/** `TweetResultByRestId`; without a result it is X's answer for an unknown id. */
export function tweetResultByRestId(result?: unknown) {
  return { data: { tweetResult: result === undefined ? {} : { result } } };
}

/** `TweetDetail`: the conversation's posts in order (parents, the focal post), then one answer. */
export function tweetDetail(posts: { id: string; result: unknown }[], answer?: unknown) {
  const module = {
    entryId: 'conversationthread-1',
    sortIndex: '1',
    content: {
      __typename: 'TimelineTimelineModule',
      items: [
        { entryId: 'conversationthread-1-tweet-1', item: { itemContent: tweetItem(answer) } },
      ],
    },
  };
  return {
    data: {
      threaded_conversation_with_injections_v2: {
        instructions: [
          { type: 'TimelineClearCache' },
          {
            type: 'TimelineAddEntries',
            entries: [
              ...posts.map(({ id, result }) => tweetEntry(id, result)),
              ...(answer === undefined ? [] : [module]),
              cursorEntry('Bottom', 'redacted'),
            ],
          },
          { type: 'TimelineTerminateTimeline', direction: 'Top' },
        ],
      },
    },
  };
}

/** `UserByScreenName`; without a user it is X's answer for an unknown handle. */
export function userByScreenName(user?: unknown) {
  return { data: user === undefined ? {} : { user: { result: user } } };
}

export function tombstone(text: string) {
  return {
    __typename: 'TweetTombstone',
    tombstone: { __typename: 'TextTombstone', text: { entities: [], rtl: false, text } },
  };
}

export const unavailable = (reason: string) => ({ __typename: 'TweetUnavailable', reason });

export const userUnavailable = () => ({
  __typename: 'UserUnavailable',
  message: 'User is suspended',
  reason: 'Suspended',
});

export const errors = (...codes: number[]) => ({
  errors: codes.map((code) => ({ code, message: 'redacted' })),
});
