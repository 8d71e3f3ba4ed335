/** A benchmark's result as tables that a person reads. */
import pc from 'picocolors';
import { barsTable, formatNumber } from '../local/terminal/bars.ts';
import { table } from '../local/terminal/table.ts';
import type { Result } from './benchmark.ts';

export type Report = Result & {
  name: string;
  machine: { cpus: number; memory_gb: number; node: string };
};

export function report({ name, size, machine, measurements, bars }: Report): string {
  const given = Object.entries(size).map(([key, value]) => `${key} ${formatNumber(value)}`);
  return [
    `${pc.bold(name)}  ${pc.dim(given.join(', '))}`,
    pc.dim(`${machine.cpus} CPUs, ${machine.memory_gb} GB, Node ${machine.node}`),
    table(
      ['measured', 'value', ''],
      measurements.map((one) => [one.name, formatNumber(one.value), one.unit]),
    ),
    ...(bars.length === 0 ? [] : [barsTable(bars)]),
  ].join('\n');
}
