/**
 * What a drill plays: the same posts at the same virtual moments with and without faults, and which
 * fault strikes when. All of it follows from the seed and the number of faults.
 */
import type { DimensionValues, PostKind } from '../../shared/contracts/identifiers.ts';
import { mulberry32, type Rng } from '../../shared/learning/random.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { VOCABULARY } from '../start/audience.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Virtual time moves in multiples of this. */
const GRID_MINUTES = 30;

/** Fixed, so that a seed gives the same figures on every day. */
const STARTS_AT = new Date('2026-03-02T00:00:00Z');

/**
 * Both spans are longer than 48 h, from which on a post is learned from, and so short that no block of
 * hours is split for good (7 days after its start) before a fire that is late or whose clock is a day
 * ahead.
 */
const SHORT = { hours: 51, strideMinutes: 180, accounts: 2, posts: 10, postingHours: 2 };
const FULL = { hours: 96, strideMinutes: GRID_MINUTES, accounts: 4, posts: 80, postingHours: 94 };

/** Up to so many faults the short play has room enough. */
const SHORT_FAULTS = 40;

/** A post is tracked so many minutes after X published it, at most. */
const LATEST_TRACKING_MINUTES = 10;

export const FAULT_KINDS = [
  'function-killed',
  'scraper-killed',
  'postgres-killed',
  'rest-down',
  'cron-doubled',
  'cron-overlapping',
  'cron-late',
  'scraper-doubled',
  'x-slow',
  'x-outage',
  'x-rate-limited',
  'clock-ahead',
] as const;
type FaultKind = (typeof FAULT_KINDS)[number];

/** The jobs that pg_cron starts through pg_net. */
export const CRON_JOBS = ['attribution', 'learning', 'health'] as const;
type CronJob = (typeof CRON_JOBS)[number];

/** When in the work of its tick a fault strikes; requests are those that X has answered in it. */
export type Moment = { afterMs: number } | { afterRequests: number };

export type Fault = { tick: number; moment: Moment } & (
  | { kind: 'function-killed'; name: string }
  | { kind: 'scraper-killed' }
  | { kind: 'postgres-killed'; downMs: number }
  | { kind: 'rest-down'; how: 'starting' | 'cut'; downMs: number }
  | { kind: 'cron-doubled'; job: CronJob }
  | { kind: 'cron-overlapping'; job: CronJob; apartMs: number }
  /** Nothing fires for so many ticks; what is then due fires once, as pg_cron does. */
  | { kind: 'cron-late'; ticks: number }
  | { kind: 'scraper-doubled'; apartMs: number }
  /** `minutes` are virtual ones, as all that the pipeline itself waits for. */
  | { kind: 'x-slow'; latencyMs: number; minutes: number }
  | { kind: 'x-outage'; how: 'cut' | 'server-error'; minutes: number }
  | { kind: 'x-rate-limited'; minutes: number }
  | { kind: 'clock-ahead' }
);

export type PlannedPost = {
  tick: number;
  id: string;
  handle: string;
  postedAt: Date;
  kind: PostKind;
  /** What the text is in the end; `recommend` draws without a seed, and the bot says so. */
  dimensions: DimensionValues;
  deletedAfterHours: number | null;
};

export type Plan = {
  seed: number;
  startsAt: Date;
  handles: string[];
  ticks: Date[];
  posts: PlannedPost[];
  faults: Fault[];
};

/**
 * @param seed 0 to 2^32 - 1
 * @param ages of the scheduled reads of a post, in minutes
 */
export function createPlan(seed: number, faults: number, ages: number[]): Plan {
  const size = faults > SHORT_FAULTS ? FULL : SHORT;
  const rng = mulberry32(seed);
  const handles = Array.from({ length: size.accounts }, (_, index) => `drill_${index + 1}`);
  const drafts = draftPosts(size, handles, rng);
  const moments = momentsOf(size, drafts, ages);
  const ticks = moments.map((minutes) => new Date(STARTS_AT.getTime() + minutes * MINUTE_MS));
  const posts = drafts.map(({ minutes, ...post }) => ({ tick: moments.indexOf(minutes), ...post }));
  const plan = { seed, startsAt: STARTS_AT, handles, ticks, posts };
  return { ...plan, faults: placeFaults(plan, faults, ages, rng) };
}

