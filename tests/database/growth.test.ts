/** The fit of growth curves in SQL, against the reference in TypeScript. */
import { describe, expect, it } from 'vitest';
import { viralThreshold } from '../../simulation/reference/early-warning.ts';
import { type GrowthPoint, growthCurve } from '../../simulation/reference/growth.ts';
import { quantile } from '../../simulation/reference/quantile.ts';
import { useDatabase } from '../support/database.ts';
import {
  type DrawnPost,
  drawPosts,
  fitGrowth,
  maturePosts,
  storeDrawnPosts,
} from '../support/drawn-posts.ts';
import { hours, only, registerAccount, reset } from '../support/scenario.ts';

let accountId: number;

const database = useDatabase({
  prepare: async (sql) => {
    await sql`delete from public.growth_curve`;
    accountId = await registerAccount(sql);
  },
});

const NOW = hours(24 * 30);
/** Old enough at NOW to have its read at 48 h. */
const NEWEST = hours(-60, NOW);

type Row = {
  phase: string;
  age_h: number;
  posts: number;
  log_ratio: number;
  low_90: number;
  high_90: number;
  spread: number;
};

const curve = (id: number | null, outcome = 'impressions') => database.sql<Row[]>`
  select phase, age_h, posts, log_ratio, low_90, high_90, spread from public.growth_curve
  where account_id is not distinct from ${id} and outcome = ${outcome} order by age_h`;

function expectEqual(rows: readonly Row[], points: readonly GrowthPoint[]): void {
  expect(rows.map(({ phase, posts }) => [phase, posts])).toEqual(
    points.map(({ phase, posts }) => [phase, posts]),
  );
  rows.forEach((row, index) => {
    const point = points[index] as GrowthPoint;
    expect(row.age_h).toBeCloseTo(point.ageHours, 9);
    expect(row.log_ratio).toBeCloseTo(point.growth, 9);
    expect(row.low_90).toBeCloseTo(point.low90, 9);
    expect(row.high_90).toBeCloseTo(point.high90, 9);
    expect(row.spread).toBeCloseTo(point.spread, 9);
  });
}

const threshold = async (id = accountId) =>
  (
    await database.sql`select impressions, posts from public.viral_thresholds where account_id = ${id}`
  )[0];

