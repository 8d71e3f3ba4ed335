import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  hours,
  json,
  minutes,
  registerAccount,
  rowCounts,
  storeFollowers,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
const post = snowflakeId(T0);

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

async function decide(id: string, assigned: Record<string, string>, account = accountId) {
  const { sql } = database;
  await sql`
    insert into public.content_metadata (decision_id, account_id, origin, assigned)
    values (${id}, ${account}, 'manual', ${json(sql, assigned)})`;
}

async function refused(call: () => Promise<unknown>, code: string) {
  const before = await rowCounts(database.sql);
  expect(await call()).toMatchObject({ code });
  expect(await rowCounts(database.sql)).toEqual(before);
}

describe('a new post', () => {
  it('is stored with its decision, its dimensions and a read for each phase', async () => {
    const { sql } = database;
    await decide('d1', { tone: 'dry', topic: 'pricing' });
    const reply = await trackPost(sql, {
      decisionId: 'd1',
      kind: 'thread',
      dimensions: { tone: 'warm' },
      viralScore: 0.25,
    });
    expect(reply).toMatchObject({
      code: 'created',
      post: {
        post_id: post,
        account_id: accountId,
        decision_id: 'd1',
        kind: 'thread',
        realised: { tone: 'warm', topic: 'pricing' },
        viral_score: 0.25,
        followers_before: null,
      },
    });
    const stored = await sql`
      select p.tone, p.topic, p.kind, p.viral_score, p.posted_at, d.tone as decided_tone
      from public.post_attribution p join public.content_metadata d using (decision_id)`;
    expect(stored).toEqual([
      {
        tone: 'warm',
        topic: 'pricing',
        kind: 'thread',
        viral_score: 0.25,
        posted_at: T0,
        decided_tone: 'dry',
      },
    ]);
  });

  it('is due at the age of each phase, counted from posting and not from tracking', async () => {
    const { sql } = database;
    await trackPost(sql, { now: minutes(20) });
    const reads = await sql`
      select phase, extract(epoch from due_at - ${T0})::int / 60 as due_minutes, state
      from public.metric_collections order by due_at`;
    expect(reads.map((row) => [row.phase, row.due_minutes, row.state])).toEqual([
      ['30m', 30, 'waiting'],
      ['2h', 120, 'waiting'],
      ['6h', 360, 'waiting'],
      ['24h', 1440, 'waiting'],
      ['48h', 2880, 'waiting'],
      ['7d', 10_080, 'waiting'],
    ]);
  });

  it('counts a window that closed before it was tracked as missed, never as due', async () => {
    const { sql } = database;
    const reply = await trackPost(sql, { now: hours(4) });
    const states = reply.collections.map(({ phase, state }: Record<string, string>) => [
      phase,
      state,
    ]);
    expect(states).toEqual([
      ['30m', 'missed'],
      ['2h', 'missed'],
      ['6h', 'waiting'],
      ['24h', 'waiting'],
      ['48h', 'waiting'],
      ['7d', 'waiting'],
    ]);
  });

  it('has a decision of its own when the bot chose by itself', async () => {
    const { sql } = database;
    const { post: tracked } = await trackPost(sql, { dimensions: { tone: 'dry' } });
    expect(
      await sql`select decision_id, origin, assigned, propensity from public.content_metadata`,
    ).toEqual([
      {
        decision_id: tracked.decision_id,
        origin: 'manual',
        assigned: { tone: 'dry' },
        propensity: null,
      },
    ]);
  });

  it('has the last exact follower count of the six hours before it', async () => {
    const { sql } = database;
    await storeFollowers(sql, accountId, [
      { at: hours(-5), followers: 900 },
      { at: hours(-3), followers: 910 },
      { at: hours(-1), followers: 1000, exact: false },
      { at: hours(1), followers: 999 },
    ]);
    expect((await trackPost(sql)).post.followers_before).toBe(910);
    const late = await trackPost(sql, { postedAt: hours(8), now: hours(8) });
    expect(late.post.followers_before).toBeNull();
  });
});

