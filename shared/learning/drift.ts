/**
 * Whether posts still do what was learned. Each post is compared with what the model of the day
 * before expected of it. The differences add up day by day until chance no longer explains them.
 *
 * Method: two-sided CUSUM (Page 1954) of standardised one-step residuals. One stream watches all
 * posts by day. One more for each value of each dimension watches the posts with that value, for the
 * level of weeks is a random effect of the model, which absorbs what all posts have in common.
 */
import type { DimensionValues } from '../contracts/identifiers.ts';
import { byCodeUnits } from './order.ts';

/** Slack of the CUSUM, in standard deviations of a day: best for shifts of twice as much. */
const SLACK = 0.5;

/** The sum that raises an alarm: by chance once in about 465 steps at slack 0.5. */
const LIMIT = 5;

/**
 * A post's standardised residual (y - x'm) / sqrt(sigma^2 + x'Sx), by a model that was fitted without
 * this post and those after it; `day` is its UTC day of posting as YYYY-MM-DD.
 */
export type DatedResidual = { day: string; residual: number; values: DimensionValues };

export type DriftAlarm = {
  /** Null for the stream of all posts, as is `value`. */
  dimension: string | null;
  value: string | null;
  direction: 'up' | 'down';
  /** The first day of the run that led to the alarm: about when the change came. */
  since: string;
  /** The day that raised it. */
  day: string;
  /** Where the sum was, and the limit that it passed. */
  sum: number;
  limit: number;
};

export type DriftOptions = { slack?: number; limit?: number };

/**
 * The alarms of an account's history. A pure function of all of it, whatever its order; alarms of
 * past days do not change when days are added. A stream starts again after its alarm.
 */
export function driftAlarms(
  residuals: readonly DatedResidual[],
  options: DriftOptions = {},
): DriftAlarm[] {
  const days = new Map<string, DatedResidual[]>();
  for (const residual of residuals) {
    const same = days.get(residual.day);
    if (same) same.push(residual);
    else days.set(residual.day, [residual]);
  }
  const watch = watchDrift(options);
  return [...days.entries()]
    .sort(([a], [b]) => byCodeUnits(a, b))
    .flatMap(([day, posts]) => watch(day, posts));
}

type Stream = { up: Side; down: Side };
type Side = { sum: number; since: string };

/**
 * A watch that is shown one day after the other, with all of a day's posts at once, and answers with
 * the alarms of that day.
 *
 * The limit of the values' streams grows by ln(steps a day) / (2 slack): chance takes e^(2 slack) times
 * as long to one more of the sum, so that all of them together raise false alarms about as rarely as
 * one stream does. The steps are counted up to that day.
 */
export function watchDrift({
  slack = SLACK,
  limit = LIMIT,
}: DriftOptions = {}): (day: string, posts: readonly DatedResidual[]) => DriftAlarm[] {
  const streams = new Map<string, Stream>();
  let days = 0;
  let steps = 0;

  const step = (
    dimension: string | null,
    value: string | null,
    day: string,
    residuals: readonly number[],
    streamLimit: number,
  ): DriftAlarm[] => {
    const key = JSON.stringify([dimension, value]);
    const before = streams.get(key) ?? { up: { sum: 0, since: day }, down: { sum: 0, since: day } };
    const z = dayStatistic(residuals);
    const stream = {
      up: added(before.up, z - slack, day),
      down: added(before.down, -z - slack, day),
    };
    const raised = (['up', 'down'] as const).filter(
      (direction) => stream[direction].sum > streamLimit,
    );
    if (raised.length > 0) streams.delete(key);
    else streams.set(key, stream);
    return raised.map((direction) => {
      const { sum, since } = stream[direction];
      return { dimension, value, direction, since, day, sum, limit: streamLimit };
    });
  };

  return (day, posts) => {
    if (posts.length === 0) return [];
    const byValue = residualsByValue(posts);
    days += 1;
    steps += byValue.length;
    const valueLimit = limit + Math.log(Math.max(1, steps / days)) / (2 * slack);
    const all = posts.map(({ residual }) => residual);
    return [
      ...step(null, null, day, all, limit),
      ...byValue.flatMap(({ dimension, value, residuals }) =>
        step(dimension, value, day, residuals, valueLimit),
      ),
    ];
  };
}

/** A day's posts as one standard normal: the mean times sqrt(n), summed in order of size. */
function dayStatistic(residuals: readonly number[]): number {
  const sum = Float64Array.from(residuals)
    .sort()
    .reduce((total, residual) => total + residual, 0);
  return sum / Math.sqrt(residuals.length);
}

function added({ sum, since }: Side, change: number, day: string): Side {
  return { sum: Math.max(0, sum + change), since: sum === 0 ? day : since };
}

function residualsByValue(posts: readonly DatedResidual[]) {
  const groups = new Map<string, { dimension: string; value: string; residuals: number[] }>();
  for (const { residual, values } of posts) {
    for (const [dimension, value] of Object.entries(values)) {
      const key = JSON.stringify([dimension, value]);
      const group = groups.get(key);
      if (group) group.residuals.push(residual);
      else groups.set(key, { dimension, value, residuals: [residual] });
    }
  }
  return [...groups.values()].sort(
    (a, b) => byCodeUnits(a.dimension, b.dimension) || byCodeUnits(a.value, b.value),
  );
}