describe('the curve of an account', () => {
  it.each([
    [1, 30],
    [2, 31],
    [3, 147],
  ])('is that of the reference (seed %i, %i posts)', async (seed, count) => {
    const { sql } = database;
    const posts = drawPosts(seed, count, NEWEST);
    await storeDrawnPosts(sql, accountId, posts);
    await fitGrowth(sql, NOW);
    expectEqual(await curve(accountId), growthCurve(maturePosts(posts)));
  });

  it('has no point with fewer than 30 mature posts', async () => {
    const { sql } = database;
    await storeDrawnPosts(sql, accountId, drawPosts(4, 29, NEWEST));
    await fitGrowth(sql, NOW);
    expect(await curve(accountId)).toEqual([]);
  });

  it('leaves out suspect reads, late reads, reads to come and posts older than 180 days', async () => {
    const { sql } = database;
    const posts = drawPosts(5, 40, NEWEST);
    await storeDrawnPosts(sql, accountId, posts);
    await sql`
      insert into public.post_attribution (post_id, account_id, posted_at)
      select n::text, ${accountId}, ${hours(-24 * 181, NOW)}::timestamptz + make_interval(mins => n)
      from generate_series(1, 50) n`;
    await sql`
      insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
        posted_at, impressions, source, quality, run_id)
      select p.post_id, x.phase, p.account_id, p.posted_at + x.age, p.posted_at, x.impressions,
        'graphql', 'exact', gen_random_uuid()
      from public.post_attribution p
      cross join (values ('2h', interval '2 hours', 1), ('48h', interval '48 hours', 1000000)) x(phase, age, impressions)
      where p.posted_at < ${hours(-24 * 180, NOW)}`;
    const [suspect, late, future] = posts.slice(0, 3).map(({ postId }) => postId);
    await sql`update public.real_tweet_metrics set quality = 'suspect' where tweet_id = ${suspect ?? ''}`;
    await sql`
      update public.real_tweet_metrics set collected_at = posted_at + interval '80 hours'
      where tweet_id = ${late ?? ''} and collection_phase = '48h'`;
    await sql`
      update public.real_tweet_metrics
      set posted_at = ${hours(-49, NOW)}, collected_at = ${hours(1, NOW)}
      where tweet_id = ${future ?? ''} and collection_phase = '48h'`;
    await fitGrowth(sql, NOW);
    expectEqual(await curve(accountId), growthCurve(maturePosts(posts.slice(3))));
  });

  it('goes when its posts no longer suffice, and that of others stays', async () => {
    const { sql } = database;
    const other = await registerAccount(sql, 'otherbot');
    const theirs = drawPosts(6, 35, NEWEST);
    await storeDrawnPosts(sql, accountId, drawPosts(7, 35, NEWEST));
    await storeDrawnPosts(sql, other, theirs);
    await fitGrowth(sql, NOW);
    const before = await curve(null);
    await sql`
      delete from public.post_attribution where account_id = ${accountId} and posted_at > ${hours(-40, NEWEST)}`;
    await fitGrowth(sql, NOW, [accountId]);
    expect(await curve(accountId)).toEqual([]);
    expectEqual(await curve(other), growthCurve(maturePosts(theirs)));
    expect(await curve(null)).toEqual(before);
  });

  it('does not depend on the order in which the reads are stored', async () => {
    const { sql } = database;
    const posts = drawPosts(8, 60, NEWEST);
    const fitted = async (stored: DrawnPost[]) => {
      await reset(sql);
      accountId = await registerAccount(sql);
      await storeDrawnPosts(sql, accountId, stored);
      await fitGrowth(sql, NOW);
      return [
        await curve(accountId),
        await curve(accountId, 'engagement'),
        await curve(accountId, 'followers'),
      ];
    };
    const once = await fitted(posts);
    expect(once.every((rows) => rows.length > 0)).toBe(true);
    expect(await fitted(posts.toReversed())).toEqual(once);
  });
});

describe('the curve of all accounts', () => {
  it("is that of everybody's posts, also of accounts that have too few themselves", async () => {
    const { sql } = database;
    const other = await registerAccount(sql, 'otherbot');
    const mine = drawPosts(9, 20, NEWEST);
    const theirs = drawPosts(10, 20, NEWEST);
    await storeDrawnPosts(sql, accountId, mine);
    await storeDrawnPosts(sql, other, theirs);
    await fitGrowth(sql, NOW);
    expect(await curve(accountId)).toEqual([]);
    expectEqual(await curve(null), growthCurve(maturePosts([...mine, ...theirs])));
  });

  it('takes the newest 100 posts of an account', async () => {
    const { sql } = database;
    const posts = drawPosts(11, 130, NEWEST);
    await storeDrawnPosts(sql, accountId, posts);
    await fitGrowth(sql, NOW);
    expectEqual(await curve(null), growthCurve(maturePosts(posts.slice(30))));
  });

  it('stands in where an account has no point of its own', async () => {
    const { sql } = database;
    const other = await registerAccount(sql, 'otherbot');
    const mine = drawPosts(12, 40, NEWEST, { phases: ['2h', '48h'] });
    const theirs = drawPosts(13, 40, NEWEST);
    await storeDrawnPosts(sql, accountId, mine);
    await storeDrawnPosts(sql, other, theirs);
    await fitGrowth(sql, NOW);
    const points = growthCurve(maturePosts(mine), growthCurve(maturePosts([...mine, ...theirs])));
    const segments = await sql`
      select age_from, growth_from, spread_from from postloop.growth_segments(${accountId})
      where outcome = 'impressions' order by age_from`;
    expect(segments).toHaveLength(4);
    segments.forEach((segment, index) => {
      expect(segment.age_from).toBeCloseTo(points[index]?.ageHours as number, 9);
      expect(segment.growth_from).toBeCloseTo(points[index]?.growth as number, 9);
      expect(segment.spread_from).toBeCloseTo(points[index]?.spread as number, 9);
    });
  });
});

