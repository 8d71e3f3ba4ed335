/** How well attribution finds out which post brought whom, in worlds where that is known. */

import { atLeast, atMost, type Bar } from '../local/terminal/bars.ts';
import { ATTRIBUTION, type AttributionOptions } from './reference/attribution/account.ts';
import { USUAL_LAG_H } from './reference/attribution/lag.ts';
import {
  type AccountMeasures,
  type Accuracy,
  HEURISTICS,
  measureAccount,
  measureDeterminism,
  measureHeuristics,
} from './studies/attribution-study.ts';
import { mean } from './studies/scores.ts';
import type { FigureTable, Topic } from './topic.ts';
import { type SimulatedAccount, simulateAccount, type World } from './worlds/account.ts';
import { COVERAGE_WORLDS, WORLDS, type WorldName } from './worlds/worlds.ts';

/** One block of all hours: what is lost when an account is split in blocks that settle. */
const NO_BLOCKS: Partial<AttributionOptions> = { blockHours: 1e7, rateHours: 1e7 };
const DAY_H = 24;
const ALTERNATIVES: Record<string, Partial<AttributionOptions>> = {
  'no blocks': NO_BLOCKS,
  ...Object.fromEntries(
    [1, 2, 3, 4, 7].map((days) => [
      `blocks of ${days} d`,
      { blockHours: days * DAY_H } satisfies Partial<AttributionOptions>,
    ]),
  ),
  ...Object.fromEntries(
    [3, 4, 6, 8].map((days) => [
      `settled after ${days} d`,
      { settleHours: days * DAY_H } satisfies Partial<AttributionOptions>,
    ]),
  ),
};
const ALTERNATIVE_WORLDS = ['typical', 'large account', 'late cascades'] as const;

