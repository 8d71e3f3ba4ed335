/** Outcomes of finished and young posts, and the rewards made of them. */
import { describe, expect, it } from 'vitest';
import { growthCurve, project } from '../../simulation/reference/growth.ts';
import { median } from '../../simulation/reference/quantile.ts';
import { useDatabase } from '../support/database.ts';
import {
  type DrawnPost,
  drawPosts,
  fitGrowth,
  maturePosts,
  storeDrawnPosts,
} from '../support/drawn-posts.ts';
import { attribute, hours, only, registerAccount, reset, storeRead } from '../support/scenario.ts';

let accountId: number;

const database = useDatabase({
  prepare: async (sql) => {
    await sql`delete from public.growth_curve`;
    accountId = await registerAccount(sql);
  },
});

const NOW = hours(24 * 30);
const WEIGHTS = { impressions: 0.2, engagement: 0.4, followers: 0.4 };

type Reward = {
  post_id: string;
  kind: string;
  followers: number | null;
  realised: Record<string, string>;
  y_impressions: number;
  y_engagement: number | null;
  y_followers: number | null;
  r_impressions: number;
  r_engagement: number | null;
  r_followers: number | null;
  reward: number;
  horizon_h: number;
  is_final: boolean;
  noise: number;
  noise_impressions: number;
  noise_engagement: number;
  noise_followers: number;
  centre_impressions: number;
  spread_impressions: number;
  spread_engagement: number;
  spread_followers: number;
};

const rewards = (now = NOW) =>
  database.sql<
    Reward[]
  >`select * from postloop.post_rewards(${accountId}, ${now}) order by posted_at`;

const finished = (seed: number, count = 60) => drawPosts(seed, count, hours(-60, NOW));

/** A post that was posted so many hours ago, with the reads that have come since. */
function young(seed: number, ageHours: number): DrawnPost {
  const [post] = drawPosts(seed, 1, hours(-ageHours, NOW));
  if (!post) throw new Error('One post is drawn.');
  return { ...post, reads: post.reads.filter((read) => read.ageHours <= ageHours) };
}

const of = (rows: readonly Reward[], post: DrawnPost) =>
  rows.find(({ post_id }) => post_id === post.postId);

