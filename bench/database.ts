/** Generated databases on a Postgres of their own. */
import postgres from 'postgres';
import { startDatabase } from '../local/stack/database.ts';
import { type Fleet, generate } from './generate.ts';

export type BenchDatabase = {
  /** Connection string of the role `postgres`. */
  url: string;
  /** Connection string of the superuser. */
  adminUrl: string;
  /** One connection of the role `postgres`. */
  sql: postgres.Sql;
  drop(): Promise<void>;
};

export type BenchServer = {
  /** A database that holds the fleet's history, under a name to copy it by. */
  fill(name: string, fleet: Fleet): Promise<void>;
  /** A copy to measure on: the same files, the same bloat, nothing of it in memory yet. */
  copy(name: string): Promise<BenchDatabase>;
  stop(): Promise<void>;
};

/**
 * Starts a fresh embedded Postgres with all migrations applied.
 *
 * @throws LocalError those of `startDatabase`
 */
export async function startBenchServer(): Promise<BenchServer> {
  const server = await startDatabase({ fresh: true });
  // From template1: a database can only be copied while nobody is connected to it.
  const admin = postgres(server.adminUrl('template1'), { max: 1, onnotice: () => {} });
  let copies = 0;
  return {
    async fill(name, fleet) {
      await admin`create database ${admin(name)} template postgres owner postgres`;
      await generate(server.adminUrl(name), fleet);
    },
    async copy(name) {
      copies += 1;
      const copied = `${name}_${copies}`;
      await admin`
        create database ${admin(copied)} template ${admin(name)} owner postgres strategy file_copy`;
      const url = server.url(copied);
      const sql = postgres(url, { max: 1, onnotice: () => {} });
      return {
        url,
        adminUrl: server.adminUrl(copied),
        sql,
        drop: async () => {
          await sql.end();
          await admin`drop database ${admin(copied)} with (force)`;
        },
      };
    },
    async stop() {
      await admin.end();
      await server.stop();
    },
  };
}
