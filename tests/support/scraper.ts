/** The scraper's handler between a real database and the stand-in of X's site. */
import { afterAll, beforeAll, onTestFinished, vi } from 'vitest';
import type { ServicesOptions } from '../../local/stack/stack.ts';
import type { NumbersProvider, PostAnswer } from '../../local/x-site/numbers.ts';
import type { SiteAccount } from '../../local/x-site/payloads.ts';
import { startXSite, type XSite, type XSiteOptions } from '../../local/x-site/server.ts';
import type { Variant } from '../../local/x-site/variants.ts';
import { closeBrowser } from '../../scraper-lambda/src/browser/browser.ts';
import { handler, type InvocationContext } from '../../scraper-lambda/src/handler.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { reset } from './scenario.ts';
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
 * Starts a database with its REST layer for all tests of a file.
 * @returns starts a scene of one test over it: points the handler's environment at both and keeps
 *   logs instead of printing them. End it with `stop`, which also takes back the environment and
 *   empties the database. With `keys` the scene has a database of its own.
 */
export function useScenes(): (options?: SceneOptions) => Promise<Scene> {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startTestStack({ serve: [] });
  });
  afterAll(async () => {
    // the files of a project share a process: none is to meet another's browser
    await closeBrowser();
    await stack?.stop();
  });
  return async ({ keys, ...options } = {}) => {
    if (keys === undefined) return startScene(stack, options, () => empty(stack));
    const own = await startTestStack({ serve: [], keys });
    return startScene(own, options, own.stop);
  };
}

/** Takes away all that a scene has left behind. */
async function empty({ sql }: TestStack): Promise<void> {
  await reset(sql);
  await sql`delete from integrity_events`;
  await sql`delete from scraper_sessions`;
  await sql`delete from scraper_session_budgets`;
  await sql`delete from payload_shapes`;
}

async function startScene(
  stack: TestStack,
  options: Omit<SceneOptions, 'keys'>,
  leave: () => Promise<void>,
): Promise<Scene> {
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
      await site.stop();
      await leave();
    },
  };
}

/** Has the database refuse what was read, until the test is over. */
export async function renameFollowers({ stack: { sql } }: Scene): Promise<void> {
  await sql`alter table follower_snapshots rename column followers to fans`;
  onTestFinished(async () => {
    await sql`alter table follower_snapshots rename column fans to followers`;
  });
}

const newestFirst = (a: string, b: string) => (BigInt(a) < BigInt(b) ? 1 : -1);