describe('a young post', () => {
  it.each([
    ['2 h', 3],
    ['6 h', 8],
    ['24 h', 30],
  ])('is projected from its read at %s', async (_, ageHours) => {
    const { sql } = database;
    const posts = finished(1);
    const post = young(2, ageHours);
    await storeDrawnPosts(sql, accountId, [...posts, post]);
    await fitGrowth(sql, NOW);
    const read = post.reads.at(-1) as DrawnPost['reads'][number];
    const expected = project(read, growthCurve(maturePosts(posts)));
    const row = of(await rewards(), post) as Reward;
    expect(row.is_final).toBe(false);
    expect(row.horizon_h).toBeCloseTo(read.ageHours, 9);
    expect(row.y_impressions).toBeCloseTo(expected?.y as number, 9);
    expect(row.noise_impressions).toBeCloseTo(
      ((expected?.spread as number) / row.spread_impressions) ** 2,
      9,
    );
  });

  it('is less certain the younger it is', async () => {
    const { sql } = database;
    const posts = [young(3, 30), young(4, 8), young(5, 3)];
    await storeDrawnPosts(sql, accountId, [...finished(6), ...posts]);
    await sql`update public.post_credit set variance_48h = 0`;
    await fitGrowth(sql, NOW);
    const rows = await rewards();
    const noise = posts.map((post) => of(rows, post)?.noise as number);
    expect(noise[0]).toBeGreaterThan(0);
    expect(noise[1]).toBeGreaterThan(noise[0] as number);
    expect(noise[2]).toBeGreaterThan(noise[1] as number);
  });

  it('is left out as long as nobody has a curve for its age', async () => {
    const { sql } = database;
    const post = young(7, 8);
    await storeDrawnPosts(sql, accountId, [...finished(8, 29), post]);
    await fitGrowth(sql, NOW);
    const rows = await rewards();
    expect(rows).toHaveLength(29);
    expect(of(rows, post)).toBeUndefined();
  });

  it('is left out as long as the account has no finished post', async () => {
    const { sql } = database;
    const other = await registerAccount(sql, 'otherbot');
    await storeDrawnPosts(sql, other, finished(9));
    await storeDrawnPosts(sql, accountId, [young(10, 8)]);
    await fitGrowth(sql, NOW);
    expect(await rewards()).toEqual([]);
  });

  it('moves neither centre nor spread', async () => {
    const { sql } = database;
    const posts = finished(11);
    await storeDrawnPosts(sql, accountId, posts);
    await fitGrowth(sql, NOW);
    const before = (await rewards())[0] as Reward;
    await storeDrawnPosts(sql, accountId, [young(12, 8), young(13, 3)]);
    const after = await rewards();
    expect(after).toHaveLength(62);
    expect(after[0]).toEqual(before);
    const finals = posts.map(({ reads }) => Math.log1p(reads.at(-1)?.impressions ?? 0));
    expect(before.centre_impressions).toBeCloseTo(median(finals), 12);
  });

  it('becomes final by its read at 48 h, and stays projected until 7 d where that was missed', async () => {
    const { sql } = database;
    const seen = young(14, 30);
    const missed = young(15, 31);
    await storeDrawnPosts(sql, accountId, [...finished(16), seen, missed]);
    await fitGrowth(sql, NOW);
    const counts = { impressions: 4321, likes: 50, retweets: 0, replies: 0, bookmarks: 0 };
    await storeRead(sql, seen.postId, '48h', hours(49, seen.postedAt), counts);
    await storeRead(sql, missed.postId, '7d', hours(169, missed.postedAt), counts);
    const soon = await rewards(hours(50));
    expect(of(soon, seen)).toBeUndefined();
    const later = await rewards(hours(72, NOW));
    expect(of(later, seen)).toMatchObject({
      is_final: true,
      horizon_h: 49,
      y_impressions: Math.log(4322),
      noise_impressions: 0,
      noise_engagement: 0,
    });
    expect(of(later, missed)?.is_final).toBe(false);
    const last = await rewards(hours(200, NOW));
    expect(of(last, missed)).toMatchObject({ is_final: true, horizon_h: 169 });
  });

  it('is not projected from a read that is not believed', async () => {
    const { sql } = database;
    const post = young(17, 8);
    await storeDrawnPosts(sql, accountId, [...finished(18), post]);
    await fitGrowth(sql, NOW);
    await sql`
      update public.real_tweet_metrics set quality = 'suspect'
      where tweet_id = ${post.postId} and collection_phase = '6h'`;
    const row = of(await rewards(), post);
    expect(row?.horizon_h).toBeCloseTo(post.reads[1]?.ageHours as number, 9);
  });
});

describe('the noise', () => {
  it('of a finished post is that of its follower credit', async () => {
    const { sql } = database;
    const posts = finished(19);
    await storeDrawnPosts(sql, accountId, posts);
    const rows = await rewards();
    for (const [index, row] of rows.entries()) {
      const { c48, variance } = (posts[index] as DrawnPost).credit;
      const expected = variance / (1 + c48) ** 2 / row.spread_followers ** 2;
      expect(row.noise_followers).toBeCloseTo(expected, 9);
      expect(row.noise).toBeCloseTo(WEIGHTS.followers ** 2 * expected, 9);
      expect([row.noise_impressions, row.noise_engagement]).toEqual([0, 0]);
    }
  });

  it('of a young post has a part for each outcome, each with its weight squared', async () => {
    const { sql } = database;
    const post = young(20, 8);
    await storeDrawnPosts(sql, accountId, [...finished(21), post]);
    await fitGrowth(sql, NOW);
    const row = of(await rewards(), post) as Reward;
    const parts = [row.noise_impressions, row.noise_engagement, row.noise_followers];
    for (const part of parts) expect(part).toBeGreaterThan(0);
    expect(row.noise).toBeCloseTo(
      WEIGHTS.impressions ** 2 * row.noise_impressions +
        WEIGHTS.engagement ** 2 * row.noise_engagement +
        WEIGHTS.followers ** 2 * row.noise_followers,
      12,
    );
  });

  it('counts for nothing in what was not read', async () => {
    const { sql } = database;
    const post = young(22, 8);
    await storeDrawnPosts(sql, accountId, [...finished(23), post]);
    await fitGrowth(sql, NOW);
    await sql`update public.real_tweet_metrics set replies = null where tweet_id = ${post.postId}`;
    await sql`delete from public.post_credit where post_id = ${post.postId}`;
    const row = of(await rewards(), post) as Reward;
    expect([row.r_engagement, row.r_followers]).toEqual([null, null]);
    expect(row.reward).toBeCloseTo(row.r_impressions, 12);
    expect(row.noise).toBeCloseTo(row.noise_impressions, 12);
  });
});

