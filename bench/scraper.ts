/** Reading the due posts of one account, against the ways in which scripts usually do it. */
import { startXSite, type XSite } from '../local/x-site/server.ts';
import type { LambdaReply } from '../shared/contracts/environment.ts';
import {
  atLeast,
  atMost,
  benchmark,
  type Measurement,
  milliseconds,
  percentile,
} from './benchmark.ts';
import { type BenchDatabase, startBenchServer } from './database.ts';
import { startRestClient } from './rest.ts';
import {
  accountNumbers,
  checkStored,
  HANDLE,
  likesOf,
  PAGE_WEIGHT,
  postIds,
  track,
} from './scraper-account.ts';
import { type Reader, startReader } from './scraper-process.ts';

/** Invocations with a browser that runs already; the median counts. */
const WARM_ROUNDS = 3;

/** Invocations with nothing due; the slowest counts. */
const IDLE_ROUNDS = 10;

const MEGABYTE = 1_000_000;

export const scraper = benchmark({
  summary: 'the due posts of one account: the usual script, one tab, and the Lambda’s handler',
  options: {
    posts: { default: 20, description: 'posts that are due at the same time' },
    latency: { default: 150, least: 0, description: 'milliseconds that each response takes' },
  },
  async run({ posts, latency }, progress) {
    const stops: (() => Promise<void>)[] = [];
    try {
      progress(`Tracking ${posts} posts`);
      const setting = await prepare(posts, latency, stops);
      const { usual, oneTab, ours, cold, idle } = await compare(setting, progress);
      const oursBytes = Math.max(cold.first.bytes, ours.bytes);
      const oursPeak = Math.max(cold.first.peak, ours.peak);
      return {
        size: { posts, latency },
        measurements: [
          ...measured('usual script', usual, posts),
          ...measured('one tab', oneTab, posts),
          ...measured('handler', ours, posts),
          milliseconds('cold start, unpack', cold.unpack),
          milliseconds('cold start, launch', cold.launch),
          milliseconds('cold start, first read, claim to record', cold.first.ms),
          { name: 'cold start, bytes', value: cold.first.bytes / MEGABYTE, unit: 'MB' },
          milliseconds('nothing due, median', percentile(idle.times, 0.5)),
        ],
        bars: [
          atLeast('posts per minute: handler / usual script', usual.ms / ours.ms, 25),
          atLeast('posts per minute: handler / one tab', oneTab.ms / ours.ms, 8),
          atMost('bytes: handler, first or later / usual script', oursBytes / usual.bytes, 0.1),
          atMost('nothing due, the slowest, in ms', percentile(idle.times, 1), 100),
          atMost('nothing due, browsers', idle.browsers, 0),
          atMost('peak memory of the handler’s browser, in MB', oursPeak, 900),
        ],
      };
    } finally {
      for (const stop of stops) await stop();
    }
  },
});

type Setting = {
  site: XSite;
  sql: BenchDatabase['sql'];
  /** The account's posts, and the moments at which a read of each is due. */
  ids: string[];
  moments: Date[];
  /** The processes that read: the handler's, and that of the scripts. */
  lambda: Reader;
  scripts: Reader;
};

async function prepare(
  posts: number,
  latencyMs: number,
  stops: (() => Promise<void>)[],
): Promise<Setting> {
  const ids = postIds(posts);
  const numbers = accountNumbers(ids);
  const site = await startXSite({ numbers, latencyMs, pageWeight: PAGE_WEIGHT });
  stops.unshift(site.stop);
  const server = await startBenchServer();
  stops.unshift(server.stop);
  const database = await server.copy('postgres');
  stops.unshift(database.drop);
  const rest = await startRestClient(database);
  stops.unshift(rest.stop);
  const moments = await track(database.sql, ids);
  const lambda = startReader({
    ...rest.environment,
    X_BASE_URL: site.url,
    // One claim takes them all, and is not full: a full one is followed by another.
    CLAIM_LIMIT: String(posts + 1),
  });
  stops.unshift(lambda.stop);
  const scripts = startReader();
  stops.unshift(scripts.stop);
  return { site, sql: database.sql, ids, moments, lambda, scripts };
}

