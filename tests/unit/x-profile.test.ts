import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readProfilePayload } from '../../scraper-lambda/src/x/graphql.ts';
import { readTimelinePayload } from '../../scraper-lambda/src/x/timeline-posts.ts';

/** A fresh copy of one of the project's own payloads, to be read or altered. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into payloads by path
function fixture(name: string): any {
  return JSON.parse(readFileSync(new URL(`../fixtures/x/${name}.json`, import.meta.url), 'utf8'));
}

describe('a profile', () => {
  it.each([
    ['UserByScreenName.legacy', 398],
    ['UserByScreenName.relationship-counts', 412],
    ['UserResultByScreenName.relationship-counts', 412],
  ])('of the shape %s has its followers', (name, followers) => {
    expect(readProfilePayload(fixture(name), 'SomeBot')).toEqual({
      outcome: 'found',
      id: '1500000000000000007',
      handle: 'somebot',
      source: 'graphql',
      followers,
      isExact: true,
    });
  });

  it('first system 6: followers that are nowhere are refused, never a constant', () => {
    const body = fixture('UserByScreenName.relationship-counts');
    body.data.user.result.relationship_counts = {};
    expect(readProfilePayload(body, 'somebot')).toEqual({
      outcome: 'shape_changed',
      evidence: {
        missing: [
          'data.user.result.relationship_counts.followers',
          'data.user.result.legacy.followers_count',
        ],
      },
    });
  });

  it('of another handle is not taken for the one asked for', () => {
    const body = fixture('UserByScreenName.legacy');
    expect(readProfilePayload(body, 'another').outcome).toBe('wrong_post');
  });

  it.each([{ data: {} }, { data: { user: {} } }])('that X does not know is deleted: %j', (body) => {
    expect(readProfilePayload(body, 'somebot').outcome).toBe('deleted');
  });

  it('that X had no time to look up is transient, not deleted', () => {
    const body = { data: { user: {} }, errors: [{ name: 'DeadlineExceeded', message: 'no' }] };
    expect(readProfilePayload(body, 'somebot').outcome).toBe('transient');
  });

  it('of a suspended user is suspended', () => {
    const result = { __typename: 'UserUnavailable', reason: 'Suspended' };
    expect(readProfilePayload({ data: { user: { result } } }, 'somebot').outcome).toBe('suspended');
  });
});

describe('UserTweets', () => {
  const own = '1500000000000000007';

  it('gives the account’s own posts: no retweet, no quoted post, no ad, nobody else’s', () => {
    const read = readTimelinePayload(fixture('UserTweets.mixed'), own);
    if ('outcome' in read) throw new Error(read.outcome);
    expect(read.posts.map(({ id, metrics }) => [id, metrics.likes])).toEqual([
      ['1800000000000000001', 330],
      ['1900000000000000011', 7],
      ['1900000000000000013', 2],
      ['1900000000000000014', 1],
    ]);
    expect(read.refused).toEqual([]);
  });

  it('knows the account’s own posts although X leaves its user object out', () => {
    const body = fixture('UserTweets.mixed');
    const [, pinned] = body.data.user.result.timeline.timeline.instructions;
    delete pinned.entry.content.itemContent.tweet_results.result.core;
    const read = readTimelinePayload(body, own);
    if ('outcome' in read) throw new Error(read.outcome);
    expect(read.posts[0]).toMatchObject({ id: '1800000000000000001', author: { followers: null } });
  });

  it('gives everyone’s posts when no author is named', () => {
    const read = readTimelinePayload(fixture('UserTweets.mixed'));
    if ('outcome' in read) throw new Error(read.outcome);
    expect(read.posts.map(({ id }) => id)).toContain('1899000000000000003');
  });

  it('keeps the readable posts when one entry has changed, and says which', () => {
    const body = fixture('UserTweets.mixed');
    const [, , added] = body.data.user.result.timeline.timeline.instructions;
    delete added.entries[0].content.itemContent.tweet_results.result.legacy.favorite_count;
    const read = readTimelinePayload(body, own);
    if ('outcome' in read) throw new Error(read.outcome);
    expect(read.posts).toHaveLength(3);
    expect(read.refused).toMatchObject([
      { entryId: 'tweet-1900000000000000011', refusal: { outcome: 'shape_changed' } },
    ]);
  });

  it.each([
    [
      'SearchTimeline',
      (timeline: object) => ({ search_by_raw_query: { search_timeline: { timeline } } }),
    ],
    ['ListTimeline', (timeline: object) => ({ list: { tweets_timeline: { timeline } } })],
    ['UserMedia', (timeline: object) => ({ user: { result: { timeline_v2: { timeline } } } })],
  ])('and %s have the same entries under another path', (_name, wrap) => {
    const { timeline } = fixture('UserTweets.mixed').data.user.result.timeline;
    const read = readTimelinePayload({ data: wrap(timeline) }, own);
    if ('outcome' in read) throw new Error(read.outcome);
    expect(read.posts).toHaveLength(4);
  });

  it('tells of each post when it was posted, by its id', () => {
    const read = readTimelinePayload(fixture('UserTweets.mixed'), own);
    if ('outcome' in read) throw new Error(read.outcome);
    expect(read.posts[0]).toMatchObject({
      id: '1800000000000000001',
      postedAt: '2024-06-10T03:00:17.039Z',
    });
  });

  it('gives no time to an id from before ids had one', () => {
    const body = fixture('UserTweets.mixed');
    const [, pinned] = body.data.user.result.timeline.timeline.instructions;
    pinned.entry.content.itemContent.tweet_results.result.rest_id = '20';
    delete pinned.entry.content.itemContent.tweet_results.result.legacy.id_str;
    const read = readTimelinePayload(body, own);
    if ('outcome' in read) throw new Error(read.outcome);
    expect(read.posts[0]).toMatchObject({ id: '20', postedAt: null });
  });

  it.each([
    ['single', {}],
    ['single', { in_reply_to_status_id_str: null, in_reply_to_user_id_str: null }],
    ['thread', { in_reply_to_status_id_str: '17', in_reply_to_user_id_str: own }],
    ['reply', { in_reply_to_status_id_str: '17', in_reply_to_user_id_str: '1500000000000000008' }],
    ['reply', { in_reply_to_status_id_str: '17' }],
    ['reply', { in_reply_to_user_id_str: '1500000000000000008' }],
  ])('takes for a %s what answers %j', (kind, answers) => {
    const body = fixture('UserTweets.mixed');
    const [, pinned] = body.data.user.result.timeline.timeline.instructions;
    const { result } = pinned.entry.content.itemContent.tweet_results;
    Object.assign(result.legacy, { user_id_str: own }, answers);
    const read = readTimelinePayload(body, own);
    if ('outcome' in read) throw new Error(read.outcome);
    expect(read.posts[0]?.kind).toBe(kind);
  });

  it('tells whose timeline it is and what asks for the next page', () => {
    const body = fixture('UserTweets.mixed');
    const { user } = body.data;
    user.result.rest_id = own;
    user.result.timeline.timeline.instructions.at(-1).entries.push({
      entryId: 'cursor-bottom-2',
      content: { __typename: 'TimelineTimelineCursor', cursorType: 'Bottom', value: 'older' },
    });
    expect(readTimelinePayload(body)).toMatchObject({ authorId: own, bottomCursor: 'older' });
  });

  it('without a cursor has no next page', () => {
    const body = fixture('UserTweets.mixed');
    const { timeline } = body.data.user.result.timeline;
    for (const instruction of timeline.instructions) {
      instruction.entries = instruction.entries?.filter(
        (entry: { entryId: string }) => !entry.entryId.startsWith('cursor-'),
      );
    }
    expect(readTimelinePayload(body, own)).toMatchObject({ bottomCursor: null, authorId: own });
  });

  it('of a suspended account is suspended', () => {
    const result = { __typename: 'UserUnavailable', reason: 'Suspended' };
    expect(readTimelinePayload({ data: { user: { result } } }, own)).toMatchObject({
      outcome: 'suspended',
    });
  });

  it.each([{}, { timeline: {} }, { rest_id: own, timeline_v2: {} }])(
    'of a protected account is restricted: %j',
    (parts) => {
      const result = { __typename: 'User', ...parts };
      expect(readTimelinePayload({ data: { user: { result } } }, own)).toMatchObject({
        outcome: 'restricted',
      });
    },
  );

  it('that has moved is a changed shape, not a protected account', () => {
    const result = { __typename: 'User', posts: { list: [] } };
    expect(readTimelinePayload({ data: { user: { result } } }, own)).toMatchObject({
      outcome: 'shape_changed',
    });
  });

  it('without any instructions is a changed shape', () => {
    expect(readTimelinePayload({ data: { user: { result: {} } } }, own)).toMatchObject({
      outcome: 'shape_changed',
    });
  });
});