describe('the same post again', () => {
  it('changes nothing and answers with the same row', async () => {
    const { sql } = database;
    await decide('d1', { tone: 'dry' });
    const call = { decisionId: 'd1', dimensions: { topic: 'hiring' }, viralScore: 3 };
    const first = await trackPost(sql, call);
    const before = await rowCounts(sql);
    const again = await trackPost(sql, { ...call, now: hours(1) });
    expect(again).toEqual({ ...first, code: 'exists' });
    expect(await rowCounts(sql)).toEqual(before);
  });

  it('says nothing of dimensions that the second call leaves out', async () => {
    const { sql } = database;
    await decide('d1', { tone: 'dry' });
    const first = await trackPost(sql, { decisionId: 'd1', dimensions: { tone: 'warm' } });
    expect(await trackPost(sql, { decisionId: 'd1' })).toEqual({ ...first, code: 'exists' });
    const other = await trackPost(sql, { decisionId: 'd1', dimensions: { tone: 'dry' } });
    expect(other).toMatchObject({ code: 'post_conflict', differs: ['dimensions'] });
  });

  it('changes nothing either when the bot chose by itself', async () => {
    const { sql } = database;
    const first = await trackPost(sql, { dimensions: { tone: 'dry' } });
    const again = await trackPost(sql, { dimensions: { tone: 'dry' }, account: 'SOMEBOT' });
    expect(again).toEqual({ ...first, code: 'exists' });
  });

  it('is one row when two calls come at the same time', async () => {
    const { sql } = database;
    const one = postgres(database.url, { max: 1 });
    const two = postgres(database.url, { max: 1 });
    try {
      const replies = await Promise.all([trackPost(one), trackPost(two)]);
      expect(replies.map(({ code }) => code).sort()).toEqual(['created', 'exists']);
      expect(replies[0].post).toEqual(replies[1].post);
      expect(await sql`select from public.post_attribution`).toHaveLength(1);
      expect(await sql`select from public.content_metadata`).toHaveLength(1);
      expect(await sql`select from public.metric_collections`).toHaveLength(6);
    } finally {
      await one.end();
      await two.end();
    }
  });

  it.each([
    ['decision_id', { decisionId: 'd2' }],
    ['kind', { kind: 'reply' }],
    ['dimensions', { dimensions: { tone: 'warm' } }],
    ['viral_score', { viralScore: 2 }],
    ['posted_at', { postedAt: minutes(-5), postId: post, now: T0 }],
  ])('is a conflict when its %s differs, and what is stored stays', async (differs, change) => {
    const { sql } = database;
    await decide('d1', { tone: 'dry' });
    await decide('d2', { tone: 'dry' });
    const call = { decisionId: 'd1', viralScore: 1 };
    const { post: stored } = await trackPost(sql, call);
    await refused(() => trackPost(sql, { ...call, ...change }), 'post_conflict');
    expect(await trackPost(sql, { ...call, ...change })).toEqual({
      code: 'post_conflict',
      differs: [differs],
      post: stored,
    });
  });

  it('is a conflict for another account', async () => {
    await registerAccount(database.sql, 'otherbot');
    await trackPost(database.sql);
    const call = () => trackPost(database.sql, { account: 'otherbot' });
    await refused(call, 'post_conflict');
    expect((await call()).differs).toContain('account');
  });
});

describe('a post that was found on the timeline', () => {
  const discover = (at = T0) => database.sql`
    insert into public.post_attribution (post_id, account_id, posted_at)
    values (${post}, ${accountId}, ${at})`;

  it('is linked to its decision by the first call, and exists from the second on', async () => {
    const { sql } = database;
    await decide('d1', { tone: 'dry' });
    await discover();
    const call = { decisionId: 'd1', kind: 'thread', viralScore: 7 };
    const linked = await trackPost(sql, call);
    expect(linked).toMatchObject({
      code: 'linked',
      post: { decision_id: 'd1', kind: 'thread', realised: { tone: 'dry' }, viral_score: 7 },
    });
    expect(linked.collections).toHaveLength(6);
    expect(await trackPost(sql, call)).toEqual({ ...linked, code: 'exists' });
  });

  it('is not linked to a decision of another account', async () => {
    const other = await registerAccount(database.sql, 'otherbot');
    await decide('theirs', { tone: 'dry' }, other);
    await discover();
    await refused(() => trackPost(database.sql, { decisionId: 'theirs' }), 'post_conflict');
  });

  it('is refused when the caller names another time of posting', async () => {
    await discover();
    const call = { postId: post, postedAt: minutes(-5), now: T0 };
    await refused(() => trackPost(database.sql, call), 'post_conflict');
    expect((await trackPost(database.sql, call)).differs).toEqual(['posted_at']);
  });
});

describe('a call that is refused writes nothing', () => {
  it('when the decision is unknown', () =>
    refused(() => trackPost(database.sql, { decisionId: 'none' }), 'decision_unknown'));

  it('when the account is unknown', () =>
    refused(() => trackPost(database.sql, { account: 'nobody' }), 'account_unknown'));

  it('when the decision belongs to another post', async () => {
    await decide('d1', {});
    await trackPost(database.sql, { decisionId: 'd1' });
    const other = { decisionId: 'd1', postedAt: hours(1) };
    await refused(() => trackPost(database.sql, other), 'decision_taken');
    expect(await trackPost(database.sql, other)).toEqual({ code: 'decision_taken', post_id: post });
  });

  it('when the decision was made for another account', async () => {
    await decide('d1', {});
    await registerAccount(database.sql, 'otherbot');
    await refused(
      () => trackPost(database.sql, { decisionId: 'd1', account: 'otherbot' }),
      'account_conflict',
    );
  });

  it('when the post is of the future', () =>
    refused(() => trackPost(database.sql, { now: hours(-1) }), 'posted_in_future'));

  it('when a value or a dimension is not in the vocabulary', async () => {
    await refused(
      () => trackPost(database.sql, { dimensions: { tone: 'furious' } }),
      'value_unknown',
    );
    await refused(
      () => trackPost(database.sql, { dimensions: { mood: 'dry' } }),
      'dimension_unknown',
    );
  });
});

it('gives a decision to one of two posts that ask for it at the same time', async () => {
  await decide('d1', { tone: 'dry' });
  const one = postgres(database.url, { max: 1 });
  const two = postgres(database.url, { max: 1 });
  try {
    const replies = await Promise.all([
      trackPost(one, { decisionId: 'd1', postedAt: T0, now: hours(2) }),
      trackPost(two, { decisionId: 'd1', postedAt: hours(1), now: hours(2) }),
    ]);
    expect(replies.map(({ code }) => code).sort()).toEqual(['created', 'decision_taken']);
    expect(await database.sql`select from public.post_attribution`).toHaveLength(1);
  } finally {
    await one.end();
    await two.end();
  }
});
