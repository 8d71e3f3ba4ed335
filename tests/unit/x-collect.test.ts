import { describe, expect, it } from 'vitest';
import { collect } from '../../scraper-lambda/src/collect.ts';
import { ScraperError } from '../../scraper-lambda/src/errors.ts';
import type { AccountAsk, AccountRead, MetricsSource } from '../../scraper-lambda/src/source.ts';
import type { PostFound, PostRead } from '../../scraper-lambda/src/x/outcome.ts';
import { type Claim, type Metrics, recordBatchSchema } from '../../shared/contracts/read.ts';
import { snowflakeId } from '../../shared/snowflake.ts';

const NOW = '2026-03-02T10:00:00.000Z';
const POSTED_AT = '2026-03-02T08:00:00.000Z';
const post = (sequence: number) => snowflakeId(new Date(POSTED_AT), sequence);
const [A, B, C] = [post(1), post(2), post(3)];

const COUNTS: Metrics = {
  likes: 3,
  retweets: 0,
  replies: 0,
  quotes: 0,
  bookmarks: 0,
  impressions: 82,
  profile_clicks: null,
};

type ClaimedPost = { id: string; handle?: string; phase?: string; previous?: Metrics };

function claimOf(posts: ClaimedPost[], followers: string[] = []): Claim {
  const accountId = (handle: string) => (handle === 'somebot' ? 1 : 2);
  return {
    run_id: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
    leased_until: '2026-03-02T10:03:00Z',
    missed: 0,
    reads: posts.map(({ id, handle = 'somebot', phase = '2h', previous }) => ({
      post_id: id,
      phase,
      account_id: accountId(handle),
      handle,
      posted_at: POSTED_AT,
      due_at: NOW,
      expires_at: '2026-03-02T12:00:00Z',
      attempt: 1,
      previous: previous ? { captured_at: '2026-03-02T08:30:00Z', metrics: previous } : null,
    })),
    followers: followers.map((handle) => ({
      account_id: accountId(handle),
      handle,
      due_at: NOW,
      attempt: 1,
    })),
  };
}

function found(id: string, counts: Partial<Metrics> = {}, handle = 'somebot'): PostFound {
  return {
    outcome: 'found',
    id,
    source: 'graphql',
    quality: 'exact',
    metrics: { ...COUNTS, ...counts },
    author: { id: '7', handle, followers: 412 },
  };
}

/** A source that answers from memory and remembers what it was asked. */
function sourceOf(post: (id: string) => PostRead, account: Partial<AccountRead> = {}) {
  const asked: AccountAsk[] = [];
  const source: MetricsSource = {
    async readAccount(ask) {
      asked.push(ask);
      return {
        posts: new Map(ask.posts.map(({ post_id }) => [post_id, post(post_id)])),
        profile: null,
        discovered: [],
        analytics: [],
        shapes: [],
        events: [],
        exhausted: null,
        ...account,
      };
    },
    readPost: async ({ id }) => post(id),
    async close() {},
  };
  return { source, asked };
}

const plenty = { concurrency: 1, remainingMs: () => 60_000, now: () => NOW };

describe('collect', () => {
  it('asks for each account once, with each of its posts once, and fits the contract', async () => {
    const claim = claimOf(
      [{ id: A }, { id: A, phase: '6h' }, { id: B }, { id: C, handle: 'other' }],
      ['somebot', 'other'],
    );
    const { source, asked } = sourceOf((id) => found(id, {}, id === C ? 'other' : 'somebot'));
    const { batch, stopped } = await collect(claim, source, plenty);
    expect(asked).toMatchObject([
      {
        accountId: 1,
        handle: 'somebot',
        wantsFollowers: true,
        posts: [{ post_id: A }, { post_id: B }],
      },
      { accountId: 2, handle: 'other', wantsFollowers: true, posts: [{ post_id: C }] },
    ]);
    expect(recordBatchSchema.parse(batch).reads.map((read) => [read.post_id, read.phase])).toEqual([
      [A, '2h'],
      [A, '6h'],
      [B, '2h'],
      [C, '2h'],
    ]);
    expect(batch.followers).toMatchObject([{ account_id: 1 }, { account_id: 2 }]);
    expect(stopped).toBeNull();
  });

  it('takes the follower count of the profile, and says whether it is exact', async () => {
    const { source } = sourceOf((id) => found(id), {
      profile: {
        outcome: 'found',
        id: '7',
        handle: 'somebot',
        source: 'dom',
        followers: 90_200,
        isExact: false,
      },
    });
    const { batch } = await collect(claimOf([{ id: A }], ['somebot']), source, plenty);
    expect(batch.followers).toEqual([
      {
        account_id: 1,
        outcome: 'found',
        snapshot: { captured_at: NOW, followers: 90_200, is_exact: false, source: 'dom' },
      },
    ]);
  });

  it('takes the count that a post carried when the profile gave none, of its own author only', async () => {
    const { source } = sourceOf((id) => found(id), { profile: { outcome: 'transient' } });
    const { batch } = await collect(claimOf([{ id: A }], ['somebot']), source, plenty);
    expect(batch.followers).toMatchObject([{ outcome: 'found', snapshot: { followers: 412 } }]);
  });

  it('names the account of what came along', async () => {
    const discovered = [{ post_id: C, posted_at: POSTED_AT, kind: 'single' as const }];
    const events = [{ kind: 'login_required' as const, details: { session: 'guest' } }];
    const { source } = sourceOf((id) => found(id), { discovered, events });
    const { batch } = await collect(claimOf([{ id: A }]), source, plenty);
    expect(batch.discovered).toMatchObject([{ account_id: 1, post_id: C }]);
    expect(batch.events).toMatchObject([{ account_id: 1, kind: 'login_required' }]);
  });

  it('fills the profile clicks with the profile visits that X shows the author', async () => {
    const nothing = { engagements: null, detail_expands: null, link_clicks: null, hourly: [] };
    const analytics = [
      { post_id: A, captured_at: NOW, impressions: 80, profile_visits: 4, follows: 1, ...nothing },
    ];
    const { source } = sourceOf((id) => found(id), { analytics });
    const { batch } = await collect(claimOf([{ id: A }, { id: B }]), source, plenty);
    expect(batch.reads).toMatchObject([
      { read: { metrics: { profile_clicks: 4 } } },
      { read: { metrics: { profile_clicks: null } } },
    ]);
    expect(batch.analytics).toEqual(analytics);
  });

  it('first system 20: a refused read carries its evidence and no numbers', async () => {
    const evidence = { missing: ['data.tweetResult.result.legacy.favorite_count'] };
    const { source } = sourceOf(() => ({ outcome: 'shape_changed', evidence }));
    const { batch } = await collect(claimOf([{ id: A }]), source, plenty);
    expect(batch.reads).toEqual([{ post_id: A, phase: '2h', outcome: 'shape_changed', evidence }]);
  });
});

