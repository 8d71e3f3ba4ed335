import { beforeEach, describe, expect, it } from 'vitest';
import { mulberry32, normal, type Rng } from '../../shared/learning/random.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import { invariant } from '../support/health.ts';
import {
  type Counts,
  claim,
  found,
  hours,
  json,
  minutes,
  record,
  registerAccount,
  reset,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const check = (name: string, now: Date) => invariant(database.sql, name, now);

const AGES: [phase: string, age: number][] = [
  ['30m', 0.5],
  ['2h', 2],
  ['6h', 6],
  ['24h', 24.01],
  ['48h', 48],
  ['7d', 168],
];
/** Every six hours a post; the newest ones have not reached their later reads yet. */
const POSTS = 60;
const NOW = hours(6 * POSTS);
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

type Read = Counts & { impressions: number };
/** Draws a post, whose numbers at an age are asked for in order of age. */
type World = (rng: Rng) => (age: number, rng: Rng) => Read;

/** Stores the posts of a world with all reads until NOW; `world` draws one post. */
async function play(world: World, seed: number, posts = POSTS, account = accountId): Promise<void> {
  const { sql } = database;
  const rng = mulberry32(seed);
  const rows = Array.from({ length: posts }, (_, n) => {
    const postedAt = hours(6 * (POSTS - posts + n));
    const read = world(rng);
    return AGES.filter(([, age]) => hours(age, postedAt) <= NOW).map(([phase, age]) => ({
      post_id: snowflakeId(postedAt, account),
      posted_at: postedAt,
      phase,
      collected_at: hours(age, postedAt),
      ...read(age, rng),
    }));
  }).flat();
  await sql`
    with given as (
      select * from jsonb_to_recordset(${json(sql, rows)}) g(post_id text, posted_at timestamptz,
        phase text, collected_at timestamptz, likes bigint, retweets bigint, replies bigint,
        bookmarks bigint, impressions bigint)
    ), posts as (
      insert into public.post_attribution (post_id, account_id, posted_at)
      select distinct g.post_id, ${account}::bigint, g.posted_at from given g
    )
    insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
      posted_at, likes, retweets, replies, bookmarks, impressions, source, quality, run_id)
    select g.post_id, g.phase, ${account}, g.collected_at, g.posted_at, g.likes, g.retweets,
      g.replies, g.bookmarks, g.impressions, 'graphql', 'exact', gen_random_uuid()
    from given g`;
}

/** Poisson numbers, by their normal approximation where the mean is large. */
function poisson(rng: Rng, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(rng)));
  const end = Math.exp(-mean);
  let count = 0;
  for (let product = rng(); product > end; product *= rng()) count += 1;
  return count;
}

/** Posts as the method takes them: lognormal reach, Lomax accrual, engagement in proportion. */
const real =
  (median: number, likeRate = 0.02): World =>
  (rng) => {
    const total = median * Math.exp(1.2 * normal(rng));
    const scale = 1.518 * Math.exp(0.5 * normal(rng));
    const rate = likeRate * Math.exp(0.5 * normal(rng));
    let age0 = 0;
    const sums = { impressions: 0, likes: 0, retweets: 0, replies: 0, bookmarks: 0 };
    return (age, draw) => {
      const gained = total * ((1 + age0 / scale) ** -1.1 - (1 + age / scale) ** -1.1);
      age0 = age;
      const impressions = poisson(draw, gained);
      const share = gained > 0 ? impressions / gained : 0;
      sums.impressions += impressions;
      const engaged = (part: number) => Math.min(poisson(draw, gained * share * part), impressions);
      sums.likes += engaged(rate);
      sums.retweets += engaged(rate / 5);
      sums.replies += engaged(rate / 5);
      sums.bookmarks += engaged(rate / 5);
      return { ...sums };
    };
  };

const upTo = (rng: Rng, most: number) => Math.floor(rng() * most);
const drawn = (rng: Rng) => ({
  impressions: upTo(rng, 10_000),
  likes: upTo(rng, 500),
  retweets: upTo(rng, 50),
  replies: upTo(rng, 30),
  bookmarks: upTo(rng, 30),
});

