import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startDatabase } from '../../../local/stack/database.ts';
import { type Postgres, startPostgres } from '../../../local/stack/postgres.ts';
import { familyOf } from '../../../local/stack/processes.ts';
import { PATIENTLY } from '../../support/patience.ts';

let folder: string;
let started: Postgres[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postloop-test-'));
  // As root, the server runs as another user, who must be able to enter.
  chmodSync(folder, 0o755);
  started = [];
});
afterEach(async () => {
  for (const server of started) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(...args: Parameters<typeof startPostgres>): Promise<Postgres> {
  const server = await startPostgres(...args);
  started.push(server);
  return server;
}

async function ask(server: Postgres, statement: string): Promise<unknown> {
  const sql = postgres(server.adminUrl(), { max: 1, onnotice: () => {} });
  try {
    const [row] = await sql.unsafe(statement).values();
    return row?.[0];
  } finally {
    await sql.end();
  }
}

const serverPid = (dataFolder: string) =>
  Number(readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0]);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a server that crashed', () => {
  it('leaves no process, and has what was committed again on the same port', async () => {
    const server = await start({ fresh: true, settings: { synchronous_commit: 'on' } });
    const sql = postgres(server.adminUrl(), { max: 2, onnotice: () => {} });
    await sql`create table kept as select 42 as n`;
    const pids = (await sql`select pid from pg_stat_activity`).map(({ pid }) => Number(pid));
    const cut = sql`select pg_sleep(60)`.catch((error: Error) => error.message);
    await server.crash();
    const all = [serverPid(server.dataFolder), ...pids];
    expect(all.filter((pid) => familyOf(pid).length > 0)).toEqual([]);
    expect(await cut).toMatch(/CONNECTION_CLOSED|ECONNRESET/);
    await sql.end({ timeout: 0 });
    await server.restart();
    expect(await ask(server, 'select n from kept')).toBe(42);
    await server.stop();
    expect(existsSync(server.dataFolder)).toBe(false);
  });
});

describe('a server with a lasting folder', () => {
  it('has its data again after a stop, and leaves no process', async () => {
    const dataFolder = join(folder, 'parent', 'data');
    const first = await start({ dataFolder });
    const pid = serverPid(first.dataFolder);
    await ask(first, 'create table kept as select 42 as n');
    await first.stop();
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    expect(await ask(await start({ dataFolder }), 'select n from kept')).toBe(42);
  });

  it('starts over the lock file of a server that is dead', async () => {
    const dataFolder = join(folder, 'data');
    const first = await start({ dataFolder });
    const lock = readFileSync(join(first.dataFolder, 'postmaster.pid'), 'utf8');
    await first.stop();
    // This test's own number: alive, and no Postgres.
    const stale = lock.replace(/^\d+/, String(process.pid));
    writeFileSync(join(first.dataFolder, 'postmaster.pid'), stale);
    expect(await ask(await start({ dataFolder }), 'select 1')).toBe(1);
  });

  it('refuses a folder that another server uses', async () => {
    const first = await start({ dataFolder: join(folder, 'data') });
    const pid = serverPid(first.dataFolder);
    await expect(start({ dataFolder: join(folder, 'data') })).rejects.toMatchObject({
      code: 'data_folder_in_use',
      message: expect.stringContaining(`kill -INT ${pid}`),
    });
    expect(await ask(first, 'select 1')).toBe(1);
  });

  it('refuses a folder of another major version and says how to go on', async () => {
    const dataFolder = join(folder, 'data');
    const first = await start({ dataFolder });
    await first.stop();
    writeFileSync(join(first.dataFolder, 'PG_VERSION'), '16\n');
    await expect(start({ dataFolder })).rejects.toMatchObject({
      code: 'data_folder_incompatible',
      message: expect.stringMatching(/written by Postgres 16, this is Postgres 17.*rm -rf/),
    });
  });

  it('refuses a folder with something else in it, and does not touch that', async () => {
    const dataFolder = join(folder, 'data');
    mkdirSync(dataFolder);
    writeFileSync(join(dataFolder, 'thesis.txt'), 'ten years of work');
    await expect(start({ dataFolder })).rejects.toMatchObject({
      code: 'data_folder_incomplete',
      message: expect.stringContaining('rm -rf'),
    });
    expect(readFileSync(join(dataFolder, 'thesis.txt'), 'utf8')).toBe('ten years of work');
  });

  it('clears away a creation that was cut short', async () => {
    const dataFolder = join(folder, 'data');
    const first = await start({ dataFolder });
    await first.stop();
    // No process has this number: it is above the highest that Linux gives.
    const unfinished = `${first.dataFolder}.incoming-4194305`;
    renameSync(first.dataFolder, unfinished);
    expect(await ask(await start({ dataFolder }), 'select 1')).toBe(1);
    expect(existsSync(unfinished)).toBe(false);
  });
});

describe('a port', () => {
  it('that is taken is named, with how to find who has it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    try {
      await expect(start({ fresh: true, port })).rejects.toMatchObject({
        code: 'port_taken',
        message: expect.stringMatching(new RegExp(`Port ${port} .*lsof -i :${port}`)),
      });
    } finally {
      other.close();
    }
  });
});

describe('a migration that fails', () => {
  it('ends the server that was started for it', async () => {
    writeFileSync(join(folder, '20260101000000_bad.sql'), 'select nope;');
    const dataFolder = join(folder, 'data');
    await expect(startDatabase({ dataFolder, migrations: folder })).rejects.toMatchObject({
      code: 'migration_failed',
    });
    expect(existsSync(join(dataFolder, 'postmaster.pid'))).toBe(false);
  });
});

describe('a fresh server whose starter is ended', () => {
  const program = fileURLToPath(new URL('../../fixtures/serve-database.ts', import.meta.url));

  async function serve(): Promise<{ child: ChildProcess; pid: number; dataFolder: string }> {
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout as NodeJS.EventEmitter, 'data')) as [Buffer];
    const dataFolder = line.toString().trim();
    return { child, pid: serverPid(dataFolder), dataFolder };
  }

  async function expectNothingLeft(pid: number, dataFolder: string): Promise<void> {
    await vi.waitFor(() => {
      expect(isAlive(pid)).toBe(false);
      expect(existsSync(dataFolder)).toBe(false);
    }, PATIENTLY);
  }

  it.each([
    ['by Ctrl-C', ['SIGINT']],
    ['by Ctrl-C twice', ['SIGINT', 'SIGINT']],
    ['by SIGTERM twice', ['SIGTERM', 'SIGTERM']],
    ['by SIGKILL', ['SIGKILL']],
  ] as const)('%s leaves no process and no folder', async (_, signals) => {
    const { child, pid, dataFolder } = await serve();
    expect(isAlive(pid)).toBe(true);
    const exited = once(child, 'exit');
    for (const signal of signals) child.kill(signal);
    await exited;
    await expectNothingLeft(pid, dataFolder);
  });
});
