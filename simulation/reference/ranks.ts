/** Ranks and their correlation, as `postloop.check_numbers` takes them of impressions and likes. */

/** Ranks from 1, in the order of `values`; equal values share the mean of their ranks. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const result = new Array<number>(values.length).fill(0);
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (order[last + 1]?.value === order[first]?.value) last += 1;
    for (const { index } of order.slice(first, last + 1)) result[index] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return result;
}

/** Spearman's rank correlation; NaN where one of the two does not vary. */
export function spearman(xs: readonly number[], ys: readonly number[]): number {
  const xRanks = ranks(xs);
  const yRanks = ranks(ys);
  const middle = (xs.length + 1) / 2;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  xRanks.forEach((x, i) => {
    const y = (yRanks[i] ?? Number.NaN) - middle;
    xy += (x - middle) * y;
    xx += (x - middle) ** 2;
    yy += y * y;
  });
  return xy / Math.sqrt(xx * yy);
}
