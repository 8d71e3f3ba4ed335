/** Brings a database to the state of a folder of migrations, as `supabase db push` does. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { LocalError } from './errors.ts';
import type { Postgres } from './postgres.ts';

/** The project's own migrations. */
export const MIGRATIONS = fileURLToPath(new URL('../../supabase/migrations', import.meta.url));

/**
 * Gives a new server the roles, schemas and extensions of a hosted project, once; a server that has
 * them is left alone.
 */
export async function bootstrap(server: Pick<Postgres, 'adminUrl'>): Promise<void> {
  const sql = postgres(server.adminUrl(), { max: 1, onnotice: () => {} });
  try {
    const [role] = await sql`select from pg_roles where rolname = 'postgres'`;
    if (role) return;
    const text = readFileSync(new URL('./bootstrap.sql', import.meta.url), 'utf8');
    await sql.begin((transaction) => transaction.unsafe(text).simple());
  } finally {
    await sql.end();
  }
}

/**
 * Applies the files `<version>_<name>.sql` of `folder` that the database has not seen, in order and
 * each in its own transaction, as the role of `databaseUrl`. They are recorded in
 * `supabase_migrations.schema_migrations`. A folder that does not exist holds no migrations.
 *
 * @returns the names of the files applied now
 * @throws LocalError migration_failed: names the file, the line and what Postgres says
 */
export async function migrate(databaseUrl: string, folder = MIGRATIONS): Promise<string[]> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const rows = await sql<{ version: string }[]>`
      select version from supabase_migrations.schema_migrations`;
    const known = new Set(rows.map((row) => row.version));
    const pending = migrationFiles(folder).filter((file) => !known.has(file.version));
    for (const file of pending) await apply(sql, file);
    return pending.map((file) => file.fileName);
  } finally {
    await sql.end();
  }
}

type MigrationFile = { path: string; fileName: string; version: string; name: string };

function migrationFiles(folder: string): MigrationFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((fileName) => {
      const [, version, name] = /^(\d+)_(.+)\.sql$/.exec(fileName) ?? [];
      if (version === undefined || name === undefined) return [];
      return [{ path: join(folder, fileName), fileName, version, name }];
    });
}

async function apply(sql: postgres.Sql, file: MigrationFile): Promise<void> {
  const text = readFileSync(file.path, 'utf8');
  try {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(text).simple();
      await transaction`
        insert into supabase_migrations.schema_migrations (version, statements, name)
        values (${file.version}, array[${text}]::text[], ${file.name})`;
    });
  } catch (cause) {
    if (!(cause instanceof postgres.PostgresError)) throw cause;
    const line = cause.position ? lineOf(text, Number(cause.position)) : undefined;
    const place = relative(process.cwd(), file.path) + (line === undefined ? '' : `:${line}`);
    const more = [cause.detail, cause.hint && `Hint: ${cause.hint}`, cause.where]
      .filter(Boolean)
      .map((part) => `\n  ${part}`)
      .join('');
    throw new LocalError(
      'migration_failed',
      `Migration ${place} failed: ${cause.message} (${cause.code})${more}\n` +
        'Nothing of that file was applied. Correct it and run again.',
      { cause },
    );
  }
}

/** Postgres counts characters from 1. */
function lineOf(text: string, position: number): number {
  return [...text].slice(0, position - 1).filter((character) => character === '\n').length + 1;
}
