/** Processes as the operating system sees them: who started whom, and how to end all of them. */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 10;
/** SIGKILL is not refused, but a process inside a disk operation ends only after it. */
const END_PATIENCE_MS = 10_000;

type Running = { pid: number; parent: number };

function running(): Running[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, state = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)/.exec(line) ?? [];
    // A zombie: it has ended, and only its parent has not yet asked for its exit code.
    return pid === undefined || state.startsWith('Z')
      ? []
      : [{ pid: Number(pid), parent: Number(parent) }];
  });
}

/** The numbers of a process and of everything that descends from it. */
export function familyOf(root: number): number[] {
  const all = running();
  const family = new Set([root]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.map(({ pid }) => pid).filter((pid) => family.has(pid));
}

/**
 * Ends a process and everything that descends from it with SIGKILL, and waits until all are gone.
 * One that has gone already is fine.
 *
 * @throws Error when one of them is still there after ten seconds
 */
export async function killFamily(root: number): Promise<void> {
  // Stopped first: otherwise a child that it starts after the look would be missed.
  signal(root, 'SIGSTOP');
  const family = familyOf(root);
  for (const pid of family) signal(pid, 'SIGKILL');
  const deadline = Date.now() + END_PATIENCE_MS;
  for (;;) {
    const alive = new Set(running().map(({ pid }) => pid));
    const left = family.filter((pid) => alive.has(pid));
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new Error(`Still running after SIGKILL: ${left.join(', ')}.`);
    await sleep(POLL_MS);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
