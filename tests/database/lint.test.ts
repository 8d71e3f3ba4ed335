/** What Supabase's own linters say of the schema, on a Postgres that has plpgsql_check. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, tool } from '../../local/stack/commands.ts';
import {
  DEBIAN_BIN,
  type DebianPostgres,
  startDebianPostgres,
} from '../support/debian-postgres.ts';

describe.skipIf(!DEBIAN_BIN)('the linters of the Supabase CLI (PG_CRON_BIN)', () => {
  let server: DebianPostgres;
  beforeAll(async () => {
    server = await startDebianPostgres(DEBIAN_BIN as string);
  });
  afterAll(() => server?.stop());

  const lint = () =>
    runCommand(tool('supabase'), [
      ...['db', 'lint', `--remote=${server.url}`, '--schema', 'public,postloop'],
      ...['--level', 'warning', '--fail-on', 'warning', '--yes'],
    ]);

  it('find no warning or error in any function', async () => {
    const result = await lint();
    expect(result.code, result.stdout + result.stderr).toBe(0);
    expect(result.stdout + result.stderr).toContain('No schema errors found');
  });

  it('name a function that reads a column which does not exist', async () => {
    const { sql } = server;
    await sql`
      create function postloop.broken() returns bigint language plpgsql set search_path = '' as
      $$ begin return (select a.nonsense from public.x_accounts a limit 1); end $$`;
    try {
      const result = await lint();
      expect(result.code).not.toBe(0);
      expect(result.stdout).toContain('postloop.broken');
    } finally {
      await sql`drop function postloop.broken()`;
    }
  });

  it('advise nothing at WARN or above', async () => {
    const result = await runCommand(tool('supabase'), [
      ...['db', 'advisors', `--remote=${server.url}`],
      ...['--level', 'warn', '--fail-on', 'warn', '--yes'],
    ]);
    expect(result.code, result.stdout + result.stderr).toBe(0);
  });
});
