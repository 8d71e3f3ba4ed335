import { describe, expect, it } from 'vitest';
import { normalCdf } from '../../shared/learning/normal.ts';

describe('normalCdf', () => {
  it.each([
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1.6448536269514722, 0.05],
    [1.959963984540054, 0.975],
    [-4.9, 4.791832765903198e-7],
    [-6, 9.865876450376946e-10],
    [-10, 7.619853024160527e-24],
    [8.5, 1],
    [Number.POSITIVE_INFINITY, 1],
    [Number.NEGATIVE_INFINITY, 0],
  ])('of %d is %d', (z, expected) => {
    expect(Math.abs(normalCdf(z) - expected)).toBeLessThanOrEqual(1e-14);
  });

  it('keeps seven digits far out in the lower tail', () => {
    expect(normalCdf(-10) / 7.619853024160527e-24).toBeCloseTo(1, 7);
    expect(normalCdf(-5.2) / 9.964426316933481e-8).toBeCloseTo(1, 7);
  });

  it('rises, across the change of method too', () => {
    let last = 0;
    for (let z = -9; z <= 9; z += 0.01) {
      const p = normalCdf(z);
      expect(p).toBeGreaterThanOrEqual(last);
      last = p;
    }
  });
});
