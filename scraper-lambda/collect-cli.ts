/** `npm run collect`: reads posts once with the real scraper and prints what it saw. */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import colors from 'picocolors';
import { z } from 'zod';
import { postIdSchema } from '../shared/contracts/identifiers.ts';
import { type CookieSession, cookieSessionSchema } from '../shared/contracts/session.ts';
import { closeBrowser } from './src/browser/browser.ts';
import { createSessionPool } from './src/browser/sessions.ts';
import { createBrowserSource } from './src/browser/source.ts';
import { ScraperError } from './src/errors.ts';
import { localLedger } from './src/project/ledger.ts';
import type { AskedPost } from './src/source.ts';
import type { PostRead } from './src/x/outcome.ts';

const USAGE = `Reads posts on X once and prints what X shows. Nothing is stored.

Usage: npm run collect -- <post url or id>… [--json] [--base-url <url>]

  <post url or id>   https://x.com/somebot/status/1900000000000000001, or the digits alone
  --json             one JSON object on stdout
  --base-url <url>   another site than https://x.com (or set X_BASE_URL)
  X_SESSIONS         in the environment: sessions to read with, JSON as in the scraper's secret
  --help             this text

Exit code: 0 when at least one post was read, 1 when none was, 2 for a wrong argument.`;

const EXIT_NOTHING_READ = 1;
const EXIT_USAGE = 2;

/** A wrong argument; its message says which and what is expected. */
class UsageError extends Error {}

type Arguments = { posts: AskedPost[]; json: boolean; baseUrl: string; help: boolean };

function parsePost(text: string): AskedPost {
  if (postIdSchema.safeParse(text).success) return { id: text, handle: null };
  const url = URL.canParse(text) ? new URL(text) : null;
  const [, handle, id] =
    /^\/(?:.*\/)?(\w{1,15})\/status\/(\d{1,20})(?:\/|$)/.exec(url?.pathname ?? '') ?? [];
  if (!handle || !id) {
    throw new UsageError(`"${text}" is neither a post id nor the address of a post.`);
  }
  return { id, handle: handle === 'i' ? null : handle };
}

function parseArguments(args: string[]): Arguments {
  let parsed: ReturnType<typeof parseOptions>;
  try {
    parsed = parseOptions(args);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals } = parsed;
  const baseUrl = values['base-url'] ?? process.env.X_BASE_URL ?? 'https://x.com';
  if (!/^https?:$/.test(URL.canParse(baseUrl) ? new URL(baseUrl).protocol : '')) {
    throw new UsageError(`"${baseUrl}" is not an address; give one such as https://x.com.`);
  }
  const help = values.help ?? false;
  if (positionals.length === 0 && !help) throw new UsageError('Name at least one post.');
  return { posts: positionals.map(parsePost), json: values.json ?? false, baseUrl, help };
}

function parseOptions(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      'base-url': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
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
function toTable(seen: Seen[]): string {
  const table = new Table({
    head: ['post', 'number', 'value', 'source', 'quality'],
    style: colors.isColorSupported ? {} : { head: [], border: [] },
  });
  const number = (id: string, name: string, value: number | null, source: string, how: string) =>
    value === null
      ? table.push([id, name, colors.dim('not shown'), '', ''])
      : table.push([id, name, { content: String(value), hAlign: 'right' }, source, how]);
  for (const { id, read } of seen) {
    if (read.outcome !== 'found') {
      table.push([id, { content: colors.yellow(read.outcome), colSpan: 4 }]);
      continue;
    }
    const { source, quality, metrics, author } = read;
    for (const [key, name] of NUMBERS) number(id, name, metrics[key], source, quality);
    number(id, 'followers of author', author?.followers ?? null, source, quality);
  }
  return table.toString();
}

/** The cookies must not reach the message: neither zod's own nor the parser's quotes them. */
function readSessions(): CookieSession[] {
  const given = process.env.X_SESSIONS;
  if (given === undefined) return [];
  try {
    return z.array(cookieSessionSchema).parse(JSON.parse(given));
  } catch {
    throw new UsageError('X_SESSIONS must be JSON: [{"auth_token": "…", "ct0": "…"}].');
  }
}

async function readAll({ posts, baseUrl, json }: Arguments): Promise<Seen[]> {
  const sessions = createSessionPool(readSessions(), localLedger());
  const chromiumPath = process.env.CHROMIUM_PATH;
  const source = createBrowserSource({ baseUrl, sessions, chromiumPath });
  const seen: Seen[] = [];
  const showsProgress = process.stderr.isTTY === true && !json;
  try {
    for (const [index, post] of posts.entries()) {
      if (showsProgress) process.stderr.write(`\rreading ${index + 1} of ${posts.length}…`);
      const read = await source.readPost(post);
      seen.push({ id: post.id, capturedAt: new Date().toISOString(), read });
      if (read.outcome === 'rate_limited') break;
    }
  } finally {
    if (showsProgress) process.stderr.write('\r\u001b[K');
    await source.close();
    await closeBrowser();
  }
  return seen;
}

async function main(): Promise<number> {
  const args = parseArguments(process.argv.slice(2));
  if (args.help) {
    console.log(USAGE);
    return 0;
  }
  const seen = await readAll(args);
  console.log(args.json ? JSON.stringify({ posts: seen.map(toJson) }, null, 2) : toTable(seen));
  if (seen.some(({ read }) => read.outcome === 'found')) return 0;
  const outcomes = [...new Set(seen.map(({ read }) => read.outcome))];
  console.error(`Nothing was read: ${outcomes.join(', ')}.`);
  return EXIT_NOTHING_READ;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = EXIT_USAGE;
  } else if (error instanceof ScraperError) {
    console.error(error.message);
    process.exitCode = EXIT_NOTHING_READ;
  } else {
    throw error;
  }
}
