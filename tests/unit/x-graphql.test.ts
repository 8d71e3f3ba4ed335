import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { operationOf, readPostPayload } from '../../scraper-lambda/src/x/graphql.ts';

/** A fresh copy of one of the project's own payloads, to be read or altered. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into payloads by path
function fixture(name: string): any {
  return JSON.parse(readFileSync(new URL(`../fixtures/x/${name}.json`, import.meta.url), 'utf8'));
}

const FOUND = '1900000000000000001';
const foundBody = () => fixture('TweetResultByRestId.found');
const readFound = (body: unknown) => readPostPayload('TweetResultByRestId', body, FOUND);

describe('operationOf', () => {
  it('names the operation by the end of the path, whatever the hash and query', () => {
    const variables = encodeURIComponent(JSON.stringify({ tweetId: FOUND }));
    const url = `https://x.com/i/api/graphql/Ab-9_z/TweetResultByRestId?variables=${variables}&features=%7B%7D`;
    expect(operationOf(url)).toEqual({
      name: 'TweetResultByRestId',
      variables: { tweetId: FOUND },
    });
  });

  it('takes an operation with Query at its end for the same one', () => {
    const url = 'https://x.com/i/api/graphql/a/TweetResultsByIdsQuery';
    expect(operationOf(url)?.name).toBe('TweetResultsByIds');
  });

  it('is null for what is not a GraphQL call', () => {
    expect(operationOf('https://x.com/somebot/TweetDetail')).toBeNull();
    expect(operationOf('data:text/html,x')).toBeNull();
  });

  it('survives variables that are not JSON', () => {
    expect(operationOf('https://x.com/i/api/graphql/a/TweetDetail?variables=%7B')).toEqual({
      name: 'TweetDetail',
      variables: {},
    });
  });
});

describe('a post', () => {
  it('is read with every count, its author and the author’s followers', () => {
    expect(readFound(foundBody())).toEqual({
      outcome: 'found',
      id: FOUND,
      source: 'graphql',
      quality: 'exact',
      metrics: {
        likes: 264,
        retweets: 51,
        replies: 0,
        quotes: 3,
        bookmarks: 22,
        impressions: 32100,
        profile_clicks: null,
      },
      author: { id: '1500000000000000007', handle: 'somebot', followers: 412 },
    });
  });

  it('is read inside TweetWithVisibilityResults', () => {
    const body = fixture('TweetResultByRestId.with-visibility');
    const read = readPostPayload('TweetResultByRestId', body, '1900000000000000003');
    expect(read).toMatchObject({ outcome: 'found', metrics: { likes: 23, impressions: 825 } });
  });

  it('takes the views from ext_views where views is absent', () => {
    const body = foundBody();
    const { result } = body.data.tweetResult;
    result.ext_views = { state: 'EnabledWithCount', count: '77' };
    delete result.views;
    expect(readFound(body)).toMatchObject({ metrics: { impressions: 77 } });
  });

  it.each(['tweetResult', 'tweet_results'])('is found by its id in a list: %s', (key) => {
    const other = fixture('TweetResultByRestId.views-unknown').data.tweetResult;
    const body = { data: { [key]: [other, foundBody().data.tweetResult] } };
    expect(readPostPayload('TweetResultsByIds', body, FOUND)).toMatchObject({
      outcome: 'found',
      id: FOUND,
    });
  });

  it('that is not in the list is wrong_post', () => {
    const other = fixture('TweetResultByRestId.views-unknown').data.tweetResult;
    const body = { data: { tweet_results: [other, other] } };
    expect(readPostPayload('TweetResultsByIds', body, FOUND).outcome).toBe('wrong_post');
  });

  it('keeps an id of 64 bits digit for digit', () => {
    const id = '18446744073709551615';
    const body = foundBody();
    body.data.tweetResult.result.rest_id = id;
    body.data.tweetResult.result.legacy.id_str = id;
    expect(readPostPayload('TweetResultByRestId', body, id)).toMatchObject({ id });
  });

  it('whose id is a JSON number is refused, because its digits may be lost', () => {
    const body = JSON.parse(
      JSON.stringify(foundBody()).replace(`"rest_id":"${FOUND}"`, `"rest_id":${FOUND}`),
    );
    expect(readFound(body)).toMatchObject({
      outcome: 'shape_changed',
      evidence: { differing: ['data.tweetResult.result.rest_id: number'] },
    });
  });

  it('is read although its author is not shown', () => {
    const body = foundBody();
    body.data.tweetResult.result.core.user_results = {};
    expect(readFound(body)).toMatchObject({
      outcome: 'found',
      author: { id: '1500000000000000007', handle: null, followers: null },
    });
  });

  it('of another id than the one asked for is wrong_post', () => {
    expect(readPostPayload('TweetResultByRestId', foundBody(), '1900000000000000077')).toEqual({
      outcome: 'wrong_post',
      evidence: { read: FOUND },
    });
  });

  it('that wraps a retweet is wrong_post: its counts are nobody’s', () => {
    const body = foundBody();
    body.data.tweetResult.result.legacy.retweeted_status_result = { result: {} };
    expect(readFound(body)).toMatchObject({ outcome: 'wrong_post', evidence: { retweet: true } });
  });
});

describe('a changed shape', () => {
  it('names every missing path of the required counts', () => {
    const body = foundBody();
    const { legacy } = body.data.tweetResult.result;
    delete legacy.favorite_count;
    legacy.reply_count = null;
    expect(readFound(body)).toEqual({
      outcome: 'shape_changed',
      evidence: {
        missing: [
          'data.tweetResult.result.legacy.favorite_count',
          'data.tweetResult.result.legacy.reply_count',
        ],
        differing: [],
      },
    });
  });

  it.each([
    ['legacy.retweet_count', '51', 'string'],
    ['legacy.favorite_count', -1, 'number'],
    ['legacy.favorite_count', 1.5, 'number'],
    ['legacy.favorite_count', 2 ** 60, 'number'],
    ['legacy.quote_count', {}, 'object'],
    ['legacy.bookmark_count', [3], 'array'],
    ['views.count', '32.1K', 'string'],
  ])('names %s when it is %j, and never its value', (path, value, type) => {
    const body = foundBody();
    const [parent = '', key = ''] = path.split('.');
    body.data.tweetResult.result[parent][key] = value;
    expect(readFound(body)).toEqual({
      outcome: 'shape_changed',
      evidence: { missing: [], differing: [`data.tweetResult.result.${path}: ${type}`] },
    });
  });

  it('is a place for the post whose result has moved, not a deleted post', () => {
    const body = { data: { tweetResult: { post: foundBody().data.tweetResult.result } } };
    expect(readFound(body).outcome).toBe('shape_changed');
  });

  it.each([null, 7, [], 'text', {}, { data: null }, { data: [] }, { data: { tweetResult: 5 } }])(
    'is %j',
    (body) => {
      expect(readFound(body).outcome).toBe('shape_changed');
      expect(readPostPayload('TweetDetail', body, FOUND).outcome).toBe('shape_changed');
    },
  );

  it('is a conversation without the entry of the post', () => {
    const body = { data: { threaded_conversation_with_injections_v2: { instructions: [] } } };
    expect(readPostPayload('TweetDetail', body, FOUND)).toMatchObject({
      outcome: 'shape_changed',
      evidence: {
        missing: [
          `data.threaded_conversation_with_injections_v2.instructions.entries[tweet-${FOUND}]`,
        ],
      },
    });
  });
});

describe('TweetDetail', () => {
  it('first system 16: a reply gets its own numbers, not those of the parent above it', () => {
    const read = readPostPayload(
      'TweetDetail',
      fixture('TweetDetail.reply'),
      '1900000000000000004',
    );
    expect(read).toMatchObject({
      outcome: 'found',
      metrics: { likes: 3, retweets: 1, replies: 0, impressions: 82 },
    });
  });

  it('without the entry of the post asked for is wrong_post', () => {
    const read = readPostPayload('TweetDetail', fixture('TweetDetail.reply'), FOUND);
    expect(read.outcome).toBe('wrong_post');
  });

  it('reads an answer’s post only when that is the focal entry', () => {
    const body = fixture('TweetDetail.reply');
    expect(readPostPayload('TweetDetail', body, '1900000000000000009').outcome).toBe('wrong_post');
  });

  it('with a tombstone in the focal entry says what the tombstone says', () => {
    const body = fixture('TweetDetail.tombstone');
    expect(readPostPayload('TweetDetail', body, '1900000000000000005').outcome).toBe('deleted');
  });
});

describe('what the first system got wrong', () => {
  it('first system 3: the same payload always gives the same numbers', () => {
    expect(readFound(foundBody())).toEqual(readFound(foundBody()));
  });

  it('first system 8: zero is a number, not a missing one', () => {
    const read = readPostPayload(
      'TweetResultByRestId',
      fixture('TweetResultByRestId.views-unknown'),
      '1900000000000000002',
    );
    expect(read).toMatchObject({
      metrics: { likes: 0, retweets: 0, replies: 0, quotes: 0, bookmarks: 0 },
    });
  });

  it('first system 14: views that X does not say are null, never estimated from engagement', () => {
    const body = foundBody();
    body.data.tweetResult.result.views = { state: 'Enabled' };
    expect(readFound(body)).toMatchObject({ metrics: { likes: 264, impressions: null } });
  });

  it('first system 19: a viral post is read as it is', () => {
    const body = foundBody();
    const { result } = body.data.tweetResult;
    result.legacy.favorite_count = 8_104_000;
    result.views.count = '1390944113';
    expect(readFound(body)).toMatchObject({
      outcome: 'found',
      metrics: { likes: 8_104_000, impressions: 1_390_944_113 },
    });
  });

  it('first system 19: fewer likes than before is a number like any other', () => {
    const body = foundBody();
    body.data.tweetResult.result.legacy.favorite_count = 261;
    expect(readFound(body)).toMatchObject({ outcome: 'found', metrics: { likes: 261 } });
  });

  it('first system 20: optional counts that are absent are null, not 0', () => {
    const body = foundBody();
    const { result } = body.data.tweetResult;
    delete result.views;
    delete result.legacy.quote_count;
    delete result.legacy.bookmark_count;
    expect(readFound(body)).toMatchObject({
      outcome: 'found',
      metrics: { quotes: null, bookmarks: null, impressions: null },
    });
  });
});
