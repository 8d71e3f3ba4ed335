import postgres from 'postgres';
import { expect, it } from 'vitest';
import { claimSchema } from '../../shared/contracts/read.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  claim,
  found,
  hours,
  minutes,
  only,
  record,
  registerAccount,
  reset,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

/** Posts a minute apart from T0 on; their ids in order. */
async function trackMany(n: number): Promise<string[]> {
  const posts = Array.from({ length: n }, (_, index) => minutes(index));
  for (const postedAt of posts) await trackPost(database.sql, { postedAt, now: minutes(n) });
  return posts.map((postedAt) => snowflakeId(postedAt));
}

it('gives the reads that are due, the longest due first, in the shape of the contract', async () => {
  const posts = await trackMany(3);
  const reply = claimSchema.parse(await claim(database.sql, minutes(31.5)));
  expect(reply.reads.map((read) => [read.post_id, read.phase, read.attempt])).toEqual([
    [posts[0], '30m', 1],
    [posts[1], '30m', 1],
  ]);
  expect(reply.reads[0]).toMatchObject({ account_id: accountId, handle: 'somebot' });
  expect(new Date(reply.reads[0]?.posted_at ?? '')).toEqual(T0);
  expect(reply.followers).toMatchObject([{ account_id: accountId, handle: 'somebot', attempt: 1 }]);
  expect(reply.missed).toBe(0);
});

it('takes at most the limit, and the longest due', async () => {
  const posts = await trackMany(5);
  const first = await claim(database.sql, minutes(40), 2);
  expect(first.reads.map((read: { post_id: string }) => read.post_id)).toEqual(posts.slice(0, 2));
  const second = await claim(database.sql, minutes(40), 2);
  expect(second.reads.map((read: { post_id: string }) => read.post_id)).toEqual(posts.slice(2, 4));
});

it('holds the rows under a lease of the run that it opens', async () => {
  const { sql } = database;
  await trackMany(1);
  const { run_id, leased_until } = await claim(sql, minutes(30), 40, 120);
  expect(new Date(leased_until)).toEqual(minutes(32));
  expect(
    await sql`
      select state, lease_id, next_attempt_at, attempts
      from public.metric_collections where phase = '30m'`,
  ).toEqual([{ state: 'leased', lease_id: run_id, next_attempt_at: minutes(32), attempts: 1 }]);
  expect(await sql`select run_id, job, status, expected, as_of from public.pipeline_runs`).toEqual([
    { run_id, job: 'scraper', status: 'running', expected: 2, as_of: minutes(30) },
  ]);
  expect((await claim(sql, minutes(31))).reads).toEqual([]);
});

it('never gives one row to two runs that claim at the same time', async () => {
  await trackMany(30);
  const clients = Array.from({ length: 4 }, () => postgres(database.url, { max: 1 }));
  try {
    const claims = await Promise.all(clients.map((sql) => claim(sql, hours(1), 10)));
    const reads = claims.flatMap((one) =>
      one.reads.map((read: { post_id: string }) => read.post_id),
    );
    const followers = claims.flatMap((one) => one.followers);
    expect(new Set(reads).size).toBe(reads.length);
    expect(followers).toHaveLength(1);
    const rest = await claim(database.sql, hours(1));
    expect(reads.length + rest.reads.length).toBe(30);
    const leases = await database.sql`
      select lease_id, count(*)::int as n from public.metric_collections
      where state = 'leased' group by 1`;
    expect(leases.every(({ n }) => n <= 10)).toBe(true);
  } finally {
    await Promise.all(clients.map((sql) => sql.end()));
  }
});

it('hands over a row whose lease has run out, as another attempt', async () => {
  const { sql } = database;
  const [post] = await trackMany(1);
  const lost = await claim(sql, minutes(30), 40, 60);
  const taken = await claim(sql, minutes(31), 40, 60);
  expect(taken.reads).toMatchObject([{ post_id: post, phase: '30m', attempt: 2 }]);
  expect(taken.followers).toMatchObject([{ account_id: accountId, attempt: 2 }]);
  const { lease_id } = only(
    await sql`select lease_id from public.metric_collections where state = 'leased'`,
  );
  expect(lease_id).toBe(taken.run_id);
  expect(lease_id).not.toBe(lost.run_id);
});

it('counts a read whose window closed as missed, leased or not, and does not give it', async () => {
  const { sql } = database;
  const posts = await trackMany(2);
  const { run_id } = await claim(sql, minutes(30), 1, 60);
  // 75 minutes after the second post
  const reply = await claim(sql, minutes(76));
  expect(reply).toMatchObject({ missed: 2, reads: [] });
  expect(
    await sql`
      select post_id, state, finished_at, lease_id
      from public.metric_collections where phase = '30m' order by due_at`,
  ).toEqual(
    posts.map((post_id) => ({
      post_id,
      state: 'missed',
      finished_at: minutes(76),
      lease_id: null,
    })),
  );
  const late = await record(
    sql,
    run_id,
    { reads: [found(posts[0] ?? '', '30m', minutes(31), { likes: 1 })] },
    minutes(77),
  );
  expect(late).toMatchObject({ metrics_rows: 0, skipped: { lease_lost: 2 } });
});

it('does not call a read missed whose window closes while it is being read', async () => {
  const { sql } = database;
  const [post = ''] = await trackMany(1);
  const { run_id } = await claim(sql, minutes(74), 40, 180);
  expect((await claim(sql, minutes(76))).missed).toBe(0);
  const reply = await record(
    sql,
    run_id,
    { reads: [found(post, '30m', minutes(76), { likes: 1 })] },
    minutes(76),
  );
  expect(reply).toMatchObject({ metrics_rows: 1, done: 1 });
});

it('writes the run of an empty claim as its heartbeat', async () => {
  const { sql } = database;
  await reset(sql);
  const { run_id, reads, followers } = await claim(sql, T0);
  expect({ reads, followers }).toEqual({ reads: [], followers: [] });
  expect(
    await sql`select run_id, job, status, expected, done, as_of from public.pipeline_runs`,
  ).toEqual([{ run_id, job: 'scraper', status: 'succeeded', expected: 0, done: 0, as_of: T0 }]);
});