describe('the other outcomes', () => {
  it('of engagement is the change of the smoothed log rate', async () => {
    const { sql } = database;
    const posts = drawPosts(14, 45, NEWEST);
    await storeDrawnPosts(sql, accountId, posts);
    await fitGrowth(sql, NOW);
    const finals = posts.map(({ reads }) => reads.at(-1) as DrawnPost['reads'][number]);
    const usual = quantile(
      finals.map(({ likes, impressions }) => likes / impressions),
      0.5,
    );
    const rate = (read: { likes: number; impressions: number } | undefined) =>
      Math.log(((read?.likes ?? 0) + 200 * usual) / ((read?.impressions ?? 0) + 200));
    const growths = posts.map(({ reads }) => rate(reads.at(-1)) - rate(reads[1]));
    const row = (await curve(accountId, 'engagement')).find(({ phase }) => phase === '2h');
    expect(row?.log_ratio).toBeCloseTo(quantile(growths, 0.5), 9);
    expect(row?.low_90).toBeCloseTo(quantile(growths, 0.05), 9);
    expect(row?.high_90).toBeCloseTo(quantile(growths, 0.95), 9);
  });

  it('of followers is the change of the log credit from 2 h and 24 h', async () => {
    const { sql } = database;
    const posts = drawPosts(15, 45, NEWEST);
    await storeDrawnPosts(sql, accountId, posts);
    await fitGrowth(sql, NOW);
    const rows = await curve(accountId, 'followers');
    expect(rows.map(({ phase, age_h }) => [phase, age_h])).toEqual([
      ['2h', 2],
      ['24h', 24],
    ]);
    const growths = posts.map(({ credit }) => Math.log1p(credit.c48) - Math.log1p(credit.c2));
    expect(rows[0]?.log_ratio).toBeCloseTo(quantile(growths, 0.5), 9);
    expect(rows[0]?.high_90).toBeCloseTo(quantile(growths, 0.95), 9);
  });

  it('of followers has no point where no post was ever credited', async () => {
    const { sql } = database;
    await storeDrawnPosts(sql, accountId, drawPosts(16, 45, NEWEST));
    await sql`update public.post_credit set credit_2h = 0, credit_24h = 0, credit_48h = 0`;
    await fitGrowth(sql, NOW);
    expect(await curve(accountId, 'followers')).toEqual([]);
  });
});

describe('what counts as viral', () => {
  it('is what one post in twenty of the last 90 days passes', async () => {
    const { sql } = database;
    const old = drawPosts(17, 20, hours(-24 * 91, NOW));
    const posts = drawPosts(18, 83, NEWEST);
    await storeDrawnPosts(sql, accountId, [...old, ...posts]);
    await fitGrowth(sql, NOW);
    const reference = viralThreshold(
      maturePosts(posts).map(({ impressions48h }) => impressions48h),
    );
    const stored = await threshold();
    expect(stored?.posts).toBe(83);
    expect(stored?.impressions).toBeCloseTo(reference as number, 9);
  });

  it('is not known with fewer than 40 posts, nor any more when they are too old', async () => {
    const { sql } = database;
    await storeDrawnPosts(sql, accountId, drawPosts(19, 39, NEWEST));
    await fitGrowth(sql, NOW);
    expect(await threshold()).toBeUndefined();
    const other = await registerAccount(sql, 'otherbot');
    await storeDrawnPosts(sql, other, drawPosts(20, 40, NEWEST));
    await fitGrowth(sql, NOW);
    expect(await threshold(other)).toBeDefined();
    await fitGrowth(sql, hours(24 * 91, NOW));
    expect(await threshold(other)).toBeUndefined();
  });
});

it('reports what it wrote', async () => {
  const { sql } = database;
  await storeDrawnPosts(sql, accountId, drawPosts(21, 40, NEWEST));
  // Four ages of two outcomes and two of followers, of the account and of all.
  expect(only(await fitGrowth(sql, NOW)).reply).toEqual({
    code: 'fitted',
    points: 20,
    thresholds: 1,
  });
});
