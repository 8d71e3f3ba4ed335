import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '../../shared/learning/random.ts';
import type { AccountHistory } from '../../simulation/reference/attribution/account.ts';
import { simulateAccount, type World } from '../../simulation/worlds/account.ts';
import { TYPICAL_WORLD } from '../../simulation/worlds/worlds.ts';
import {
  attributedRows,
  differenceFromFormulas,
  storeHistory,
  withPostIds,
} from '../support/attribution.ts';
import { useDatabase } from '../support/database.ts';
import { attribute, HOUR_MS, hours, json, minutes, only, reset } from '../support/scenario.ts';

const database = useDatabase();

const CLICKS = { medianRate: 0.008, rateLogSd: 0.6, conversionCorrelation: 0.86 };

const WORLDS: Record<string, Partial<World>> = {
  calm: {},
  clicked: { clicks: CLICKS },
  shaken: { shocks: [150, -120], outages: [5, 30], cascadeShare: 0.1 },
  'long outage': { outages: [200], postsPerDay: 3 },
  slow: { delayHours: 3, medianImpressions: 4_000 },
  large: {
    clicks: CLICKS,
    medianImpressions: 10_000,
    organicGainsPerDay: 80,
    organicLossesPerDay: 24,
  },
  tiny: { medianImpressions: 60, postsPerDay: 1, organicGainsPerDay: 1, organicLossesPerDay: 2 },
};

/** An account of a world, with reads that were missed, are late, or came back lower or without clicks. */
function damaged(world: Partial<World>, seed: number): AccountHistory {
  const account = simulateAccount({ ...TYPICAL_WORLD, days: 24, ...world }, seed);
  const rng = mulberry32(seed + 1);
  return withPostIds({
    snapshots: account.snapshots
      .filter(() => rng() > 0.05)
      .map((one) => (rng() < 0.03 ? { ...one, isExact: false } : one)),
    posts: account.posts.map((post) => ({
      ...post,
      reads: post.reads
        .filter(() => rng() > 0.15)
        .map(({ capturedAt, impressions, profileClicks = null }) => ({
          capturedAt: capturedAt + (rng() < 0.1 ? Math.floor(rng() * 90 * HOUR_MS) : 0),
          impressions: rng() < 0.1 ? Math.floor(impressions * 0.7) : impressions,
          profileClicks: rng() < 0.2 ? null : profileClicks,
        })),
    })),
  });
}

const fleet = () =>
  Object.entries(WORLDS).map(([name, world], n) => ({
    handle: name.replace(' ', '_'),
    history: damaged(world, 40 + n),
  }));

/** Counts some minutes or an outage apart, posts with reads of any age, runs at any moment. */
const smallHistory = fc
  .record({
    steps: fc.array(
      fc.record({
        wait: fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 20, max: 90 }) },
          { weight: 1, arbitrary: fc.integer({ min: 300, max: 12_000 }) },
        ),
        change: fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: -3, max: 12 }) },
          { weight: 1, arbitrary: fc.constantFrom(-200, 150) },
        ),
        exact: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
      }),
      { minLength: 2, maxLength: 120 },
    ),
    posts: fc.array(
      fc.record({
        postedAfter: fc.integer({ min: -600, max: 8000 }),
        reads: fc.array(
          fc.record({
            age: fc.integer({ min: 1, max: 14 * 1440 }),
            impressions: fc.integer({ min: 0, max: 40_000 }),
            profileClicks: fc.option(fc.integer({ min: 0, max: 300 })),
          }),
          { maxLength: 8 },
        ),
      }),
      { maxLength: 6 },
    ),
    runs: fc.array(fc.integer({ min: 1, max: 24 * 30 }), { minLength: 1, maxLength: 3 }),
  })
  .map(({ steps, posts, runs }) => {
    let [at, followers] = [0, 3000];
    const snapshots = steps.map(({ wait, change, exact }) => {
      at += wait;
      followers = Math.max(0, followers + change);
      return { capturedAt: +minutes(at), followers, isExact: exact };
    });
    const history = withPostIds({
      snapshots,
      posts: posts.map(({ postedAfter, reads }) => ({
        id: '',
        postedAt: +minutes(postedAfter),
        reads: reads.map(({ age, ...counts }) => ({
          capturedAt: +minutes(postedAfter + age),
          ...counts,
        })),
      })),
    });
    return { history, runs: runs.toSorted((a, b) => a - b).map((n) => hours(n)) };
  });