type Size = typeof FULL;
type Draft = Omit<PlannedPost, 'tick'> & { minutes: number };

function draftPosts(size: Size, handles: string[], rng: Rng): Draft[] {
  const slots = (size.postingHours * 60) / GRID_MINUTES;
  const drafts = Array.from({ length: size.posts }, (_, index) => {
    const minutes = (1 + whole(rng, slots)) * GRID_MINUTES;
    const before = 1 + whole(rng, LATEST_TRACKING_MINUTES);
    const postedAt = new Date(STARTS_AT.getTime() + (minutes - before) * MINUTE_MS);
    const dimensions = Object.fromEntries(
      Object.entries(VOCABULARY).map(([dimension, values]) => [dimension, pick(rng, values)]),
    );
    return { minutes, id: snowflakeId(postedAt, index + 1), postedAt, dimensions };
  }).sort((a, b) => a.postedAt.getTime() - b.postedAt.getTime());
  return drafts.map((draft, index) => {
    const handle = handles[index % handles.length] as string;
    // The first ones stand on the timeline for good, so that it need not be scrolled for others.
    const ordinal = Math.floor(index / handles.length);
    return {
      ...draft,
      handle,
      // A reply is not on its author's timeline, so its own page is read.
      kind: ordinal % 4 === 3 ? 'reply' : 'single',
      deletedAfterHours: ordinal % 5 === 4 ? 5 : null,
    };
  });
}

/** The moments, in minutes from the start, at which there is something to do, and the stride. */
function momentsOf({ hours, strideMinutes }: Size, drafts: Draft[], ages: number[]): number[] {
  const moments = new Set(drafts.map(({ minutes }) => minutes));
  for (let minutes = 0; minutes <= hours * 60; minutes += strideMinutes) moments.add(minutes);
  for (const { postedAt } of drafts) {
    const posted = (postedAt.getTime() - STARTS_AT.getTime()) / MINUTE_MS;
    for (const age of ages) moments.add(Math.ceil((posted + age) / GRID_MINUTES) * GRID_MINUTES);
  }
  return [...moments].filter((minutes) => minutes <= hours * 60).sort((a, b) => a - b);
}

/** Every kind as often as the others, each at a tick of its own with work for it, while there are. */
function placeFaults(plan: Omit<Plan, 'faults'>, count: number, ages: number[], rng: Rng): Fault[] {
  // The first tick has no past, and after the last nothing could be late.
  const inner = plan.ticks.map((_, tick) => tick).slice(1, -1);
  const free = new Set(inner);
  const kinds = Array.from(
    { length: count },
    (_, index) => FAULT_KINDS[index % FAULT_KINDS.length],
  );
  return shuffled(rng, kinds)
    .map((kind) => draw(kind as FaultKind, plan, rng))
    .map(({ suits, ...fault }) => {
      const suitable = inner.filter((tick) => suits(tick, ages));
      const choice = [suitable.filter((tick) => free.has(tick)), [...free], suitable, inner];
      const tick = pick(rng, choice.find((ticks) => ticks.length > 0) ?? inner);
      free.delete(tick);
      return { tick, ...fault } as Fault;
    })
    .sort((a, b) => a.tick - b.tick);
}

type DrawnFault = Omit<Fault, 'tick'> & { suits: (tick: number, ages: number[]) => boolean };

