import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fitAdditive, gramOf } from '../../shared/learning/additive.ts';
import { designOf } from '../../shared/learning/design.ts';

/** Written by tests/fixtures/lme4/make.ts: posts as a level of each group, then y; what lme4 found. */
const goldenSchema = z.object({
  made_by: z.string().startsWith('lme4'),
  groups: z.array(z.string()),
  posts: z.array(z.array(z.number())).min(100),
  intercept: z.number(),
  sigma: z.number(),
  sds: z.record(z.string(), z.number()),
  effects: z.record(z.string(), z.record(z.string(), z.number())),
});
type Golden = z.infer<typeof goldenSchema>;

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'lme4');
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

const read = (name: string) =>
  goldenSchema.parse(JSON.parse(readFileSync(join(FOLDER, name), 'utf8')));

/** The same model: an intercept and a random effect for each group. */
function fitOf({ groups, posts }: Golden, options = {}) {
  const design = designOf(
    posts.map((levels) => ({
      values: Object.fromEntries(groups.map((group, index) => [group, `${levels[index]}`])),
      postedAt: new Date(0),
      kind: 'single' as const,
      followers: null,
    })),
  );
  const rows = posts.map((levels, index) => ({
    indices: design.rows[index]?.indices ?? [],
    values: design.rows[index]?.values ?? [],
    y: levels[groups.length] ?? Number.NaN,
    discount: 1,
    weight: 1,
  }));
  const fit = fitAdditive(gramOf(rows, design.size), design.groups, options);
  return { design, fit };
}

/** Our effects beside those of lme4, of all groups or of one. */
function pairs(golden: Golden, { design, fit }: ReturnType<typeof fitOf>) {
  return design.dimensions.flatMap(({ name, first, features }) =>
    features.map((feature, index) => ({
      ours: fit.mean[first + index] ?? Number.NaN,
      theirs: golden.effects[name]?.[feature] ?? Number.NaN,
    })),
  );
}

function correlation(both: { ours: number; theirs: number }[]): number {
  const mean = (of: (one: (typeof both)[number]) => number) =>
    both.reduce((sum, one) => sum + of(one), 0) / both.length;
  const ours = mean((one) => one.ours);
  const theirs = mean((one) => one.theirs);
  const covariance = mean((one) => (one.ours - ours) * (one.theirs - theirs));
  const variances =
    mean((one) => (one.ours - ours) ** 2) * mean((one) => (one.theirs - theirs) ** 2);
  return covariance / Math.sqrt(variances);
}

it('there are three sets of posts', () => {
  expect(names).toHaveLength(3);
});

describe.each(names)('%s, against lme4', (name) => {
  const golden = read(name);

  it('effects as the product fits them correlate with those of lme4', () => {
    // Where lme4 puts a dimension's variance at 0, the product's prior keeps small effects.
    const hasNull = Object.values(golden.sds).some((sd) => sd < 1e-3);
    const least = hasNull ? 0.98 : 0.99;
    expect(correlation(pairs(golden, fitOf(golden)))).toBeGreaterThanOrEqual(least);
  });

  it('without priors the fit is restricted maximum likelihood', () => {
    const plain = { tauWeight: 0, sigmaWeight: 0, maxRounds: 1500, tolerance: 1e-8 };
    const fitted = fitOf(golden, plain);
    expect(Math.abs(Math.sqrt(fitted.fit.sigma2) - golden.sigma)).toBeLessThan(1e-3);
    expect(Math.abs((fitted.fit.mean[0] ?? Number.NaN) - golden.intercept)).toBeLessThan(5e-3);
    for (const [group, sd] of Object.entries(golden.sds)) {
      // A variance of 0 is approached, never reached.
      const ours = Math.sqrt(fitted.fit.tau2[group] ?? Number.NaN);
      expect(Math.abs(ours - sd)).toBeLessThan(sd > 0.01 ? 2e-3 : 0.02);
    }
    const both = pairs(golden, fitted);
    expect(correlation(both)).toBeGreaterThanOrEqual(0.9999);
    for (const { ours, theirs } of both) {
      expect(Math.abs(ours - theirs)).toBeLessThan(5e-3);
    }
  });
});