describe('an engagement', () => {
  it('is a like, a retweet or a reply: bookmarks change no outcome, read or not', async () => {
    const { sql } = database;
    const posts = [...finished(34), young(35, 8)];
    await storeDrawnPosts(sql, accountId, posts);
    await sql`update public.real_tweet_metrics set retweets = likes / 2, replies = likes / 3`;
    const outcomes = async () => {
      await fitGrowth(sql, NOW);
      return rewards();
    };
    const without = await outcomes();
    for (const bookmarks of [null, 5000]) {
      await sql`update public.real_tweet_metrics set bookmarks = ${bookmarks}`;
      expect(await outcomes()).toEqual(without);
    }
  });

  it('is the same in a read, in a post and in what is learned', async () => {
    const { sql } = database;
    const post = finished(36, 1)[0] as DrawnPost;
    await storeDrawnPosts(sql, accountId, [{ ...post, reads: [] }]);
    const counts = { impressions: 800, likes: 30, retweets: 8, replies: 2, bookmarks: 60 };
    await storeRead(sql, post.postId, '48h', hours(49, post.postedAt), counts);
    await attribute(sql, NOW);
    expect(only(await sql`select engagement_rate from public.real_tweet_metrics`)).toEqual({
      engagement_rate: 0.05,
    });
    expect(
      only(await sql`select engagement_rate, bookmarks::int from public.post_tracking`),
    ).toEqual({ engagement_rate: 0.05, bookmarks: 60 });
    const row = only(await rewards());
    expect(row).toMatchObject({ engagements: '40', engagement_rate: 0.05 });
    expect(row.y_engagement).toBeCloseTo(Math.log((40 + 200 * 0.05) / 1000), 12);
  });
});

