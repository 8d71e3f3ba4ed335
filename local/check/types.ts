/**
 * `npm run types`: writes `shared/database/types.ts` and `shared/database/schema.ts` from the
 * migrated database; with `--check`, compares instead and exits 1 with the first differing lines.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { REPOSITORY, runCommand, tool } from '../stack/commands.ts';
import { startDatabase } from '../stack/database.ts';
import { LocalError } from '../stack/errors.ts';
import { runCommandLine } from '../terminal/command-line.ts';
import { flag } from '../terminal/options.ts';

const HEADER = '// Written by "npm run types" from the migrated database. Do not edit.\n\n';
const SHOWN_DIFFERENCES = 10;

/**
 * What is generated of the database after all migrations, formatted, by path in the repository:
 * the types of schema public as `supabase gen types typescript` gives them, and the list that
 * `health` compares the live database with.
 *
 * @param migrations folder of migrations; default: `supabase/migrations`
 * @throws LocalError of the database, command_failed
 */
export async function generate(migrations?: string): Promise<Record<string, string>> {
  const database = await startDatabase({ fresh: true, ...(migrations ? { migrations } : {}) });
  try {
    return {
      'shared/database/types.ts': await format(HEADER + (await typesOf(database.url()))),
      'shared/database/schema.ts': await format(HEADER + (await schemaOf(database.url()))),
    };
  } finally {
    await database.stop();
  }
}

async function typesOf(databaseUrl: string): Promise<string> {
  const generated = await runCommand(
    tool('supabase'),
    ['gen', 'types', 'typescript', '--schema', 'public', `--remote=${databaseUrl}`],
    // Not in the repository: the command keeps notes in supabase/.temp of where it runs.
    { cwd: tmpdir(), env: { PGSSLMODE: 'disable' } },
  );
  const start = generated.stdout.indexOf('export type Json');
  if (generated.code !== 0 || start < 0) {
    throw new LocalError('command_failed', `supabase gen types failed:\n${generated.stderr}`);
  }
  // The command prints notes about the connection before the types.
  return generated.stdout.slice(start);
}

async function schemaOf(databaseUrl: string): Promise<string> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const [row] = await sql`select postloop.live_schema() as schema`;
    return `import type { DatabaseSchema } from './schema-type.ts';

/** The relations and functions that the code of this version was written for. */
export const DATABASE_SCHEMA = ${JSON.stringify(sorted(row?.schema))} satisfies DatabaseSchema;
`;
  } finally {
    await sql.end();
  }
}

/** The same with the keys of every object in order, so that a change is seen as what it is. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

async function format(text: string): Promise<string> {
  const formatted = await runCommand(
    tool('biome'),
    ['format', '--stdin-file-path=shared/generated.ts'],
    { input: text },
  );
  if (formatted.code !== 0) {
    throw new LocalError('command_failed', `biome format failed:\n${formatted.stderr}`);
  }
  return formatted.stdout;
}

/** The first lines in which the two differ, as "line: - old / + new"; empty for equal texts. */
export function firstDifferences(old: string, wanted: string): string[] {
  const [before, after] = [old.split('\n'), wanted.split('\n')];
  const differences: string[] = [];
  for (let line = 0; line < Math.max(before.length, after.length); line += 1) {
    if (before[line] === after[line]) continue;
    if (differences.length === SHOWN_DIFFERENCES) return [...differences, '…'];
    differences.push(`${line + 1}: - ${before[line] ?? ''}\n${line + 1}: + ${after[line] ?? ''}`);
  }
  return differences;
}

/** A generated file, and the first lines in which the one that is there differs. */
type Generated = { path: string; differences: string[] };

const reportWritten = (files: Generated[]) =>
  files.map(({ path }) => `${path} is written.`).join('\n');

const reportDifferences = (files: Generated[]) =>
  files
    .map(({ path, differences }) =>
      differences.length === 0
        ? `${path} is what the migrations give.`
        : [`${path} is not what the migrations give. Run "npm run types".`, ...differences].join(
            '\n',
          ),
    )
    .join('\n');

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

if (import.meta.main) {
  await runCommandLine({
    name: 'npm run types',
    options: { check: flag('compare only; exits 1 when a file differs') },
    async run({ check }, { show }) {
      const wanted = await generate();
      const files = Object.entries(wanted).map(([path, text]) => ({
        path,
        differences: firstDifferences(readText(join(REPOSITORY, path)), text),
      }));
      if (!check) {
        for (const [path, text] of Object.entries(wanted)) {
          writeFileSync(join(REPOSITORY, path), text);
        }
      }
      show({ files }, () => (check ? reportDifferences(files) : reportWritten(files)));
      return check && files.some(({ differences }) => differences.length > 0) ? 1 : 0;
    },
  });
}
