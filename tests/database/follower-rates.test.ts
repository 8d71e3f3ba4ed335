import { describe, expect, it } from 'vitest';
import { mulberry32, normal } from '../../shared/learning/random.ts';
import { useDatabase } from '../support/database.ts';
import { only } from '../support/scenario.ts';

const database = useDatabase({ isEmptied: false });

async function ratesOf(df: number[], exposure: number[]): Promise<{ b: number; q: number }> {
  return only(
    await database.sql<{ b: number; q: number }[]>`
      select b, q from postloop.fit_rates(${df}::double precision[], ${exposure}::double precision[])`,
  );
}

describe('the two rates of an account', () => {
  it('are found exactly where the changes have no noise', async () => {
    const exposure = [0, 10, 200, 35, 0, 4000, 120];
    const rates = await ratesOf(
      exposure.map((e) => 0.3 + 0.002 * e),
      exposure,
    );
    expect(rates.b).toBeCloseTo(0.3, 9);
    expect(rates.q).toBeCloseTo(0.002, 12);
  });

  it('keep the organic rate although a few large hours are noisy', async () => {
    const rng = mulberry32(7);
    const exposure = Array.from({ length: 672 }, (_, hour) => (hour % 24 === 12 ? 8_000 : 20));
    const df = exposure.map((e) => {
      const mean = 0.4 + 0.003 * e;
      return mean + Math.sqrt(mean) * normal(rng);
    });
    const rates = await ratesOf(df, exposure);
    expect(rates.b).toBeGreaterThan(0.3);
    expect(rates.b).toBeLessThan(0.5);
    expect(Math.abs(rates.q - 0.003)).toBeLessThan(0.0003);
  });

  it('are never negative: an account that loses followers has no organic gain', async () => {
    const rates = await ratesOf([-3, -1, -2, -4], [0, 50, 10, 90]);
    expect(rates).toEqual({ b: 0, q: 1e-9 });
  });

  it('give a change without any exposure to nobody but the account itself', async () => {
    expect(await ratesOf([1, 2, 3], [0, 0, 0])).toEqual({ b: 2, q: 1e-9 });
  });

  it('give it to the posts where the exposure is the same in every hour', async () => {
    expect(await ratesOf([1, 2, 3], [100, 100, 100])).toEqual({ b: 0, q: 0.02 });
  });
});
