/** Bars that a measured value has to meet. */
import { colors } from './colors.ts';
import { formatNumber } from './numbers.ts';
import { type TableContent, table } from './table.ts';

/** A bar's name says in which direction it holds: `…, at least` or `…, at most`. */
export type Bar = { name: string; value: number; bar: number; pass: boolean };

export const atMost = (name: string, value: number, bar: number): Bar => ({
  name: `${name}, at most`,
  value,
  bar,
  pass: value <= bar,
});

export const atLeast = (name: string, value: number, bar: number): Bar => ({
  name: `${name}, at least`,
  value,
  bar,
  pass: value >= bar,
});

/** The exit code of a command that is judged by bars. */
export const exitCodeOf = (bars: readonly Bar[]) => (bars.every(({ pass }) => pass) ? 0 : 1);

/** The bars with what was measured, and whether each is met. */
export const barsContent = (bars: readonly Bar[]): TableContent => ({
  head: ['judged', 'measured', 'bar', ''],
  rows: bars.map(({ name, value, bar, pass }) => [
    name,
    formatNumber(value),
    formatNumber(bar),
    pass ? 'met' : 'NOT MET',
  ]),
});

/** The same for a terminal, with what a missed one may mean. */
export function barsTable(bars: readonly Bar[]): string {
  const { head, rows } = barsContent(bars);
  const painted = rows.map(([name = '', value = '', bar = '', verdict = '']) => [
    name,
    value,
    bar,
    verdict === 'met' ? colors.green(verdict) : colors.red(verdict),
  ]);
  const view = table(head, painted, { right: [1, 3] });
  if (exitCodeOf(bars) === 0) return view;
  return `${view}\n${colors.dim('Bars are set for the defaults; those on time, for an idle machine.')}`;
}
