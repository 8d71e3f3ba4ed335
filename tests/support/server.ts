/**
 * The one Postgres that all tests of a run share. It holds two templates: `postloop_base`, a hosted
 * project before its first migration, and `postloop_template`, the same with all migrations.
 */
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

const NEEDS_SERVER = new Set(['database', 'functions', 'scraper', 'end-to-end']);

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  if (!project.vitest.projects.some(({ name }) => NEEDS_SERVER.has(name))) return;
  const server = await startPostgres({ fresh: true });
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