/** What the first system stored: random numbers at every read. */
const random: World = () => (_, rng) => drawn(rng);

/** The same, each count sorted by age, so that nothing falls. */
const randomSorted: World = (rng) => {
  const draws = AGES.map(() => drawn(rng));
  const sorted = (key: keyof ReturnType<typeof drawn>) =>
    draws.map((one) => one[key]).sort((a, b) => a - b);
  const columns = {
    impressions: sorted('impressions'),
    likes: sorted('likes'),
    retweets: sorted('retweets'),
    replies: sorted('replies'),
    bookmarks: sorted('bookmarks'),
  };
  let place = -1;
  return () => {
    place += 1;
    return {
      impressions: columns.impressions[place] ?? 0,
      likes: columns.likes[place] ?? 0,
      retweets: columns.retweets[place] ?? 0,
      replies: columns.replies[place] ?? 0,
      bookmarks: columns.bookmarks[place] ?? 0,
    };
  };
};

const SOFT = ['metrics_monotone', 'metrics_plausible', 'metrics_move'];

describe('generated numbers', () => {
  it.each(SEEDS)('like those of real posts are believed (seed %i)', async (seed) => {
    await play(real(1300), seed);
    for (const name of SOFT) expect((await check(name, NOW)).status).toBe('ok');
  });

  it.each([3, 30, 200, 50_000])(
    'of accounts of any size are believed (median %i)',
    async (median) => {
      for (const seed of SEEDS) {
        await reset(database.sql);
        accountId = await registerAccount(database.sql);
        await play(real(median, 0.01), seed);
        for (const name of SOFT) expect(await check(name, NOW)).toMatchObject({ status: 'ok' });
      }
    },
  );

  it.each(SEEDS)('that are random at every read are flagged (seed %i)', async (seed) => {
    await play(random, seed);
    const failing = await check('metrics_monotone', NOW);
    expect(failing).toMatchObject({
      status: 'failing',
      measured: expect.stringMatching(/^\d+ of 40 posts of @somebot have numbers that fall/),
    });
  });

  it('that are random and sorted do not fall, and most look uniform', async () => {
    const flagged: number[] = [];
    for (const seed of SEEDS) {
      await reset(database.sql);
      accountId = await registerAccount(database.sql);
      await play(randomSorted, seed);
      expect((await check('metrics_monotone', NOW)).status).toBe('ok');
      const { status, measured, what_to_do } = await check('metrics_plausible', NOW);
      if (status !== 'failing') continue;
      flagged.push(seed);
      expect(measured).toMatch(/^@somebot: looks uniform: rank correlation .* -?\d\.\d+, skewness/);
      expect(what_to_do).toContain('@somebot');
    }
    expect(flagged.length).toBeGreaterThanOrEqual(7);
  });

  it('of one account are flagged among many real ones, and named', async () => {
    const { sql } = database;
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) {
      await play(real(1300), n, POSTS, await registerAccount(sql, `realbot${n}`));
    }
    expect((await check('metrics_monotone', NOW)).status).toBe('ok');
    await play(random, 9);
    expect(await check('metrics_monotone', NOW)).toMatchObject({
      status: 'failing',
      measured: expect.stringContaining('@somebot'),
    });
  });
});

