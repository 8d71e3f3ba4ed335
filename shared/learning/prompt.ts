import type { DimensionValues } from '../contracts/identifiers.ts';
import type { DimensionPerformanceRow } from './marginal.ts';
import { byCodeUnits } from './order.ts';
import { assignedLines, clipped, counted, percent, shortList, signed } from './prompt-text.ts';
import type { DimensionInput, RecommendationInputs } from './recommend.ts';

/** Uses from which a value can be called good or bad. */
const MIN_USES = 5;
const TOP_PROBABILITY = 0.8;
const AVOID_PROBABILITY = 0.2;

/** Per dimension: lines with evidence in each section. */
const MAX_LINES = 5;

const LEGEND = [
  'Each dimension is judged on its own. effect: how far a value lies above (+) or below (-) the',
  "average of its dimension, in spreads of this account's reward (1 = the usual distance of a post",
  'from the middle one), with its 80 % interval. P: probability that it is better than average.',
  'confidence: how much it was tried (uses / 30), not how sure the effect is.',
];

/**
 * The block to put in front of a writer's prompt: what to write now, then what the account's
 * finished posts have shown of each dimension, as top, avoid and untested values with their
 * evidence. Only posterior figures are named, never raw means. Plain text, at most 24 lines a
 * dimension however large the vocabulary is.
 */
export function promptBlock(inputs: RecommendationInputs, assigned: DimensionValues): string {
  const lines = [
    'Write the next post with these choices:',
    ...assignedLines(inputs.dimensions, assigned),
    '',
  ];
  const known = inputs.dimensions.some((dimension) => performances(dimension).length > 0);
  if (!known) {
    lines.push(
      'Nothing is known yet about what works on this account: no finished post has shown any of',
      'its values. Treat every choice as untested.',
    );
    return lines.join('\n');
  }
  lines.push(`What ${inputs.finished_posts} finished posts of this account have shown:`, ...LEGEND);
  for (const dimension of inputs.dimensions) {
    if (dimension.values.length > 0) lines.push('', ...dimensionLines(dimension));
  }
  return lines.join('\n');
}

function dimensionLines(dimension: DimensionInput): string[] {
  const rows = performances(dimension).sort(
    (a, b) => b.effect - a.effect || byCodeUnits(a.value, b.value),
  );
  const tried = rows.filter((row) => row.uses >= MIN_USES);
  const top = tried.filter((row) => row.prob_above_average >= TOP_PROBABILITY);
  const avoid = tried.filter((row) => row.prob_above_average <= AVOID_PROBABILITY).reverse();
  const begun = rows.filter((row) => row.uses < MIN_USES);
  const never = dimension.values
    .filter(({ performance }) => performance === null)
    .map(({ value }) => value)
    .sort(byCodeUnits);
  const undecided = tried.length - top.length - avoid.length;
  return [
    dimension.dimension,
    ...section('top', top),
    ...section('avoid', avoid),
    ...section(`untested (under ${MIN_USES} uses)`, begun, never),
    ...(undecided > 0 ? [`  no clear difference yet: ${counted(undecided, 'value')}`] : []),
  ];
}

function performances(dimension: DimensionInput): DimensionPerformanceRow[] {
  return dimension.values.flatMap(({ performance }) => (performance ? [performance] : []));
}

function section(
  title: string,
  rows: readonly DimensionPerformanceRow[],
  never: readonly string[] = [],
): string[] {
  if (rows.length + never.length === 0) return [];
  const left = rows.length - MAX_LINES;
  return [
    `  ${title}:`,
    ...rows.slice(0, MAX_LINES).map((row) => `  - ${clipped(row.value)}: ${evidence(row)}`),
    ...(left > 0 ? [`  - and ${left} more`] : []),
    ...(never.length > 0 ? [`  - never tried: ${shortList(never)}`] : []),
  ];
}

function evidence(row: DimensionPerformanceRow): string {
  const interval = `80 %: ${signed(row.effect_low_80)} to ${signed(row.effect_high_80)}`;
  return [
    `effect ${signed(row.effect)} (${interval})`,
    counted(row.uses, 'use'),
    `P ${percent(row.prob_above_average)}`,
    `confidence ${row.confidence.toFixed(2)}`,
  ].join(', ');
}
