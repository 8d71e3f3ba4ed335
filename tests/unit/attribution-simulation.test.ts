import { describe, expect, it } from 'vitest';
import { mulberry32, type Rng } from '../../shared/learning/random.ts';
import {
  measureAccount,
  measureDeterminism,
  measureHeuristics,
} from '../../simulation/studies/attribution-study.ts';
import {
  equalSplit,
  followersAt,
  lastTouch,
  naiveDifference,
  timeDecay,
} from '../../simulation/studies/baselines.ts';
import { mean, pearson, spearman, sum } from '../../simulation/studies/scores.ts';
import { type SimulatedAccount, simulateAccount } from '../../simulation/worlds/account.ts';
import { exponential, poisson } from '../../simulation/worlds/draws.ts';
import { TYPICAL_WORLD, WORLDS } from '../../simulation/worlds/worlds.ts';

const HOUR_MS = 3_600_000;
const T0 = Date.UTC(2026, 2, 1, 12);

describe('draws', () => {
  const draws = (draw: (rng: Rng) => number) => {
    const rng = mulberry32(21);
    return Array.from({ length: 20_000 }, () => draw(rng));
  };

  it.each([0.3, 4, 60])('of Poisson counts with mean %d have that mean and variance', (mu) => {
    const xs = draws((rng) => poisson(rng, mu));
    const variance = mean(xs.map((x) => (x - mu) ** 2));
    expect(Math.abs(mean(xs) - mu)).toBeLessThan(4 * Math.sqrt(mu / xs.length));
    expect(Math.abs(variance - mu)).toBeLessThan(4 * Math.sqrt((mu + 2 * mu * mu) / xs.length));
    expect(xs.every(Number.isInteger)).toBe(true);
  });

  it('of exponential times have mean 1, and the right share is above 2', () => {
    const xs = draws(exponential);
    expect(Math.abs(mean(xs) - 1)).toBeLessThan(4 / Math.sqrt(xs.length));
    const above = xs.filter((x) => x > 2).length / xs.length;
    expect(Math.abs(above - Math.exp(-2))).toBeLessThan(4 * Math.sqrt(0.12 / xs.length));
  });
});

describe('a simulated account', () => {
  const account = simulateAccount(TYPICAL_WORLD, 1);

  it('is the same for the same seed', () => {
    expect(simulateAccount(TYPICAL_WORLD, 1)).toEqual(account);
    expect(simulateAccount(TYPICAL_WORLD, 2).posts).not.toEqual(account.posts);
  });

  it('gathers followers from posts and without', () => {
    const { snapshots } = account;
    const growth = (snapshots.at(-1)?.followers ?? 0) - (snapshots[0]?.followers ?? 0);
    const organic = 60 * 5.6;
    const drawn = sum(account.truth) + organic;
    // the truth stops at 48 h of a post, and chance moves the organic part
    expect(Math.abs(growth - drawn)).toBeLessThan(4 * Math.sqrt(60 * 10.4) + 0.05 * drawn);
    expect(sum(account.truth) / account.posts.length).toBeGreaterThan(2);
  });

  it('has reads at the six phases, none before its age, and counts that never fall', () => {
    for (const { postedAt, reads } of account.posts) {
      const ages = reads.map(({ capturedAt }) => (capturedAt - postedAt) / HOUR_MS);
      [0.5, 2, 6, 24, 48, 168].forEach((age, index) => {
        expect(ages[index]).toBeGreaterThanOrEqual(age - 1e-6);
        expect(ages[index]).toBeLessThan(age + 1.1);
      });
      const impressions = reads.map((read) => read.impressions);
      expect(impressions).toEqual(impressions.toSorted((one, other) => one - other));
    }
  });

  it('has profile clicks that never fall, at about their rate, where X shows them', () => {
    const { posts } = simulateAccount(WORLDS['profile clicks shown'], 1);
    const last = posts.map(({ reads }) => {
      const clicks = reads.map(({ profileClicks }) => profileClicks ?? Number.NaN);
      expect(clicks).toEqual(clicks.toSorted((one, other) => one - other));
      return reads.at(-1);
    });
    const total = (key: 'profileClicks' | 'impressions') =>
      sum(last.map((read) => read?.[key] ?? 0));
    // the mean of a lognormal rate around 0.008
    expect(total('profileClicks') / total('impressions')).toBeGreaterThan(0.007);
    expect(total('profileClicks') / total('impressions')).toBeLessThan(0.012);
    expect(account.posts[0]?.reads[0]).not.toHaveProperty('profileClicks');
  });

  it('shows only hundreds, and says so, where X rounds', () => {
    const { snapshots } = simulateAccount(WORLDS['rounded counts'], 1);
    expect(snapshots.every(({ followers }) => followers % 100 === 0)).toBe(true);
    expect(snapshots.some(({ isExact }) => isExact)).toBe(false);
  });

  it('has no counts in an outage', () => {
    const { snapshots } = simulateAccount({ ...TYPICAL_WORLD, outages: [48] }, 1);
    const spans = snapshots.map(
      ({ capturedAt }, index) =>
        ((snapshots[index + 1]?.capturedAt ?? capturedAt) - capturedAt) / HOUR_MS,
    );
    expect(spans.filter((span) => span > 2)).toHaveLength(1);
    expect(Math.max(...spans)).toBeGreaterThan(47.9);
  });
});

