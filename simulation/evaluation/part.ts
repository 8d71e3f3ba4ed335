/** What the studies of the topic `evaluation` share. */
import { atLeast, atMost, type Bar } from '../../local/terminal/bars.ts';

export type Progress = (step: string) => void;

/** Two bars for the least and the largest of some values. */
export function within(
  name: string,
  values: readonly number[],
  least: number,
  most: number,
): Bar[] {
  return [
    atLeast(values.length > 1 ? `${name}, least` : name, Math.min(...values), least),
    atMost(values.length > 1 ? `${name}, largest` : name, Math.max(...values), most),
  ];
}
