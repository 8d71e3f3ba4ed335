/** Attribution of simulated accounts, beside what people do without it, measured against the truth. */
import {
  type Attribution,
  type AttributionOptions,
  attributeAccount,
  interval90,
} from '../reference/attribution/account.ts';
import { HOUR_MS } from '../reference/attribution/hours.ts';
import { type SimulatedAccount, simulateAccount, type World } from '../worlds/account.ts';
import { equalSplit, followersAt, lastTouch, naiveDifference, timeDecay } from './baselines.ts';
import { mean, meanAbsoluteError, pearson, spearman, sum } from './scores.ts';

/** How near one way to credit posts is to the truth, over the posts that lived for 48 h. */
export type Accuracy = {
  /** Followers. */
  meanAbsoluteError: number;
  pearson: number;
  spearman: number;
  /** Sum of all credits over the followers that posts brought. */
  sumRatio: number;
};

export const HEURISTICS = ['last touch', 'equal split', 'time decay less drift'] as const;
export type Heuristic = (typeof HEURISTICS)[number];

export type AccountMeasures = {
  posts: number;
  attribution: Accuracy;
  /** Share of posts whose true followers lie in the 90 % interval. */
  coverage: number;
  /** Followers credited in all hours, over the account's growth. */
  creditedShare: number;
  /** The part of the shocks that is unexplained; NaN without shocks. */
  shockUnexplained: number;
  /** Followers credited in hours of gaps. */
  creditedInGaps: number;
  /** The largest error of credits + organic + unexplained in an hour, and of all posts together. */
  conservationError: number;
  hours: number;
};

const LONG_AFTER_MS = 60 * 24 * HOUR_MS;

/** Attributes an account long after its end, when all hours are settled, and measures the result. */
export function measureAccount(
  account: SimulatedAccount,
  options: Partial<AttributionOptions> = {},
): AccountMeasures {
  const result = attributeAccount(account, account.endsAt + LONG_AFTER_MS, options);
  const judged = judgedPosts(account);
  const { ledger, posts } = result;
  const covered = judged.filter((index) => {
    const post = posts[index];
    if (!post) return false;
    const { low, high } = interval90(post);
    const truth = account.truth[index] ?? 0;
    return truth >= low && truth <= high;
  });
  return {
    posts: judged.length,
    attribution: accuracy(
      account,
      posts.map(({ credit48h }) => credit48h),
    ),
    coverage: covered.length / judged.length,
    creditedShare: sum(ledger.credited) / sum(ledger.change),
    shockUnexplained: shockUnexplained(account, result),
    creditedInGaps: sum(ledger.credited.map((credit, i) => (ledger.gap[i] ? Math.abs(credit) : 0))),
    conservationError: conservationError(account, result),
    hours: ledger.change.length,
  };
}

/** The accuracy of the naive difference and of the heuristics, which know the true drift. */
export function measureHeuristics(
  account: SimulatedAccount,
  world: World,
): Record<Heuristic | 'naive 48 h difference', Accuracy> {
  const drift = (world.organicGainsPerDay - world.organicLossesPerDay) / 24;
  return {
    'naive 48 h difference': accuracy(account, naiveDifference(account)),
    'last touch': accuracy(account, lastTouch(account)),
    'equal split': accuracy(account, equalSplit(account)),
    'time decay less drift': accuracy(account, timeDecay(account, drift)),
  };
}

/** The posts whose 48 h lie within the simulated days. */
const judgedPosts = ({ posts, endsAt }: SimulatedAccount) =>
  posts.flatMap(({ postedAt }, index) => (postedAt + 48 * HOUR_MS <= endsAt ? [index] : []));

function accuracy(account: SimulatedAccount, credits: readonly number[]): Accuracy {
  const judged = judgedPosts(account);
  const truth = judged.map((index) => account.truth[index] ?? 0);
  const estimates = judged.map((index) => credits[index] ?? 0);
  return {
    meanAbsoluteError: meanAbsoluteError(estimates, truth),
    pearson: pearson(estimates, truth),
    spearman: spearman(estimates, truth),
    sumRatio: sum(estimates) / sum(truth),
  };
}

function shockUnexplained({ shocks }: SimulatedAccount, { ledger }: Attribution): number {
  return mean(
    shocks.map(({ at, size }) => {
      const hour = Math.floor(at / HOUR_MS) - ledger.firstHour;
      return sum(ledger.unexplained.subarray(hour - 1, hour + 2)) / size;
    }),
  );
}

/** Against the raw counts, as organic is what is left and would hide an error. */
function conservationError({ snapshots }: SimulatedAccount, { ledger, posts }: Attribution) {
  const exact = snapshots.filter(({ isExact }) => isExact);
  let worst = Math.abs(sum(posts.map(({ credit7d }) => credit7d)) - sum(ledger.credited));
  for (let i = 0; i < ledger.change.length; i += 1) {
    const start = (ledger.firstHour + i) * HOUR_MS;
    const observed = followersAt(exact, start + HOUR_MS) - followersAt(exact, start);
    const parts =
      (ledger.credited[i] ?? 0) + (ledger.organic[i] ?? 0) + (ledger.unexplained[i] ?? 0);
    worst = Math.max(worst, Math.abs(parts - observed));
  }
  return worst;
}

/** The number of stored values in which two attributions of the same account differ. */
export function differences(one: Attribution, other: Attribution): number {
  let count = 0;
  const compare = (x: unknown, y: unknown) => {
    if (!Object.is(x, y)) count += 1;
  };
  compare(one.ledger.firstHour, other.ledger.firstHour);
  for (const key of ['change', 'gap', 'exposure', 'credited', 'organic', 'unexplained'] as const) {
    compare(one.ledger[key].length, other.ledger[key].length);
    one.ledger[key].forEach((value, i) => {
      compare(value, other.ledger[key][i]);
    });
  }
  compare(one.blocks.length, other.blocks.length);
  one.blocks.forEach((block, i) => {
    for (const [key, value] of Object.entries(block)) {
      compare(value, other.blocks[i]?.[key as keyof typeof block]);
    }
  });
  compare(one.posts.length, other.posts.length);
  const byId = new Map(other.posts.map((post) => [post.id, post]));
  for (const post of one.posts) {
    for (const [key, value] of Object.entries(post)) {
      compare(value, byId.get(post.id)?.[key as keyof typeof post]);
    }
  }
  return count;
}

/** How much of the result depends on when and how it was computed: all zero. */
export function measureDeterminism(world: World, seed: number, everyHours: number) {
  const account = simulateAccount(world, seed);
  const end = account.endsAt + LONG_AFTER_MS;
  const once = attributeAccount(account, end);
  const shuffled = attributeAccount(
    {
      posts: account.posts
        .map((post) => ({ ...post, reads: post.reads.toReversed() }))
        .toSorted((one, other) => (one.id < other.id ? 1 : -1)),
      snapshots: account.snapshots.toReversed(),
    },
    end,
  );
  let run = attributeAccount(account, account.startsAt);
  for (let now = account.startsAt; now < end; now += everyHours * HOUR_MS) {
    run = attributeAccount(account, now, { before: run.settled });
  }
  run = attributeAccount(account, end, { before: run.settled });
  return {
    rerun: differences(once, attributeAccount(account, end)),
    shuffled: differences(once, shuffled),
    incremental: differences(once, run),
  };
}
