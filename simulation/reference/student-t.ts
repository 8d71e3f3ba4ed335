/**
 * Probability that Student's t with `df` >= 1 (real) degrees of freedom is at most `t`.
 * The absolute error is below 1e-9.
 */
export function studentTCdf(t: number, df: number): number {
  const tail = upperTail(Math.abs(t), df);
  return t < 0 ? tail : 1 - tail;
}

/**
 * The value below which Student's t with `df` >= 1 (real) degrees of freedom falls with
 * probability `p`; infinite for p = 0 and p = 1. The error is below 1e-8, relative beyond 1.
 */
export function studentTQuantile(p: number, df: number): number {
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  const t = tail === 0 ? Number.POSITIVE_INFINITY : upperQuantile(tail, df);
  return p < 0.5 ? -t : t;
}

/**
 * Newton's method for ln P(T > t) = ln q in ln t, where heavy tails are straight lines, kept inside
 * a bracket by bisection. The start is an upper bound: quantiles fall as df grows, and those of
 * df 1 and df 2 have closed forms. The lower bound is the tangent at 0, for the tail is convex.
 */
function upperQuantile(q: number, df: number): number {
  let high = df < 2 ? 1 / Math.tan(Math.PI * q) : (1 - 2 * q) * Math.sqrt(2 / (4 * q * (1 - q)));
  const densityAtZero = gammaRatio(df / 2) / Math.sqrt(Math.PI * df);
  let low = (0.5 - q) / densityAtZero;
  let t = high;
  for (let round = 0; round < 200; round += 1) {
    const tail = upperTail(t, df);
    if (tail > q) low = t;
    else high = t;
    const newton = t * Math.exp((Math.log(tail / q) * tail) / timesDensity(t, df));
    const next = newton > low && newton < high ? newton : Math.sqrt(low) * Math.sqrt(high);
    if (Math.abs(next - t) <= 1e-14 * t) return next;
    t = next;
  }
  return t;
}

/**
 * P(T > t) for t >= 0: half the regularised incomplete beta function I_x(df/2, 1/2) at
 * x = df / (df + t^2), from whichever end its continued fraction converges fast.
 */
function upperTail(t: number, df: number): number {
  if (t === 0) return 0.5;
  if (t === Number.POSITIVE_INFINITY) return 0;
  const a = df / 2;
  const logX = logOfX(t, df);
  const x = Math.exp(logX);
  const y = -Math.expm1(logX);
  // x^a y^(1/2) / B(a, 1/2)
  const front = (Math.exp(a * logX) * Math.sqrt(y) * gammaRatio(a)) / Math.sqrt(Math.PI);
  if (x < (a + 1) / (a + 2.5)) return front / betaFraction(x, y, a, 0.5) / 2;
  return 0.5 - front / betaFraction(y, x, 0.5, a) / 2;
}

/** t times the density at t > 0. */
function timesDensity(t: number, df: number): number {
  const logKernel = Math.log(t / Math.sqrt(df)) + ((df + 1) / 2) * logOfX(t, df);
  return (gammaRatio(df / 2) / Math.sqrt(Math.PI)) * Math.exp(logKernel);
}

/** ln(df / (df + t^2)) for t >= 0; beyond 1e8 the 1 does not count and the square might overflow. */
function logOfX(t: number, df: number): number {
  const z = t / Math.sqrt(df);
  return z > 1e8 ? -2 * Math.log(z) : -Math.log1p(z * z);
}

/**
 * Gamma(a + 1/2) / Gamma(a), by its asymptotic series after moving `a` above 20: unlike a
 * difference of log-gammas it loses no digits for large df.
 */
function gammaRatio(a: number): number {
  let factor = 1;
  let x = a;
  while (x < 20) {
    factor *= x / (x + 0.5);
    x += 1;
  }
  const i = 1 / (x * x);
  const series = (-1 / 8 + i * (1 / 192 + i * (-1 / 640 + (i * 17) / 14336))) / x;
  return factor * Math.sqrt(x) * Math.exp(series);
}

/**
 * The even part of the continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's
 * method: I_x(a, b) = x^a y^b / (B(a, b) times this), with y = 1 - x. The fraction itself subtracts
 * terms that agree in all but 1/a of their value; its even part, with `y` given, keeps all digits.
 */
function betaFraction(x: number, y: number, a: number, b: number): number {
  const tiny = 1e-300;
  const nonZero = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  const remainder = (m: number) => ((a + m) * (a * y - b * x + 1 + m * (1 + y))) / (a + 2 * m + 1);
  let c = nonZero(remainder(0));
  let d = 0;
  let fraction = c;
  for (let m = 1; m < 10_000; m += 1) {
    const before = a + 2 * m - 1;
    const numerator = ((a + m - 1) / before) * ((a + b + m - 1) / before) * m * (b - m) * x * x;
    const next = m + (m * (b - m) * x) / before + remainder(m);
    d = 1 / nonZero(next + numerator * d);
    c = nonZero(next + numerator / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return fraction;
}
