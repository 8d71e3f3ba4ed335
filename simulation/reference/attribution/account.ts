/**
 * Splits an account's follower change, hour by hour, between organic drift, posts and shocks.
 *
 * Hours come in blocks of a fixed length, counted from 1970. A block settles a fixed time after its
 * end. Its split rests on the reads made until then, on its own hours and on the four weeks up to its
 * end, and on nothing else: it is a function of the data, whenever and however often it is computed.
 * Until it settles it is split anew in each run with what is there; afterwards never again.
 *
 * In SQL: `postloop.plan_splits` and `postloop.split_blocks`, under `attribute_posts`.
 * tests/database/attribution-parity.test.ts compares what the two store of whole accounts.
 */
import { HALF_90 } from '../../../shared/learning/normal.ts';
import {
  ACTIVE_HOURS,
  type AttributedPost,
  addExposure,
  clickWeights,
  type Segment,
  segmentsOf,
} from './exposure.ts';
import {
  type FollowerSnapshot,
  HOUR_MS,
  type HourlyChanges,
  hourlyChanges,
  hourOf,
} from './hours.ts';
import { fitLaggedRates, LAGS_H, LONGEST_REACH_H, laggedAt, lagKernel } from './lag.ts';
import { explainedPart, type Rates, shrinkConversion } from './rates.ts';
import {
  addCredit,
  type BlockExposure,
  type CreditSums,
  creditPosts,
  estimateConversions,
  NO_CREDIT,
  totalExposure,
} from './split.ts';

export type AttributionOptions = {
  /** Length of a block. */
  blockHours: number;
  /** From the end of a block until it settles. */
  settleHours: number;
  /** From the moment that a block settles as of until it is stored for good: reads are on their way. */
  deliveryHours: number;
  /** The hours that the rates rest on, up to the block's end. */
  rateHours: number;
  /** Passes of expectation and maximisation. */
  passes: number;
  /** Shape of the Gamma that posts' conversions follow; their coefficient of variation is shape^-½. */
  shape: number;
  /** A post older than this at the start of a block is taken to convert like the account, hours. */
  estimatedAge: number;
  /** Mean delays to choose from, hours. */
  lags: readonly number[];
};

/**
 * Blocks of two days that settle after five: by then the read at 7 d has been made of every post that
 * was more than 48 h old in the block, and the read at 48 h of every other one.
 */
export const ATTRIBUTION: Readonly<AttributionOptions> = {
  blockHours: 48,
  settleHours: 120,
  deliveryHours: 1,
  rateHours: 672,
  passes: 3,
  shape: 4,
  estimatedAge: 24,
  lags: LAGS_H,
};

/** What attribution knows of an account. Order is no matter. */
export type AccountHistory = {
  posts: readonly AttributedPost[];
  snapshots: readonly FollowerSnapshot[];
};

/** An account's hours from `firstHour` on; credited + organic + unexplained = change in each. */
type HourLedger = {
  firstHour: number;
  change: Float64Array;
  gap: Uint8Array;
  /** Impressions gathered in the hour, weighed by profile clicks where they are known. */
  exposure: Float64Array;
  credited: Float64Array;
  organic: Float64Array;
  unexplained: Float64Array;
};

/** The rates that a block was split with. */
type BlockRates = Rates & {
  firstHour: number;
  phi: number;
  /** Hours. */
  lag: number;
};

export type PostCredit = CreditSums & {
  id: string;
  /** Variance of `credit48h`. */
  variance48h: number;
  /** All hours that its impressions act in are settled. */
  final: boolean;
};

/** What a run leaves for the next one: the hours that are split for good. */
export type Settled = {
  /** Hours before this one are settled. */
  through: number;
  ledger: HourLedger;
  blocks: readonly BlockRates[];
  credits: ReadonlyMap<string, CreditSums>;
};

export type Attribution = {
  ledger: HourLedger;
  blocks: BlockRates[];
  /** In the order of the given posts. */
  posts: PostCredit[];
  settled: Settled;
};