export const attribution: Topic = {
  name: 'attribution',
  summary: 'followers credited to posts, against simulated accounts whose followers are known',
  seeds: 20,
  run({ seeds }, progress) {
    const measured = new Map<WorldName, AccountMeasures[]>();
    for (const [name, world] of Object.entries(WORLDS) as [WorldName, World][]) {
      progress(`World: ${name}`);
      measured.set(name, eachSeed(seeds, world));
    }
    const of = (name: WorldName, key: keyof Omit<AccountMeasures, 'attribution'>) =>
      mean((measured.get(name) ?? []).map((one) => one[key]));
    const accuracyOf = (name: WorldName, key: keyof Accuracy) =>
      mean((measured.get(name) ?? []).map((one) => one.attribution[key]));
    const error = (name: WorldName) => accuracyOf(name, 'meanAbsoluteError');

    progress('A delay that is not looked for');
    const fixedDelay = mean(
      eachSeed(seeds, WORLDS['three hours of delay'], { lags: [USUAL_LAG_H] }).map(
        (one) => one.attribution.sumRatio,
      ),
    );
    progress('Rounded counts taken for exact ones');
    const believed = eachSeed(seeds, WORLDS['rounded counts'], {}, (account) => {
      for (const snapshot of account.snapshots) snapshot.isExact = true;
    });
    progress('Profile clicks left aside');
    const unclicked = (name: WorldName) =>
      meanAccuracy(eachSeed(seeds, WORLDS[name], {}, forgetClicks).map((one) => one.attribution));
    const withoutClicks = unclicked('profile clicks shown');
    const withoutMeaning = unclicked('profile clicks without meaning');
    progress('What people do without a model');
    const heuristics = new Map(
      [...measured.keys()].map((name) => [name, meanHeuristics(seeds, WORLDS[name])]),
    );
    const naive = (name: WorldName) =>
      heuristics.get(name)?.['naive 48 h difference'].meanAbsoluteError ?? Number.NaN;
    const against = (name: WorldName) => {
      const errors = heuristics.get(name);
      return Math.min(...HEURISTICS.map((one) => errors?.[one]?.meanAbsoluteError ?? Number.NaN));
    };
    progress('The same accounts again: shuffled, and run by run');
    const determinism = measureRuns(Math.min(seeds, 3));
    const alternatives = measureAlternatives(seeds, progress);

    const coverages = Object.keys(COVERAGE_WORLDS).map((name) => of(name as WorldName, 'coverage'));
    const all = [...measured.values()].flat();
    const bars: Bar[] = [
      atMost(
        'A1 conservation, largest error of an hour',
        Math.max(...all.map((one) => one.conservationError)),
        1e-6,
      ),
      atMost('A2 error / naive difference', error('typical') / naive('typical'), 0.05),
      atMost('A2 error / best heuristic', error('typical') / against('typical'), 0.5),
      atLeast('A3 Spearman', accuracyOf('typical', 'spearman'), 0.7),
      atLeast('A3 Pearson', accuracyOf('typical', 'pearson'), 0.93),
      atLeast('A4 sum of credits / truth', accuracyOf('typical', 'sumRatio'), 0.93),
      atMost('A4 sum of credits / truth', accuracyOf('typical', 'sumRatio'), 1.07),
      atLeast('A5 coverage of 90 %, least of 7 worlds', Math.min(...coverages), 0.86),
      atMost('A5 coverage of 90 %, largest of 7 worlds', Math.max(...coverages), 0.97),
      atLeast('A5 coverage of 90 %, mean of 7 worlds', mean(coverages), 0.88),
      atMost('A5 coverage of 90 %, mean of 7 worlds', mean(coverages), 0.95),
      atMost('A6 placebo, share credited', of('placebo', 'creditedShare'), 0.05),
      ...(['three shout-outs', 'three purges'] as const).flatMap((name) => [
        atMost(`A7 ${name}: error / calm`, error(name) / error('typical'), 1.15),
        atLeast(`A7 ${name}: part unexplained`, of(name, 'shockUnexplained'), 0.85),
      ]),
      atLeast(
        'A8 3 h of delay: sum of credits / truth',
        accuracyOf('three hours of delay', 'sumRatio'),
        0.85,
      ),
      atMost('A8 the same, delay not looked for (control)', fixedDelay, 0.8),
      ...Object.entries(determinism).map(([name, value]) =>
        atMost(`A9 values that differ: ${name}`, value, 0),
      ),
      atMost(
        'Profile clicks shown: error / the same without them',
        error('profile clicks shown') / withoutClicks.meanAbsoluteError,
        0.9,
      ),
      atLeast(
        'Profile clicks shown: coverage of 90 %',
        of('profile clicks shown', 'coverage'),
        0.86,
      ),
      atMost(
        'Profile clicks without meaning (control): error / the same without them',
        error('profile clicks without meaning') / withoutMeaning.meanAbsoluteError,
        1.2,
      ),
      atMost('Hours attributed from rounded counts', of('rounded counts', 'hours'), 0),
      atMost('Followers credited within gaps', of('outages', 'creditedInGaps'), 0),
      ...(
        [
          ['late cascades', 0.5],
          ['tiring audience', 0.6],
        ] as const
      ).flatMap(([name, bar]) => [
        atMost(`${capital(name)}: error / best heuristic`, error(name) / against(name), bar),
        atLeast(`${capital(name)}: coverage of 90 %`, of(name, 'coverage'), 0.85),
      ]),
    ];
    const tables: FigureTable[] = [
      {
        title: 'Attribution by world, followers within 48 h',
        head: [
          ...['world', 'error', 'naive', 'best heuristic', 'Spearman', 'Pearson'],
          ...['sum / truth', 'coverage', 'credited'],
        ],
        rows: [...measured].map(([name]) => [
          name,
          error(name),
          naive(name),
          against(name),
          accuracyOf(name, 'spearman'),
          accuracyOf(name, 'pearson'),
          accuracyOf(name, 'sumRatio'),
          of(name, 'coverage'),
          of(name, 'creditedShare'),
        ]),
      },
      {
        title: 'Other ways in the typical world',
        head: ['way', 'error', 'Pearson', 'Spearman', 'sum / truth'],
        rows: [
          ...Object.entries(heuristics.get('typical') ?? {}),
          ['profile clicks shown and left aside', withoutClicks],
          ['rounded counts taken for exact', meanAccuracy(believed.map((one) => one.attribution))],
        ].map(([name, one]) => accuracyRow(name as string, one as Accuracy)),
      },
      alternatives,
    ];
    return { bars, tables };
  },
};

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function eachSeed(
  seeds: number,
  world: World,
  options: Partial<AttributionOptions> = {},
  change: (account: SimulatedAccount) => void = () => {},
): AccountMeasures[] {
  return seedsUpTo(seeds).map((seed) => {
    const account = simulateAccount(world, seed);
    change(account);
    return measureAccount(account, options);
  });
}

