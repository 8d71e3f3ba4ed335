import { describe, expect, it } from 'vitest';
import { PostloopError } from '../../shared/contracts/error.ts';
import { mulberry32, normal, type Rng } from '../../shared/learning/random.ts';
import { studentTCdf } from '../../simulation/reference/student-t.ts';
import { gamma, studentT } from '../../simulation/worlds/draws.ts';

const DRAWS = 20_000;

function draws(seed: number, draw: (rng: Rng) => number): number[] {
  const rng = mulberry32(seed);
  return Array.from({ length: DRAWS }, () => draw(rng));
}

function moments(xs: number[]) {
  const mean = xs.reduce((sum, x) => sum + x, 0) / xs.length;
  const variance = xs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / xs.length;
  return { mean, variance };
}

/** The Kolmogorov-Smirnov distance between draws and a distribution function. */
function distance(xs: number[], cdf: (x: number) => number): number {
  const n = xs.length;
  return Math.max(
    ...xs
      .toSorted((a, b) => a - b)
      .map((x, i) => {
        const p = cdf(x);
        return Math.max(p - i / n, (i + 1) / n - p);
      }),
  );
}

/** The distance that true draws exceed once in 100,000 seeds. */
const LARGEST_DISTANCE = 2.5 / Math.sqrt(DRAWS);

describe('mulberry32', () => {
  it('gives the numbers of the published generator', () => {
    const rng = mulberry32(1);
    expect([rng(), rng(), rng()]).toEqual([
      0.6270739405881613, 0.002735721180215478, 0.5274470399599522,
    ]);
    expect(mulberry32(0)()).toBe(0.26642920868471265);
  });

  it('is uniform on [0, 1)', () => {
    const xs = draws(11, (rng) => rng());
    expect(xs.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(distance(xs, (x) => x)).toBeLessThan(LARGEST_DISTANCE);
  });

  it.each([-1, 1.5, 2 ** 32, Number.NaN])('refuses %d, which no sequence belongs to', (seed) => {
    expect(() => mulberry32(seed)).toThrow(PostloopError);
    expect(() => mulberry32(seed)).toThrow('Pass an integer from 0 to 4294967295');
  });
});

describe('draws', () => {
  it('normal draws have mean 0 and variance 1', () => {
    const { mean, variance } = moments(draws(12, normal));
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(DRAWS));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / DRAWS));
  });

  it.each([0.5, 1, 2, 30])('gamma draws of shape %d have that mean and variance', (shape) => {
    const { mean, variance } = moments(draws(13, (rng) => gamma(rng, shape)));
    expect(Math.abs(mean - shape)).toBeLessThan(4 * Math.sqrt(shape / DRAWS));
    const fourth = 3 * shape * shape + 6 * shape;
    expect(Math.abs(variance - shape)).toBeLessThan(
      4 * Math.sqrt((fourth - shape * shape) / DRAWS),
    );
  });

  it.each([1, 4, 5.3, 40])('Student t draws of df %d follow its distribution', (df) => {
    const xs = draws(14, (rng) => studentT(rng, df));
    expect(distance(xs, (x) => studentTCdf(x, df))).toBeLessThan(LARGEST_DISTANCE);
  });

  it('a generator that returns 0 now and then still gives finite draws', () => {
    const source = mulberry32(15);
    let calls = 0;
    const rng = () => {
      calls += 1;
      return calls % 7 === 0 ? 0 : source();
    };
    for (let i = 0; i < 500; i += 1) expect(Number.isFinite(studentT(rng, 1))).toBe(true);
  });
});
