import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrate } from '../../../local/stack/migrate.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

let folder: string;
let database: TestDatabase;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postloop-test-'));
  database = await createDatabase({ migrations: folder });
});
afterEach(async () => {
  await database.drop();
  rmSync(folder, { recursive: true });
});

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

it('applies what is new, in order, and records it as the Supabase CLI does', async () => {
  write('20260101000200_second.sql', 'insert into public.steps values (2);');
  write('20260101000100_first.sql', 'create table public.steps (n integer);');
  write('README.md', 'not a migration');
  expect(await migrate(database.url, folder)).toEqual([
    '20260101000100_first.sql',
    '20260101000200_second.sql',
  ]);
  write('20260101000300_third.sql', 'insert into public.steps values (3);');
  expect(await migrate(database.url, folder)).toEqual(['20260101000300_third.sql']);
  expect(await database.sql`select n from public.steps order by n`).toEqual([{ n: 2 }, { n: 3 }]);
  expect(
    await database.sql`
      select version, name from supabase_migrations.schema_migrations order by version`,
  ).toEqual([
    { version: '20260101000100', name: 'first' },
    { version: '20260101000200', name: 'second' },
    { version: '20260101000300', name: 'third' },
  ]);
});

it('names file, line and reason of a migration that fails, and applies nothing of it', async () => {
  write('20260101000100_good.sql', 'create table public.kept (n integer);');
  write('20260101000200_bad.sql', 'create table public.lost (n integer);\n\nselect nope;\n');
  await expect(migrate(database.url, folder)).rejects.toMatchObject({
    name: 'LocalError',
    code: 'migration_failed',
    message: expect.stringMatching(
      /20260101000200_bad\.sql:3 failed: column "nope" does not exist/,
    ),
  });
  expect(
    await database.sql`select to_regclass('public.kept') as kept, to_regclass('public.lost') as lost`,
  ).toEqual([{ kept: 'kept', lost: null }]);
});
