import type { DimensionValues } from '../contracts/identifiers.ts';
import type { ValueEffect } from './effects.ts';
import { byCodeUnits } from './order.ts';
import { assignedLines, clipped, counted, percent, shortList, signed } from './prompt-text.ts';

/** Uses from which a value can be called good or bad. */
const MIN_USES = 5;
const TOP_PROBABILITY = 0.8;
const AVOID_PROBABILITY = 0.2;

/** Per dimension: lines with evidence in each section. */
const MAX_LINES = 5;
/** Per value. */
const MAX_POSTS = 3;

const LEGEND = [
  'Each value is compared with the average of its dimension, the other choices, the week and the',
  "hour being equal. effect: in spreads of this account's reward (1 = the usual distance of a post",
  'from the middle one). impressions: how many more (+) or fewer (-) a post with this value gets.',
  '80 %: the interval that holds the truth with that probability. P: probability that the effect is',
  'above 0. confidence: how much it was tried (uses / 30), not how sure the effect is. posts: ids of',
  'posts with this value, the best first.',
];

/** One value in use; `effect` is null until a finished post has shown it. */
export type ValueEvidence = {
  value: string;
  /** Of the reward. */
  effect: ValueEffect | null;
  /** Of impressions, with its lift. */
  impressions: ValueEffect | null;
  /** Ids of its posts, the best first: the receipts. */
  posts: readonly string[];
};

export type JointEvidence = {
  finishedPosts: number;
  dimensions: readonly { dimension: string; values: readonly ValueEvidence[] }[];
};

type Known = ValueEvidence & { effect: ValueEffect };

/**
 * The block to put in front of a writer's prompt: what to write now, then what the account's
 * finished posts have shown of each dimension: top (at least 5 uses and P at least 80 %), avoid (at
 * least 5 uses and P at most 20 %) and untested (under 5 uses) values with their evidence. Only
 * figures of the joint posterior are named, never raw means. Plain text, at most 24 lines a
 * dimension however large the vocabulary is.
 */
export function jointPromptBlock(evidence: JointEvidence, assigned: DimensionValues): string {
  const { finishedPosts, dimensions } = evidence;
  const lines = ['Write the next post with these choices:', ...assignedLines(dimensions, assigned)];
  lines.push('');
  if (!dimensions.some(({ values }) => values.some(isKnown))) {
    lines.push(
      'Nothing is known yet about what works on this account: no finished post has shown any of',
      'its values. Treat every choice as untested.',
    );
    return lines.join('\n');
  }
  lines.push(`What ${counted(finishedPosts, 'finished post')} of this account showed:`, ...LEGEND);
  for (const { dimension, values } of dimensions) {
    if (values.length > 0) lines.push('', dimension, ...dimensionLines(values));
  }
  return lines.join('\n');
}

function dimensionLines(values: readonly ValueEvidence[]): string[] {
  const known = values
    .filter(isKnown)
    .sort((a, b) => b.effect.effect - a.effect.effect || byCodeUnits(a.value, b.value));
  const tried = known.filter(({ effect }) => effect.uses >= MIN_USES);
  const top = tried.filter(({ effect }) => effect.prob_above_average >= TOP_PROBABILITY);
  const avoid = tried
    .filter(({ effect }) => effect.prob_above_average <= AVOID_PROBABILITY)
    .reverse();
  const begun = known.filter(({ effect }) => effect.uses < MIN_USES);
  const never = values
    .filter(({ effect }) => effect === null)
    .map(({ value }) => value)
    .sort(byCodeUnits);
  const undecided = tried.length - top.length - avoid.length;
  return [
    ...section('top', top),
    ...section('avoid', avoid),
    ...section(`untested (under ${MIN_USES} uses)`, begun, never),
    ...(undecided > 0 ? [`  no clear difference yet: ${counted(undecided, 'value')}`] : []),
  ];
}

function isKnown(value: ValueEvidence): value is Known {
  return value.effect !== null;
}

function section(title: string, values: readonly Known[], never: readonly string[] = []): string[] {
  if (values.length + never.length === 0) return [];
  const left = values.length - MAX_LINES;
  return [
    `  ${title}:`,
    ...values.slice(0, MAX_LINES).map((one) => `  - ${clipped(one.value)}: ${shown(one)}`),
    ...(left > 0 ? [`  - and ${left} more`] : []),
    ...(never.length > 0 ? [`  - never tried: ${shortList(never)}`] : []),
  ];
}

function shown({ effect, impressions, posts }: Known): string {
  const { effect_low_80: low, effect_high_80: high } = effect;
  return [
    `effect ${signed(effect.effect)} (80 %: ${signed(low)} to ${signed(high)})`,
    ...(impressions ? liftText(impressions) : []),
    counted(effect.uses, 'use'),
    `P ${percent(effect.prob_above_average)}`,
    `confidence ${effect.confidence.toFixed(2)}`,
    ...(posts.length > 0 ? [`posts ${posts.slice(0, MAX_POSTS).join(' ')}`] : []),
  ].join(', ');
}

function liftText({ lift, lift_low_80: low, lift_high_80: high }: ValueEffect): string[] {
  if (lift === null || low === null || high === null) return [];
  const text = (share: number) => {
    const whole = Math.round(share * 100);
    return whole === 0 ? '0 %' : `${whole < 0 ? '-' : '+'}${Math.abs(whole)} %`;
  };
  return [`impressions ${text(lift)} (80 %: ${text(low)} to ${text(high)})`];
}