function forgetClicks({ posts }: SimulatedAccount): void {
  for (const { reads } of posts) for (const read of reads) read.profileClicks = null;
}

const seedsUpTo = (seeds: number) => Array.from({ length: seeds }, (_, index) => index + 1);

function meanHeuristics(seeds: number, world: World) {
  const each = seedsUpTo(seeds).map((seed) =>
    measureHeuristics(simulateAccount(world, seed), world),
  );
  const of = (name: keyof (typeof each)[number]) => meanAccuracy(each.map((one) => one[name]));
  return {
    'naive 48 h difference': of('naive 48 h difference'),
    'last touch': of('last touch'),
    'equal split': of('equal split'),
    'time decay less drift': of('time decay less drift'),
  };
}

const meanAccuracy = (each: readonly Accuracy[]): Accuracy => ({
  meanAbsoluteError: mean(each.map((one) => one.meanAbsoluteError)),
  pearson: mean(each.map((one) => one.pearson)),
  spearman: mean(each.map((one) => one.spearman)),
  sumRatio: mean(each.map((one) => one.sumRatio)),
});

const accuracyRow = (name: string, one: Accuracy) => [
  name,
  one.meanAbsoluteError,
  one.pearson,
  one.spearman,
  one.sumRatio,
];

/** Runs every 30 hours, so that they fall on no block's end. */
function measureRuns(seeds: number): Record<string, number> {
  const names = ['typical', 'outages', 'three shout-outs', 'profile clicks shown'] as const;
  const worlds = names.map((name) => WORLDS[name]);
  const runs = worlds.flatMap((world) =>
    seedsUpTo(seeds).map((seed) => measureDeterminism(world, seed, 30)),
  );
  const total = (key: keyof (typeof runs)[number]) => runs.reduce((sum, run) => sum + run[key], 0);
  return {
    'run twice': total('rerun'),
    'input shuffled': total('shuffled'),
    'run by run or all at once': total('incremental'),
  };
}

/** What the length of blocks and the time until they settle cost. */
function measureAlternatives(seeds: number, progress: (step: string) => void): FigureTable {
  const chosen = `blocks of ${ATTRIBUTION.blockHours / DAY_H} d, settled after ${ATTRIBUTION.settleHours / DAY_H} d`;
  return {
    title: `Error with other blocks than the chosen ${chosen}`,
    head: ['', ...ALTERNATIVE_WORLDS, 'cascades: credited'],
    rows: Object.entries(ALTERNATIVES).map(([name, options]) => {
      progress(`Alternative: ${name}`);
      const each = ALTERNATIVE_WORLDS.map((world) => eachSeed(seeds, WORLDS[world], options));
      return [
        name,
        ...each.map((one) => meanAccuracy(one.map((m) => m.attribution)).meanAbsoluteError),
        mean((each[2] ?? []).map((m) => m.creditedShare)),
      ];
    }),
  };
}
