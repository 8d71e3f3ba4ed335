/** `npm run collect`: reads posts once with the real scraper and prints what it saw. */
import { z } from 'zod';
import { colors } from '../local/terminal/colors.ts';
import { runCommandLine } from '../local/terminal/command-line.ts';
import { formatNumber } from '../local/terminal/numbers.ts';
import { address, parseAddress, usageError } from '../local/terminal/options.ts';
import type { Progress } from '../local/terminal/progress.ts';
import { table } from '../local/terminal/table.ts';
import { postIdSchema } from '../shared/contracts/identifiers.ts';
import { type CookieSession, cookieSessionSchema } from '../shared/contracts/session.ts';
import { closeBrowser } from './src/browser/browser.ts';
import { createSessionPool } from './src/browser/sessions.ts';
import { createBrowserSource } from './src/browser/source.ts';
import { ScraperError } from './src/errors.ts';
import { localLedger } from './src/project/ledger.ts';
import type { AskedPost } from './src/source.ts';
import type { PostRead } from './src/x/outcome.ts';

const X = 'https://x.com';

function parsePost(text: string): AskedPost {
  if (postIdSchema.safeParse(text).success) return { id: text, handle: null };
  const url = URL.canParse(text) ? new URL(text) : null;
  const [, handle, id] =
    /^\/(?:.*\/)?(\w{1,15})\/status\/(\d{1,20})(?:\/|$)/.exec(url?.pathname ?? '') ?? [];
  if (!handle || !id) {
    throw usageError(`"${text}" is neither a post id nor the address of a post.`);
  }
  return { id, handle: handle === 'i' ? null : handle };
}

type Seen = { id: string; capturedAt: string; read: PostRead };

function toJson({ id, capturedAt, read }: Seen) {
  if (read.outcome !== 'found') return { post_id: id, captured_at: capturedAt, ...read };
  const { outcome, source, quality, metrics, author, evidence } = read;
  const more = evidence ? { evidence } : {};
  return {
    post_id: id,
    captured_at: capturedAt,
    outcome,
    source,
    quality,
    metrics,
    author,
    ...more,
  };
}

const NUMBERS = [
  ['likes', 'likes'],
  ['retweets', 'reposts'],
  ['replies', 'replies'],
  ['quotes', 'quotes'],
  ['bookmarks', 'bookmarks'],
  ['impressions', 'views'],
] as const;

/** One row per number, because its source and quality are what it is worth. */
function report(seen: Seen[]): string {
  const rows = seen.flatMap(({ id, read }) => {
    if (read.outcome !== 'found') return [[id, colors.yellow(read.outcome), '', '', '']];
    const { source, quality, metrics, author } = read;
    const row = (name: string, value: number | null) =>
      value === null
        ? [id, name, colors.dim('not shown'), '', '']
        : [id, name, formatNumber(value), source, quality];
    return [
      ...NUMBERS.map(([key, name]) => row(name, metrics[key])),
      row('followers of author', author?.followers ?? null),
    ];
  });
  return table(['post', 'number', 'value', 'source', 'quality'], rows, { right: [2, 3] });
}

/** The cookies must not reach the message: neither zod's own nor the parser's quotes them. */
function readSessions(): CookieSession[] {
  const given = process.env.X_SESSIONS;
  if (given === undefined) return [];
  try {
    return z.array(cookieSessionSchema).parse(JSON.parse(given));
  } catch {
    throw usageError('X_SESSIONS must be JSON: [{"auth_token": "…", "ct0": "…"}].');
  }
}

async function readAll(posts: AskedPost[], baseUrl: string, progress: Progress): Promise<Seen[]> {
  const sessions = createSessionPool(readSessions(), localLedger());
  const chromiumPath = process.env.CHROMIUM_PATH;
  const source = createBrowserSource({ baseUrl, sessions, chromiumPath });
  const seen: Seen[] = [];
  try {
    for (const [index, post] of posts.entries()) {
      progress.step(`Reading post ${index + 1} of ${posts.length}`);
      const read = await source.readPost(post);
      seen.push({ id: post.id, capturedAt: new Date().toISOString(), read });
      if (read.outcome === 'rate_limited') break;
    }
  } finally {
    await source.close();
    await closeBrowser();
  }
  return seen;
}

await runCommandLine({
  name: 'npm run collect',
  summary: 'Reads posts on X once and prints what X shows. Nothing is stored.',
  options: {
    'base-url': address(`another site than ${X} (or set X_BASE_URL)`, X),
  },
  positionals: {
    label: '<post url or id>…',
    description: 'https://x.com/somebot/status/1900000000000000001, or the digits alone',
    missing: 'Name at least one post.',
  },
  notes:
    'X_SESSIONS in the environment has sessions to read with, as JSON like that of the scraper’s secret. Exits 0 when at least one post was read, 1 when none was.',
  knownErrors: [ScraperError],
  async run({ 'base-url': given }, { progress, show }, positionals) {
    const posts = positionals.map(parsePost);
    const baseUrl = given ?? parseAddress(process.env.X_BASE_URL ?? X, X);
    const seen = await readAll(posts, baseUrl.href, progress);
    show({ posts: seen.map(toJson) }, () => report(seen));
    if (seen.some(({ read }) => read.outcome === 'found')) return 0;
    const outcomes = [...new Set(seen.map(({ read }) => read.outcome))];
    console.error(`Nothing was read: ${outcomes.join(', ')}.`);
    return 1;
  },
});