describe('a read is not believed', () => {
  it.each([
    ['its id', found(B), { read: B }],
    ['its author', found(A, {}, 'someoneelse'), { differing: ['author'] }],
  ])(
    'when %s differs from what was asked: wrong_post, without numbers',
    async (_, read, evidence) => {
      const { source } = sourceOf(() => read);
      const { batch } = await collect(claimOf([{ id: A }]), source, plenty);
      expect(batch.reads).toEqual([{ post_id: A, phase: '2h', outcome: 'wrong_post', evidence }]);
    },
  );

  it('when its time is not the one at which it was posted', async () => {
    const late = snowflakeId(new Date('2026-03-02T08:11:00Z'));
    const { source } = sourceOf((id) => found(id));
    const { batch } = await collect(claimOf([{ id: late }]), source, plenty);
    expect(batch.reads).toMatchObject([
      { outcome: 'wrong_post', evidence: { differing: ['posted_at'] } },
    ]);
  });

  it('when a count fell to zero and the views did not: degraded, with the numbers as evidence and an event', async () => {
    const { source } = sourceOf((id) => found(id, { likes: 0, impressions: 90 }));
    const { batch } = await collect(claimOf([{ id: A, previous: COUNTS }]), source, plenty);
    expect(batch.reads).toMatchObject([
      {
        outcome: 'degraded',
        evidence: { reason: 'fell_to_zero', refused: { likes: 0, impressions: 90 } },
      },
    ]);
    expect(batch.events).toMatchObject([{ kind: 'degraded', account_id: 1, post_id: A }]);
  });

  it('but an ordinary decrease is', async () => {
    const { source } = sourceOf((id) => found(id, { likes: 2 }));
    const { batch } = await collect(claimOf([{ id: A, previous: COUNTS }]), source, plenty);
    expect(batch.reads).toMatchObject([{ outcome: 'found', read: { metrics: { likes: 2 } } }]);
    expect(batch.events).toEqual([]);
  });
});

describe('collect stops', () => {
  it('when nobody may read any more, and releases what was not tried, follower counts included', async () => {
    const refused = new Map<string, PostRead>([[A, { outcome: 'rate_limited' }]]);
    const { source, asked } = sourceOf((id) => found(id), {
      posts: refused,
      exhausted: { retryAt: null },
    });
    const claim = claimOf([{ id: A }, { id: B }, { id: C, handle: 'other' }], ['somebot', 'other']);
    const { batch, stopped } = await collect(claim, source, plenty);
    expect(asked).toHaveLength(1);
    expect(stopped).toBe('exhausted');
    expect(batch.reads.map(({ outcome }) => outcome)).toEqual([
      'rate_limited',
      'released',
      'released',
    ]);
    expect(batch.followers.map(({ outcome }) => outcome)).toEqual(['released', 'released']);
  });

  it('in time before the invocation ends, with room to record', async () => {
    let remaining = 20_000;
    const { source, asked } = sourceOf((id) => {
      remaining -= 8_000;
      return found(id, {}, id === C ? 'other' : 'somebot');
    });
    const claim = claimOf([{ id: A }, { id: C, handle: 'other' }]);
    const { batch, stopped } = await collect(claim, source, {
      ...plenty,
      remainingMs: () => remaining,
    });
    expect(asked).toHaveLength(1);
    expect(remaining).toBe(12_000);
    expect(stopped).toBe('time');
    expect(batch.reads.at(-1)).toEqual({ post_id: C, phase: '2h', outcome: 'released' });
  });

  it('when the source cannot work: everything is released, and what it threw is kept', async () => {
    const failure = new ScraperError('browser_failed', 'Chromium did not start.');
    const { source } = sourceOf(() => {
      throw failure;
    });
    const collected = await collect(claimOf([{ id: A }, { id: B }]), source, plenty);
    expect(collected.failure).toBe(failure);
    expect(collected.batch.reads.map(({ outcome }) => outcome)).toEqual(['released', 'released']);
  });
});
