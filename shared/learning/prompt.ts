import type { DimensionValues } from '../contracts/identifiers.ts';
import type { DimensionPerformanceRow } from './marginal.ts';
import { byCodeUnits } from './order.ts';
import type { DimensionInput, RecommendationInputs } from './recommend.ts';

/** Uses from which a value can be called good or bad. */
const MIN_USES = 5;
const TOP_PROBABILITY = 0.8;
const AVOID_PROBABILITY = 0.2;

/** Per dimension: lines with evidence in each section, and names of values never tried. */
const MAX_LINES = 5;
const MAX_NAMES = 8;
const MAX_NAME_LENGTH = 80;

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
  const lines = ['Write the next post with these choices:', ...assignedLines(inputs, assigned), ''];
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

function assignedLines(inputs: RecommendationInputs, assigned: DimensionValues): string[] {
  const positions = inputs.dimensions.map(({ dimension }) => dimension);
  const names = new Set([...positions, ...Object.keys(assigned).sort(byCodeUnits)]);
  const values = new Map(Object.entries(assigned));
  return [...names].flatMap((name) => {
    const value = values.get(name);
    return value === undefined ? [] : [`- ${name}: ${oneLine(value)}`];
  });
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

function shortList(names: readonly string[]): string {
  const left = names.length - MAX_NAMES;
  const named = names.slice(0, MAX_NAMES).map(clipped).join('; ');
  return left > 0 ? `${named}; and ${left} more` : named;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function signed(value: number): string {
  const digits = Math.abs(value).toFixed(2);
  if (digits === '0.00') return digits;
  return `${value < 0 ? '-' : '+'}${digits}`;
}

/** Whole percent; nothing short of certain is shown as 0 or 100. */
function percent(probability: number): string {
  const whole = Math.round(probability * 100);
  if (whole === 0 && probability > 0) return 'under 1 %';
  if (whole === 100 && probability < 1) return 'over 99 %';
  return `${whole} %`;
}

function clipped(value: string): string {
  const line = oneLine(value);
  return line.length > MAX_NAME_LENGTH ? `${line.slice(0, MAX_NAME_LENGTH - 1)}…` : line;
}

/** A value is data: it must not be able to start a line of its own in the writer's prompt. */
function oneLine(value: string): string {
  return value.replace(/\s+/g, ' ').trim();
}
