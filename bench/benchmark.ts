/** What a benchmark is: a size in, measurements and bars out. */
import type { Bar } from '../local/terminal/bars.ts';

export { atLeast, atMost } from '../local/terminal/bars.ts';

export type Measurement = { name: string; value: number; unit: string };

export type Result = {
  /** What was generated and measured, by name. */
  size: Record<string, number>;
  measurements: Measurement[];
  bars: Bar[];
};

export type Option = {
  default: number;
  /** The least value; 1 if not given. */
  least?: number;
  description: string;
};
export type Size<Name extends string> = Record<Name, number>;

export type Benchmark = {
  summary: string;
  /** Whole numbers, given as `--name n`. */
  options: Record<string, Option>;
  run(size: Record<string, number>, progress: (step: string) => void): Promise<Result>;
};

/** A benchmark whose `run` knows its own options by name. */
export function benchmark<Name extends string>(definition: {
  summary: string;
  options: Record<Name, Option>;
  run(size: Size<Name>, progress: (step: string) => void): Promise<Result>;
}): Benchmark {
  return definition;
}

/** Milliseconds that `work` takes. */
export async function elapsed(work: () => PromiseLike<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** The smallest: what a step costs when the machine does nothing else; load only ever adds. */
export const fastest = (times: readonly number[]) => Math.min(...times);

/** The value that a share `p` of `times` does not exceed; nearest rank. */
export function percentile(times: readonly number[], p: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}

export const milliseconds = (name: string, value: number): Measurement => ({
  name,
  value,
  unit: 'ms',
});
