/** A benchmark's result as tables that a person reads. */
import Table from 'cli-table3';
import pc from 'picocolors';
import type { Result } from './benchmark.ts';

export type Report = Result & {
  name: string;
  machine: { cpus: number; memory_gb: number; node: string };
};

export function report({ name, size, machine, measurements, bars }: Report): string {
  const given = Object.entries(size).map(([key, value]) => `${key} ${number(value)}`);
  return [
    `${pc.bold(name)}  ${pc.dim(given.join(', '))}`,
    pc.dim(`${machine.cpus} CPUs, ${machine.memory_gb} GB, Node ${machine.node}`),
    table(
      ['measured', 'value', ''],
      measurements.map((one) => [one.name, number(one.value), one.unit]),
    ),
    ...(bars.length === 0
      ? []
      : [
          table(
            ['bar', 'value', 'bar', ''],
            bars.map((bar) => [
              bar.name,
              number(bar.value),
              number(bar.bar),
              bar.pass ? pc.green('met') : pc.red('NOT MET'),
            ]),
          ),
        ]),
  ].join('\n');
}

function table(head: string[], rows: string[][]): string {
  const view = new Table({
    head: head.map((text) => pc.dim(text)),
    colAligns: head.map((_, index) => (index === 0 || index === 3 ? 'left' : 'right')),
    style: { head: [], border: pc.isColorSupported ? ['gray'] : [], compact: true },
  });
  view.push(...rows);
  return view.toString();
}

/** Three significant digits; whole from 100 on. */
function number(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) {
    return Math.round(value).toLocaleString('en-US');
  }
  return value.toPrecision(3);
}
