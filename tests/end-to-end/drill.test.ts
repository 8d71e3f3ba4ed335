/** The short form of `npm run drill`: every kind of fault once, and nothing lost, nothing double. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TABLES } from '../../local/drill/compare.ts';
import type { DrillReport } from '../../local/drill/drill.ts';
import { FAULT_KINDS } from '../../local/drill/plan.ts';
import { REPOSITORY } from '../../local/stack/commands.ts';
import { processesOf, stillRunning, temporaryFolder } from '../support/start.ts';

const FAULTS = FAULT_KINDS.length;

const folder = temporaryFolder();
const children: ChildProcess[] = [];

function drill(args: string[]) {
  const child = spawn(process.execPath, ['local/drill/run.ts', ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, TMPDIR: folder.path, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said.stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said.stderr += chunk;
  });
  return { child, said, ended: once(child, 'close').then(([code]) => code as number | null) };
}

/** The unpacked Chromium stays for the next run. */
const leftovers = () =>
  readdirSync(folder.path).filter((name) => !name.startsWith('postloop-chromium-'));

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  folder.remove();
});

describe(`npm run drill -- --faults ${FAULTS} --json`, () => {
  let code: number | null;
  let result: DrillReport;
  let stderr: string;

  beforeAll(async () => {
    const { said, ended } = drill(['--faults', String(FAULTS), '--json']);
    code = await ended;
    stderr = said.stderr;
    if (said.stdout.startsWith('{')) result = JSON.parse(said.stdout);
  });

  it('ends well, as every bar is met', () => {
    expect(
      result?.bars.filter(({ pass }) => !pass),
      stderr,
    ).toEqual([]);
    expect(code).toBe(0);
  });

  it('injects each kind of fault', () => {
    expect(result.faults.injected).toBe(FAULTS);
    for (const kind of FAULT_KINDS) expect(result.faults.by_kind[kind]?.injected, kind).toBe(1);
  });

  it('makes jobs fail, and all of them recover', () => {
    const bad = result.jobs.map(({ failed, abandoned, partial }) => failed + abandoned + partial);
    expect(bad.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(0);
    for (const { failed, abandoned, partial, recovered } of result.jobs) {
      expect(recovered).toBe(failed + abandoned + partial);
    }
  });

  it('makes every read that fell due, once and with the numbers that X showed', () => {
    const { reads, followers, posts } = result;
    expect(reads.expected).toBeGreaterThan(30);
    expect(reads).toMatchObject({ recorded: reads.expected, lost: 0, duplicated: 0, wrong: 0 });
    expect(followers).toMatchObject({ recorded: followers.expected, lost: 0, wrong: 0 });
    expect(posts.tracked).toBe(posts.expected);
  });

  it.each(Object.keys(TABLES))('leaves %s as it is without faults', (table) => {
    const compared = result.tables.find((one) => one.table === table);
    // A curve takes 30 posts of 48 h, and the short play has 10.
    if (table !== 'growth_curve') expect(compared?.rows).toBeGreaterThan(0);
    expect(compared).toMatchObject({ onlyWithFaults: 0, onlyWithout: 0, different: 0 });
  });

  it('leaves no process and no data behind', () => {
    expect(processesOf(undefined, folder.path)).toEqual([]);
    expect(leftovers()).toEqual([]);
  });
});

it('stops cleanly with 130 when Ctrl-C comes in the middle of a drill', async () => {
  const { child, said, ended } = drill(['--faults', '12']);
  while (!/tick \d/.test(said.stderr)) await sleep(50);
  const known = processesOf(child.pid, folder.path);
  expect(known.length).toBeGreaterThan(5);
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(stillRunning(known)).toEqual([]);
  expect(leftovers()).toEqual([]);
});

it.each([
  ['--faults', '0'],
  ['--seed', 'one'],
  ['--fault', '3'],
])('ends with 2 and says how to go on when it is given %s %s', async (option, value) => {
  const { said, ended } = drill([option, value]);
  expect(await ended).toBe(2);
  expect(said.stderr).toContain('npm run drill -- --help');
});
