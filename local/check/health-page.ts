/** The tables of docs/health.md, from what the database says of its invariants. */
import type postgres from 'postgres';
import { LocalError } from '../stack/errors.ts';

const COLUMNS = ['name', 'of', 'holds while', 'threshold', 'otherwise', 'what to do'];

type Row = {
  check_name: string;
  name: string;
  step: string | null;
  part: string | null;
  holds: string;
  threshold: string;
  otherwise: string;
  what_to_do: string;
};

/**
 * The page with each of its tables written anew. A table stands between `<!-- checks: a b -->`, which
 * names its checks, and `<!-- end -->`.
 *
 * @param sql a migrated database, in which nothing has happened yet
 * @throws LocalError page_incomplete when a check is in no table, in two, or unknown
 */
export async function healthPage(sql: postgres.Sql, page: string): Promise<string> {
  const rows = await sql<Row[]>`
    select i.check_name, i.name, i.step, i.part, i.holds, p.threshold, i.otherwise, p.what_to_do
    from (select row_number() over () as place, * from public.check_pipeline(now())) p
    join postloop.invariants i on i.name = p.name
    order by p.place`;
  const checks = new Set(rows.map((row) => row.check_name));
  const shown: string[] = [];
  const written = page.replace(
    /(<!-- checks: ([a-z_ ]+) -->)[\s\S]*?(<!-- end -->)/g,
    (_, start: string, names: string, end: string) => {
      const own = names.split(' ');
      shown.push(...own);
      const table = own.flatMap((name) => rows.filter((row) => row.check_name === name));
      return `${start}\n\n${markdownTable(table)}\n\n${end}`;
    },
  );
  const missing = [...checks].filter((name) => !shown.includes(name));
  const odd = shown.filter((name, index) => !checks.has(name) || shown.indexOf(name) !== index);
  if (missing.length > 0 || odd.length > 0) {
    throw new LocalError(
      'page_incomplete',
      `docs/health.md must name each check once: ${[...missing, ...odd].join(', ')}.`,
    );
  }
  return written;
}

function markdownTable(rows: Row[]): string {
  const cells = new Map<string, string[]>();
  for (const row of rows) {
    const of = [row.step?.replaceAll('_', ' '), row.part].filter(Boolean).join(', ');
    // those that differ by their name alone share a row
    const texts = [of, row.holds, row.threshold, row.otherwise, row.what_to_do];
    const key = JSON.stringify(texts);
    cells.set(key, [...(cells.get(key) ?? []), `\`${row.name}\``]);
  }
  const lines = [...cells].map(([texts, names]) => [
    names.join(', '),
    ...(JSON.parse(texts) as string[]).map(escaped),
  ]);
  return [COLUMNS, COLUMNS.map(() => '---'), ...lines]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
}

/** As Markdown shows it: nothing in the text is markup. */
const escaped = (text: string) => text.replaceAll(/[|<*]/g, '\\$&');
