/** The scraper's handler between a real database and the stand-in of X's site. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { ServicesOptions } from '../../local/stack/stack.ts';
import type { NumbersProvider, PostAnswer } from '../../local/x-site/numbers.ts';
import type { SiteAccount } from '../../local/x-site/payloads.ts';
import { startXSite, type XSite, type XSiteOptions } from '../../local/x-site/server.ts';
import type { Variant } from '../../local/x-site/variants.ts';
import { handler, type InvocationContext } from '../../scraper-lambda/src/handler.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { startTestStack, type TestStack } from './stack.ts';

export const POSTED_AT = new Date('2026-03-02T08:00:00Z');
/** The read of phase 30m of what was posted at `POSTED_AT` is due. */
export const DUE_AT = '2026-03-02T08:31:00.000Z';
export const CONTEXT: InvocationContext = { getRemainingTimeInMillis: () => 120_000 };

export const COUNTS = {
  likes: 23,
  retweets: 5,
  replies: 0,
  quotes: 1,
  bookmarks: 0,
  impressions: 825,
};

export const plain = (extra: Partial<typeof COUNTS> & { variant?: Variant } = {}) => ({
  handle: 'somebot',
  ...COUNTS,
  ...extra,
});

export type Scene = {
  stack: TestStack;
  site: XSite;
  /** Posts that the site shows beside the tracked ones, by id. */
  answers: Map<string, PostAnswer>;
  /** How an account is served, where it is not plainly. */
  accounts: Map<string, Partial<SiteAccount & { variant: Variant }> | Variant>;
  /** Everything written to stderr. */
  logged: string[];
  /** Tracks posts whose first read is due at `DUE_AT`, and puts them on the site. */
  track(handle: string, posts: PostAnswer[], postedAt?: Date): Promise<string[]>;
  /** One invocation at `now`. */
  invoke(now?: string, context?: InvocationContext): ReturnType<typeof handler>;
  schedule(id: string): Promise<Record<string, unknown>[]>;
  /** What was recorded, without the times. */
  rows(): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
};

export type SceneOptions = {
  site?: Omit<XSiteOptions, 'numbers'>;
  analytics?: NonNullable<NumbersProvider['analytics']>;
  /** More API keys of the REST layer. */
  keys?: ServicesOptions['keys'];
};

/**
 * Starts both and points the handler's environment at them. Logs are kept, not printed. End it with
 * `stop`, which also takes back the environment.
 */
export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const noFunctions = mkdtempSync(join(tmpdir(), 'postloop-no-functions-'));
  const answers: Scene['answers'] = new Map();
  const accounts: Scene['accounts'] = new Map();
  const numbers: NumbersProvider = {
    post: (id) => answers.get(id) ?? null,
    account(handle) {
      const served = accounts.get(handle) ?? {};
      if (typeof served === 'string') return served;
      const posts = [...answers.keys()].filter((id) => {
        const answer = answers.get(id);
        return typeof answer === 'object' && answer?.handle === handle;
      });
      return { followers: 412, posts: posts.sort(newestFirst), ...served };
    },
    ...(options.analytics ? { analytics: options.analytics } : {}),
  };
  const site = await startXSite({ numbers, ...options.site });
  const keys = options.keys ? { keys: options.keys } : {};
  const stack = await startTestStack({ functions: noFunctions, ...keys });
  const logged: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    logged.push(String(line));
    return true;
  });
  vi.stubEnv('SUPABASE_URL', stack.apiUrl);
  vi.stubEnv('POSTLOOP_SECRET_KEY', stack.secretKey);
  vi.stubEnv('X_BASE_URL', site.url);
  const { sql } = stack;

  return {
    stack,
    site,
    answers,
    accounts,
    logged,
    async track(handle, posts, postedAt = POSTED_AT) {
      await sql`select register_x_account(${handle}, ${sql.json({ tone: ['dry'] })}, ${postedAt})`;
      const ids: string[] = [];
      for (const answer of posts) {
        const id = snowflakeId(postedAt, answers.size + 1);
        answers.set(id, answer);
        ids.push(id);
        await sql`select track_post(${id}, ${postedAt}, ${postedAt}, p_account => ${handle},
          p_dimensions => ${sql.json({ tone: 'dry' })})`;
      }
      return ids;
    },
    invoke: (now = DUE_AT, context = CONTEXT) => handler({ now }, context),
    schedule: (id) =>
      sql`select phase, state, outcome, attempts, next_attempt_at from metric_collections
        where post_id = ${id} order by due_at`,
    rows: () =>
      sql`select tweet_id, likes::int, retweets::int, replies::int, quotes::int, bookmarks::int,
        impressions::int, profile_clicks::int, source, quality from real_tweet_metrics
        order by tweet_id, collection_phase`,
    async stop() {
      vi.restoreAllMocks();
      vi.unstubAllEnvs();
      await stack.stop();
      await site.stop();
      rmSync(noFunctions, { recursive: true, force: true });
    },
  };
}

const newestFirst = (a: string, b: string) => (BigInt(a) < BigInt(b) ? 1 : -1);
