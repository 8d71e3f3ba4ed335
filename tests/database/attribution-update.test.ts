import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MIGRATIONS, migrate } from '../../local/migrate.ts';
import { simulateAccount } from '../../shared/simulation/account.ts';
import { TYPICAL_WORLD } from '../../shared/simulation/worlds.ts';
import { differenceFromFormulas, storeHistory, withPostIds } from '../support/attribution.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { attribute, HOUR_MS, only } from '../support/scenario.ts';
import { temporaryFolder } from '../support/start.ts';

/** The last migration of the version that split each hour once and settled it after eight days. */
const LAST_OF_BEFORE = '20261123081900';

let database: TestDatabase;
const folder = temporaryFolder();
beforeAll(async () => {
  const migrations = join(folder.path, 'migrations');
  mkdirSync(migrations);
  for (const file of readdirSync(MIGRATIONS)) {
    if (file.slice(0, LAST_OF_BEFORE.length) <= LAST_OF_BEFORE) {
      cpSync(join(MIGRATIONS, file), join(migrations, file));
    }
  }
  database = await createDatabase({ migrations });
});
afterAll(async () => {
  await database?.drop();
  folder.remove();
});

it('an update keeps the gains that posts had until the first run has computed all of them anew', async () => {
  const { sql } = database;
  const account = simulateAccount({ ...TYPICAL_WORLD, days: 20 }, 7);
  const history = withPostIds(account);
  const accountId = await storeHistory(sql, 'somebot', history);
  const now = new Date(account.endsAt - 20 * HOUR_MS);
  await sql`select public.attribute_posts(${new Date(+now - 100 * HOUR_MS)})`;
  await sql`select public.attribute_posts(${now})`;
  const gained = async () =>
    await sql`
      select post_id, followers_gained from public.post_attribution
      where followers_gained is not null order by post_id`;
  const before = await gained();
  expect(before.length).toBeGreaterThan(80);

  await migrate(database.url);
  expect(await gained()).toEqual(before);
  const ledger = only(await sql`select status, measured from postloop.check_ledger(${now})`);
  expect(ledger, ledger.measured).toMatchObject({ status: 'ok' });

  const next = new Date(+now + 2 * HOUR_MS);
  expect(await attribute(sql, next)).toMatchObject({ more: false, accounts_waiting: 0 });
  const { error, at } = await differenceFromFormulas(sql, accountId, history, next);
  expect(error, at).toBeLessThan(1e-8);
  const { n } = only(
    await sql`
      select count(*)::int as n from public.post_attribution p
      left join public.post_credit c on c.post_id = p.post_id
      where p.followers_gained is distinct from c.credit_48h`,
  );
  expect(n).toBe(0);
});
