/** The rows of every table in the order of its key, as they lie on the disk. */
import type { Stack } from '../stack.ts';

/**
 * A sum of fractions depends in its last bits on the order of what is added, and Postgres adds as
 * rows lie, which is where a retry or a crash happened to leave them. Laid in order and with the same
 * statistics, the same rows give the same plan and the same sums, to the last bit.
 */
export async function layInOrder({ sql }: Stack): Promise<void> {
  const keys = await sql<{ schema: string; table: string; key: string }[]>`
    select n.nspname as schema, t.relname as table, k.relname as key
    from pg_index i
    join pg_class t on t.oid = i.indrelid
    join pg_class k on k.oid = i.indexrelid
    join pg_namespace n on n.oid = t.relnamespace
    where i.indisprimary and n.nspname in ('public', 'postloop')
    order by 1, 2`;
  for (const { schema, table, key } of keys) {
    await sql`cluster ${sql(`${schema}.${table}`)} using ${sql(key)}`;
    await sql`analyze ${sql(`${schema}.${table}`)}`;
  }
}
