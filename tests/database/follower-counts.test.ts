import { expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import {
  claim,
  followersFound,
  hours,
  minutes,
  only,
  record,
  registerAccount,
} from '../support/scenario.ts';

let accountId: number;

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const followerRead = async () =>
  only(
    await database.sql`
      select outcome, attempts, next_attempt_at, lease_id from public.follower_collections`,
  );

const follow = async (at: Date, followers: object[]) => {
  const { run_id } = await claim(database.sql, at);
  return record(database.sql, run_id, { followers }, at);
};

it('stores a count once for its moment, and reads the next at the full hour', async () => {
  const { sql } = database;
  const twice = [
    followersFound(accountId, minutes(2), 0),
    followersFound(accountId, minutes(2), 0),
  ];
  const reply = await follow(minutes(3), twice);
  expect(reply).toMatchObject({ done: 1, follower_snapshots: 1 });
  expect(
    await sql`select followers::int, is_exact, source, captured_at from public.follower_snapshots`,
  ).toEqual([{ followers: 0, is_exact: true, source: 'graphql', captured_at: minutes(2) }]);
  expect(await followerRead()).toEqual({
    outcome: 'found',
    attempts: 0,
    next_attempt_at: hours(1),
    lease_id: null,
  });
});

it('counts the number when an account came back both with and without one', async () => {
  const results = [
    { account_id: accountId, outcome: 'transient' },
    followersFound(accountId, minutes(2), 17),
  ];
  expect(await follow(minutes(3), results)).toMatchObject({ done: 1, failed: 0 });
  expect((await followerRead()).outcome).toBe('found');
});

it('tries a count again later when it was not read', async () => {
  await follow(minutes(3), [{ account_id: accountId, outcome: 'transient' }]);
  const { outcome, attempts, next_attempt_at } = await followerRead();
  expect({ outcome, attempts }).toEqual({ outcome: 'transient', attempts: 1 });
  expect(next_attempt_at > minutes(3) && next_attempt_at < minutes(5)).toBe(true);
  expect(await database.sql`select from public.follower_snapshots`).toHaveLength(0);
});

it('looks for the count of a suspended account a day later', async () => {
  await follow(minutes(3), [{ account_id: accountId, outcome: 'suspended' }]);
  expect((await followerRead()).next_attempt_at).toEqual(hours(24, minutes(3)));
});
