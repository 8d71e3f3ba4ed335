import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPostPayload } from '../../scraper-lambda/src/x/graphql.ts';
import { collectItems } from '../../scraper-lambda/src/x/timeline.ts';

/** A fresh copy of one of the project's own payloads, to be read or altered. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into payloads by path
function fixture(name: string): any {
  return JSON.parse(readFileSync(new URL(`../fixtures/x/${name}.json`, import.meta.url), 'utf8'));
}

const FOUND = '1900000000000000001';
const foundBody = () => fixture('TweetResultByRestId.found');
const readFound = (body: unknown) => readPostPayload('TweetResultByRestId', body, FOUND);

describe('a post', () => {
  it('that quotes another has its own counts', () => {
    const body = foundBody();
    const quoted = fixture('TweetResultByRestId.with-visibility').data.tweetResult;
    body.data.tweetResult.result.quoted_status_result = quoted;
    expect(readFound(body)).toEqual(readFound(foundBody()));
  });

  it.each([
    ['before', (ids: string[]) => ({ edit_tweet_ids: ids })],
    ['after', (ids: string[]) => ({ edit_control_initial: { edit_tweet_ids: ids } })],
  ])(
    'that was edited says so, and its past counts are not its own: %s the edit',
    (_when, edits) => {
      const body = foundBody();
      const { result } = body.data.tweetResult;
      result.edit_control = edits([FOUND, '1900000000000000077', '1900000000000000055']);
      result.previous_counts = { favorite_count: 9999, retweet_count: 9999 };
      expect(readFound(body)).toMatchObject({
        outcome: 'found',
        metrics: { likes: 264, retweets: 51 },
        evidence: { edited_to: '1900000000000000077' },
      });
    },
  );

  it('that is the newest edit says nothing of it', () => {
    const body = foundBody();
    body.data.tweetResult.result.edit_control = { edit_tweet_ids: ['1899999999999999999', FOUND] };
    expect(readFound(body)).not.toHaveProperty('evidence');
  });

  it('that X shows under its newer id is wrong_post, and known to be an edit', () => {
    const body = foundBody();
    const old = '1899999999999999999';
    body.data.tweetResult.result.edit_control = { edit_tweet_ids: [old, FOUND] };
    expect(readPostPayload('TweetResultByRestId', body, old)).toEqual({
      outcome: 'wrong_post',
      evidence: { read: FOUND, edited: true },
    });
  });

  it('whose edit history has another shape is read all the same', () => {
    const body = foundBody();
    body.data.tweetResult.result.edit_control = { edit_tweet_ids: 7 };
    expect(readFound(body).outcome).toBe('found');
  });

  it('that was written at another moment than its id says is wrong_post', () => {
    const body = foundBody();
    const { legacy } = body.data.tweetResult.result;
    legacy.created_at = 'Thu Mar 13 01:42:42 +0000 2025';
    expect(readFound(body)).toMatchObject({
      outcome: 'wrong_post',
      evidence: { differing: ['data.tweetResult.result.legacy.created_at'] },
    });
    legacy.created_at = new Date(Number((BigInt(FOUND) >> 22n) + 1_288_834_974_657n)).toUTCString();
    expect(readFound(body).outcome).toBe('found');
  });
});

describe('a conversation', () => {
  const FOCAL = '1900000000000000004';
  const conversation = (likes: number) => {
    const body = fixture('TweetDetail.reply');
    const { instructions } = body.data.threaded_conversation_with_injections_v2;
    const counts = { retweet_count: 0, reply_count: 0, quote_count: 0, bookmark_count: 0 };
    for (const { place } of collectItems(instructions)) {
      const { result } = place as ReturnType<typeof fixture>;
      const tweet = result.tweet ?? result;
      Object.assign(tweet.legacy, counts, { favorite_count: likes });
      tweet.views = { state: 'EnabledWithCount', count: '4000' };
    }
    return body;
  };

  it('that is served with zeros makes its post degraded, with the numbers as evidence', () => {
    expect(readPostPayload('TweetDetail', conversation(0), FOCAL)).toMatchObject({
      outcome: 'degraded',
      evidence: { reason: 'payload_of_zeros', source: 'graphql', refused: { likes: 0 } },
    });
  });

  it('with anything done in it is believed', () => {
    expect(readPostPayload('TweetDetail', conversation(1), FOCAL).outcome).toBe('found');
  });
});
