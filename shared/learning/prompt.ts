import { z } from 'zod';
import { type DimensionValues, postIdSchema } from '../contracts/identifiers.ts';
import type { RisingPost } from '../contracts/recommend.ts';
import { valueEffectSchema } from './effects.ts';
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
const MAX_RISING = 3;

const LEGEND = [
  'Each value is compared with the average of its dimension, the other choices, the week and the',
  "hour being equal. effect: in spreads of this account's reward (1 = the usual distance of a post",
  'from the middle one). impressions: how many more (+) or fewer (-) a post with this value gets.',
  '80 %: the interval that holds the truth with that probability. P: probability that the effect is',
  'above 0. confidence: how much it was tried (uses / 30), not how sure the effect is. posts: ids of',
  'posts with this value, the best first.',
];

/** What a value has shown: its effect on the reward, and its lift of impressions. */
export const shownEffectSchema = valueEffectSchema.pick({
  uses: true,
  effect: true,
  effect_low_80: true,
  effect_high_80: true,
  prob_above_average: true,
  confidence: true,
  lift: true,
  lift_low_80: true,
  lift_high_80: true,
});
export type ShownEffect = z.infer<typeof shownEffectSchema>;

/**
 * One value in use; `performance` is null until a finished post has shown it. `posts` are the ids of
 * its posts, the best first: the receipts.
 */
export const valueEvidenceSchema = z.object({
  value: z.string().min(1),
  performance: shownEffectSchema.nullable(),
  posts: z.array(postIdSchema),
});
export type ValueEvidence = z.infer<typeof valueEvidenceSchema>;

export type PromptEvidence = {
  finishedPosts: number;
  dimensions: readonly { dimension: string; values: readonly ValueEvidence[] }[];
};

type Known = ValueEvidence & { performance: ShownEffect };

/**
 * The block to put in front of a writer's prompt: what to write now, then what the account's
 * finished posts have shown of each dimension: top (at least 5 uses and P at least 80 %), avoid (at
 * least 5 uses and P at most 20 %) and untested (under 5 uses) values with their evidence. Only
 * figures of the joint posterior are named, never raw means. Plain text, at most 24 lines a
 * dimension however large the vocabulary is.
 */
export function promptBlock(evidence: PromptEvidence, assigned: DimensionValues): string {
  const { finishedPosts, dimensions } = evidence;
  const lines = [choicesBlock(evidence, assigned), ''];
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

/** The choices alone, without any evidence: what a decision of the control share is given. */
export function choicesBlock({ dimensions }: PromptEvidence, assigned: DimensionValues): string {
  return ['Write the next post with these choices:', ...assignedLines(dimensions, assigned)].join(
    '\n',
  );
}

/** What a prompt adds about posts that are rising: the most likely three, each a line. */
export function risingBlock(rising: readonly RisingPost[]): string {
  return rising
    .slice(0, MAX_RISING)
    .map(
      ({ post_id, probability, threshold }) =>
        `Post ${post_id} is rising: it will pass ${Math.round(threshold)} impressions with P ${percent(probability)}, as one post in twenty does. A follow-up to it may be worth more than a new post.`,
    )
    .join('\n');
}

function dimensionLines(values: readonly ValueEvidence[]): string[] {
  const known = values
    .filter(isKnown)
    .sort((a, b) => b.performance.effect - a.performance.effect || byCodeUnits(a.value, b.value));
  const tried = known.filter(({ performance }) => performance.uses >= MIN_USES);
  const top = tried.filter(({ performance }) => performance.prob_above_average >= TOP_PROBABILITY);
  const avoid = tried
    .filter(({ performance }) => performance.prob_above_average <= AVOID_PROBABILITY)
    .reverse();
  const begun = known.filter(({ performance }) => performance.uses < MIN_USES);
  const never = values
    .filter(({ performance }) => performance === null)
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
  return value.performance !== null;
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

function shown({ performance, posts }: Known): string {
  const { effect, effect_low_80: low, effect_high_80: high } = performance;
  return [
    `effect ${signed(effect)} (80 %: ${signed(low)} to ${signed(high)})`,
    ...liftText(performance),
    counted(performance.uses, 'use'),
    `P ${percent(performance.prob_above_average)}`,
    `confidence ${performance.confidence.toFixed(2)}`,
    ...(posts.length > 0 ? [`posts ${posts.slice(0, MAX_POSTS).join(' ')}`] : []),
  ].join(', ');
}

function liftText({ lift, lift_low_80: low, lift_high_80: high }: ShownEffect): string[] {
  if (lift === null || low === null || high === null) return [];
  const text = (share: number) => {
    const whole = Math.round(share * 100);
    return whole === 0 ? '0 %' : `${whole < 0 ? '-' : '+'}${Math.abs(whole)} %`;
  };
  return [`impressions ${text(lift)} (80 %: ${text(low)} to ${text(high)})`];
}
