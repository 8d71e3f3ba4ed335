/** The time inside a post id, in SQL and in TypeScript. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { snowflakeId, snowflakeTime } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import { only, T0 } from '../support/scenario.ts';

const database = useDatabase({ isEmptied: false });

const FIRST_SNOWFLAKE = 29_700_859_247n;

const id = fc.oneof(
  // to the digits that no number of JavaScript holds
  fc
    .tuple(fc.integer({ min: +new Date('2010-11-04T01:42:55Z'), max: +T0 }), fc.nat(4_194_303))
    .map(([at, sequence]) => snowflakeId(new Date(at), sequence)),
  fc.bigInt({ min: 0n, max: 10n ** 20n - 1n }).map(String),
  fc.bigInt({ min: -3n, max: 3n }).map((n) => String(FIRST_SNOWFLAKE + n)),
  fc.integer({ min: -2, max: 2 }).map((ms) => snowflakeId(new Date(+T0 + ms))),
  fc.nat().map((n) => String(n).padStart(12, '0')),
);

it('is the same of every id, and in SQL unknown where it is still to come', async () => {
  const { sql } = database;
  await fc.assert(
    fc.asyncProperty(fc.array(id, { minLength: 50, maxLength: 50 }), async (ids) => {
      const rows = await sql`
        select postloop.minted_at(u.id, ${T0}) as at from unnest(${ids}::text[]) with ordinality u(id, n)
        order by u.n`;
      expect(rows.map(({ at }) => at?.toISOString() ?? null)).toEqual(
        ids.map((one) => {
          const at = snowflakeTime(one);
          return at !== null && at <= T0 ? at.toISOString() : null;
        }),
      );
    }),
    { seed: 20261128, numRuns: 40 },
  );
  expect(
    only(await sql`select postloop.minted_at(${snowflakeId(T0, 4_194_303)}, ${T0}) as at`),
  ).toEqual({ at: T0 });
});
