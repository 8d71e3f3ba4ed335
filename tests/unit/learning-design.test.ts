import { describe, expect, it } from 'vitest';
import { gramOf, postWeight } from '../../shared/learning/additive.ts';
import { type DesignPost, designOf } from '../../shared/learning/design.ts';
import { dimensionGroups } from '../../simulation/studies/learner-study.ts';

const DAY_MS = 86_400_000;
/** A Monday. */
const MONDAY = Date.UTC(2026, 2, 2, 9);

function post(values: DesignPost['values'], given: Partial<DesignPost> = {}): DesignPost {
  return {
    values,
    postedAt: new Date(MONDAY),
    kind: 'single',
    followers: 1000,
    ...given,
  };
}

const sizes = (posts: DesignPost[]) =>
  Object.fromEntries(designOf(posts).groups.map(({ name, features }) => [name, features.length]));

describe('designOf', () => {
  it('gives each value of each dimension a feature, by name', () => {
    const { size, groups, dimensions, rows } = designOf([
      post({ tone: 'warm', angle: 'how-to' }),
      post({ tone: 'dry', angle: 'how-to' }),
      post({ tone: 'warm' }),
    ]);
    expect(size).toBe(4);
    expect(groups.map(({ name, first, features }) => [name, first, features])).toEqual([
      ['intercept', 0, ['intercept']],
      ['angle', 1, ['how-to']],
      ['tone', 2, ['dry', 'warm']],
    ]);
    expect(dimensions.map(({ name }) => name)).toEqual(['angle', 'tone']);
    expect(rows).toEqual([
      { indices: [0, 1, 3], values: [1, 1, 1] },
      { indices: [0, 1, 2], values: [1, 1, 1] },
      { indices: [0, 3], values: [1, 1] },
    ]);
  });

  it('leaves out a nuisance that is the same for all posts', () => {
    expect(sizes([post({ tone: 'dry' }), post({ tone: 'warm' })])).toEqual({
      intercept: 1,
      tone: 2,
    });
  });

  it('adds weeks from Monday, hour bands, the weekend, the kind and the followers', () => {
    const posts = [
      post({ tone: 'dry' }, { postedAt: new Date(Date.UTC(2026, 2, 1, 23, 59)), followers: 900 }),
      post({ tone: 'dry' }, { postedAt: new Date(Date.UTC(2026, 2, 2, 0)), kind: 'thread' }),
      post({ tone: 'dry' }, { postedAt: new Date(Date.UTC(2026, 2, 8, 2, 59)) }),
      post({ tone: 'dry' }, { postedAt: new Date(Date.UTC(2026, 2, 8, 3)), kind: 'reply' }),
    ];
    expect(sizes(posts)).toEqual({
      intercept: 1,
      tone: 1,
      'nuisance:week': 2,
      'nuisance:hour_band': 3,
      'nuisance:weekend': 2,
      'nuisance:kind': 3,
      'nuisance:ln_followers': 1,
    });
  });

  it('puts weeks more than half a year back into one', () => {
    const posts = Array.from({ length: 60 }, (_, week) =>
      post({ tone: 'dry' }, { postedAt: new Date(MONDAY + week * 7 * DAY_MS) }),
    );
    expect(sizes(posts)['nuisance:week']).toBe(27);
  });

  it('standardises the logarithm of followers over the posts that have them', () => {
    const design = designOf([
      post({ tone: 'dry' }, { followers: 99 }),
      post({ tone: 'dry' }, { followers: 9999 }),
      post({ tone: 'dry' }, { followers: null }),
    ]);
    expect(design.groups.map(({ name }) => name)).toEqual([
      'intercept',
      'tone',
      'nuisance:ln_followers',
    ]);
    expect(design.rows.map(({ values }) => values)).toEqual([
      [1, 1, -1],
      [1, 1, 1],
      [1, 1],
    ]);
  });

  it('knows the uses of a value and what they weigh', () => {
    const posts = [post({ tone: 'warm' }), post({ tone: 'dry' }), post({ tone: 'warm' })];
    const design = designOf(posts);
    const rows = design.rows.map((row, index) => ({
      ...row,
      y: 0,
      ...postWeight({ ageDays: 90 * index }),
    }));
    expect(dimensionGroups(design, gramOf(rows, design.size))).toMatchObject([
      { name: 'tone', features: ['dry', 'warm'], uses: [1, 2], effectiveN: [0.5, 1.25] },
    ]);
  });

  it('of no posts is the intercept alone', () => {
    expect(designOf([])).toMatchObject({ size: 1, dimensions: [], rows: [] });
  });
});