/**
 * Attributes an account's followers as of `now`.
 *
 * @param now ms; later reads and counts are left out
 * @param before what an earlier run settled; with or without it the result is the same
 */
export function attributeAccount(
  history: AccountHistory,
  now: number,
  { before, ...given }: Partial<AttributionOptions> & { before?: Settled } = {},
): Attribution {
  const options = { ...ATTRIBUTION, ...given };
  const { blockHours, settleHours, deliveryHours } = options;
  const posts = history.posts.map((post) => ({ ...post, segments: segmentsOf(post) }));
  const ledger = emptyLedger(
    hourlyChanges(history.snapshots.filter(({ capturedAt }) => capturedAt <= now)),
  );
  const endHour = ledger.firstHour + ledger.change.length;
  const settledFrom = before?.through ?? Number.NEGATIVE_INFINITY;
  const blocks = [...(before?.blocks ?? [])];
  const open = new Map<string, CreditSums>();
  const settledCredits = new Map(before?.credits);
  const settledThrough =
    Math.floor((hourOf(now) - settleHours - deliveryHours) / blockHours) * blockHours;

  for (
    let start = Math.floor(ledger.firstHour / blockHours) * blockHours;
    start < endHour;
    start += blockHours
  ) {
    const end = start + blockHours;
    const block: Block = {
      start,
      end: Math.min(end, endHour),
      ratesFrom: end - options.rateHours,
      asOf: Math.min(now, (end + settleHours) * HOUR_MS),
    };
    if (before && end <= settledFrom) {
      const booked = copyHours(before.ledger, ledger, start, block.end);
      // hours that an outage hid until after their block settled: gaps, all of them unexplained
      if (booked < block.end) bookExposure(ledger, readExposure(posts, block), block, booked);
      continue;
    }
    const split = splitBlock(posts, ledger, block, options);
    if (!split) continue;
    blocks.push(split.rates);
    const into = end <= settledThrough ? settledCredits : open;
    for (const [id, sums] of split.credits)
      into.set(id, addCredit(into.get(id) ?? NO_CREDIT, sums));
  }

  const through = Math.max(settledThrough, settledFrom);
  return {
    ledger,
    blocks,
    posts: posts.map(({ id, postedAt }) => {
      const sums = addCredit(settledCredits.get(id) ?? NO_CREDIT, open.get(id) ?? NO_CREDIT);
      return {
        id,
        ...sums,
        variance48h: sums.thinning48h + sums.spread48h ** 2 / options.shape,
        final: hourOf(postedAt) + ACTIVE_HOURS + LONGEST_REACH_H < through,
      };
    }),
    settled: {
      through,
      ledger: ledgerUntil(ledger, through),
      blocks: blocks.filter(({ firstHour }) => firstHour + blockHours <= through),
      credits: settledCredits,
    },
  };
}

/** The 90 % interval of a post's followers within 48 h; the lower end may be negative. */
export function interval90({ credit48h, variance48h }: PostCredit): { low: number; high: number } {
  const half = HALF_90 * Math.sqrt(variance48h);
  return { low: credit48h - half, high: credit48h + half };
}

type ReadPost = AttributedPost & { segments: readonly Segment[] };

type Block = {
  /** Its hours, the end not included. */
  start: number;
  end: number;
  /** The first hour of its rates. */
  ratesFrom: number;
  /** Later reads are left out, ms. */
  asOf: number;
};

function emptyLedger({ firstHour, change, gap }: HourlyChanges): HourLedger {
  return {
    firstHour,
    change,
    gap,
    exposure: new Float64Array(change.length),
    credited: new Float64Array(change.length),
    organic: new Float64Array(change.length),
    unexplained: change.slice(),
  };
}

