/** The follower count between two readings, which four places of the database compute. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  attribute,
  type FollowerPoint,
  HOUR_MS,
  json,
  minutes,
  only,
  registerAccount,
  reset,
  storeFollowers,
} from '../support/scenario.ts';

const database = useDatabase({ isEmptied: false });

/** Counts further apart than this say nothing of the moments between them. */
const LONGEST_GAP_MINUTES = 360;

/** Waits of any length, some on the hour, some within a minute of the longest gap. */
const wait = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 5, max: 90 }) },
  { weight: 2, arbitrary: fc.constantFrom(60, 120) },
  { weight: 2, arbitrary: fc.integer({ min: -1, max: 1 }).map((n) => LONGEST_GAP_MINUTES + n) },
  { weight: 1, arbitrary: fc.integer({ min: 361, max: 2000 }) },
);
const counts = fc
  .array(
    fc.record({
      wait,
      change: fc.integer({ min: -5, max: 20 }),
      exact: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
    }),
    { minLength: 2, maxLength: 30, size: 'max' },
  )
  .map((steps) => {
    let [at, followers] = [0, 3000];
    return steps.map(({ wait, change, exact }): FollowerPoint => {
      at += wait;
      followers += change;
      return { at: minutes(at), followers, exact };
    });
  });

/** The same, once more: linear between exact counts, and whether those are too far apart. */
function between(points: readonly FollowerPoint[], at: Date) {
  const exact = points.filter((point) => point.exact);
  const before = exact.findLast((point) => point.at <= at);
  const after = exact.find((point) => point.at > at);
  const isCount = before !== undefined && +before.at === +at;
  if (!before || (!after && !isCount)) return null;
  const span = after ? +after.at - +before.at : 0;
  const part = after ? (+at - +before.at) / span : 0;
  return {
    followers: before.followers + part * ((after?.followers ?? 0) - before.followers),
    isCount,
    isGap: span > LONGEST_GAP_MINUTES * 60_000,
  };
}

it('is the same of an hour, of a horizon, in the ledger and at any moment', async () => {
  const { sql } = database;
  const seen = { hours: 0, gaps: 0, horizons: 0, unknown: 0 };
  await fc.assert(
    fc.asyncProperty(
      counts,
      fc.array(fc.integer({ min: -200, max: 3000 }), { minLength: 4, maxLength: 12 }),
      async (points, moments) => {
        await reset(sql);
        const account = await registerAccount(sql);
        await storeFollowers(sql, account, points);
        const end = points.at(-1)?.at as Date;
        // as old as their horizon of 2 h, which is the moment that is asked for
        const posts = moments
          .map((moment, n) => {
            const at = minutes(moment);
            const postedAt = new Date(+at - 2 * HOUR_MS);
            return { id: snowflakeId(postedAt, n), at, postedAt };
          })
          .filter(({ at }) => at <= end);
        await sql`
          insert into public.post_attribution (post_id, account_id, posted_at)
          select p.id, ${account}, p."postedAt"
          from jsonb_to_recordset(${json(sql, posts)}) p(id text, "postedAt" timestamptz)`;
        await attribute(sql, end);

        for (const { id, at, postedAt } of posts) {
          const expected = between(points, at);
          const row = only(
            await sql`
              select postloop.followers_at(${account}, ${at}) as series, p.followers_2h_after as horizon,
                p.followers_before as before
              from public.post_attribution p where p.post_id = ${id}`,
          );
          const name = at.toISOString();
          if (expected === null) expect(row.series, name).toBeNull();
          else expect(row.series, name).toBeCloseTo(expected.followers, 6);
          const last = points.findLast((point) => point.exact && point.at <= postedAt);
          const isFresh = last && +postedAt - +last.at <= LONGEST_GAP_MINUTES * 60_000;
          expect(row.before, name).toBe(isFresh ? `${last.followers}` : null);
          if (expected === null || (expected.isGap && !expected.isCount)) {
            seen.unknown += 1;
            expect(row.horizon, name).toBeNull();
          } else {
            seen.horizons += 1;
            // a whole number: of two as near, either
            expect(Math.abs(Number(row.horizon) - expected.followers), name).toBeLessThan(
              0.5 + 1e-6,
            );
          }
        }

        const hours = await sql`
          select l.hour, l.gap, l.observed, l.credited + l.organic + l.unexplained as booked
          from public.follower_ledger l order by l.hour`;
        const first = points.find(({ exact }) => exact)?.at ?? end;
        const known = [];
        for (let hour = Math.ceil(+first / HOUR_MS); (hour + 1) * HOUR_MS <= +end; hour += 1) {
          const from = between(points, new Date(hour * HOUR_MS));
          const to = between(points, new Date((hour + 1) * HOUR_MS));
          if (from && to) known.push({ hour, from, to });
        }
        expect(hours.map(({ hour }) => +hour / HOUR_MS)).toEqual(known.map(({ hour }) => hour));
        for (const [n, { hour, gap, observed, booked }] of hours.entries()) {
          const { from, to } = known[n] as (typeof known)[number];
          const change = to.followers - from.followers;
          const name = hour.toISOString();
          seen.hours += 1;
          seen.gaps += Number(gap);
          expect(observed, name).toBeCloseTo(change, 6);
          expect(booked, name).toBeCloseTo(change, 6);
          expect(gap, name).toBe(from.isGap || (to.isGap && !to.isCount));
        }
      },
    ),
    { seed: 20261128, numRuns: 40 },
  );
  for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(30);
}, 120_000);