function draw(kind: FaultKind, plan: Omit<Plan, 'faults'>, rng: Rng): DrawnFault {
  const between = (least: number, most: number) => least + whole(rng, most - least + 1);
  // A page of an account is three requests.
  const requests = { afterRequests: whole(rng, 3 * plan.handles.length) };
  const soon = { afterMs: between(0, 500) };
  const whileRead = rng() < 0.7 ? requests : soon;
  // Later, and what X suffers from would often be over before anybody asks it something.
  const atOnce = { afterRequests: whole(rng, 3) };
  const reads = (tick: number, ages: number[]) => hasReads(plan, tick, ages);
  const always = () => true;
  switch (kind) {
    case 'function-killed': {
      const name = pick(rng, [...CRON_JOBS, 'recommend', 'track-post']);
      const suits = (tick: number) => isCalled(plan, tick, name);
      return { kind, name, moment: { afterMs: between(0, 150) }, suits } as DrawnFault;
    }
    case 'scraper-killed':
      return { kind, moment: whileRead, suits: reads };
    case 'postgres-killed':
      return { kind, downMs: between(0, 1_500), moment: whileRead, suits: reads } as DrawnFault;
    case 'rest-down': {
      const how = pick(rng, ['starting', 'cut']);
      return {
        kind,
        how,
        downMs: between(1_000, 5_000),
        moment: whileRead,
        suits: reads,
      } as DrawnFault;
    }
    case 'cron-doubled':
      return { kind, job: pick(rng, [...CRON_JOBS]), moment: soon, suits: always } as DrawnFault;
    case 'cron-overlapping': {
      const job = pick(rng, [...CRON_JOBS]);
      return { kind, job, apartMs: between(5, 120), moment: soon, suits: always } as DrawnFault;
    }
    case 'cron-late':
      return { kind, ticks: between(1, 3), moment: { afterMs: 0 }, suits: always } as DrawnFault;
    case 'scraper-doubled':
      return { kind, apartMs: between(0, 300), moment: { afterMs: 0 }, suits: reads } as DrawnFault;
    case 'x-slow': {
      // A page is given up after 15 s: one in five is too slow.
      const latencyMs = rng() < 0.2 ? between(15_500, 18_000) : between(300, 2_000);
      return {
        kind,
        latencyMs,
        minutes: between(1, 5),
        moment: atOnce,
        suits: reads,
      } as DrawnFault;
    }
    case 'x-outage': {
      const how = pick(rng, ['cut', 'server-error']);
      // Longer, and the doubling wait would rightly reach past the 45 minutes of the first read.
      return { kind, how, minutes: between(1, 7), moment: atOnce, suits: reads } as DrawnFault;
    }
    case 'x-rate-limited':
      return { kind, minutes: 15, moment: atOnce, suits: reads } as DrawnFault;
    case 'clock-ahead':
      return { kind, moment: soon, suits: always };
  }
}

/** Whether reads of posts fall due between the tick before and this one. */
function hasReads({ ticks, posts }: Omit<Plan, 'faults'>, tick: number, ages: number[]): boolean {
  const from = ticks[tick - 1]?.getTime() ?? 0;
  const until = ticks[tick]?.getTime() ?? 0;
  return posts.some(({ postedAt }) =>
    ages.some((age) => {
      const due = postedAt.getTime() + age * MINUTE_MS;
      return due > from && due <= until;
    }),
  );
}

/** The minute of every second hour at which pg_cron starts a job. */
const CRON_MINUTES: Record<string, number> = { attribution: 5, learning: 35 };

function isCalled({ ticks, posts }: Omit<Plan, 'faults'>, tick: number, name: string): boolean {
  if (name === 'recommend' || name === 'track-post')
    return posts.some((post) => post.tick === tick);
  const minute = CRON_MINUTES[name];
  if (minute === undefined) return true;
  const period = (at: Date | undefined) =>
    Math.floor(((at?.getTime() ?? 0) - minute * MINUTE_MS) / (2 * HOUR_MS));
  return period(ticks[tick]) > period(ticks[tick - 1]);
}

const whole = (rng: Rng, below: number) => Math.floor(rng() * below);

function pick<Item>(rng: Rng, items: Item[]): Item {
  return items[whole(rng, items.length)] as Item;
}

function shuffled<Item>(rng: Rng, items: Item[]): Item[] {
  const order = items.map((item) => ({ item, at: rng() }));
  return order.sort((a, b) => a.at - b.at).map(({ item }) => item);
}
