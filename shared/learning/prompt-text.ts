/** Pieces of text in a writer's prompt. */
import type { DimensionValues } from '../contracts/identifiers.ts';
import { byCodeUnits } from './order.ts';

const MAX_NAMES = 8;
const MAX_NAME_LENGTH = 80;

/** What to write, a line a dimension: those of the vocabulary in its order, then others by name. */
export function assignedLines(
  dimensions: readonly { dimension: string }[],
  assigned: DimensionValues,
): string[] {
  const positions = dimensions.map(({ dimension }) => dimension);
  const names = new Set([...positions, ...Object.keys(assigned).sort(byCodeUnits)]);
  const values = new Map(Object.entries(assigned));
  return [...names].flatMap((name) => {
    const value = values.get(name);
    return value === undefined ? [] : [`- ${name}: ${oneLine(value)}`];
  });
}

export function shortList(names: readonly string[]): string {
  const left = names.length - MAX_NAMES;
  const named = names.slice(0, MAX_NAMES).map(clipped).join('; ');
  return left > 0 ? `${named}; and ${left} more` : named;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function signed(value: number): string {
  const digits = Math.abs(value).toFixed(2);
  if (digits === '0.00') return digits;
  return `${value < 0 ? '-' : '+'}${digits}`;
}

/** Whole percent; nothing short of certain is shown as 0 or 100. */
export function percent(probability: number): string {
  const whole = Math.round(probability * 100);
  if (whole === 0 && probability > 0) return 'under 1 %';
  if (whole === 100 && probability < 1) return 'over 99 %';
  return `${whole} %`;
}

export function clipped(value: string): string {
  const line = oneLine(value);
  return line.length > MAX_NAME_LENGTH ? `${line.slice(0, MAX_NAME_LENGTH - 1)}…` : line;
}

/** A value is data: it must not be able to start a line of its own in the writer's prompt. */
function oneLine(value: string): string {
  return value.replace(/\s+/g, ' ').trim();
}
