import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

const MIGRATIONS = fileURLToPath(new URL('../../fixtures/migrations', import.meta.url));

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase({ migrations: MIGRATIONS });
});
afterAll(() => database.drop());

it('grants a new table to nobody, service_role included', async () => {
  const { sql } = database;
  await sql`create table public.bare (id integer)`;
  for (const role of ['anon', 'authenticated', 'service_role']) {
    const [row] = await sql`
      select has_table_privilege(${role}, 'public.bare', 'select, insert, update, delete') as any`;
    expect(row?.any, role).toBe(false);
  }
});

it("leaves PUBLIC's execute on a new function", async () => {
  const { sql } = database;
  await sql`create function public.open() returns integer language sql as 'select 1'`;
  expect(
    await sql`select has_function_privilege('anon', 'public.open()', 'execute') as allowed`,
  ).toEqual([{ allowed: true }]);
});

it('runs migrations as a postgres that is no superuser', async () => {
  expect(
    await database.sql`
      select current_user, rolsuper, rolbypassrls, rolcreaterole
      from pg_roles where rolname = current_user`,
  ).toEqual([
    { current_user: 'postgres', rolsuper: false, rolbypassrls: true, rolcreaterole: true },
  ]);
});

it('lets service_role, and only it, past row level security', async () => {
  const rows = await database.sql`
    select rolname, rolbypassrls from pg_roles
    where rolname in ('anon', 'authenticated', 'service_role') order by rolname`;
  expect(rows).toEqual([
    { rolname: 'anon', rolbypassrls: false },
    { rolname: 'authenticated', rolbypassrls: false },
    { rolname: 'service_role', rolbypassrls: true },
  ]);
});

it('reads who is calling from the claims of the request', async () => {
  const user = '00000000-0000-4000-8000-000000000001';
  const claims = JSON.stringify({ sub: user, role: 'authenticated', plan: 'free' });
  const rows = await database.sql.begin(async (sql) => {
    await sql`select set_config('request.jwt.claims', ${claims}, true)`;
    return sql`select auth.uid() as id, auth.role() as role, auth.jwt() ->> 'plan' as plan`;
  });
  expect(rows).toEqual([{ id: user, role: 'authenticated', plan: 'free' }]);
  expect(await database.sql`select auth.uid() as id`).toEqual([{ id: null }]);
});
