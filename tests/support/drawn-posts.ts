/** Posts with reads at all ages, drawn from a seed and stored in one statement a table. */
import type postgres from 'postgres';
import { mulberry32, normal } from '../../shared/learning/random.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import type { MaturePost } from '../../simulation/reference/growth.ts';
import { HOUR_MS, hours, json } from './scenario.ts';

type DrawnRead = {
  phase: string;
  ageHours: number;
  impressions: number;
  likes: number;
};

export type DrawnPost = {
  postId: string;
  postedAt: Date;
  reads: DrawnRead[];
  /** Followers credited after 2, 24 and 48 hours, and the variance of the last. */
  credit: { c2: number; c24: number; c48: number; variance: number };
};

/** Phase and the true age of its reads: from the first number of hours, by up to the second. */
const AGES: [string, number, number][] = [
  ['30m', 0.5, 0.2],
  ['2h', 2, 0.3],
  ['6h', 6, 1],
  ['24h', 24, 2],
  ['48h', 48, 3],
];

/**
 * Posts one every `every` hours, the newest of them posted at `newest`: impressions differ between
 * posts by a factor of about two, and grow at about the same pace.
 */
export function drawPosts(
  seed: number,
  count: number,
  newest: Date,
  options: { every?: number; phases?: string[] } = {},
): DrawnPost[] {
  const { every = 3, phases = AGES.map(([phase]) => phase) } = options;
  const rng = mulberry32(seed);
  return Array.from({ length: count }, (_, index) => {
    const postedAt = hours(-(count - 1 - index) * every, newest);
    const final = Math.exp(7 + 0.7 * normal(rng));
    const rate = 0.02 * Math.exp(0.3 * normal(rng));
    const pace = Math.exp(0.2 * normal(rng));
    const share = (ageHours: number) => 1 - (1 + (ageHours * pace) / 1.333) ** -1.1;
    const reads = AGES.map(([phase, from, by]) => {
      const ageHours = from + Math.round(by * rng() * 3600) / 3600;
      const impressions = Math.round((final * share(ageHours)) / share(48));
      return { phase, ageHours, impressions, likes: Math.round(impressions * rate) };
    });
    const c48 = Math.exp(normal(rng));
    const credit = { c2: c48 * share(2), c24: c48 * share(24), c48, variance: c48 * rng() };
    return {
      postId: snowflakeId(postedAt, seed),
      postedAt,
      reads: reads.filter(({ phase }) => phases.includes(phase)),
      credit,
    };
  });
}

/** What the growth curve is made from: posts with a read at 48 h, with their earlier reads. */
export const maturePosts = (posts: readonly DrawnPost[]): MaturePost[] =>
  posts.flatMap(({ reads }) => {
    const final = reads.find(({ ageHours }) => ageHours >= 48);
    return final ? [{ impressions48h: final.impressions, reads }] : [];
  });

/** Stores posts, reads and credits as tracking, the scraper and attribution leave them. */
export async function storeDrawnPosts(
  sql: postgres.Sql,
  accountId: number,
  posts: readonly DrawnPost[],
): Promise<void> {
  const rows = posts.map(({ postId, postedAt, credit }) => ({ postId, postedAt, ...credit }));
  const reads = posts.flatMap(({ postId, postedAt, reads: own }) =>
    own.map((read) => ({
      postId,
      postedAt,
      ...read,
      at: new Date(+postedAt + Math.round(read.ageHours * HOUR_MS)),
    })),
  );
  await sql`
    insert into public.post_attribution (post_id, account_id, posted_at, tracked_at)
    select p."postId", ${accountId}, p."postedAt", p."postedAt"
    from jsonb_to_recordset(${json(sql, rows)}) p("postId" text, "postedAt" timestamptz)`;
  await sql`
    insert into public.post_credit (post_id, account_id, credit_2h, credit_24h, credit_48h, credit_7d,
      variance_48h, settled_2h, settled_24h, settled_48h, settled_7d, settled_thinning_48h,
      settled_spread_48h, final, computed_at)
    select p."postId", ${accountId}, p.c2, p.c24, p.c48, p.c48, p.variance, 0, 0, 0, 0, 0, 0, true,
      p."postedAt"
    from jsonb_to_recordset(${json(sql, rows)}) p("postId" text, "postedAt" timestamptz,
      c2 double precision, c24 double precision, c48 double precision, variance double precision)`;
  await sql`
    insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
      posted_at, likes, retweets, replies, bookmarks, impressions, source, quality, run_id)
    select r."postId", r.phase, ${accountId}, r.at, r."postedAt", r.likes, 0, 0, 0, r.impressions,
      'graphql', 'exact', gen_random_uuid()
    from jsonb_to_recordset(${json(sql, reads)}) r("postId" text, phase text, at timestamptz,
      "postedAt" timestamptz, likes bigint, impressions bigint)`;
}

/** Fits the growth curves of all accounts, or of the given ones. */
export const fitGrowth = (sql: postgres.Sql, now: Date, accountIds: number[] | null = null) =>
  sql`select postloop.fit_growth(${accountIds}, ${now}) as reply`;
