import { describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  attribute,
  claim,
  found,
  hourly,
  hours,
  minutes,
  only,
  record,
  registerAccount,
  storeFollowers,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
const post = snowflakeId(T0);
const other = snowflakeId(hours(-5), 1);

const database = useDatabase({
  prepare: async (sql) => {
    await sql`delete from public.payload_shapes`;
    await sql`delete from public.integrity_events`;
    accountId = await registerAccount(sql);
    await trackPost(sql);
  },
});

/** Claims at a moment and records what was found beside the reads. */
async function bring(batch: Parameters<typeof record>[2], at = minutes(30)) {
  const { run_id } = await claim(database.sql, at);
  return record(database.sql, run_id, batch, at);
}

const seen = (postId: string, postedAt: Date, kind = 'single', account = accountId) => ({
  account_id: account,
  post_id: postId,
  posted_at: postedAt.toISOString(),
  kind,
});

describe('a post seen on the timeline', () => {
  it('is tracked without a decision, and its open windows are due', async () => {
    const reply = await bring({ discovered: [seen(other, hours(-5), 'thread')] });
    expect(reply.discovered).toBe(1);
    const { sql } = database;
    expect(
      only(
        await sql`
        select decision_id, kind, posted_at, realised from public.post_attribution
        where post_id = ${other}`,
      ),
    ).toEqual({ decision_id: null, kind: 'thread', posted_at: hours(-5), realised: {} });
    const reads = await sql`
      select phase, state from public.metric_collections where post_id = ${other} order by due_at`;
    expect(reads.map(({ phase, state }) => `${phase} ${state}`)).toEqual([
      '30m missed',
      '2h missed',
      '6h waiting',
      '24h waiting',
      '48h waiting',
      '7d waiting',
    ]);
  });

  it('stays as it is when it is tracked already', async () => {
    expect((await bring({ discovered: [seen(post, minutes(1))] })).discovered).toBe(0);
    expect(
      only(await database.sql`select posted_at, decision_id from public.post_attribution`),
    ).toMatchObject({ posted_at: T0, decision_id: expect.any(String) });
  });

  it('is left out when it is older than the open hours, of the future, or of nobody', async () => {
    const reply = await bring({
      discovered: [
        seen(snowflakeId(hours(-200)), hours(-200)),
        seen(snowflakeId(hours(2)), hours(2)),
        seen(other, hours(-5), 'single', accountId + 1),
      ],
    });
    expect(reply.discovered).toBe(0);
  });

  it('takes its share of the follower credit', async () => {
    const { sql } = database;
    const start = hours(-6);
    await storeFollowers(
      sql,
      accountId,
      hourly(start, [100, 100, 110, 112, 113, 114, 115, 125, 128]),
    );
    await bring({
      discovered: [seen(other, hours(-5))],
      reads: [
        found(post, '30m', minutes(30), { likes: 1, retweets: 0, replies: 0, impressions: 500 }),
      ],
    });
    const { run_id } = await claim(sql, hours(2));
    await record(
      sql,
      run_id,
      {
        reads: [
          found(other, '6h', hours(2), { likes: 1, retweets: 0, replies: 0, impressions: 900 }),
          found(post, '2h', hours(2), { likes: 1, retweets: 0, replies: 0, impressions: 800 }),
        ],
      },
      hours(2),
    );
    await attribute(sql, hours(2));
    const credits = await sql<{ post_id: string; credit: number }[]>`
      select post_id, credit_7d as credit from public.post_credit order by post_id`;
    expect(credits.map(({ post_id }) => post_id)).toEqual([other, post]);
    for (const { credit } of credits) expect(credit).toBeGreaterThan(0);
    const total = only(
      await sql`select sum(credited) as credited from public.follower_hour`,
    ).credited;
    expect(credits.reduce((sum, { credit }) => sum + credit, 0)).toBeCloseTo(total, 6);
  });
});

describe('what X shows an author', () => {
  const shown = (follows: number | null) => ({
    post_id: post,
    captured_at: hours(24).toISOString(),
    impressions: 900,
    engagements: 40,
    detail_expands: 12,
    profile_visits: 7,
    link_clicks: null,
    follows,
    hourly: [
      { hour: T0.toISOString(), impressions: 300 },
      { hour: hours(1).toISOString(), impressions: 120 },
    ],
  });

  it('is stored, with the impressions of each hour; what it does not show is null', async () => {
    await bring({ analytics: [shown(3)] }, hours(24));
    const { sql } = database;
    expect(
      only(
        await sql`
        select post_id, profile_visits::int, follows::int, link_clicks from public.x_post_analytics`,
      ),
    ).toEqual({ post_id: post, profile_visits: 7, follows: 3, link_clicks: null });
    const series = await sql`
      select hour, impressions::int from public.x_post_hourly_impressions order by hour`;
    expect([...series]).toEqual([
      { hour: T0, impressions: 300 },
      { hour: hours(1), impressions: 120 },
    ]);
  });

  it('does not cost the run its batch when X names an hour twice', async () => {
    const twice = {
      ...shown(3),
      hourly: [...shown(3).hourly, { hour: T0.toISOString(), impressions: 310 }],
    };
    await bring({ analytics: [twice] }, hours(24));
    const series = await database.sql`
      select hour, impressions::int from public.x_post_hourly_impressions order by hour`;
    expect([...series]).toEqual([
      { hour: T0, impressions: 310 },
      { hour: hours(1), impressions: 120 },
    ]);
  });

  it('of a post that is not tracked is left out', async () => {
    await bring({ analytics: [{ ...shown(3), post_id: other }] }, hours(24));
    expect(await database.sql`select from public.x_post_analytics`).toHaveLength(0);
  });
});

describe('a payload’s shape', () => {
  const shape = (hash: string) => ({ operation: 'UserTweets', hash, paths: ['data: object'] });
  const kinds = async () =>
    (await database.sql`select kind from public.integrity_events order by id`).map(
      ({ kind }) => kind,
    );

  it('is an event when it was never seen before, and not again', async () => {
    await bring({ shapes: [shape('a'.repeat(32)), shape('a'.repeat(32))] });
    expect(await kinds()).toEqual(['shape_unseen']);
    await bring({ shapes: [shape('a'.repeat(32))] }, hours(2));
    expect(await kinds()).toEqual(['shape_unseen']);
    await bring({ shapes: [shape('b'.repeat(32))] }, hours(3));
    expect(await kinds()).toEqual(['shape_unseen', 'shape_unseen']);
  });
});

it('events are kept with the run, the account and the post that they are about', async () => {
  const { run_id } = await claim(database.sql, minutes(30));
  await record(
    database.sql,
    run_id,
    {
      events: [
        { kind: 'degraded', account_id: accountId, post_id: post, details: { reason: 'zeros' } },
        { kind: 'session_invalid', details: { codes: [32] } },
      ],
    },
    minutes(30),
  );
  const events = await database.sql`
    select kind, account_id::int, post_id, run_id, details from public.integrity_events order by id`;
  expect([...events]).toEqual([
    {
      kind: 'degraded',
      account_id: accountId,
      post_id: post,
      run_id,
      details: { reason: 'zeros' },
    },
    { kind: 'session_invalid', account_id: null, post_id: null, run_id, details: { codes: [32] } },
  ]);
});
