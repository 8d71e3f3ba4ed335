/** A benchmark's result as tables: for a terminal and for the documentation. */
import { barsContent, barsTable } from '../local/terminal/bars.ts';
import { colors } from '../local/terminal/colors.ts';
import { formatNumber } from '../local/terminal/numbers.ts';
import { describeMachine, type Machine } from '../local/terminal/results.ts';
import { type TableContent, table } from '../local/terminal/table.ts';
import type { Measurement, Result } from './benchmark.ts';

export type Report = Result & { name: string; machine: Machine };

export function report({ name, size, machine, measurements, bars }: Report): string {
  const given = Object.entries(size).map(([key, value]) => `${key} ${formatNumber(value)}`);
  const { head, rows } = measurementsContent(measurements);
  return [
    `${colors.bold(name)}  ${colors.dim(given.join(', '))}`,
    colors.dim(describeMachine(machine)),
    table(head, rows),
    ...(bars.length === 0 ? [] : [barsTable(bars)]),
  ].join('\n');
}

export const contents = ({ measurements, bars }: Report): TableContent[] => [
  measurementsContent(measurements),
  ...(bars.length === 0 ? [] : [barsContent(bars)]),
];

const measurementsContent = (measurements: readonly Measurement[]): TableContent => ({
  head: ['measured', 'value'],
  rows: measurements
    .map(inReadableUnit)
    .map(({ name, value, unit }) => [name, `${formatNumber(value)} ${unit}`.trimEnd()]),
});

/** From a second on in seconds. */
const inReadableUnit = (one: Measurement): Measurement =>
  one.unit === 'ms' && one.value >= 1_000 ? { ...one, value: one.value / 1_000, unit: 's' } : one;
