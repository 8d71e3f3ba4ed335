import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, runCommand, tool } from '../../local/stack/commands.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

describe('the Supabase CLI', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase({ migrations: join(import.meta.dirname, 'no-such-folder') });
  });
  afterAll(async () => {
    await database?.drop();
  });

  const supabase = (...args: string[]): Promise<CommandResult> =>
    runCommand(tool('supabase'), [...args, `--remote=${database.url}`, '--yes']);

  it('pushes the migrations to a new project, and a second push has nothing to do', async () => {
    const first = await supabase('db', 'push');
    expect(first, first.stderr).toMatchObject({ code: 0 });
    const [applied] = await database.sql`
      select count(*)::int as n from supabase_migrations.schema_migrations`;
    expect(applied?.n).toBeGreaterThan(10);

    const second = await supabase('db', 'push');
    expect(second, second.stderr).toMatchObject({ code: 0 });
    expect(second.stdout + second.stderr).toContain('up to date');
  });

  it('finds nothing to advise at WARN or above', async () => {
    const advice = await supabase('db', 'advisors', '--level', 'warn', '--fail-on', 'warn');
    expect(advice.code, advice.stdout + advice.stderr).toBe(0);
  });
});