describe('metrics_monotone', () => {
  /** 25 posts, the first `changed` of which change after their first day. */
  async function posts(changed: number, change: Partial<Read>): Promise<void> {
    const first = { impressions: 1000, likes: 100, retweets: 10, replies: 10, bookmarks: 10 };
    let n = 0;
    await play(
      () => {
        n += 1;
        const falls = n <= changed;
        return (age) => ({ ...first, ...(falls && age > 24 ? change : {}) });
      },
      1,
      25,
    );
  }

  it.each([
    [0, 'ok'],
    [1, 'ok'],
    [2, 'warning'],
    [5, 'warning'],
    [6, 'failing'],
  ])('with %i of 25 posts that fall is %s', async (changed, status) => {
    await posts(changed, { impressions: 900 });
    const one = await check('metrics_monotone', NOW);
    expect(one.status).toBe(status);
    expect(one.measured).toContain(`${changed} of 2`);
    if (changed > 0) expect(one.what_to_do).toMatch(/where tweet_id = '\d+'/);
  });

  it.each([
    ['impressions by 0.4 %', { impressions: 996 }, 'ok'],
    ['impressions by 0.6 %', { impressions: 994 }, 'failing'],
    ['likes by 6 %', { likes: 94 }, 'ok'],
    ['likes by 7 %', { likes: 93 }, 'failing'],
    ['bookmarks by three', { bookmarks: 7 }, 'ok'],
    ['bookmarks by four', { bookmarks: 6 }, 'failing'],
    ['retweets by four', { retweets: 6 }, 'failing'],
    ['replies by four', { replies: 6 }, 'failing'],
    ['likes to unknown', { likes: null }, 'ok'],
  ])('when all posts lose %s is %s', async (_, change, status) => {
    await posts(25, change);
    expect((await check('metrics_monotone', NOW)).status).toBe(status);
  });

  it.each([
    ['rounded', 'rounded'],
    ['not believed', 'suspect'],
  ])('does not judge reads that are %s', async (_, quality) => {
    await posts(25, { impressions: 900 });
    await database.sql`update public.real_tweet_metrics set quality = ${quality}`;
    expect((await check('metrics_monotone', NOW)).status).toBe('ok');
  });

  it('judges accounts with few posts together, and not fewer than ten', async () => {
    const { sql } = database;
    const falling: World = () => (age) => ({ impressions: age > 24 ? 900 : 1000, likes: 1 });
    await play(falling, 1, 9);
    expect((await check('metrics_monotone', NOW)).status).toBe('ok');
    await play(falling, 1, 9, await registerAccount(sql, 'otherbot'));
    expect(await check('metrics_monotone', NOW)).toMatchObject({
      status: 'failing',
      measured: expect.stringContaining('of all accounts'),
    });
  });
});

describe('metrics_plausible', () => {
  it('fails when many posts have more likes than impressions', async () => {
    let n = 0;
    const world: World = (rng) => {
      n += 1;
      const read = real(1300)(rng);
      const isWrong = n % 5 === 0;
      return (age, draw) => {
        const counts = read(age, draw);
        return isWrong ? { ...counts, likes: counts.impressions + 1 } : counts;
      };
    };
    await play(world, 1);
    expect(await check('metrics_plausible', NOW)).toMatchObject({
      status: 'failing',
      measured: '@somebot: 6 of 30 posts have more likes than impressions',
    });
  });

  it('does not judge an account with fewer than 30 posts', async () => {
    await play(random, 1, 29);
    expect(await check('metrics_plausible', NOW)).toMatchObject({
      status: 'ok',
      measured: '0 accounts with 30 posts, none looks made up',
    });
  });

  it('forgets after 30 days', async () => {
    await play(randomSorted, 1);
    expect((await check('metrics_plausible', NOW)).status).toBe('failing');
    expect((await check('metrics_plausible', hours(24 * 31, NOW))).status).toBe('ok');
  });
});

describe('metrics_move', () => {
  /** The newest 24 posts, of which the first `still` show the same numbers at every read. */
  async function posts(still: number, count = 24, impressions = 500): Promise<void> {
    let n = 0;
    await play(
      () => {
        n += 1;
        const stands = n <= still;
        return (age) => ({
          impressions: impressions + (stands ? 0 : Math.round(age)),
          likes: 5,
          replies: 1,
        });
      },
      1,
      count,
    );
  }

  it.each([
    [10, 'ok'],
    [20, 'warning'],
  ])('with %i of 24 posts that stand still is %s', async (still, status) => {
    await posts(still);
    const one = await check('metrics_move', NOW);
    expect(one.status).toBe(status);
    expect(one.measured).toMatch(
      new RegExp(`^${still} of 2\\d posts of 7 days had the same numbers`),
    );
    expect(one.what_to_do).toContain('caches');
  });

  it('does not judge fewer than ten posts, or posts that hardly anybody sees', async () => {
    await posts(9, 9);
    expect((await check('metrics_move', NOW)).status).toBe('ok');
    await reset(database.sql);
    accountId = await registerAccount(database.sql);
    await posts(24, 24, 3);
    expect((await check('metrics_move', NOW)).status).toBe('ok');
  });
});

