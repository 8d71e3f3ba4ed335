/** Bars that a measured value has to meet. */
import pc from 'picocolors';
import { table } from './table.ts';

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

/** The bars with what was measured, and whether each is met. */
export const barsTable = (bars: readonly Bar[]) =>
  table(
    ['bar', 'value', 'bar', ''],
    bars.map((bar) => [
      bar.name,
      formatNumber(bar.value),
      formatNumber(bar.bar),
      bar.pass ? pc.green('met') : pc.red('NOT MET'),
    ]),
    { right: [1, 3] },
  );

/** Three significant digits; whole from 100 on; a dash for what cannot be said. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (Number.isInteger(value) || Math.abs(value) >= 100) {
    return Math.round(value).toLocaleString('en-US');
  }
  return value.toPrecision(3);
}
