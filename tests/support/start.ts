/** `npm start` as a child process with a temporary folder of its own, and what it leaves behind. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { REPOSITORY } from '../../local/stack/commands.ts';

export type Started = {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Waits until stderr says so; the match. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
};

/** A temporary folder that other users, Postgres' among them, can enter. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'postloop-test-'));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts `local/start/run.ts` with the Node that runs the tests. */
export function startLocal(folder: string, args: string[]): Started {
  const child = spawn(process.execPath, ['local/start/run.ts', '--port', '0', ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, TMPDIR: folder, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended: Started['ended'] = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const says = async (pattern: RegExp) => {
    for (;;) {
      const match = pattern.exec(stderr);
      if (match) return match;
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`It ended before it said ${pattern}:\n${stderr}`);
      }
      await sleep(20);
    }
  };
  return { child, stdout: () => stdout, stderr: () => stderr, says, ended };
}

export type Process = { pid: number; command: string };

/** The processes that descend from one, and those that name a folder on their command line. */
export function processesOf(root: number | undefined, folder: string): Process[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  const all = lines
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, pid, parent, command = '']) => ({
      pid: Number(pid),
      parent: Number(parent),
      command,
    }));
  const family = new Set(root === undefined ? [] : [root]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const one of all) if (family.has(one.parent)) family.add(one.pid);
  }
  return all
    .filter((one) => family.has(one.pid) || one.command.includes(folder))
    .map(({ pid, command }) => ({ pid, command }));
}

/** Those of some processes that still run as the same command. */
export function stillRunning(known: Process[]): Process[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' });
  const running = new Set(lines.split('\n').map((line) => line.trim().replace(/\s+/, ' ')));
  return known.filter(({ pid, command }) => running.has(`${pid} ${command}`.trim()));
}
