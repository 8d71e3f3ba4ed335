import { describe, expect, test } from 'vitest';
import { collect } from '../../scraper-lambda/src/collect.ts';
import { ScraperError } from '../../scraper-lambda/src/errors.ts';
import type { MetricsSource } from '../../scraper-lambda/src/source.ts';
import type { PostRead, ProfileRead } from '../../scraper-lambda/src/x/outcome.ts';
import type { Claim } from '../../shared/contracts/read.ts';
import { followerReadResultSchema, postReadResultSchema } from '../../shared/contracts/read.ts';

const NOW = '2026-03-02T10:00:00.000Z';

function claimOf(ids: string[], followers: string[] = []): Claim {
  return {
    run_id: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
    leased_until: '2026-03-02T10:03:00Z',
    missed: 0,
    reads: ids.map((post_id) => ({
      post_id,
      phase: '2h',
      account_id: 1,
      handle: 'somebot',
      posted_at: '2026-03-02T08:00:00Z',
      due_at: NOW,
      expires_at: '2026-03-02T12:00:00Z',
      attempt: 1,
    })),
    followers: followers.map((handle, index) => ({
      account_id: handle === 'somebot' ? 1 : index + 2,
      handle,
      due_at: NOW,
      attempt: 1,
    })),
  };
}

function found(id: string, handle: string | null): PostRead {
  const metrics = {
    likes: 3,
    retweets: 0,
    replies: 0,
    quotes: 0,
    bookmarks: 0,
    impressions: 82,
    profile_clicks: null,
  };
  const author = handle === null ? null : { id: '7', handle, followers: 412 };
  return { outcome: 'found', id, source: 'graphql', quality: 'exact', metrics, author };
}

/** A source that answers from memory and remembers what it was asked. */
function sourceOf(
  post: (id: string) => PostRead,
  profile: (handle: string) => ProfileRead = (handle) => ({
    outcome: 'found',
    handle,
    source: 'graphql',
    followers: 90210,
  }),
) {
  const asked: string[] = [];
  const source: MetricsSource = {
    async readPost({ id }) {
      asked.push(id);
      return post(id);
    },
    async readProfile(handle) {
      asked.push(handle);
      return profile(handle);
    },
    async close() {},
  };
  return { source, asked };
}

const plenty = { concurrency: 1, remainingMs: () => 60_000, now: () => NOW };

describe('collect', () => {
  test('gives every claimed read a result that fits its contract', async () => {
    const { source } = sourceOf((id) => found(id, null));
    const { reads, followers, stopped } = await collect(
      claimOf(['11', '12'], ['other']),
      source,
      plenty,
    );
    expect(reads.map((read) => postReadResultSchema.parse(read).outcome)).toEqual([
      'found',
      'found',
    ]);
    expect(followers.map((read) => followerReadResultSchema.parse(read))).toEqual([
      {
        account_id: 2,
        outcome: 'found',
        snapshot: { captured_at: NOW, followers: 90210, is_exact: true, source: 'graphql' },
      },
    ]);
    expect(stopped).toBeNull();
  });

  test('opens no profile whose follower count a post has carried', async () => {
    const { source, asked } = sourceOf((id) => found(id, 'SomeBot'));
    const { followers } = await collect(claimOf(['11'], ['somebot']), source, plenty);
    expect(asked).toEqual(['11']);
    expect(followers).toMatchObject([{ account_id: 1, snapshot: { followers: 412 } }]);
  });

  test('opens the profile when the payload named another author', async () => {
    const { source, asked } = sourceOf((id) => found(id, 'somebodyelse'));
    await collect(claimOf(['11'], ['somebot']), source, plenty);
    expect(asked).toEqual(['11', 'somebot']);
  });

  test('reads a post once for all of its due phases', async () => {
    const claim = claimOf(['11', '11']);
    const [, second] = claim.reads;
    if (second) second.phase = '6h';
    const { source, asked } = sourceOf((id) => found(id, null));
    const { reads } = await collect(claim, source, plenty);
    expect(asked).toEqual(['11']);
    expect(reads.map(({ phase, outcome }) => [phase, outcome])).toEqual([
      ['2h', 'found'],
      ['6h', 'found'],
    ]);
  });

  test('a rate limit stops the batch and releases the rest, follower counts included', async () => {
    const { source, asked } = sourceOf((id) =>
      id === '12'
        ? { outcome: 'rate_limited', retry_at: '2026-03-02T10:14:00.000Z' }
        : found(id, null),
    );
    const claim = claimOf(['11', '12', '13', '14'], ['somebot']);
    const collected = await collect(claim, source, plenty);
    expect(asked).toEqual(['11', '12']);
    expect(collected.stopped).toBe('rate_limited');
    expect(collected.reads.map(({ outcome }) => outcome)).toEqual([
      'found',
      'rate_limited',
      'released',
      'released',
    ]);
    expect(collected.reads[1]).toMatchObject({ retry_at: '2026-03-02T10:14:00.000Z' });
    expect(collected.followers).toEqual([{ account_id: 1, outcome: 'released' }]);
  });

  test('stops in time before the invocation ends, with room to record', async () => {
    let remaining = 20_000;
    const { source, asked } = sourceOf((id) => {
      remaining -= 4_000;
      return found(id, null);
    });
    const collected = await collect(claimOf(['11', '12', '13']), source, {
      ...plenty,
      remainingMs: () => remaining,
    });
    expect(asked).toEqual(['11', '12']);
    expect(remaining).toBe(12_000);
    expect(collected.stopped).toBe('time');
    expect(collected.reads.at(-1)).toEqual({ post_id: '13', phase: '2h', outcome: 'released' });
  });

  test('releases everything when the source cannot work, and keeps what it threw', async () => {
    const failure = new ScraperError('browser_failed', 'Chromium did not start.');
    const { source } = sourceOf(() => {
      throw failure;
    });
    const collected = await collect(claimOf(['11', '12']), source, plenty);
    expect(collected.failure).toBe(failure);
    expect(collected.reads.map(({ outcome }) => outcome)).toEqual(['released', 'released']);
  });

  test('first system 20: a refused read carries its evidence and no numbers', async () => {
    const { source } = sourceOf(() => ({
      outcome: 'shape_changed',
      evidence: { missing: ['data.tweetResult.result.legacy.favorite_count'] },
    }));
    const { reads } = await collect(claimOf(['11']), source, plenty);
    expect(reads).toEqual([
      {
        post_id: '11',
        phase: '2h',
        outcome: 'shape_changed',
        evidence: { missing: ['data.tweetResult.result.legacy.favorite_count'] },
      },
    ]);
  });
});
