/**
 * The one Postgres that all tests of a run share. It holds two templates: `postloop_base`, a hosted
 * project before its first migration, and `postloop_template`, the same with all migrations.
 */
import { accessSync, constants, statfsSync } from 'node:fs';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { bootstrap, migrate } from '../../local/stack/migrate.ts';
import { startPostgres } from '../../local/stack/postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    server: {
      /** Superuser's connection string of the database "postgres". */
      adminUrl: string;
      port: number;
      /** Why there is no `postloop_template`: the migrations do not apply. */
      migrationError: string | undefined;
    };
  }
}

const MEMORY = '/dev/shm';
const ROOM_BYTES = 4 * 2 ** 30;

/** Memory for the server's files, where it has room: a database is made there in a fifth of the time. */
function roomyMemory(): { parent?: string } {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ROOM_BYTES ? { parent: MEMORY } : {};
  } catch {
    return {};
  }
}

const NEEDS_SERVER = new Set(['database', 'functions', 'scraper', 'end-to-end']);

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  if (!project.vitest.projects.some(({ name }) => NEEDS_SERVER.has(name))) return;
  const server = await startPostgres({ fresh: true, ...roomyMemory() });
  try {
    await bootstrap(server);
    const sql = postgres(server.adminUrl('template1'), { max: 1, onnotice: () => {} });
    await sql`create database postloop_base template postgres owner postgres`;
    await sql`create database postloop_template template postgres owner postgres`;
    await sql.end();
    const migrationError = await migrate(server.url('postloop_template')).then(
      () => undefined,
      (error: Error) => error.message,
    );
    project.provide('server', { adminUrl: server.adminUrl(), port: server.port, migrationError });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server.stop;
}
