/** Percentiles and projections of young posts, in SQL and in TypeScript. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { probabilityAbove, viralThreshold } from '../../simulation/reference/early-warning.ts';
import { growthCurve, project } from '../../simulation/reference/growth.ts';
import { quantile } from '../../simulation/reference/quantile.ts';
import { useDatabase } from '../support/database.ts';
import {
  type DrawnPost,
  drawPosts,
  fitGrowth,
  maturePosts,
  storeDrawnPosts,
} from '../support/drawn-posts.ts';
import { hours, registerAccount } from '../support/scenario.ts';

const database = useDatabase();

const NOW = hours(24 * 30);

it('a percentile is the same of any values and share', async () => {
  const { sql } = database;
  const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
    minLength: 1,
    maxLength: 60,
  });
  const share = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom(0, 0.05, 0.95, 1),
  );
  await fc.assert(
    fc.asyncProperty(values, share, async (numbers, p) => {
      const [row] = await sql`
        select postloop.sorted_quantile((select array_agg(v order by v)
          from unnest(${numbers}::double precision[]) v), ${p}::double precision) as value`;
      const expected = quantile(numbers, p);
      expect(Math.abs(row?.value - expected)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(expected)));
    }),
    { seed: 20261128, numRuns: 150 },
  );
});

/** The phases that hold reads of an age below 48 h, in hours. */
const phaseOf = (ageHours: number) =>
  (
    [
      ['30m', 1.25],
      ['75m', 2],
      ['2h', 4],
      ['4h', 6],
      ['6h', 12],
      ['12h', 24],
      ['24h', 36],
      ['36h', 48],
    ] as const
  ).find(([, until]) => ageHours < until)?.[0] ?? '36h';

it('a young post of any age and size is projected alike by the reward, the early warning and the formulas', async () => {
  const { sql } = database;
  const account = await registerAccount(sql);
  const history = drawPosts(1, 60, hours(-80, NOW));
  await storeDrawnPosts(sql, account, history);
  await fitGrowth(sql, NOW);
  const curve = growthCurve(maturePosts(history));
  const threshold = viralThreshold(maturePosts(history).map((post) => post.impressions48h)) ?? 0;
  const ages = fc.oneof(
    fc.integer({ min: 0.4 * 3600, max: 4 * 3600 }),
    fc.integer({ min: 4 * 3600, max: 48 * 3600 - 1 }),
    // on the points of the curve
    fc.constantFrom(...curve.map(({ ageHours }) => Math.round(ageHours * 3600))),
  );
  const seen = { projected: 0, tooYoung: 0, warned: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ seconds: ages, impressions: fc.nat(20_000) }), {
        minLength: 30,
        maxLength: 30,
      }),
      async (reads) => {
        const young = reads.map(({ seconds, impressions }, n): DrawnPost => {
          const ageHours = seconds / 3600;
          // read now: no other read of it is newer
          const postedAt = new Date(+NOW - seconds * 1000);
          return {
            postId: snowflakeId(postedAt, n),
            postedAt,
            reads: [{ phase: phaseOf(ageHours), ageHours, impressions, likes: 0 }],
            credit: { c2: 0, c24: 0, c48: 0, variance: 0 },
          };
        });
        const ids = young.map(({ postId }) => postId);
        await sql`delete from public.post_attribution where posted_at > ${hours(-48, NOW)}`;
        await storeDrawnPosts(sql, account, young);
        await sql`select postloop.warn_early(${NOW})`;
        const rewards = await sql`
          select r.post_id, r.y_impressions, r.noise_impressions, r.spread_impressions
          from postloop.post_rewards(${account}, ${NOW}) r`;
        const warnings = await sql`
          select e.post_id, e.kind, e.predicted, e.standard_deviation, e.threshold
          from public.post_predictions e where e.post_id = any (${ids})`;

        for (const { postId, reads: read } of young) {
          const [{ ageHours, impressions }] = read as [DrawnPost['reads'][number]];
          const name = `${impressions} at ${ageHours} h`;
          const expected = project({ ageHours, impressions }, curve);
          const reward = rewards.find((row) => row.post_id === postId);
          const [said, viral] = ['impressions_48h', 'viral'].map((kind) =>
            warnings.find((row) => row.post_id === postId && row.kind === kind),
          );
          if (!expected) {
            seen.tooYoung += 1;
            expect([reward, said, viral], name).toEqual([undefined, undefined, undefined]);
            continue;
          }
          seen.projected += 1;
          expect(reward?.y_impressions, name).toBeCloseTo(expected.y, 9);
          expect(
            Math.sqrt(reward?.noise_impressions) * reward?.spread_impressions,
            name,
          ).toBeCloseTo(expected.spread, 9);
          if (ageHours >= 4) {
            expect([said, viral], name).toEqual([undefined, undefined]);
            continue;
          }
          seen.warned += 1;
          expect(said?.predicted, name).toBeCloseTo(expected.y, 9);
          expect(said?.standard_deviation, name).toBeCloseTo(expected.spread, 9);
          expect(viral?.threshold, name).toBeCloseTo(threshold, 6);
          expect(viral?.predicted, name).toBeCloseTo(probabilityAbove(threshold, expected), 9);
        }
      },
    ),
    { seed: 20261128, numRuns: 15 },
  );
  for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(5);
}, 60_000);
