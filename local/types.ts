/**
 * `npm run types`: writes `shared/database.types.ts` from the migrated database; with `--check`,
 * compares instead and exits 1 with the first differing lines.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runCommand, tool } from './commands.ts';
import { startDatabase } from './database.ts';
import { LocalError } from './errors.ts';

const TYPES = fileURLToPath(new URL('../shared/database.types.ts', import.meta.url));
const HEADER = '// Written by "npm run types" from the migrated database. Do not edit.\n\n';
const SHOWN_DIFFERENCES = 10;

/**
 * The types of schema public after all migrations, as `supabase gen types typescript` gives them,
 * formatted.
 *
 * @param migrations folder of migrations; default: `supabase/migrations`
 * @throws LocalError of the database, command_failed
 */
export async function generateTypes(migrations?: string): Promise<string> {
  const database = await startDatabase({ fresh: true, ...(migrations ? { migrations } : {}) });
  try {
    const generated = await runCommand(
      tool('supabase'),
      ['gen', 'types', 'typescript', '--schema', 'public', `--remote=${database.url()}`],
      // Not in the repository: the command keeps notes in supabase/.temp of where it runs.
      { cwd: tmpdir(), env: { PGSSLMODE: 'disable' } },
    );
    const start = generated.stdout.indexOf('export type Json');
    if (generated.code !== 0 || start < 0) {
      throw new LocalError('command_failed', `supabase gen types failed:\n${generated.stderr}`);
    }
    // The command prints notes about the connection before the types.
    return await format(HEADER + generated.stdout.slice(start));
  } finally {
    await database.stop();
  }
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

async function main(): Promise<void> {
  const generated = await generateTypes();
  if (!process.argv.includes('--check')) {
    writeFileSync(TYPES, generated);
    console.error('shared/database.types.ts is written.');
    return;
  }
  const differences = firstDifferences(readText(TYPES), generated);
  if (differences.length === 0) return;
  console.error('shared/database.types.ts is not what the migrations give. Run "npm run types".');
  console.error(differences.join('\n'));
  process.exitCode = 1;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof LocalError ? error.message : error);
    process.exitCode = 1;
  });
}
