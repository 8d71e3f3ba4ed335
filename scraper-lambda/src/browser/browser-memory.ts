/** How much memory a process and its descendants hold, from Linux' /proc. */
import { readdir, readFile } from 'node:fs/promises';

/** Nothing to read: the process has ended, or this system has no /proc. */
const absent = () => '';

/**
 * Memory of the tree under `root` in bytes, each shared page counted by its share (Pss). 0 where
 * there is no /proc.
 */
export async function treeMemory(root: number): Promise<number> {
  const parents = await parentsOf();
  const tree = new Set([root]);
  for (let size = 0; size !== tree.size; ) {
    size = tree.size;
    for (const [pid, parent] of parents) if (tree.has(parent)) tree.add(pid);
  }
  const sizes = await Promise.all([...tree].map(memoryOf));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function parentsOf(): Promise<Map<number, number>> {
  const names = await readdir('/proc').catch((): string[] => []);
  const pids = names.filter((name) => /^\d+$/.test(name));
  const pairs = await Promise.all(
    pids.map(async (pid): Promise<[number, number]> => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(absent);
      // `pid (command) state parent …`; the command may hold spaces and brackets.
      const parent = stat
        .slice(stat.lastIndexOf(')') + 1)
        .trim()
        .split(' ')[1];
      return [Number(pid), Number(parent ?? -1)];
    }),
  );
  return new Map(pairs);
}

async function memoryOf(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(absent);
  const pss = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  if (pss !== undefined) return Number(pss) * 1024;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(absent);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
