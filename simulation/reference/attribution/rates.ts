/**
 * What an account's hours say about it: organic followers per hour and followers per impression. In SQL
 * `postloop.fit_rates` and `postloop.fit_robust_rates`; tests/database/attribution-parity.test.ts
 * compares them.
 */

export type Rates = {
  /** Organic net followers per hour, at least 0. */
  b: number;
  /** Followers per impression, at least 1e-9. */
  q: number;
};

/** Rates, and how much wider than Poisson the changes scatter around them. */
export type RobustRates = Rates & {
  /** Dispersion, at least 1. */
  phi: number;
  /** The part of each hour's change that the fit rests on, followers. */
  explained: Float64Array;
};

/** An hour in which next to nothing is expected must not outweigh all others: followers. */
const LEAST_EXPECTATION = 0.05;
const LEAST_Q = 1e-9;
/** The median of a chi-square with one degree of freedom. */
const MEDIAN_CHI_SQUARE = 0.455;
const FIT_ROUNDS = 3;
const CLIP_ROUNDS = 2;

/** The weight of an hour: the variance of a count is its mean. */
const weight = ({ b, q }: Rates, exposure: number) =>
  1 / Math.max(b + q * exposure, LEAST_EXPECTATION);

/**
 * change ~ b + q * exposure by least squares weighted by 1 / expectation, under b >= 0 and q > 0.
 * Each round takes its weights from the rates of the round before; without `start` the first round is
 * unweighted. Sums run in the order of the arrays, which is the order of time.
 *
 * @param change followers by hour, at least one hour
 * @param exposure impressions by hour, as many
 */
export function fitRates(
  change: Float64Array,
  exposure: Float64Array,
  rounds: number = FIT_ROUNDS,
  start?: Rates,
): Rates {
  let rates = start;
  for (let round = 0; round < rounds; round += 1) {
    let sumW = 0;
    let sumE = 0;
    let sumEE = 0;
    let sumD = 0;
    let sumED = 0;
    for (let i = 0; i < change.length; i += 1) {
      const e = exposure[i] ?? 0;
      const d = change[i] ?? 0;
      const w = rates ? weight(rates, e) : 1;
      sumW += w;
      sumE += w * e;
      sumEE += w * e * e;
      sumD += w * d;
      sumED += w * e * d;
    }
    rates = solve(sumW, sumE, sumEE, sumD, sumED);
  }
  return rates ?? { b: 0, q: LEAST_Q };
}

function solve(sumW: number, sumE: number, sumEE: number, sumD: number, sumED: number): Rates {
  const determinant = sumW * sumEE - sumE * sumE;
  if (determinant <= 1e-9 * sumW * sumEE) {
    // the same exposure in every hour: all of it to the posts if there is any
    return sumE > 0
      ? { b: 0, q: Math.max(sumD / sumE, LEAST_Q) }
      : { b: Math.max(sumD / sumW, 0), q: LEAST_Q };
  }
  const b = (sumEE * sumD - sumE * sumED) / determinant;
  const q = (sumW * sumED - sumE * sumD) / determinant;
  if (b < 0) return { b: 0, q: Math.max(sumED / sumEE, LEAST_Q) };
  if (q < LEAST_Q) return { b: Math.max(sumD / sumW, 0), q: LEAST_Q };
  return { b, q };
}

/**
 * The part of an hour's change that the rates allow: within 6 standard deviations of a quiet hour
 * downwards, five times the expectation and as much upwards. The rest is a shock.
 *
 * @param mu expected change, followers
 */
export function explainedPart(change: number, mu: number, phi: number): number {
  const reach = 6 * Math.sqrt(phi * Math.max(mu, 1));
  return Math.min(Math.max(change, Math.min(mu - reach, 0)), 5 * mu + reach);
}

/**
 * Rates that a shout-out or a purge does not move: fitted, then twice fitted again to what the last
 * rates explain. The first clip assumes Poisson scatter, for a dispersion around rates that a shock
 * has spoilt would let the shock pass.
 */
