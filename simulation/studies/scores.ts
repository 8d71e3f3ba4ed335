/** How near estimates are to the truth. */
export { spearman } from '../reference/ranks.ts';

/** Mean absolute error. */
export function meanAbsoluteError(estimates: readonly number[], truth: readonly number[]): number {
  return mean(estimates.map((estimate, i) => Math.abs(estimate - (truth[i] ?? Number.NaN))));
}

/** Pearson's correlation; NaN where one of the two does not vary. */
export function pearson(xs: readonly number[], ys: readonly number[]): number {
  const meanX = mean(xs);
  const meanY = mean(ys);
  let xy = 0;
  let xx = 0;
  let yy = 0;
  xs.forEach((x, i) => {
    const y = ys[i] ?? Number.NaN;
    xy += (x - meanX) * (y - meanY);
    xx += (x - meanX) ** 2;
    yy += (y - meanY) ** 2;
  });
  return xy / Math.sqrt(xx * yy);
}

export const mean = (xs: readonly number[]) => sum(xs) / xs.length;

export const sum = (xs: Iterable<number>) => {
  let total = 0;
  for (const x of xs) total += x;
  return total;
};