const endOf = ({ snapshots }: AccountHistory) =>
  Math.max(...snapshots.map(({ capturedAt }) => capturedAt));

describe('what the database attributes', () => {
  it('is what the formulas give, at every moment of a history that grows', async () => {
    const { sql } = database;
    const accounts = await Promise.all(
      fleet().map(async ({ handle, history }) => ({
        handle,
        history,
        id: await storeHistory(sql, handle, history),
      })),
    );
    const end = Math.max(...accounts.map(({ history }) => endOf(history)));
    // from before the first counts of some to when all is settled; some runs are days late
    for (const hoursBefore of [560, 500, 455, 300, 299, 150, 41.5, 0, -60, -200, -400]) {
      const now = new Date(end - hoursBefore * HOUR_MS);
      await attribute(sql, now);
      for (const { id, handle, history } of accounts) {
        const { error, at } = await differenceFromFormulas(sql, id, history, now);
        expect(error, `${handle} at ${now.toISOString()}, ${at}`).toBeLessThan(1e-8);
      }
    }
  });

  it('is the same in every digit, whether by the hour or all at once and in whatever order rows lie', async () => {
    const { sql } = database;
    const accounts = fleet();
    const end = Math.max(...accounts.map(({ history }) => endOf(history)));
    const results = [];
    for (const steps of [1, 24]) {
      await reset(sql);
      for (const { handle, history } of accounts) {
        await storeHistory(sql, handle, history, mulberry32(steps));
      }
      const step = (24 * 24 + 100) / steps;
      for (let n = steps - 1; n >= 0; n -= 1) {
        await attribute(sql, new Date(end + (60 - n * step) * HOUR_MS));
      }
      results.push(await attributedRows(sql));
      const again = await attribute(sql, new Date(end + 60 * HOUR_MS));
      expect(again).toMatchObject({ rows_changed: 0, account_ids: [] });
    }
    const [backfilled, grown] = results;
    expect(backfilled?.hours.length).toBeGreaterThan(2_000);
    expect(grown).toEqual(backfilled);
  });

  it('is what the formulas give in small histories of any kind', async () => {
    const { sql } = database;
    await fc.assert(
      fc.asyncProperty(smallHistory, async ({ history, runs }) => {
        await reset(sql);
        const id = await storeHistory(sql, 'somebot', history);
        for (const now of runs) {
          await attribute(sql, now);
          const { error, at } = await differenceFromFormulas(sql, id, history, now);
          expect(error, at).toBeLessThan(1e-6);
        }
      }),
      { seed: 20260302, numRuns: 60 },
    );
  });

  it('is the same when a long history is taken in many batches, and conserved between any two', async () => {
    const { sql } = database;
    const { calm, shaken } = WORLDS;
    const accounts = [damaged(calm ?? {}, 40), damaged(shaken ?? {}, 41)];
    const now = new Date(Math.max(...accounts.map(endOf)) + 30 * HOUR_MS);
    const store = async () => {
      await reset(sql);
      for (const [n, history] of accounts.entries()) await storeHistory(sql, `bot${n}`, history);
      // what a run of an hour before had split is still open
      await attribute(sql, new Date(+now - 400 * HOUR_MS));
    };
    await store();
    await attribute(sql, now);
    const whole = await attributedRows(sql);

    await store();
    const batches = await sql`select * from postloop.plan_splits(${now}, false, 250)`;
    expect(batches.length).toBeGreaterThan(4);
    for (const { account_ids, until_hours } of batches) {
      await sql`
        select from postloop.split_blocks(${now}, ${account_ids}::bigint[], array(
          select h::integer from jsonb_array_elements_text(${json(sql, until_hours)}) h))`;
      const { posts, hours } = only(
        await sql`
          select (select sum(credit_7d) from public.post_credit) as posts,
            (select sum(credited) from public.follower_hour) as hours`,
      );
      expect(Math.abs(posts - hours)).toBeLessThan(1e-6);
      const [ledger] = await sql`
        select status, measured from postloop.check_ledger(${now})`;
      expect(ledger, ledger?.measured).toMatchObject({ status: 'ok' });
    }
    expect(await attributedRows(sql)).toEqual(whole);
    expect(await sql`select * from postloop.plan_splits(${now}, true)`).toHaveLength(0);
  });
});