/** Copies the hours that `from` has between two hours; returns the hour after the last one. */
function copyHours(from: HourLedger, into: HourLedger, start: number, end: number): number {
  const first = Math.max(start, into.firstHour);
  const last = Math.max(Math.min(end, from.firstHour + from.change.length), first);
  for (const key of ['exposure', 'credited', 'organic', 'unexplained'] as const) {
    into[key].set(
      from[key].subarray(first - from.firstHour, last - from.firstHour),
      first - into.firstHour,
    );
  }
  return last;
}

function ledgerUntil(ledger: HourLedger, through: number): HourLedger {
  const hours = Math.min(Math.max(through - ledger.firstHour, 0), ledger.change.length);
  return {
    firstHour: ledger.firstHour,
    change: ledger.change.slice(0, hours),
    gap: ledger.gap.slice(0, hours),
    exposure: ledger.exposure.slice(0, hours),
    credited: ledger.credited.slice(0, hours),
    organic: ledger.organic.slice(0, hours),
    unexplained: ledger.unexplained.slice(0, hours),
  };
}

/** Impressions seen from `LONGEST_REACH_H` before a block to its end, post by post in one array. */
type SeenExposure = {
  /** Index of each post. */
  post: number[];
  /** Each one's first hour, counted from `LONGEST_REACH_H` before the block. */
  firstHour: number[];
  /** Where each one's hours begin in `seen`; one more entry for the end. */
  start: number[];
  seen: Float64Array;
};

function readExposure(posts: readonly ReadPost[], { start, end, asOf }: Block): SeenExposure {
  const from = start - LONGEST_REACH_H;
  const width = end - from;
  const post: number[] = [];
  const firstHour: number[] = [];
  const offsets = [0];
  let size = 0;
  posts.forEach(({ postedAt }, index) => {
    const first = Math.max(hourOf(postedAt) - from, 0);
    const last = Math.min(hourOf(postedAt) + ACTIVE_HOURS + 1 - from, width);
    if (last <= first) return;
    post.push(index);
    firstHour.push(first);
    size += last - first;
    offsets.push(size);
  });
  const seen = new Float64Array(size);
  const weights = clickWeights(
    post.map((index) => posts[index]?.segments ?? []),
    asOf,
  );
  post.forEach((index, i) => {
    const read = posts[index];
    if (!read) return;
    const into = seen.subarray(offsets[i], offsets[i + 1]);
    const origin = from + (firstHour[i] ?? 0);
    addExposure(read.postedAt, read.segments, weights[i] ?? 1, asOf, origin, into);
  });
  return { post, firstHour, start: offsets, seen };
}

/** Adds the exposure of all posts to a block's hours in the ledger, from an hour on. */
function bookExposure(
  ledger: HourLedger,
  { firstHour, start: offsets, seen }: SeenExposure,
  { start }: Block,
  fromHour = start,
): void {
  const origin = start - LONGEST_REACH_H - ledger.firstHour;
  const least = Math.max(fromHour - ledger.firstHour, 0);
  firstHour.forEach((first, i) => {
    const begin = offsets[i] ?? 0;
    const end = offsets[i + 1] ?? 0;
    const shift = origin + first - begin;
    for (let j = Math.max(begin, least - shift); j < end; j += 1) {
      ledger.exposure[j + shift] = (ledger.exposure[j + shift] ?? 0) + (seen[j] ?? 0);
    }
  });
}

/** The exposure that acts in a block's hours, people following some time after they saw a post. */
function lagExposure(
  { post, firstHour, start: offsets, seen }: SeenExposure,
  hours: number,
  kernel: Float64Array,
): BlockExposure {
  const kept: number[] = [];
  const first: number[] = [];
  const start = [0];
  const acting: number[] = [];
  post.forEach((index, i) => {
    const own = seen.subarray(offsets[i], offsets[i + 1]);
    const origin = (firstHour[i] ?? 0) - LONGEST_REACH_H;
    const from = Math.max(origin, 0);
    const until = Math.min(origin + own.length + kernel.length - 1, hours);
    if (until <= from) return;
    kept.push(index);
    first.push(from);
    for (let hour = from; hour < until; hour += 1)
      acting.push(laggedAt(own, hour - origin, kernel));
    start.push(acting.length);
  });
  return {
    post: Int32Array.from(kept),
    firstHour: Int32Array.from(first),
    start: Int32Array.from(start),
    acting: Float64Array.from(acting),
  };
}

