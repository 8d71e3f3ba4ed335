import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Invariant, invariant } from '../support/health.ts';
import {
  attribute,
  hours,
  minutes,
  only,
  registerAccount,
  storeFollowers,
  storeRead,
  trackPost,
} from '../support/scenario.ts';

const DAYS = 12;
const NOW = minutes(5, hours(24 * DAYS));
const PHASES = { '30m': 0.5, '2h': 2, '6h': 6, '24h': 24, '48h': 48, '7d': 168 };

let database: TestDatabase;
let accountId: number;

/**
 * Twelve days with a post every eight hours, a shock and an outage of nine hours, attributed twice
 * a day: hours of the first four days are settled.
 */
beforeAll(async () => {
  database = await createDatabase();
  const { sql } = database;
  accountId = await registerAccount(sql);
  const counts = [];
  let followers = 5000;
  for (let hour = 0; hour <= 24 * DAYS; hour += 1) {
    // a post of the hour before brings followers, one of eight hours ago hardly any
    followers += 2 + ([0, 0, 14, 7, 4, 2, 1, 1][hour % 8] ?? 0);
    if (hour === 200) followers += 400;
    if (hour < 150 || hour >= 159)
      counts.push({ at: minutes(2 + (hour % 3), hours(hour)), followers });
  }
  await storeFollowers(sql, accountId, counts);
  for (let hour = 1; hour < 24 * DAYS; hour += 8) {
    const postedAt = hours(hour);
    await trackPost(sql, { postedAt });
    for (const [phase, age] of Object.entries(PHASES)) {
      const at = hours(hour + age);
      const impressions = Math.round((300 + (hour % 7) * 200) * (1 - (1 + age) ** -1.1));
      if (at < NOW) await storeRead(sql, snowflakeId(postedAt), phase, at, { impressions });
    }
  }
  for (let hour = 12; hour <= 24 * DAYS; hour += 12) await attribute(sql, minutes(5, hours(hour)));
});
afterAll(() => database?.drop());

/** What the invariant says after a change, which is then taken back. */
async function changed(change: (sql: postgres.TransactionSql) => Promise<unknown>, now = NOW) {
  const taken: Invariant[] = [];
  const rollback = new Error('rollback');
  await database.sql
    .begin(async (sql) => {
      await change(sql);
      taken.push(await invariant(sql as unknown as postgres.Sql, 'ledger_conserved', now));
      throw rollback;
    })
    .catch((error) => {
      if (error !== rollback) throw error;
    });
  return only(taken);
}

const OPEN_HOUR = hours(24 * DAYS - 20);

describe('ledger_conserved', () => {
  it('is green over shocks, outages and settled hours', async () => {
    const { sql } = database;
    const ledger = only(
      await sql`
        select count(*)::int as hours, count(*) filter (where gap)::int as gaps,
          sum(credited) as credited, max(abs(unexplained)) as shock
        from public.follower_hour`,
    );
    expect(ledger).toMatchObject({ hours: 24 * DAYS - 1, gaps: 11 });
    expect(ledger.credited).toBeGreaterThan(50);
    expect(ledger.shock).toBeGreaterThan(300);
    const ok = await invariant(sql, 'ledger_conserved', NOW);
    expect(ok).toMatchObject({ status: 'ok', measured: expect.stringContaining('off by at most') });
  });

  it('is green after each of many attributions, and without any', async () => {
    const { sql } = database;
    expect((await invariant(sql, 'ledger_conserved', hours(-24))).status).toBe('ok');
    await attribute(sql, NOW);
    expect((await invariant(sql, 'ledger_conserved', hours(2, NOW))).status).toBe('ok');
  });

  it('fails when the change of an hour is not that of the counts, however it was split', async () => {
    const found = await changed(
      (sql) => sql`
        update public.follower_hour set change = change + 3, organic = organic + 3 where hour = ${OPEN_HOUR}`,
    );
    expect(found).toMatchObject({
      status: 'failing',
      measured: 'off by 3 on @somebot: the hours against the follower counts',
    });
    expect(found.what_to_do).toContain('@somebot');
  });

  it('fails when the counts under a ledger are gone', async () => {
    const found = await changed(
      (sql) => sql`delete from public.follower_snapshots where captured_at < ${hours(60)}`,
    );
    expect(found).toMatchObject({
      status: 'failing',
      measured: 'off by Infinity on @somebot: the hours against the follower counts',
    });
  });

  it('fails when the parts of an hour do not add up', async () => {
    const found = await changed(async (sql) => {
      await sql`alter table public.follower_hour drop constraint hour_is_conserved`;
      await sql`
        update public.follower_hour set unexplained = unexplained + 0.5 where hour = ${OPEN_HOUR}`;
    });
    expect(found).toMatchObject({
      status: 'failing',
      measured: "off by 0.5 on @somebot: an hour's parts against its change",
    });
  });

  it.each([
    ['the newest', 'desc'],
    ['a long settled', 'asc'],
  ])('fails when %s post is credited with a follower more', async (_, order) => {
    const found = await changed(
      (sql) => sql`
        update public.post_credit set credit_7d = credit_7d + 1
        where post_id = (
          select c.post_id from public.post_credit c join public.post_attribution p using (post_id)
          order by p.posted_at ${sql.unsafe(order)} limit 1)`,
    );
    expect(found).toMatchObject({
      status: 'failing',
      measured: "off by 1 on @somebot: the posts' credits against the hours'",
    });
  });

  it('fails when each of the overlapping posts gets the whole change', async () => {
    const found = await changed(
      (sql) => sql`update public.post_credit set credit_7d = 3 * credit_7d where not final`,
    );
    expect(found.status).toBe('failing');
  });

  it('fails when an hour credits more than its posts get', async () => {
    const found = await changed(
      (sql) => sql`
        update public.follower_hour set credited = credited + 2, organic = organic - 2
        where hour = ${OPEN_HOUR}`,
    );
    expect(found).toMatchObject({
      status: 'failing',
      measured: "off by 2 on @somebot: the posts' credits against the hours'",
    });
  });

  it('is set right by an attribution, as it says, when the open part was changed', async () => {
    const found = await changed(
      async (sql) => {
        await sql`
        update public.post_credit set credit_7d = credit_7d + 1 where credit_7d <> settled_7d`;
        await attribute(sql as unknown as postgres.Sql, minutes(10, NOW));
      },
      minutes(10, NOW),
    );
    expect(found.status).toBe('ok');
  });

  it('is not disturbed by a count that was stored after the attribution it belongs before', async () => {
    const late = (sql: postgres.TransactionSql) =>
      storeFollowers(sql as unknown as postgres.Sql, accountId, [
        { at: minutes(1, hours(24 * DAYS)), followers: 9000 },
      ]);
    expect((await changed(late)).status).toBe('ok');
  });
});
