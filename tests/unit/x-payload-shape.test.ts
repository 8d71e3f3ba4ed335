import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payloadShape } from '../../scraper-lambda/src/x/payload-shape.ts';
import { payloadShapeSchema } from '../../shared/contracts/read.ts';

/** A fresh copy of one of the project's own payloads, to be read or altered. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into payloads by path
function fixture(name: string): any {
  return JSON.parse(readFileSync(new URL(`../fixtures/x/${name}.json`, import.meta.url), 'utf8'));
}

const found = () => fixture('TweetResultByRestId.found');
const postOf = (body: ReturnType<typeof found>) => body.data.tweetResult.result;
const hashOf = (body: unknown) => payloadShape('TweetResultByRestId', body).hash;

describe('the shape of a payload', () => {
  it('names where posts and users stand, and their numbers with their types', () => {
    expect(payloadShape('TweetResultByRestId', found())).toEqual({
      operation: 'TweetResultByRestId',
      hash: expect.stringMatching(/^[0-9a-f]{32}$/),
      paths: [
        'Tweet.core.user_results.result: User',
        'Tweet.legacy.bookmark_count: number',
        'Tweet.legacy.favorite_count: number',
        'Tweet.legacy.quote_count: number',
        'Tweet.legacy.reply_count: number',
        'Tweet.legacy.retweet_count: number',
        'Tweet.views.count: digits',
        'User.relationship_counts.followers: number',
        'User.relationship_counts.following: number',
        'data.tweetResult.result: Tweet',
      ],
    });
  });

  it('takes a timeline’s pins, modules, ads and entries for one way to its posts', () => {
    const { paths } = payloadShape('UserTweets', fixture('UserTweets.mixed'));
    expect(paths.filter((path) => path.endsWith(': Tweet'))).toEqual([
      'User.timeline.timeline.instructions[].<item>.tweet_results.result: Tweet',
    ]);
  });

  it.each([
    ['another value', (body: unknown) => (postOf(body).legacy.favorite_count = 9)],
    ['another id', (body: unknown) => (postOf(body).rest_id = '1')],
    ['another text', (body: unknown) => (postOf(body).legacy.full_text = 'more')],
    ['a flag', (body: unknown) => (postOf(body).legacy.possibly_sensitive = true)],
    ['media', (body: unknown) => (postOf(body).legacy.extended_entities = { media: [{ w: 5 }] })],
    ['a quoted post', (body: unknown) => (postOf(body).quoted_status_result = { result: {} })],
    ['an edit', (body: unknown) => (postOf(body).previous_counts = { favorite_count: 3 })],
    [
      'a wrapper',
      (body: { data: unknown }) => {
        const { __typename, ...tweet } = postOf(body);
        const result = { __typename: 'TweetWithVisibilityResults', tweet };
        body.data = { tweetResult: { result } };
      },
    ],
  ])('stays the same with %s', (_name, alter) => {
    const body = found();
    alter(body);
    expect(hashOf(body)).toBe(hashOf(found()));
  });

  it.each([
    ['without a count', (post: ReturnType<typeof found>) => delete post.legacy.reply_count],
    ['with a count as text', (post: ReturnType<typeof found>) => (post.legacy.reply_count = '12')],
    [
      'with its counts elsewhere',
      (post: ReturnType<typeof found>) => {
        post.counts = post.legacy;
        delete post.legacy;
      },
    ],
    ['with a new count', (post: ReturnType<typeof found>) => (post.legacy.boosts = 12)],
    ['with followers elsewhere', (post: ReturnType<typeof found>) => (post.core.reach = 12)],
  ])('is another %s', (_name, alter) => {
    const body = found();
    alter(postOf(body));
    expect(hashOf(body)).not.toBe(hashOf(found()));
  });

  it('is another when a post has moved, and when it is of an unknown type', () => {
    const { tweetResult } = found().data;
    expect(hashOf({ data: { post: tweetResult } })).not.toBe(hashOf(found()));
    const { paths } = payloadShape('X', {
      data: { tweetResult: { result: { __typename: 'Note' } } },
    });
    expect(paths).toEqual(['data.tweetResult.result: Note']);
  });

  it('has no values in it: no text, no id, no key that is data', () => {
    const body = found();
    postOf(body).legacy['1900000000000000099'] = { count: 3 };
    postOf(body).legacy['a secret'] = 7;
    const { paths } = payloadShape('TweetResultByRestId', body);
    expect(paths.join()).not.toMatch(/\d{5}|secret|somebot/);
    expect(paths).toContain('Tweet.legacy.*.count: number');
  });

  it('of any JSON fits its contract, and is the same each time', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.string(), (data, operation) => {
        const shape = payloadShape(operation, { data });
        expect(payloadShapeSchema.safeParse(shape).success).toBe(true);
        expect(payloadShape(operation, { data })).toEqual(shape);
      }),
      { seed: 20261123 },
    );
  });

  it('does not change with the order of keys or the number of posts', () => {
    const body = fixture('UserTweets.mixed');
    const { instructions } = body.data.user.result.timeline.timeline;
    const { hash } = payloadShape('UserTweets', body);
    instructions.reverse();
    instructions.find(({ entries }: { entries?: unknown[] }) => entries).entries.reverse();
    expect(payloadShape('UserTweets', body).hash).toBe(hash);
  });
});