/** Splits a block's hours and books them; undefined where all of them are gaps. */
function splitBlock(
  posts: readonly ReadPost[],
  ledger: HourLedger,
  block: Block,
  options: AttributionOptions,
): { rates: BlockRates; credits: [string, CreditSums][] } | undefined {
  const { start, end } = block;
  const seen = readExposure(posts, block);
  bookExposure(ledger, seen, block);
  const hours = end - start;
  const known = new Uint8Array(hours);
  for (let hour = Math.max(ledger.firstHour - start, 0); hour < hours; hour += 1) {
    known[hour] = ledger.gap[start + hour - ledger.firstHour] === 1 ? 0 : 1;
  }
  // an outage may end long after the block settled: it must not leave rates behind only then
  if (!known.includes(1)) return undefined;

  const rates = blockRates(ledger, block, options.lags);
  const exposure = lagExposure(seen, hours, lagKernel(rates.lag));
  const total = totalExposure(exposure, hours);
  const explained = new Float64Array(hours);
  for (let hour = 0; hour < hours; hour += 1) {
    if (known[hour] === 0) continue;
    const at = start + hour - ledger.firstHour;
    const mu = rates.b + rates.q * (total[hour] ?? 0);
    explained[hour] = explainedPart(ledger.change[at] ?? 0, mu, rates.phi);
  }

  const ageAtStart = Float64Array.from(
    exposure.post,
    (index) => (start * HOUR_MS - (posts[index]?.postedAt ?? 0)) / HOUR_MS,
  );
  const conversion = estimateConversions(
    exposure,
    { explained, known },
    ageAtStart,
    rates,
    options,
  );
  const credited = new Float64Array(hours);
  const sums = creditPosts(exposure, explained, { conversion, b: rates.b }, ageAtStart, credited);
  for (let hour = Math.max(ledger.firstHour - start, 0); hour < hours; hour += 1) {
    const at = start + hour - ledger.firstHour;
    ledger.credited[at] = credited[hour] ?? 0;
    ledger.organic[at] = (explained[hour] ?? 0) - (credited[hour] ?? 0);
    ledger.unexplained[at] = (ledger.change[at] ?? 0) - (explained[hour] ?? 0);
  }
  return {
    rates,
    credits: sums.map((one, i) => [posts[exposure.post[i] ?? -1]?.id ?? '', one]),
  };
}

/**
 * The rates of a block, from the booked hours up to its end that are no gaps. Hours of earlier blocks
 * keep the exposure that they were booked with, as of their own settling; hours before the first count
 * have none.
 */
function blockRates(
  ledger: HourLedger,
  { start, end, ratesFrom }: Block,
  lags: readonly number[],
): BlockRates {
  const first = Math.max(ratesFrom - ledger.firstHour, 0);
  const last = end - ledger.firstHour;
  const hours = new Int32Array(Math.max(last - first, 0));
  let n = 0;
  for (let at = first; at < last; at += 1) {
    if (ledger.gap[at] === 1) continue;
    hours[n] = at;
    n += 1;
  }
  const change = new Float64Array(n);
  for (let i = 0; i < n; i += 1) change[i] = ledger.change[hours[i] ?? 0] ?? 0;
  const actingAt = (lag: number) => {
    const kernel = lagKernel(lag);
    const acting = new Float64Array(n);
    for (let i = 0; i < n; i += 1) acting[i] = laggedAt(ledger.exposure, hours[i] ?? 0, kernel);
    return acting;
  };
  const fitted = fitLaggedRates(change, actingAt, lags);
  const { b, q } = shrinkConversion(fitted.explained, fitted.exposure, fitted);
  return { firstHour: start, b, q, phi: fitted.phi, lag: fitted.lag };
}