export function fitRobustRates(change: Float64Array, exposure: Float64Array): RobustRates {
  let rates = fitRates(change, exposure);
  let phi = 1;
  let explained = change;
  for (let round = 0; round < CLIP_ROUNDS; round += 1) {
    const { b, q } = rates;
    explained = new Float64Array(change.length);
    for (let i = 0; i < change.length; i += 1) {
      explained[i] = explainedPart(change[i] ?? 0, b + q * (exposure[i] ?? 0), phi);
    }
    rates = fitRates(explained, exposure, FIT_ROUNDS, rates);
    phi = dispersion(change, exposure, rates);
  }
  return { ...rates, phi, explained };
}

/**
 * How much wider than Poisson the changes scatter: the median of (change - mu)^2 / max(mu, 1), which
 * no shock moves, over what it is for Poisson counts; at least 1.
 */
export function dispersion(change: Float64Array, exposure: Float64Array, { b, q }: Rates): number {
  const scatter = new Float64Array(change.length);
  for (let i = 0; i < change.length; i += 1) {
    const mu = b + q * (exposure[i] ?? 0);
    scatter[i] = ((change[i] ?? 0) - mu) ** 2 / Math.max(mu, 1);
  }
  scatter.sort();
  const middle = (scatter.length - 1) / 2;
  const median = ((scatter[Math.floor(middle)] ?? 0) + (scatter[Math.ceil(middle)] ?? 0)) / 2;
  return Math.max(1, median / MEDIAN_CHI_SQUARE);
}

/**
 * The Poisson quasi-likelihood of the rates, sum of change * ln(mu) - mu. It stands for changes
 * below zero too, because it says only that their variance is mu.
 */
export function quasiLikelihood(
  change: Float64Array,
  exposure: Float64Array,
  { b, q }: Rates,
): number {
  let sum = 0;
  for (let i = 0; i < change.length; i += 1) {
    const mu = Math.max(b + q * (exposure[i] ?? 0), LEAST_EXPECTATION);
    sum += (change[i] ?? 0) * Math.log(mu) - mu;
  }
  return sum;
}

/**
 * How much of the variance of q is taken off: all of it would leave a tiny account a fifth of its
 * credits short, none would credit 5 % of the growth to posts that bring nobody (half: 10 %, 2.5 %).
 */
const SHRINKAGE = 0.5;

/**
 * The rates with q drawn towards 0 by as much as it may be chance: q * max(0, 1 - variance / (2 q^2)),
 * after the positive part of James and Stein. As q is never negative, chance alone always favours
 * posts; b takes over what q gives up.
 *
 * @param explained followers by hour, as fitted
 */
export function shrinkConversion(
  explained: Float64Array,
  exposure: Float64Array,
  rates: Rates,
): Rates {
  let sumW = 0;
  let sumE = 0;
  let sumEE = 0;
  let sumX = 0;
  let residual = 0;
  for (let i = 0; i < explained.length; i += 1) {
    const e = exposure[i] ?? 0;
    const x = explained[i] ?? 0;
    const w = weight(rates, e);
    sumW += w;
    sumE += w * e;
    sumEE += w * e * e;
    sumX += w * x;
    residual += w * (x - rates.b - rates.q * e) ** 2;
  }
  const determinant = sumW * sumEE - sumE * sumE;
  // nothing tells posts and drift apart
  if (determinant <= 1e-9 * sumW * sumEE) return { b: rates.b, q: rates.q };
  // counts do not scatter less than Poisson, however well a few hours happen to fit
  const scale = Math.max(1, residual / Math.max(explained.length - 2, 1));
  const variance = (scale * sumW) / determinant;
  const kept = Math.max(0, 1 - (SHRINKAGE * variance) / rates.q ** 2);
  const q = Math.max(rates.q * kept, LEAST_Q);
  return { b: Math.max((sumX - q * sumE) / sumW, 0), q };
}
