/** How long a watch for drift stays silent when nothing changes, and how soon it speaks otherwise. */
import { type DatedResidual, type DriftAlarm, watchDrift } from '../../shared/learning/drift.ts';
import { mulberry32, normal, type Rng } from '../../shared/learning/random.ts';
import { studentT } from '../worlds/draws.ts';
import { DIMENSION_SIZES } from './logged-slates.ts';

const POSTS_PER_DAY = 6;
const DAYS_PER_WEEK = 7;
const RUNS = 20;
const LONGEST_RUN_DAYS = 20_000;

/** Rewards are cut at three spreads before they are learned from. */
const CUT = 3;

export type DriftWorld = {
  /** Shift of every day's statistic, in its standard deviations. */
  dayShift?: number;
  /** Shift of the posts with one value, in standard deviations of a post. */
  valueShift?: number;
  /** Standard deviation of a week's common level, which the model learns from day to day. */
  weekSd?: number;
  /** Rewards are of Student's t with three degrees of freedom, cut as they are for learning. */
  heavyTails?: boolean;
  /** Watch the streams of values, not that of all posts. */
  byValue?: boolean;
};

export type RunLengths = {
  /** Days until the first alarm, on average; runs without one count as the longest run. */
  mean: number;
  median: number;
};

/** Run lengths of a watch that starts on the day of the change, if there is one. */
export function measureRunLengths(seeds: number, world: DriftWorld): RunLengths {
  const lengths: number[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const rng = mulberry32(seed);
    for (let run = 0; run < RUNS; run += 1) lengths.push(runLength(world, rng));
  }
  lengths.sort((a, b) => a - b);
  return {
    mean: lengths.reduce((sum, length) => sum + length, 0) / lengths.length,
    median: lengths[Math.floor(lengths.length / 2)] ?? Number.NaN,
  };
}

function runLength(world: DriftWorld, rng: Rng): number {
  const watch = watchDrift();
  const counts = ({ dimension }: DriftAlarm) => (dimension !== null) === (world.byValue ?? false);
  const week = { level: 0, seen: 0, posts: 0 };
  for (let day = 1; day <= LONGEST_RUN_DAYS; day += 1) {
    const posts = drawDay(world, day, week, rng);
    if (watch(`${day}`, posts).some(counts)) return day;
  }
  return LONGEST_RUN_DAYS;
}

/** The posts of a day; `week` is the week's level, and what the model has seen of it. */
function drawDay(
  { dayShift = 0, valueShift = 0, weekSd = 0, heavyTails = false, byValue = false }: DriftWorld,
  day: number,
  week: { level: number; seen: number; posts: number },
  rng: Rng,
): DatedResidual[] {
  if (day % DAYS_PER_WEEK === 1) {
    Object.assign(week, { level: weekSd * normal(rng), seen: 0, posts: 0 });
  }
  const precision = week.posts + 1 / weekSd ** 2;
  const known = weekSd === 0 ? 0 : week.seen / precision;
  const sd = weekSd === 0 ? 1 : Math.sqrt(1 + 1 / precision);
  return Array.from({ length: POSTS_PER_DAY }, () => {
    const values = byValue ? drawValues(rng) : {};
    const shift = dayShift / Math.sqrt(POSTS_PER_DAY) + (values.d0 === '0' ? valueShift : 0);
    const reward = week.level + (heavyTails ? cutTail(rng) : normal(rng)) + shift;
    week.seen += reward;
    week.posts += 1;
    return { day: `${day}`, residual: (reward - known) / sd, values };
  });
}

const drawValues = (rng: Rng): Record<string, string> =>
  Object.fromEntries(DIMENSION_SIZES.map((size, d) => [`d${d}`, `${Math.floor(rng() * size)}`]));

/** A draw of Student's t with three degrees of freedom, cut at three spreads, of unit variance. */
function cutTail(rng: Rng): number {
  const draw = studentT(rng, 3) / SPREAD_OF_T3;
  return Math.max(-CUT, Math.min(CUT, draw)) / SD_OF_CUT_T3;
}

/** 1.4826 times the median of |t|, and the standard deviation of t / that, cut at 3. */
const SPREAD_OF_T3 = 1.134;
const SD_OF_CUT_T3 = 1.1894;
