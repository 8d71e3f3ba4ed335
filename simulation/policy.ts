/** What the policy loses against the best choice, in accounts where that is known. */

import { atMost, type Bar } from '../local/terminal/bars.ts';
import { ALARM_DISCOUNT } from '../shared/learning/additive.ts';
import {
  epsilonGreedy,
  jointThompson,
  marginalThompson,
  type Policy,
  type PolicyRun,
  rawMeanRule,
  regretShares,
  USUAL_HALF_LIFE_POSTS,
  USUAL_RUN,
} from './studies/policy-study.ts';
import { mean } from './studies/scores.ts';
import type { FigureTable, Topic } from './topic.ts';
import { type ContentWorld, SIX_DIMENSIONS } from './worlds/content-world.ts';

const CHECKPOINTS = [100, 300, USUAL_RUN.posts];
const NEVER_FORGETS = () => Number.POSITIVE_INFINITY;
const POSTS_PER_DAY = SIX_DIMENSIONS.postsPerDay;
const SHIFT_AT = 500;
/** Ten days after the shift. */
const ALARM_AT = SHIFT_AT + 10 * POSTS_PER_DAY;
const FOUR_WEEKS = 28 * POSTS_PER_DAY;
const SHORT = 21 * POSTS_PER_DAY;

const WARM: PolicyRun = { ...USUAL_RUN, warmPosts: 300 };
const SHIFTED: PolicyRun = { ...USUAL_RUN, shiftAt: SHIFT_AT };

/** All posts before the alarm lose weight at once, for good. */
const alarmDiscount = jointThompson({
  halfLifePosts: (post) =>
    post >= ALARM_AT && post < ALARM_AT + USUAL_RUN.refitEvery
      ? USUAL_RUN.refitEvery / -Math.log2(ALARM_DISCOUNT)
      : USUAL_HALF_LIFE_POSTS,
});
const fourShortWeeks = jointThompson({
  halfLifePosts: (post) =>
    post > ALARM_AT && post <= ALARM_AT + FOUR_WEEKS ? SHORT : USUAL_HALF_LIFE_POSTS,
});
const alwaysShort = jointThompson({ halfLifePosts: () => SHORT });

type Arm = { name: string; world?: Partial<ContentWorld>; run?: PolicyRun; policy?: Policy };

/** Each with the bar of its share of the regret of random choices after all posts. */
const WORLDS: (Arm & { bar: number })[] = [
  { name: 'cold', bar: 0.3 },
  { name: 'warm, 300 habitual posts', run: WARM, bar: 0.18 },
  { name: 'pairs of values interact', world: { interactionSd: 0.1 }, bar: 0.33 },
  { name: 'noise 1.5', world: { noise: 1.5 }, bar: 0.4 },
  { name: 'outcomes 48 posts late', run: { ...USUAL_RUN, delay: 48 }, bar: 0.33 },
];

const RIVALS = {
  'nine in ten greedy, marginal': epsilonGreedy,
  'raw mean times uses / 30': rawMeanRule,
} satisfies Record<string, Policy>;

const OTHERS: Arm[] = [
  { name: 'cold: Thompson sampling, marginal', policy: marginalThompson },
  { name: 'warm: Thompson sampling, marginal', run: WARM, policy: marginalThompson },
  { name: 'cold: alpha 1', policy: jointThompson({ alpha: 1 }) },
  { name: 'cold: alpha 0.3', policy: jointThompson({ alpha: 0.3 }) },
  { name: 'cold: forgets nothing', policy: jointThompson({ halfLifePosts: NEVER_FORGETS }) },
  { name: 'cold: an alarm without a cause', policy: alarmDiscount },
];

const SHIFTS: (Arm & { bar?: number })[] = [
  { name: 'forgets nothing', policy: jointThompson({ halfLifePosts: NEVER_FORGETS }) },
  { name: 'half-life 90 days', policy: jointThompson() },
  { name: 'half-life 21 days', policy: alwaysShort, bar: 0.55 },
  { name: 'alarm after 10 days: 21 days for four weeks', policy: fourShortWeeks },
  {
    name: `alarm after 10 days: times ${ALARM_DISCOUNT} at once`,
    policy: alarmDiscount,
    bar: 0.55,
  },
];

export const policy: Topic = {
  name: 'policy',
  summary: 'regret of what recommend draws, against random choices and simple rules',
  seeds: 32,
  run({ seeds }, progress) {
    const table: FigureTable = {
      title: 'Regret as a share of that of random choices',
      head: ['', ...CHECKPOINTS.map((posts) => `${posts} posts`), 'worst tenth'],
      rows: [],
    };
    const measure = (arm: Arm): number => {
      progress(arm.name);
      const world = { ...SIX_DIMENSIONS, ...arm.world };
      const shares = Array.from({ length: seeds }, (_, seed) =>
        regretShares(world, arm.run ?? USUAL_RUN, arm.policy ?? jointThompson(), seed, CHECKPOINTS),
      );
      const at = (checkpoint: number) => shares.map((one) => one[checkpoint] ?? Number.NaN);
      const last = CHECKPOINTS.length - 1;
      const means = CHECKPOINTS.map((_, checkpoint) => mean(at(checkpoint)));
      const sorted = at(last).sort((a, b) => a - b);
      const tenth = sorted[Math.ceil(0.9 * sorted.length) - 1] ?? Number.NaN;
      table.rows.push([arm.name, ...means, tenth]);
      return means[last] ?? Number.NaN;
    };
    const bars: Bar[] = [];
    const regrets = WORLDS.map((arm) => {
      const regret = measure(arm);
      bars.push(atMost(`B1 ${arm.name}`, regret, arm.bar));
      return regret;
    });
    const [cold = Number.NaN] = regrets;
    const [greedy, rule] = Object.entries(RIVALS).map(([name, rival]) =>
      measure({ name: `cold: ${name}`, policy: rival }),
    );
    bars.push(
      atMost('B2 cold / nine in ten greedy', cold / (greedy ?? Number.NaN), 0.7),
      atMost('B2 cold / raw mean rule', cold / (rule ?? Number.NaN), 0.5),
    );
    for (const arm of OTHERS) measure(arm);
    for (const { bar, ...arm } of SHIFTS) {
      const name = `all effects change after ${SHIFT_AT}: ${arm.name}`;
      const regret = measure({ ...arm, name, run: SHIFTED });
      if (bar !== undefined) bars.push(atMost(`B3 ${name}`, regret, bar));
    }
    return { bars, tables: [table] };
  },
};
