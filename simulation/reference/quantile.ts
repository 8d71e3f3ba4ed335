/**
 * The value below which the next draw like `values` falls with probability `p`: the order statistic
 * at p (n + 1), linear in between (type 6 of Hyndman & Fan 1996). Percentiles at p (n - 1) + 1, as
 * in Postgres, are too narrow in small samples: 90 % ranges of 40 values held 84 %.
 *
 * @param values at least one, in any order
 */
export function quantile(values: readonly number[], p: number): number {
  const sorted = Float64Array.from(values).sort();
  const last = sorted.length - 1;
  const position = Math.min(last, Math.max(0, p * (sorted.length + 1) - 1));
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (position - Math.floor(position)) * (above - below);
}

/** The middle value; the mean of the two middle ones for an even number of values. */
export const median = (values: readonly number[]) => quantile(values, 0.5);
