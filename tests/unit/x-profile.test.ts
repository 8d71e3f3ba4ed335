import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readProfilePayload } from '../../scraper-lambda/src/x/graphql.ts';
import { readTimelinePayload } from '../../scraper-lambda/src/x/timeline-posts.ts';

/** A fresh copy of one of the project's own payloads, to be read or altered. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into payloads by path
function fixture(name: string): any {
  return JSON.parse(readFileSync(new URL(`../fixtures/x/${name}.json`, import.meta.url), 'utf8'));
}

describe('a profile', () => {
  test.each([
    ['UserByScreenName.legacy', 398],
    ['UserByScreenName.relationship-counts', 412],
    ['UserResultByScreenName.relationship-counts', 412],
  ])('of the shape %s has its followers', (name, followers) => {
    expect(readProfilePayload(fixture(name), 'SomeBot')).toEqual({
      outcome: 'found',
      handle: 'somebot',
      source: 'graphql',
      followers,
    });
  });

  test('first system 6: followers that are nowhere are refused, never a constant', () => {
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

  test('of another handle is not taken for the one asked for', () => {
    const body = fixture('UserByScreenName.legacy');
    expect(readProfilePayload(body, 'another').outcome).toBe('wrong_post');
  });

  test.each([{ data: {} }, { data: { user: {} } }])(
    'that X does not know is deleted: %j',
    (body) => {
      expect(readProfilePayload(body, 'somebot').outcome).toBe('deleted');
    },
  );

  test('that X had no time to look up is transient, not deleted', () => {
    const body = { data: { user: {} }, errors: [{ name: 'DeadlineExceeded', message: 'no' }] };
    expect(readProfilePayload(body, 'somebot').outcome).toBe('transient');
  });

  test('of a suspended user is suspended', () => {
    const result = { __typename: 'UserUnavailable', reason: 'Suspended' };
    expect(readProfilePayload({ data: { user: { result } } }, 'somebot').outcome).toBe('suspended');
  });
});

describe('UserTweets', () => {
  const own = '1500000000000000007';

  test('gives the account’s own posts: no retweet, no quoted post, no ad, nobody else’s', () => {
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

  test('knows the account’s own posts although X leaves its user object out', () => {
    const body = fixture('UserTweets.mixed');
    const [, pinned] = body.data.user.result.timeline.timeline.instructions;
    delete pinned.entry.content.itemContent.tweet_results.result.core;
    const read = readTimelinePayload(body, own);
    if ('outcome' in read) throw new Error(read.outcome);
    expect(read.posts[0]).toMatchObject({ id: '1800000000000000001', author: { followers: null } });
  });

  test('gives everyone’s posts when no author is named', () => {
    const read = readTimelinePayload(fixture('UserTweets.mixed'));
    if ('outcome' in read) throw new Error(read.outcome);
    expect(read.posts.map(({ id }) => id)).toContain('1899000000000000003');
  });

  test('keeps the readable posts when one entry has changed, and says which', () => {
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

  test.each([
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

  test('without any instructions is a changed shape', () => {
    expect(readTimelinePayload({ data: { user: { result: {} } } }, own)).toMatchObject({
      outcome: 'shape_changed',
    });
  });
});
