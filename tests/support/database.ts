import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { migrate } from '../../local/stack/migrate.ts';
import { reset } from './scenario.ts';

/** What this process has made on the server that it shares with others. */
export const DATABASE_PREFIX = `test_${process.pid}_`;

export type TestDatabase = {
  /** Connection string of the role `postgres`. */
  url: string;
  /** Connection string of the superuser. */
  adminUrl: string;
  /** A client as the role `postgres`; `bigint` comes as text, as postgres.js gives it. */
  sql: postgres.Sql;
  /** Ends the client and removes the database. May be called twice. */
  drop(): Promise<void>;
};

/**
 * A database of its own on the shared server, with all migrations: a copy of a template, made in
 * about 50 ms. With `migrations`, only those of that folder are in it.
 */
export async function createDatabase(options: { migrations?: string } = {}): Promise<TestDatabase> {
  const server = inject('server');
  if (options.migrations === undefined && server.migrationError !== undefined) {
    throw new Error(server.migrationError);
  }
  const template = options.migrations === undefined ? 'postloop_template' : 'postloop_base';
  const name = `${DATABASE_PREFIX}${randomUUID().replaceAll('-', '')}`;
  await asAdmin(server.adminUrl, (admin) =>
    admin.unsafe(`create database ${name} template ${template} owner postgres`),
  );
  const at = (user: string) => `postgresql://${user}:postgres@127.0.0.1:${server.port}/${name}`;
  const url = at('postgres');
  if (options.migrations !== undefined) await migrate(url, options.migrations);
  const sql = postgres(url, { max: 4, onnotice: () => {} });
  return {
    url,
    adminUrl: at('supabase_admin'),
    sql,
    drop: async () => {
      await sql.end();
      await asAdmin(server.adminUrl, (admin) =>
        admin.unsafe(`drop database if exists ${name} with (force)`),
      );
    },
  };
}

/**
 * A database of its own for all tests of a file. It is emptied before each test, and then prepared
 * with `prepare`; with `isEmptied: false` each test meets what the one before has left.
 */
export function useDatabase(
  options: { isEmptied?: boolean; prepare?: (sql: postgres.Sql) => unknown } = {},
): Pick<TestDatabase, 'url' | 'adminUrl' | 'sql'> {
  const { isEmptied = true, prepare } = options;
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database?.drop());
  beforeEach(async () => {
    if (isEmptied) await reset(database.sql);
    await prepare?.(database.sql);
  });
  return {
    get url() {
      return database.url;
    },
    get adminUrl() {
      return database.adminUrl;
    },
    get sql() {
      return database.sql;
    },
  };
}

async function asAdmin(url: string, work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}
