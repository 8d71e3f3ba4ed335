/** `UserTweets` bodies: the instructions and entries of a profile's timeline as X sends them. */
import {
  cursorEntry,
  type SiteAccount,
  type SitePost,
  tweetEntry,
  tweetItem,
  tweetResult,
  type UserEra,
  userResult,
} from './payloads.ts';

/** The author of every foreign entry; its numbers cannot be taken for the account's. */
const STRANGER = 'someoneelse';
const STRANGE_COUNT = 999_999;
const STRANGERS_POST: SitePost = {
  handle: STRANGER,
  likes: STRANGE_COUNT,
  retweets: STRANGE_COUNT,
  replies: STRANGE_COUNT,
  quotes: STRANGE_COUNT,
  bookmarks: STRANGE_COUNT,
  impressions: STRANGE_COUNT,
};

/** A result as it stands in `tweet_results`, with its post id. */
export type Shown = { id: string; result: object };

export type TimelinePage = {
  /** The entries in order, without pinned post and cursors. */
  entries: unknown[];
  pinned: Shown | null;
  cursors: { top: string; bottom: string };
};

/** One page of a profile's timeline. */
export function userTweets({ entries, pinned, cursors }: TimelinePage) {
  const instructions = [
    { type: 'TimelineClearCache' },
    ...(pinned ? [{ type: 'TimelinePinEntry', entry: pinEntry(pinned) }] : []),
    {
      type: 'TimelineAddEntries',
      entries: [...entries, cursorEntry('Top', cursors.top), cursorEntry('Bottom', cursors.bottom)],
    },
  ];
  const metadata = { scribeConfig: { page: 'profileBest' } };
  return userTimeline({ timeline: { timeline: { instructions, metadata } } });
}

/** X's answer for the posts of a protected account: the user without a timeline. */
export const protectedTimeline = () => userTimeline({});

const userTimeline = (parts: object) => ({
  data: { user: { result: { __typename: 'User', ...parts } } },
});

function pinEntry({ id, result }: Shown) {
  const entry = tweetEntry(id, result);
  const socialContext = { type: 'TimelineGeneralContext', contextType: 'Pin', text: 'redacted' };
  const itemContent = { ...entry.content.itemContent, socialContext };
  return { ...entry, content: { ...entry.content, itemContent } };
}

/** One post by itself, or posts that answer each other, oldest first, as a module. */
export function postEntry(posts: Shown[]): unknown {
  const [first] = posts;
  if (first && posts.length === 1) return tweetEntry(first.id, first.result);
  const entryId = `profile-conversation-${first?.id}`;
  return {
    entryId,
    sortIndex: first?.id,
    content: {
      __typename: 'TimelineTimelineModule',
      displayType: 'VerticalConversation',
      entryType: 'TimelineTimelineModule',
      items: posts.map(({ id, result }) => ({
        dispensable: false,
        entryId: `${entryId}-tweet-${id}`,
        item: { itemContent: tweetItem(result) },
      })),
      metadata: {
        conversationMetadata: {
          allTweetIds: posts.map(({ id }) => id),
          enableDeduplication: true,
        },
      },
    },
  };
}

const strangersPost = (id: string, era: UserEra) =>
  tweetResult(id, STRANGERS_POST, { followers: STRANGE_COUNT }, era);

/** A post of the account that quotes a stranger's. */
export function quoting(result: object, quotedId: string, era: UserEra): object {
  const legacy = (result as { legacy?: object }).legacy;
  return {
    ...result,
    legacy: { ...legacy, is_quote_status: true, quoted_status_id_str: quotedId },
    quoted_status_result: { result: strangersPost(quotedId, era) },
  };
}

/** The account's retweet of a stranger's post: a wrapper with ids of its own and no likes. */
export function retweetEntry(
  id: string,
  originalId: string,
  by: { handle: string; account: SiteAccount },
  era: UserEra,
) {
  const counts = { likes: 0, replies: 0, quotes: 0, bookmarks: 0, impressions: STRANGE_COUNT };
  const retweet = { handle: by.handle, ...counts, retweets: STRANGE_COUNT };
  const wrapper = tweetResult(id, retweet, by.account, era);
  const retweeted_status_result = { result: strangersPost(originalId, era) };
  const legacy = { ...wrapper.legacy, full_text: 'RT redacted', retweeted_status_result };
  return tweetEntry(id, { ...wrapper, legacy });
}

export const strangersEntry = (id: string, era: UserEra) => tweetEntry(id, strangersPost(id, era));

export function promotedEntry(id: string, era: UserEra) {
  const entry = tweetEntry(id, strangersPost(id, era));
  const promotedMetadata = {
    advertiser_results: { result: { __typename: 'User', rest_id: '1' } },
    disclosureType: 'NoDisclosure',
    impressionId: 'redacted',
  };
  const itemContent = { ...entry.content.itemContent, promotedMetadata };
  return {
    ...entry,
    entryId: `promoted-tweet-${id}-5c1f`,
    content: { ...entry.content, itemContent },
  };
}

export function suggestionsEntry(id: string, era: UserEra) {
  const user = userResult(STRANGER, { followers: STRANGE_COUNT }, era);
  const itemContent = {
    __typename: 'TimelineUser',
    itemType: 'TimelineUser',
    userDisplayType: 'User',
    user_results: { result: user },
  };
  return {
    entryId: `who-to-follow-${id}`,
    sortIndex: id,
    content: {
      __typename: 'TimelineTimelineModule',
      displayType: 'Vertical',
      entryType: 'TimelineTimelineModule',
      items: [{ entryId: `who-to-follow-${id}-user-${user.rest_id}`, item: { itemContent } }],
    },
  };
}