describe('the reward', () => {
  it('is the weighted mean of the standardised outcomes, cut at three spreads', async () => {
    const { sql } = database;
    const posts = finished(24);
    const giant = posts[30] as DrawnPost;
    giant.reads[4] = { ...(giant.reads[4] as DrawnPost['reads'][number]), impressions: 9_000_000 };
    await storeDrawnPosts(sql, accountId, posts);
    const rows = await rewards();
    expect(of(rows, giant)?.r_impressions).toBe(3);
    for (const row of rows) {
      expect(row.reward).toBeCloseTo(
        0.2 * row.r_impressions +
          0.4 * (row.r_engagement as number) +
          0.4 * (row.r_followers as number),
        12,
      );
      if (Math.abs(row.r_impressions) < 3) {
        expect(row.r_impressions).toBeCloseTo(
          (row.y_impressions - row.centre_impressions) / row.spread_impressions,
          12,
        );
      }
    }
    expect(median(rows.map(({ r_impressions }) => r_impressions))).toBeCloseTo(0, 12);
  });

  it('compares each kind of post with its own, as far as there are any', async () => {
    const { sql } = database;
    // every second post a reply that a twentieth sees, and one thread among them
    const posts = finished(32, 61).map((post, index) => ({
      ...post,
      reads: post.reads.map((one) =>
        index % 2 === 0
          ? one
          : {
              ...one,
              impressions: Math.ceil(one.impressions / 20),
              likes: Math.ceil(one.likes / 20),
            },
      ),
    }));
    await storeDrawnPosts(sql, accountId, posts);
    const kindOf = (index: number) =>
      index === 60 ? 'thread' : index % 2 === 0 ? 'single' : 'reply';
    const kinds = posts.map((post, index) => ({ id: post.postId, kind: kindOf(index) }));
    await sql`
      update public.post_attribution p set kind = k.kind
      from jsonb_to_recordset(${sql.json(kinds)}) k(id text, kind text) where k.id = p.post_id`;

    const rows = await rewards();
    const y = (kind?: string) =>
      rows.filter((row) => (kind ?? row.kind) === row.kind).map((row) => row.y_impressions);
    const all = median(y());
    const centre = (kind: string) => {
      const n = y(kind).length;
      return all + ((median(y(kind)) - all) * n) / (n + 10);
    };
    const spread =
      1.4826 * median(rows.map((row) => Math.abs(row.y_impressions - centre(row.kind))));
    for (const row of rows) {
      expect(row.centre_impressions).toBeCloseTo(all, 12);
      expect(row.spread_impressions).toBeCloseTo(spread, 12);
      const expected = (row.y_impressions - centre(row.kind)) / spread;
      expect(row.r_impressions).toBeCloseTo(Math.max(-3, Math.min(3, expected)), 12);
    }
    // three quarters of the distance are gone, and the spread is that of posts, not of kinds
    const distance = (key: 'r_impressions' | 'y_impressions') => {
      const middle = (kind: string) =>
        median(rows.filter((row) => row.kind === kind).map((row) => row[key]));
      return middle('single') - middle('reply');
    };
    expect(distance('y_impressions')).toBeGreaterThan(2.5);
    expect(distance('r_impressions') * spread).toBeLessThan(0.27 * distance('y_impressions'));
    expect(rows.filter((row) => Math.abs(row.r_impressions) === 3).length).toBeLessThan(4);
  });

  it('draws the engagement of a post with few impressions towards what is usual for its kind', async () => {
    const { sql } = database;
    const posts = finished(33, 40);
    await storeDrawnPosts(sql, accountId, posts);
    const replies = posts.slice(0, 20).map(({ postId }) => postId);
    await sql`
      update public.post_attribution set kind = 'reply' where post_id = any (${replies})`;
    await sql`
      update public.real_tweet_metrics set impressions = 100, likes = 20
      where tweet_id = any (${replies})`;
    const row = (await rewards()).find(({ kind }) => kind === 'reply') as Reward;
    const rates = posts.map(({ postId, reads }) => {
      const last = reads.at(-1) as DrawnPost['reads'][number];
      return replies.includes(postId) ? 0.2 : last.likes / last.impressions;
    });
    const usual = median(rates) + ((0.2 - median(rates)) * 20) / 30;
    expect(row.y_engagement).toBeCloseTo(Math.log((20 + 200 * usual) / 300), 12);
  });

  it('follows the weights', async () => {
    const { sql } = database;
    await storeDrawnPosts(sql, accountId, finished(25, 10));
    await sql`update public.reward_weights set weight = 0 where outcome <> 'engagement'`;
    try {
      const rows = await rewards();
      expect(rows).toHaveLength(10);
      for (const row of rows) expect(row.reward).toBeCloseTo(row.r_engagement as number, 12);
    } finally {
      await sql`
        update public.reward_weights
        set weight = case outcome when 'impressions' then 0.2 else 0.4 end`;
    }
  });

  it('comes with what the post was', async () => {
    const { sql } = database;
    await storeDrawnPosts(sql, accountId, finished(26, 1));
    await sql`
      update public.post_attribution
      set kind = 'thread', followers_before = 1234, realised = '{"tone": "dry"}'`;
    expect(only(await rewards())).toMatchObject({
      kind: 'thread',
      followers: 1234,
      realised: { tone: 'dry' },
    });
  });

  it('is the same to the last bit in whatever order the rows are stored', async () => {
    const { sql } = database;
    const posts = [...finished(27, 75), young(28, 30), young(29, 8), young(30, 3)];
    const read = async (stored: DrawnPost[]) => {
      await reset(sql);
      accountId = await registerAccount(sql);
      await storeDrawnPosts(sql, accountId, stored);
      await fitGrowth(sql, NOW);
      return (await rewards()).map((row) => ({ ...row, account_id: null }));
    };
    const once = await read(posts);
    expect(once).toHaveLength(78);
    expect(await read(posts.toReversed())).toEqual(once);
    // With equal values the spread is a standard deviation, a sum that depends on its order.
    const alike = finished(31, 40).map((post, index) => ({
      ...post,
      reads: post.reads.map((one) => (index < 30 ? { ...one, impressions: 777 } : one)),
    }));
    const flat = await read(alike);
    expect(flat[0]?.spread_impressions).toBeGreaterThan(0);
    expect(await read(alike.toReversed())).toEqual(flat);
  });
});
