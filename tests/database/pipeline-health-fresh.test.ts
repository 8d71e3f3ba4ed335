import { readFile } from 'node:fs/promises';
import type postgres from 'postgres';
import { beforeEach, describe, expect, it } from 'vitest';
import { healthPage } from '../../local/check/health-page.ts';
import { useDatabase } from '../support/database.ts';
import { type Invariant, invariants, scheduleJobs } from '../support/health.ts';

const database = useDatabase({ isEmptied: false });
beforeEach(() => scheduleJobs(database.sql));

/** Moments after the template was migrated: by the clock, the tests before this one may have taken minutes. */
async function installed(): Promise<Date> {
  const [row] =
    await database.sql`select max(since) + interval '1 second' as at from postloop.jobs`;
  return row?.at;
}

const notOk = (found: readonly Invariant[]) =>
  found.filter(({ status }) => status !== 'ok').map(({ name }) => name);

describe('a fresh database', () => {
  it('lacks its Vault secrets, and nothing else is red', async () => {
    const { sql } = database;
    const now = await installed();
    await sql`delete from vault.secrets`;
    expect(notOk(await invariants(sql, now))).toEqual(['vault_secrets_present']);
    await sql`select vault.create_secret('https://project.example', 'postloop_project_url')`;
    await sql`select vault.create_secret('sb_secret_of_these_tests', 'postloop_secret_key')`;
    expect(notOk(await invariants(sql, now))).toEqual([]);
  });

  it('says of every invariant what was measured, what is allowed and what to do', async () => {
    const found = await invariants(database.sql, new Date());
    const names = found.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const one of found) {
      for (const text of [one.measured, one.threshold, one.what_to_do]) {
        expect(text, one.name).toMatch(/\S/);
        // what format() leaves of a missing value
        expect(text, one.name).not.toMatch(/@ |@,| \(\)|\( | {2}|NULL/);
      }
    }
  });

  it('shows its health to service_role, which may read neither cron, pg_net nor the list of requests', async () => {
    const as = (query: (sql: postgres.TransactionSql) => Promise<readonly unknown[]>) =>
      database.sql.begin(async (sql) => {
        await sql`set local role service_role`;
        return query(sql);
      });
    const seen = await as((sql) => sql`select name, status from public.pipeline_health`);
    expect(seen).toHaveLength((await invariants(database.sql, new Date())).length);
    expect(JSON.stringify(seen)).not.toContain('the check itself failed');
    await expect(as((sql) => sql`select * from postloop.job_requests`)).rejects.toMatchObject({
      code: '42501',
    });
  });
});

it('lists every check function, and every listed check is there', async () => {
  const { sql } = database;
  const listed = await sql`select 'check_' || check_name as name from postloop.checks order by 1`;
  const present = await sql`
    select f.proname as name from pg_proc f
    where f.pronamespace = 'postloop'::regnamespace and f.proname like 'check\_%' order by 1`;
  expect(listed).toEqual(present);
});

it('has docs/health.md say of every invariant what the database does', async () => {
  await database.sql`delete from vault.secrets`;
  const page = await readFile(new URL('../../docs/health.md', import.meta.url), 'utf8');
  expect(await healthPage(database.sql, page)).toBe(page);
  const without = page.replace('<!-- checks: provenance numbers -->', '<!-- checks: numbers -->');
  await expect(healthPage(database.sql, without)).rejects.toMatchObject({
    code: 'page_incomplete',
    message: 'docs/health.md must name each check once: provenance.',
  });
});
