import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { studentTCdf, studentTQuantile } from '../../simulation/reference/student-t.ts';

const df = fc.oneof(
  fc.double({ min: 1, max: 60, noNaN: true }),
  fc.double({ min: 60, max: 1e6, noNaN: true }),
);
const probability = fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true });

describe('studentTCdf', () => {
  // P(T <= -t), computed with mpmath 1.3 at 40 digits.
  it.each([
    [1, 12, 0.026464676059589874],
    [1.5, 0.3, 0.4002360984017924],
    [3, 4.5, 0.010245206172226705],
    [4.25, 2, 0.05598110080782882],
    [10, 1, 0.17044656615102993],
    [29.7, 2, 0.027359173135059138],
    [100, 0.3, 0.3823999401501517],
    [1234.5, 4.5, 3.7181524184971607e-6],
    [100000, 2, 0.022751481728753232],
  ])(
    'at df %d and t = -%d gives the tail of an independent computation',
    (degrees, t, expected) => {
      expect(Math.abs(studentTCdf(-t, degrees) - expected)).toBeLessThan(1e-12);
      expect(Math.abs(studentTCdf(t, degrees) - (1 - expected))).toBeLessThan(1e-12);
    },
  );

  it('equals the arctangent form at one degree of freedom', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (t) => {
        expect(Math.abs(studentTCdf(t, 1) - (0.5 + Math.atan(t) / Math.PI))).toBeLessThan(1e-12);
      }),
    );
  });

  it('equals the algebraic form at two degrees of freedom', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (t) => {
        const expected = 0.5 + t / (2 * Math.sqrt(2 + t * t));
        expect(Math.abs(studentTCdf(t, 2) - expected)).toBeLessThan(1e-12);
      }),
    );
  });

  it('never falls as t grows, and is symmetric', () => {
    const t = fc.double({ min: -50, max: 50, noNaN: true });
    fc.assert(
      fc.property(t, t, df, (a, b, degrees) => {
        const low = studentTCdf(Math.min(a, b), degrees);
        expect(studentTCdf(Math.max(a, b), degrees)).toBeGreaterThanOrEqual(low - 1e-12);
        expect(studentTCdf(a, degrees) + studentTCdf(-a, degrees)).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe('studentTQuantile', () => {
  // Critical values as printed in the NIST tables, to their three decimals.
  it.each([
    [0.9, 1, 3.078],
    [0.95, 4, 2.132],
    [0.95, 10, 1.812],
    [0.975, 10, 2.228],
    [0.99, 30, 2.457],
    [0.9, 100, 1.29],
  ])('at p = %d and df %d gives the tabulated critical value', (p, degrees, expected) => {
    expect(studentTQuantile(p, degrees)).toBeCloseTo(expected, 3);
  });

  it('gives 2.2281388519649385 at p = 0.975 and df 10 and the normal value at large df', () => {
    expect(Math.abs(studentTQuantile(0.975, 10) - 2.2281388519649385)).toBeLessThan(1e-8);
    expect(Math.abs(studentTQuantile(0.95, 1e7) - 1.6448537798)).toBeLessThan(1e-8);
  });

  // A tail q is a product of some ten rounded factors with exp(ln q), whose rounding counts |ln q|
  // times, and q |ln q| is 0.37 at most; Newton's last step adds 1e-14 of t times the density, which
  // is 0.25 at most. Ten units in the last place of 1 and that: less than 1e-14.
  it('is undone by the distribution function', () => {
    fc.assert(
      fc.property(probability, df, (p, degrees) => {
        const back = studentTCdf(studentTQuantile(p, degrees), degrees);
        expect(Math.abs(back - p)).toBeLessThan(1e-14);
      }),
      { examples: [[0.03829860779596138, 852_123.5649539782]] },
    );
  });

  it('undoes the distribution function', () => {
    fc.assert(
      fc.property(fc.double({ min: -8, max: 3, noNaN: true }), df, (t, degrees) => {
        const back = studentTQuantile(studentTCdf(t, degrees), degrees);
        expect(Math.abs(back - t)).toBeLessThan(1e-8);
      }),
    );
  });

  it('grows with p', () => {
    fc.assert(
      fc.property(probability, probability, df, (p, q, degrees) => {
        fc.pre(Math.abs(p - q) > 1e-10);
        const low = studentTQuantile(Math.min(p, q), degrees);
        expect(studentTQuantile(Math.max(p, q), degrees)).toBeGreaterThan(low);
      }),
    );
  });

  it('is infinite at the ends and finite just inside them', () => {
    expect(studentTQuantile(0, 5)).toBe(Number.NEGATIVE_INFINITY);
    expect(studentTQuantile(1, 5)).toBe(Number.POSITIVE_INFINITY);
    expect(studentTQuantile(1e-300, 1)).toBeCloseTo(-1e300 / Math.PI, -290);
    expect(studentTQuantile(1e-300, 1e6)).toBeCloseTo(-37.0598, 3);
  });
});