describe('what people do without a model', () => {
  const post = (at: number) => ({ id: String(at), postedAt: T0 + at * HOUR_MS, reads: [] });
  /** 2 followers in each of the first 10 hours, 4 in each of the next 10. */
  const history = {
    posts: [post(0), post(10)],
    snapshots: Array.from({ length: 101 }, (_, hour) => ({
      capturedAt: T0 + hour * HOUR_MS,
      followers: 2 * Math.min(hour, 10) + 4 * Math.min(Math.max(hour - 10, 0), 10),
      isExact: true,
    })),
  };

  it('the naive difference counts a follower once for every post', () => {
    expect(naiveDifference(history)).toEqual([60, 40]);
    expect(followersAt(history.snapshots, T0 + 10.5 * HOUR_MS)).toBe(22);
  });

  it('last touch gives an hour to the newest post', () => {
    expect(lastTouch(history)).toEqual([20, 40]);
  });

  it('an equal split shares an hour between the posts of 48 h', () => {
    expect(equalSplit(history)).toEqual([40, 20]);
  });

  it('time decay favours the newer post and leaves out the drift', () => {
    const [first, second] = timeDecay(history, 1);
    const decay = Math.exp(-10 / 6);
    // each hour of two posts is shared by the same ratio; the drift goes on when nobody comes
    const shared = 10 * 3 - 28;
    expect(first).toBeCloseTo(10 + (shared * decay) / (1 + decay), 9);
    expect(second).toBeCloseTo(shared / (1 + decay) - 10, 9);
  });
});

describe('scores', () => {
  it('correlations are those of textbooks', () => {
    expect(pearson([1, 2, 3, 4], [2, 4, 5, 9])).toBeCloseTo(11 / Math.sqrt(5 * 26), 12);
    expect(spearman([1, 2, 3, 4], [10, 20, 30, 1000])).toBeCloseTo(1, 12);
    // ranks 0, 1.5, 1.5, 3 against 3, 1, 2, 0
    expect(spearman([1, 2, 2, 3], [9, 4, 6, 1])).toBeCloseTo(-4.5 / Math.sqrt(4.5 * 5), 12);
  });
});

/** A reduced form of `npm run simulate -- attribution`, so its bars are wider. */
describe('attribution of simulated accounts', () => {
  const accounts = (world: (typeof WORLDS)[keyof typeof WORLDS]): SimulatedAccount[] =>
    [1, 2, 3].map((seed) => simulateAccount(world, seed));
  const typical = accounts(TYPICAL_WORLD).map((account) => measureAccount(account));
  const error = (measures: typeof typical) =>
    mean(measures.map((one) => one.attribution.meanAbsoluteError));

  it('is far nearer to the truth than the naive difference and every heuristic', () => {
    const others = accounts(TYPICAL_WORLD).map((one) => measureHeuristics(one, TYPICAL_WORLD));
    const errorOf = (name: keyof (typeof others)[number]) =>
      mean(others.map((one) => one[name].meanAbsoluteError));
    expect(error(typical) / errorOf('naive 48 h difference')).toBeLessThan(0.05);
    for (const name of ['last touch', 'equal split', 'time decay less drift'] as const) {
      expect(error(typical) / errorOf(name)).toBeLessThan(0.6);
    }
    expect(mean(typical.map((one) => one.attribution.pearson))).toBeGreaterThan(0.9);
    expect(mean(typical.map((one) => one.attribution.sumRatio))).toBeGreaterThan(0.9);
    expect(mean(typical.map((one) => one.attribution.sumRatio))).toBeLessThan(1.1);
  });

  it('has intervals that cover the truth nine times of ten', () => {
    const coverage = mean(typical.map((one) => one.coverage));
    expect(coverage).toBeGreaterThan(0.85);
    expect(coverage).toBeLessThan(0.96);
  });

  it('credits next to nothing where posts bring nobody', () => {
    const measures = accounts(WORLDS.placebo).map((account) => measureAccount(account));
    expect(mean(measures.map((one) => one.creditedShare))).toBeLessThan(0.05);
  });

  it.each(['three shout-outs', 'three purges'] as const)('withstands %s', (name) => {
    const measures = accounts(WORLDS[name]).map((account) => measureAccount(account));
    expect(error(measures) / error(typical)).toBeLessThan(1.2);
    expect(mean(measures.map((one) => one.shockUnexplained))).toBeGreaterThan(0.8);
  });

  it('finds a delay of three hours', () => {
    const world = WORLDS['three hours of delay'];
    const ratio = (lags?: number[]) =>
      mean(
        accounts(world).map(
          (account) => measureAccount(account, lags ? { lags } : {}).attribution.sumRatio,
        ),
      );
    expect(ratio()).toBeGreaterThan(0.85);
    expect(ratio([0.5])).toBeLessThan(0.8);
  });

  it('is nearer to the truth where X shows profile clicks', () => {
    const clicked = accounts(WORLDS['profile clicks shown']);
    const aside = clicked.map((account) => ({
      ...account,
      posts: account.posts.map((post) => ({
        ...post,
        reads: post.reads.map((read) => ({ ...read, profileClicks: null })),
      })),
    }));
    const measures = clicked.map((account) => measureAccount(account));
    expect(error(measures) / error(aside.map((one) => measureAccount(one)))).toBeLessThan(0.95);
    expect(mean(measures.map((one) => one.coverage))).toBeGreaterThan(0.85);
  });

  it('refuses rounded counts', () => {
    const [account] = accounts(WORLDS['rounded counts']);
    if (!account) throw new Error('No account.');
    expect(measureAccount(account)).toMatchObject({ hours: 0, conservationError: 0 });
  });

  it('is the same run by run, shuffled and again, through an outage longer than settling takes', () => {
    const world = { ...TYPICAL_WORLD, days: 40, outages: [12, 240] };
    expect(measureDeterminism(world, 1, 31)).toEqual({ rerun: 0, shuffled: 0, incremental: 0 });
  });
});