async function compare(setting: Setting, progress: (step: string) => void) {
  const { site, sql, ids, moments, lambda, scripts } = setting;
  progress('Starting the handler cold: unpack, launch, first invocation');
  const cold = await startCold(setting);
  progress(`The usual script, a new browser for each of ${ids.length} posts`);
  await scripts.run('unpack');
  const usual = await readPages(scripts, site, 'usualScript', ids);
  await scripts.run('oneTab', { urls: [] });
  const rounds = { oneTab: [] as Read[], ours: [] as Read[] };
  for (let round = 1; round <= WARM_ROUNDS; round += 1) {
    progress(`Round ${round} of ${WARM_ROUNDS}: one tab, then the handler`);
    rounds.oneTab.push(await readPages(scripts, site, 'oneTab', ids));
    rounds.ours.push(await invoke(setting, moments[round]));
  }
  await checkStored(sql, ids, 1 + WARM_ROUNDS);
  progress('Invocations with nothing due');
  const idle = await invokeIdle(lambda, moments[WARM_ROUNDS]);
  return { usual, oneTab: median(rounds.oneTab), ours: median(rounds.ours), cold, idle };
}

/** What reading all posts once took. */
type Read = { ms: number; bytes: number; peak: number };

async function measure(
  reader: Reader,
  site: XSite,
  work: () => Promise<{ ms: number }>,
): Promise<Read> {
  site.resetTraffic();
  let ms = Number.NaN;
  const peak = await reader.peakDuring(async () => {
    ms = (await work()).ms;
  });
  return { ms, bytes: site.traffic.bytes, peak };
}

async function startCold(setting: Setting) {
  const unpack = await setting.lambda.run('unpack');
  const launch = await setting.lambda.run('launch');
  const first = await invoke(setting, setting.moments[0]);
  return { unpack: unpack.ms, launch: launch.ms, first };
}

/** One of the scripts over all posts. */
function readPages(
  reader: Reader,
  site: XSite,
  script: 'usualScript' | 'oneTab',
  ids: string[],
): Promise<Read> {
  const urls = ids.map((id) => `${site.url}/${HANDLE}/status/${id}`);
  return measure(reader, site, async () => {
    const { result, ms } = await reader.run(script, { urls });
    if (String(result) !== String([...likesOf(ids).values()])) {
      throw new Error(`${script} read other numbers than the site shows: ${result}`);
    }
    return { ms };
  });
}

/** One invocation of the handler, at a moment when every post is due. */
function invoke({ lambda, site, ids }: Setting, now: Date | undefined): Promise<Read> {
  if (!now) throw new Error('There are fewer phases than rounds.');
  return measure(lambda, site, async () => {
    const { result, ms } = await lambda.run('invoke', { now: now.toISOString() });
    if (result.metrics_rows !== ids.length) throw new Error(`read only: ${describe(result)}`);
    return { ms };
  });
}

const describe = (reply: LambdaReply) => JSON.stringify(reply);

async function invokeIdle(lambda: Reader, now: Date | undefined) {
  await lambda.run('close');
  const times: number[] = [];
  for (let round = 0; round < IDLE_ROUNDS; round += 1) {
    const { result, ms } = await lambda.run('invoke', { now: now?.toISOString() ?? '' });
    if (result.claimed !== 0) throw new Error(`something was due: ${describe(result)}`);
    times.push(ms);
  }
  return { times, browsers: await lambda.browsers() };
}

/** The round of median time, with the most bytes and memory of any round. */
const median = (reads: Read[]): Read => ({
  ms: percentile(
    reads.map(({ ms }) => ms),
    0.5,
  ),
  bytes: Math.max(...reads.map(({ bytes }) => bytes)),
  peak: Math.max(...reads.map(({ peak }) => peak)),
});

const measured = (name: string, { ms, bytes, peak }: Read, posts: number): Measurement[] => [
  { name: `${name}, rate`, value: (60_000 * posts) / ms, unit: 'posts/min' },
  { name: `${name}, bytes`, value: bytes / MEGABYTE, unit: 'MB' },
  { name: `${name}, peak memory`, value: peak, unit: 'MB' },
];
