import fc from 'fast-check';
import { expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  attribute,
  type FollowerPoint,
  HOUR_MS,
  hours,
  minutes,
  only,
  registerAccount,
  reset,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

const database = useDatabase({ isEmptied: false });

const PHASES = ['30m', '2h', '6h', '24h', '48h', '7d'];
const SIX_HOURS_MS = 6 * HOUR_MS;

/** A snapshot some minutes after the one before: mostly within the hour, at times after an outage. */
const step = fc.record({
  wait: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 3, max: 90 }) },
    { weight: 2, arbitrary: fc.constant(60) },
    { weight: 1, arbitrary: fc.integer({ min: 300, max: 20_000 }) },
  ),
  change: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -4, max: 20 }) },
    { weight: 1, arbitrary: fc.constantFrom(-300, -150, 150, 4000) },
  ),
  exact: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
});
/** Reads at any age, late ones too, and now and then with fewer impressions than before. */
const postPlan = fc.record({
  postedAfter: fc.integer({ min: -600, max: 6000 }),
  reads: fc.array(
    fc.record({
      age: fc.integer({ min: 1, max: 14 * 1440 }),
      impressions: fc.option(fc.integer({ min: 0, max: 40_000 })),
    }),
    { maxLength: 6 },
  ),
});
const world = fc.record({
  steps: fc.array(step, { minLength: 2, maxLength: 60 }),
  posts: fc.array(postPlan, { maxLength: 5 }),
  runsAfterHours: fc.array(fc.integer({ min: 1, max: 24 * 60 }), { minLength: 1, maxLength: 4 }),
});

function snapshots(steps: { wait: number; change: number; exact: boolean }[]): FollowerPoint[] {
  let at = 0;
  let followers = 5000;
  return steps.map(({ wait, change, exact }) => {
    at += wait;
    followers = Math.max(0, followers + change);
    return { at: minutes(at), followers: exact ? followers : followers * 10, exact };
  });
}

/** The exact series at a moment, by the definition and not by the code under test. */
function followersAt(points: FollowerPoint[], at: number): number {
  const index = points.findLastIndex((point) => point.at.getTime() <= at);
  const before = points[index];
  const after = points[index + 1];
  if (!before) throw new Error('before the first snapshot');
  if (before.at.getTime() === at || !after) return before.followers;
  const share = (at - before.at.getTime()) / (after.at.getTime() - before.at.getTime());
  return before.followers + share * (after.followers - before.followers);
}

function fullHours(points: FollowerPoint[]): number[] {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return [];
  const from = Math.ceil(first.at.getTime() / HOUR_MS);
  const until = Math.floor(last.at.getTime() / HOUR_MS);
  return Array.from({ length: Math.max(0, until - from) }, (_, n) => (from + n) * HOUR_MS);
}

const isInGap = (points: FollowerPoint[], hour: number) =>
  points.some((point, index) => {
    const next = points[index + 1];
    if (!next) return false;
    const [t0, t1] = [point.at.getTime(), next.at.getTime()];
    return t1 - t0 > SIX_HOURS_MS && t0 < hour + HOUR_MS && t1 > hour;
  });

async function expectConserved(points: FollowerPoint[], now: Date) {
  const { sql } = database;
  const known = points.filter((point) => point.exact && point.at <= now);
  const rows = await sql`select * from public.follower_hour order by hour`;
  expect(rows.map((row) => row.hour.getTime())).toEqual(fullHours(known));
  for (const row of rows) {
    const hour = row.hour.getTime();
    const observed = followersAt(known, hour + HOUR_MS) - followersAt(known, hour);
    expect(Math.abs(row.credited + row.organic + row.unexplained - observed)).toBeLessThan(1e-6);
    expect(row.gap).toBe(isInGap(known, hour));
    if (row.gap) expect([row.credited, row.organic]).toEqual([0, 0]);
  }
  const checked = await sql`select * from public.follower_ledger order by hour`;
  expect(checked).toHaveLength(rows.length);
  for (const { hour: starts, observed, error } of checked) {
    const hour = starts.getTime();
    const change = followersAt(known, hour + HOUR_MS) - followersAt(known, hour);
    expect(Math.abs(observed - change)).toBeLessThan(1e-6);
    expect(Math.abs(error)).toBeLessThan(1e-6);
  }
  const { credited, posts } = only(
    await sql`
      select coalesce(sum(credited), 0) as credited,
        (select coalesce(sum(credit_7d), 0) from public.post_credit) as posts
      from public.follower_hour`,
  );
  expect(Math.abs(credited - posts)).toBeLessThan(1e-6);
}

it('credits, drift and shocks add up to the observed change of every hour, whatever happens', async () => {
  const { sql } = database;
  await fc.assert(
    fc.asyncProperty(world, async ({ steps, posts, runsAfterHours }) => {
      await reset(sql);
      const accountId = await registerAccount(sql);
      const points = snapshots(steps);
      await storeFollowers(sql, accountId, points);
      for (const [index, plan] of posts.entries()) {
        const postedAt = minutes(plan.postedAfter);
        const postId = snowflakeId(postedAt, index);
        await trackPost(sql, { postId, postedAt });
        for (const [n, { age, impressions }] of plan.reads.entries()) {
          await storeRead(sql, postId, PHASES[n] ?? '', minutes(age, postedAt), { impressions });
        }
      }
      const runs = runsAfterHours.toSorted((a, b) => a - b).map((n) => hours(n, T0));
      for (const now of runs) {
        await attribute(sql, now);
        await expectConserved(points, now);
        expect(await attribute(sql, now)).toMatchObject({ rows_changed: 0, account_ids: [] });
      }
    }),
    { seed: 20260301, numRuns: 25 },
  );
});
