/**
 * A Postgres with everything a Supabase database has, migrated. Run as a program, it serves a fresh
 * one until Ctrl-C and prints its connection string: `npx node local/stack/database.ts`.
 */

import { stopOnSignals } from './guard.ts';
import { bootstrap, MIGRATIONS, migrate } from './migrate.ts';
import { type Postgres, type PostgresOptions, startPostgres } from './postgres.ts';

export type DatabaseOptions = PostgresOptions & {
  /** Folder of `<version>_<name>.sql` files. Default: `supabase/migrations`. */
  migrations?: string;
};

/**
 * Starts Postgres and applies what is pending; the server is stopped again if that fails.
 *
 * @throws LocalError those of `startPostgres` and `migrate`
 */
export async function startDatabase(
  options: DatabaseOptions = {},
): Promise<Postgres & { applied: string[] }> {
  const server = await startPostgres(options);
  try {
    await bootstrap(server);
    const applied = await migrate(server.url(), options.migrations ?? MIGRATIONS);
    return { ...server, applied };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

if (import.meta.main) {
  try {
    const database = await startDatabase({ fresh: true });
    stopOnSignals(database.stop);
    console.error(`${database.applied.length} migrations applied. Ctrl-C ends the server.`);
    console.log(database.url());
    // Nothing else keeps this process busy while the server runs detached from it.
    setInterval(() => {}, 60_000);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