describe('reads_have_provenance', () => {
  const post = snowflakeId(T0);
  const numbers = { likes: 1, retweets: 0, replies: 0, impressions: 100 };

  beforeEach(async () => {
    const { sql } = database;
    await trackPost(sql);
    const { run_id } = await claim(sql, minutes(30));
    await record(sql, run_id, { reads: [found(post, '30m', minutes(30), numbers)] }, minutes(30));
  });

  it('is green for reads that the scraper recorded', async () => {
    expect(await check('reads_have_provenance', hours(1))).toMatchObject({
      status: 'ok',
      measured: '0 reads without',
    });
  });

  it('fails for a read that something else wrote, until it is no longer believed', async () => {
    const { sql } = database;
    await storeRead(sql, post, '2h', hours(2), numbers);
    const failing = await check('reads_have_provenance', hours(3));
    expect(failing).toMatchObject({
      status: 'failing',
      measured: `1 read without, the newest is 2h of post ${post} of @somebot`,
    });
    await sql.unsafe(failing.what_to_do.slice(failing.what_to_do.indexOf('update public.')));
    expect((await check('reads_have_provenance', hours(3))).status).toBe('ok');
    const kept = await sql`select quality from public.real_tweet_metrics order by age_h`;
    expect(kept.map(({ quality }) => quality)).toEqual(['exact', 'suspect']);
  });

  it.each([
    ['whose run is gone', 'delete from public.pipeline_runs'],
    ['that its run did not find', "update public.collection_attempts set outcome = 'transient'"],
    [
      'that its run found at another age',
      "update public.collection_attempts set phase = '2h' where phase is not null",
    ],
  ])('fails for a read %s', async (_, change) => {
    await database.sql.unsafe(change);
    expect((await check('reads_have_provenance', hours(1))).status).toBe('failing');
  });

  it('leaves out reads of a database of before, and those of more than 30 days ago', async () => {
    const { sql } = database;
    await storeRead(sql, post, '2h', hours(2), numbers);
    expect((await check('reads_have_provenance', hours(24 * 31))).status).toBe('ok');
    await sql`update public.real_tweet_metrics set source = 'imported' where collection_phase = '2h'`;
    expect((await check('reads_have_provenance', hours(3))).status).toBe('ok');
  });
});

describe('follower_counts_exact', () => {
  const counts = (followers: (n: number) => number, exact: (n: number) => boolean = () => true) =>
    storeFollowers(
      database.sql,
      accountId,
      Array.from({ length: 100 }, (_, n) => ({
        at: hours(n),
        followers: followers(n),
        exact: exact(n),
      })),
    );
  const now = hours(101);

  it('is green for whole numbers, a round one among them', async () => {
    await counts((n) => 1195 + Math.floor(n / 5));
    expect(await check('follower_counts_exact', now)).toMatchObject({
      status: 'ok',
      measured: '1 account with 50 counts in 7 days, all exact',
    });
  });

  it.each([
    [50, 'ok'],
    [51, 'warning'],
  ])('with %i of 100 rounded counts is %s', async (rounded, status) => {
    await counts(
      (n) => 12_345 + n,
      (n) => n >= rounded,
    );
    expect((await check('follower_counts_exact', now)).status).toBe(status);
  });

  it('warns of counts that end in 00 and call themselves exact', async () => {
    await counts((n) => 12_300 + 100 * Math.floor(n / 20));
    expect(await check('follower_counts_exact', now)).toMatchObject({
      status: 'warning',
      measured: '@somebot: 5 of its 5 different counts end in 00',
      what_to_do: expect.stringContaining('session'),
    });
  });

  it.each([0, 1200])('believes an account that stays at %i', async (followers) => {
    await counts(() => followers);
    expect((await check('follower_counts_exact', now)).status).toBe('ok');
  });

  it('does not judge fewer than 50 counts', async () => {
    await counts(
      (n) => 12_345 + n,
      () => false,
    );
    expect((await check('follower_counts_exact', hours(40))).status).toBe('ok');
  });
});
