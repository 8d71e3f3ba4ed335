import { describe, expect, it } from 'vitest';
import { type Asked, judgeRead } from '../../scraper-lambda/src/judge.ts';
import type { PostFound } from '../../scraper-lambda/src/x/outcome.ts';
import type { Metrics } from '../../shared/contracts/read.ts';
import { snowflakeId } from '../../shared/snowflake.ts';

const POSTED_AT = new Date('2026-03-01T12:00:00Z');
const ID = snowflakeId(POSTED_AT);
const COUNTS: Metrics = {
  likes: 1,
  retweets: 0,
  replies: 4,
  quotes: 0,
  bookmarks: 0,
  impressions: 80,
  profile_clicks: null,
};

const asked = (previous: Partial<Metrics> = {}, attempt = 1): Asked => ({
  post_id: ID,
  handle: 'somebot',
  posted_at: POSTED_AT.toISOString(),
  attempt,
  previous: { captured_at: '2026-03-01T12:30:00.000Z', metrics: { ...COUNTS, ...previous } },
});
const read = (metrics: Partial<Metrics> = {}, more: Partial<PostFound> = {}): PostFound => ({
  outcome: 'found',
  id: ID,
  source: 'graphql',
  quality: 'exact',
  metrics: { ...COUNTS, ...metrics },
  author: null,
  ...more,
});
const author = (handle: string) => ({ id: '1', handle, followers: 10 });

describe('a read of the post that was asked for', () => {
  it('is taken, also with fewer of everything', () => {
    expect(judgeRead(asked({ likes: 9 }), read({ likes: 2, replies: 1 }))).toBeNull();
    expect(judgeRead(asked(), read({}, { author: author('SomeBot') }))).toBeNull();
  });

  it('is not believed when a count fell to 0, with the numbers as evidence', () => {
    expect(judgeRead(asked({ likes: 12 }), read({ likes: 0 }))).toMatchObject({
      outcome: 'degraded',
      evidence: { reason: 'fell_to_zero', refused: { likes: 0, impressions: 80 } },
    });
  });

  it('is believed at the third try when the count was small: somebody took a like back', () => {
    expect(judgeRead(asked({}, 2), read({ likes: 0 }))?.outcome).toBe('degraded');
    expect(judgeRead(asked({}, 3), read({ likes: 0 }))).toBeNull();
    expect(judgeRead(asked({}, 3), read({ likes: 0, replies: 0 }))).toBeNull();
  });

  it('is never believed when a large count is 0, at whatever try', () => {
    expect(judgeRead(asked({ likes: 5 }, 9), read({ likes: 0 }))?.outcome).toBe('degraded');
    expect(judgeRead(asked({ bookmarks: 30 }, 9), read({ likes: 0 }))?.outcome).toBe('degraded');
  });
});

describe('a read of another post', () => {
  it.each([
    ['id', read({}, { id: snowflakeId(POSTED_AT, 1) })],
    ['author', read({}, { author: author('someoneelse') })],
  ])('by its %s is wrong_post', (_what, other) => {
    expect(judgeRead(asked(), other)?.outcome).toBe('wrong_post');
  });

  it('by the time in its id is wrong_post', () => {
    const late = { ...asked(), posted_at: '2026-03-01T12:11:00.000Z' };
    expect(judgeRead(late, read())).toMatchObject({
      outcome: 'wrong_post',
      evidence: { differing: ['posted_at'] },
    });
  });
});
