/** The joint fit: its sums from SQL, what it tells apart, what it expects, and when it forgets. */
import { describe, expect, it } from 'vitest';
import type { PostKind } from '../../shared/contracts/identifiers.ts';
import { gramOf, postWeight } from '../../shared/learning/additive.ts';
import { type DesignPost, designOf } from '../../shared/learning/design.ts';
import { learnAccount } from '../../shared/learning/learn.ts';
import { mulberry32, normal } from '../../shared/learning/random.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  hours,
  json,
  learn,
  learningStatistics,
  only,
  recordPerformance,
  registerAccount,
  T0,
} from '../support/scenario.ts';

let accountId: number;

const DAY = 24;
const TOPICS = ['pricing', 'hiring', 'founding'];
const TONES = ['dry', 'warm'];

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql, 'somebot', { topic: TOPICS, tone: TONES });
  },
});

type Post = {
  at: Date;
  values: Record<string, string>;
  impressions: number;
  kind?: PostKind;
  /** Null: not read. */
  likes?: number | null;
  followers?: number | null;
  /** Age of the read; default 48. */
  age?: number;
};

/** Posts with one read each and their credit, as attribution leaves them. */
async function store(posts: Post[]): Promise<void> {
  const { sql } = database;
  const rows = posts.map((post, index) => {
    const age = post.age ?? 48;
    return {
      kind: 'single',
      followers: null,
      likes: Math.round(post.impressions / 50),
      ...post,
      post_id: snowflakeId(post.at, index),
      phase: age >= 48 ? '48h' : '2h',
      captured_at: hours(age, post.at),
    };
  });
  await sql`
    insert into public.post_attribution (post_id, account_id, posted_at, kind, realised, likes,
      retweets, replies, bookmarks, impressions, followers_before)
    select r.post_id, ${accountId}, r.at, r.kind, r.values, r.likes, 0, 0, 0, r.impressions, r.followers
    from jsonb_to_recordset(${json(sql, rows)}) r(post_id text, at timestamptz, kind text,
      values jsonb, likes bigint, impressions bigint, followers bigint)`;
  await sql`
    insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
      posted_at, likes, retweets, replies, bookmarks, impressions, source, quality, run_id)
    select r.post_id, r.phase, ${accountId}, r.captured_at, r.at, r.likes, 0, 0, 0, r.impressions,
      'graphql', 'exact', gen_random_uuid()
    from jsonb_to_recordset(${json(sql, rows)}) r(post_id text, phase text, captured_at timestamptz,
      at timestamptz, likes bigint, impressions bigint)`;
  await sql`
    insert into public.account_learning as s (account_id, data_version) values (${accountId}, 1)
    on conflict (account_id) do update set data_version = s.data_version + 1`;
}

/** Followers credited to every post that has a number of impressions divisible by three. */
async function credit(): Promise<void> {
  await database.sql`
    insert into public.post_credit (post_id, account_id, credit_2h, credit_24h, credit_48h,
      credit_7d, variance_48h, settled_2h, settled_24h, settled_48h, settled_7d, settled_thinning_48h,
      settled_spread_48h, final, computed_at)
    select p.post_id, p.account_id, x.c, x.c, x.c, x.c, 1 + x.c, 0, 0, 0, 0, 0, 0, true, ${T0}
    from public.post_attribution p
    cross join lateral (select p.impressions % 17 as c) x
    where p.impressions % 3 = 0`;
}

/** As the nightly job would leave it: 2 h before, posts had half of their impressions, give or take. */
async function growthKnown(): Promise<void> {
  await database.sql`
    insert into public.growth_curve (account_id, outcome, phase, age_h, posts, log_ratio, spread,
      low_90, high_90, computed_at)
    values (${accountId}, 'impressions', '2h', 1.9, 40, 0.7, 0.3, 0.2, 1.2, ${T0})`;
}

const pick = <T>(rng: () => number, list: readonly T[]) =>
  list[Math.floor(rng() * list.length)] as T;

/** A post every three hours, up to the given number, impressions around 1,000. */
function drawn(
  count: number,
  more: (index: number, rng: () => number) => Partial<Post> = () => ({}),
) {
  const rng = mulberry32(7);
  return Array.from({ length: count }, (_, index): Post => {
    const values = { topic: pick(rng, TOPICS), tone: pick(rng, TONES) };
    const impressions = Math.round(Math.exp(7 + 0.6 * normal(rng)));
    return { at: hours(3 * index), values, impressions, ...more(index, rng) };
  });
}

const effects = async () => {
  const rows = await database.sql`
    select dimension, value, uses, effect, effect_standard_error, marginal_mean, marginal_standard_error, lift,
      prob_above_average, prob_best, reliability
    from public.dimension_performance order by dimension, value`;
  return Object.fromEntries(rows.map((row) => [`${row.dimension} ${row.value}`, row]));
};

type RewardRow = {
  posted_at: Date;
  kind: PostKind;
  realised: Record<string, string>;
  followers: number | null;
  is_final: boolean;
  post_id: string;
} & Record<`${'r' | 'noise'}_${'impressions' | 'engagement' | 'followers'}`, number | null> & {
    reward: number;
    noise: number;
  };

const rewards = async (now: Date) =>
  await database.sql<RewardRow[]>`
    select * from postloop.post_rewards(${accountId}, ${now}) order by posted_at`;

const designPost = (row: RewardRow): DesignPost => ({
  values: row.realised,
  postedAt: row.posted_at,
  kind: row.kind,
  followers: row.followers,
});

/** The end of the UTC day of the newest post, from which age counts back. */
const reference = (rows: readonly RewardRow[]) =>
  new Date(Math.max(...rows.map((row) => row.posted_at.setUTCHours(24, 0, 0, 0))));

const SOME_OF_ALL = (index: number, rng: () => number): Partial<Post> => ({
  kind: pick(rng, ['single', 'single', 'thread', 'reply'] as const),
  followers: index % 5 === 0 ? null : 1000 + 9 * index,
  likes: index % 7 === 0 ? null : Math.floor(40 * rng()),
  ...(index % 11 === 0 ? { values: { topic: 'hiring' } } : {}),
  ...(index > 590 ? { age: 2 } : {}),
});

describe('the sums', () => {
  it('are those of the design, the weights and the moments in TypeScript', async () => {
    await growthKnown();
    // 250 days, so that the oldest weeks share a level
    await store(
      drawn(600, (index, rng) => ({ ...SOME_OF_ALL(index, rng), at: hours(10 * index) })),
    );
    await credit();
    const now = hours(6100);
    await database.sql`
      insert into public.drift_alarms (account_id, dimension, value, direction, since, day, statistic,
        threshold, created_at)
      values (${accountId}, null, null, 'up', '2026-06-01', '2026-06-02', 6, 5, ${now}),
        (${accountId}, 'tone', 'dry', 'down', '2026-07-01', '2026-07-09', 6, 5, ${now})`;
    const rows = await rewards(now);
    expect(rows.filter((row) => !row.is_final)).toHaveLength(9);
    expect(rows.some((row) => row.r_engagement === null)).toBe(true);
    expect(rows.some((row) => row.r_followers === null)).toBe(true);
    const design = designOf(rows.map(designPost));
    const until = reference(structuredClone([...rows]));

    const statistics = await learningStatistics(database.sql, accountId, now);
    expect(statistics.groups).toEqual(
      design.groups.map(({ name, features }) => ({ name, features })),
    );
    for (const outcome of ['reward', 'impressions', 'engagement', 'followers'] as const) {
      const expected = gramOf(
        rows.flatMap((row, index) => {
          const y = outcome === 'reward' ? row.reward : row[`r_${outcome}`];
          if (y === null) return [];
          const noise = outcome === 'reward' ? row.noise : row[`noise_${outcome}`];
          const alarmsSince = [
            row.posted_at < new Date('2026-06-02'),
            row.posted_at < new Date('2026-07-09') && row.realised.tone === 'dry',
          ].filter(Boolean).length;
          const ageDays = (+until - +row.posted_at) / 86_400_000;
          const weight = postWeight({ ageDays, alarmsSince, noiseVariance: noise ?? 0 });
          const features = design.rows[index] as (typeof design.rows)[number];
          return [{ ...features, y, ...weight }];
        }),
        design.size,
      );
      const packed = statistics.moments[outcome];
      if (!packed) throw new Error(`${outcome} has no sums`);
      const lower = Array.from({ length: design.size }, (_, i) =>
        Array.from(expected.gram.slice(i * design.size, i * design.size + i + 1)),
      ).flat();
      const furthest = Math.max(
        ...lower.map((sum, cell) => Math.abs(sum - (packed.gram[cell] as number))),
        ...packed.rhs.map((sum, index) => Math.abs(sum - (expected.rhs[index] as number))),
        Math.abs(packed.yy - expected.yy),
        Math.abs(packed.n - expected.n),
      );
      expect(furthest).toBeLessThan(1e-9);
    }
    const uses = new Array<number>(design.size).fill(0);
    for (const { indices } of design.rows) for (const i of indices) uses[i] = (uses[i] ?? 0) + 1;
    // every post counts for the followers, those without a count at the average
    expect(statistics.uses.slice(0, -1)).toEqual(uses.slice(0, -1));
  });

  it('are the same to the last bit in whatever order the rows lie', async () => {
    await growthKnown();
    await store(drawn(300, SOME_OF_ALL));
    await credit();
    const before = await learningStatistics(database.sql, accountId, hours(1000));
    await database.sql`delete from public.post_outcomes`;
    await database.sql
      .unsafe(
        `create index shuffled on public.post_attribution (md5(post_id));
         cluster public.post_attribution using shuffled;
         drop index public.shuffled;
         analyze public.post_attribution`,
      )
      .simple();
    expect(await learningStatistics(database.sql, accountId, hours(1000))).toEqual(before);
  });

  it('leave out the least used values where there are too many to fit, and say so', async () => {
    const { sql } = database;
    const topics = Array.from({ length: 190 }, (_, n) => `topic ${n}`);
    await sql`
      select public.register_x_account('somebot', ${json(sql, { topic: topics })}, ${T0})`;
    const posts = drawn(400, (index) => ({
      values: { topic: topics[index < 210 ? index % 30 : index - 210] as string, tone: 'dry' },
    }));
    await store(posts);
    const statistics = await learningStatistics(sql, accountId, hours(1300));
    const size = statistics.uses.length;
    expect(size).toBe(200 - 1);
    const fitted = statistics.groups.find(({ name }) => name === 'topic')?.features ?? [];
    expect(statistics.left_out).toEqual({ topic: 190 - fitted.length });
    expect(fitted).toEqual(expect.arrayContaining(topics.slice(0, 30)));
    expect(statistics.groups.find(({ name }) => name === 'tone')?.features).toEqual(['dry']);
    expect(await recordPerformance(sql, statistics, hours(1300))).toMatchObject({
      code: 'recorded',
      written: fitted.length + 1,
    });
  });
});

describe('the fit', () => {
  /** Topic pricing does better by `lift`; tone does nothing, but warm is nearly always pricing. */
  const confounded = (lift = 1.2) =>
    drawn(240, (index, rng) => {
      const isPricing = rng() < 0.5;
      const isWarm = rng() < (isPricing ? 0.9 : 0.1);
      const level = 7 + (isPricing ? lift : 0) + 0.4 * normal(rng);
      return {
        at: hours(5 * index),
        values: { topic: isPricing ? 'pricing' : 'hiring', tone: isWarm ? 'warm' : 'dry' },
        impressions: Math.round(Math.exp(level)),
        likes: null,
      };
    });

  it('tells apart two dimensions that were nearly always chosen together', async () => {
    await store(confounded());
    await learn(database.sql, accountId, hours(2000));
    const shown = await effects();
    // what the tone alone shows is the topic's doing
    const raw = shown['tone warm']?.marginal_mean - shown['tone dry']?.marginal_mean;
    expect(raw).toBeGreaterThan(0.6);
    expect(Math.abs(shown['tone warm']?.effect)).toBeLessThan(0.15);
    expect(shown['topic pricing']?.effect).toBeGreaterThan(0.3);
    expect(shown['topic pricing']).toMatchObject({ prob_best: 1 });
    expect(shown['topic pricing']?.reliability).toBeGreaterThan(0.8);
    // half of e^1.2 each way
    expect(shown['topic pricing']?.lift).toBeGreaterThan(0.4);
    expect(shown['topic pricing']?.lift).toBeLessThan(1.2);
  });

  it('does not credit a value with the kind of post that it was used for', async () => {
    const { sql } = database;
    const posts = confounded(0).map((post, index): Post => {
      const isThread = post.values.tone === 'warm' ? index % 10 !== 0 : index % 10 === 0;
      return {
        ...post,
        kind: isThread ? 'thread' : 'single',
        impressions: post.impressions * (isThread ? 4 : 1),
      };
    });
    await store(posts);
    await learn(sql, accountId, hours(2000));
    const shown = await effects();
    // not even raw: a thread is compared with threads
    const raw = shown['tone warm']?.marginal_mean - shown['tone dry']?.marginal_mean;
    expect(Math.abs(raw)).toBeLessThan(0.3);
    expect(Math.abs(shown['tone warm']?.effect)).toBeLessThan(0.2);
    const { features } = only(
      await sql`select features from public.learned_models where outcome = 'reward'`,
    );
    expect(features.filter((one: { group: string }) => one.group === 'nuisance:kind')).toEqual([
      { group: 'nuisance:kind', name: 'single' },
      { group: 'nuisance:kind', name: 'thread' },
    ]);
  });

  it('is kept with the dimensions first, in units that say what they are', async () => {
    const { sql } = database;
    await store(drawn(60, (index) => ({ followers: 1000 + index })));
    const statistics = await learningStatistics(sql, accountId, hours(400));
    await recordPerformance(sql, statistics, hours(400));
    const models = await sql`
      select outcome, data_version::int, finished_posts, chosen_features, cardinality(mean) as size,
        centre, spread, features
      from public.learned_models order by outcome`;
    expect(models.map(({ outcome }) => outcome)).toEqual(['engagement', 'impressions', 'reward']);
    for (const model of models) {
      expect(model).toMatchObject({
        data_version: 1,
        finished_posts: 60,
        chosen_features: 5,
      });
      expect(model.size).toBe(statistics.uses.length);
      expect(model.features.slice(0, 6)).toEqual([
        { group: 'tone', name: 'dry' },
        { group: 'tone', name: 'warm' },
        { group: 'topic', name: 'founding' },
        { group: 'topic', name: 'hiring' },
        { group: 'topic', name: 'pricing' },
        { group: 'intercept', name: 'intercept' },
      ]);
      expect(model.features.at(-1)).toEqual({
        group: 'nuisance:ln_followers',
        name: 'nuisance:ln_followers',
        ...statistics.followers,
      });
    }
    expect(models.map((model) => model.spread === null)).toEqual([false, false, true]);
  });

  it('is the same however often and whenever the same posts are learned', async () => {
    const { sql } = database;
    await store(drawn(80, SOME_OF_ALL));
    const kept = async () => ({
      models: await sql`select * from public.learned_models order by outcome`,
      shown: await sql`select * from public.dimension_performance order by dimension, value`,
      outcomes: await sql`select * from public.post_outcomes order by post_id`,
    });
    const timeless = ({ models, shown, outcomes }: Awaited<ReturnType<typeof kept>>) => [
      models.map(({ fitted_at: _, ...rest }) => rest),
      [...shown, ...outcomes].map(({ computed_at: _, ...rest }) => rest),
    ];
    await learn(sql, accountId, hours(300));
    const first = await kept();
    await learn(sql, accountId, hours(300));
    expect(await kept()).toEqual(first);
    await learn(sql, accountId, hours(3000));
    expect(timeless(await kept())).toEqual(timeless(first));
  });
});

describe('what the model expects', () => {
  it('of a post that it has not seen is kept, and what came of it once it is final', async () => {
    const { sql } = database;
    await growthKnown();
    const posts = drawn(90, (index) => ({ followers: 1000 + 7 * index }));
    await store(posts);
    await learn(sql, accountId, hours(350));
    const { features, mean, factor, residual_variance, group_variances } = only(
      await sql`
        select features, mean, factor, residual_variance, group_variances
        from public.learned_models where outcome = 'reward'`,
    );
    // a Thursday two weeks later: a week that the model has not seen
    const at = hours(25 * DAY);
    const fresh: Post = {
      at,
      values: { topic: 'hiring', tone: 'warm' },
      impressions: 900,
      followers: 2000,
      age: 2,
    };
    await store([fresh]);
    await learn(sql, accountId, hours(3, at));
    const event = only(await sql`select * from public.post_predictions where kind = 'reward'`);
    expect(event).toMatchObject({ post_id: snowflakeId(at, 0), observed: null, phase: null });

    const x = features.map(
      ({
        group,
        name,
        centre,
        spread,
      }: {
        group: string;
        name: string;
        centre: number;
        spread: number;
      }) => {
        if (group === 'nuisance:ln_followers') return (Math.log(2001) - centre) / spread;
        const known = ['intercept', 'hiring', 'warm', 'false', 'single', '4'];
        return group !== 'nuisance:week' && known.includes(name) ? 1 : 0;
      },
    );
    expect(x.filter((one: number) => one === 1)).toHaveLength(5);
    const expected = x.reduce((sum: number, one: number, i: number) => sum + one * mean[i], 0);
    const variance = x.reduce((total: number, _: number, j: number) => {
      const length = x.reduce(
        (sum: number, one: number, i: number) =>
          i < j ? sum : sum + one * factor[(i * (i + 1)) / 2 + j],
        0,
      );
      return total + length * length;
    }, group_variances['nuisance:week']);
    expect(event.predicted).toBeCloseTo(expected, 10);
    expect(event.standard_deviation).toBeCloseTo(Math.sqrt(residual_variance + variance), 10);

    await sql`
      insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
        posted_at, likes, retweets, replies, bookmarks, impressions, source, quality, run_id)
      values (${event.post_id}, '48h', ${accountId}, ${hours(48, at)}, ${at}, 30, 0, 0, 0, 1500,
        'graphql', 'exact', gen_random_uuid())`;
    await learn(sql, accountId, hours(49, at));
    const { reward } = only(
      await sql`select reward from public.post_outcomes where post_id = ${event.post_id}`,
    );
    const after = only(await sql`select * from public.post_predictions where kind = 'reward'`);
    expect(after).toMatchObject({
      predicted: event.predicted,
      standard_deviation: event.standard_deviation,
      observed: reward,
      observed_at: hours(49, at),
    });
  });
});

describe('drift', () => {
  /** Expectations of the stored posts that all came out `by` standard deviations higher. */
  const surprise = (since: Date, by: number, tone: string | null = null) => database.sql`
    insert into public.post_predictions (account_id, kind, post_id, predicted, standard_deviation, observed,
      created_at, observed_at)
    select p.account_id, 'reward', p.post_id, 0, 1,
      case when p.posted_at >= ${since} and coalesce(p.tone = ${tone}, true) then ${by} else 0 end,
      p.posted_at, p.posted_at
    from public.post_attribution p`;
  const alarms = () => database.sql`
    select dimension, value, direction, day::text, created_at from public.drift_alarms order by 1, 2`;

  it('of all posts raises an alarm, from which on earlier posts count for a tenth', async () => {
    const { sql } = database;
    await store(drawn(240, () => ({ values: {} })));
    await learn(sql, accountId, hours(800));
    await surprise(hours(20 * DAY), 2);
    await learn(sql, accountId, hours(800));
    const found = await alarms();
    expect(found.map(({ dimension, direction }) => [dimension, direction])).toEqual([
      [null, 'up'],
      ...Array(found.length - 1).fill([null, 'up']),
    ]);
    expect(found[0]?.day >= '2026-03-21' && found[0]?.day <= '2026-03-24').toBe(true);
    const rows = await sql`select alarms from public.post_outcomes order by posted_at`;
    expect(rows[0]).toEqual({ alarms: found.length });
    expect(rows.at(-1)).toEqual({ alarms: 0 });
  });

  it('is the same alarm, and the same fit, when it is learned again', async () => {
    const { sql } = database;
    await store(drawn(240));
    await learn(sql, accountId, hours(800));
    await surprise(hours(20 * DAY), 2);
    await learn(sql, accountId, hours(800));
    const found = await alarms();
    expect(found.length).toBeGreaterThan(0);
    const model = await sql`select mean, factor from public.learned_models order by outcome`;
    await learn(sql, accountId, hours(900));
    expect(await alarms()).toEqual(found);
    expect(await sql`select mean, factor from public.learned_models order by outcome`).toEqual(
      model,
    );
  });

  it('of one value lets only the posts with it count for less', async () => {
    const { sql } = database;
    await store(drawn(320));
    await learn(sql, accountId, hours(1100));
    await sql`
      insert into public.drift_alarms (account_id, dimension, value, direction, since, day, statistic,
        threshold, created_at)
      values (${accountId}, 'tone', 'dry', 'down', '2026-03-20', '2026-03-24', 9, 7, ${T0})`;
    const { alarms: known, residuals } = await learningStatistics(sql, accountId, hours(1100));
    expect(known).toMatchObject([{ dimension: 'tone', value: 'dry' }]);
    expect(residuals).toEqual([]);
    const rows = await sql`
      select p.tone, o.alarms from public.post_outcomes o
      join public.post_attribution p on p.post_id = o.post_id order by o.posted_at limit 20`;
    for (const { tone, alarms } of rows) expect(alarms).toBe(tone === 'dry' ? 1 : 0);
  });

  it('that all posts and some of their values show is one change', async () => {
    const { sql } = database;
    await store(drawn(100));
    await sql`
      insert into public.drift_alarms (account_id, dimension, value, direction, since, day, statistic,
        threshold, created_at)
      values (${accountId}, null, null, 'up', '2026-03-18', '2026-03-20', 6, 5, ${T0}),
        (${accountId}, 'tone', 'dry', 'up', '2026-03-19', '2026-03-21', 9, 7, ${T0}),
        (${accountId}, 'tone', 'warm', 'up', '2026-03-25', '2026-03-26', 9, 7, ${T0}),
        (${accountId}, 'topic', 'hiring', 'up', '2026-03-25', '2026-03-26', 9, 7, ${T0})`;
    await learningStatistics(sql, accountId, hours(400));
    const rows = await sql`
      select p.tone, p.topic, o.alarms from public.post_outcomes o
      join public.post_attribution p on p.post_id = o.post_id`;
    for (const { tone, topic, alarms } of rows) {
      expect(alarms).toBe(tone === 'warm' || topic === 'hiring' ? 2 : 1);
    }
  });

  it('keeps alarms of long ago, whose residuals are no longer at hand', async () => {
    const { sql } = database;
    await store(drawn(100, (index) => ({ at: hours(48 * index) })));
    await sql`
      insert into public.drift_alarms (account_id, direction, since, day, statistic, threshold,
        created_at)
      values (${accountId}, 'down', '2026-03-20', '2026-03-24', 9, 5, ${T0}),
        (${accountId}, 'down', '2026-09-01', '2026-09-02', 9, 5, ${T0})`;
    await learn(sql, accountId, hours(48 * 102));
    expect((await alarms()).map(({ day }) => day)).toEqual(['2026-03-24']);
  });
});

it('fits nothing for an account whose posts have no reward yet', async () => {
  await store(drawn(3, () => ({ age: 2 })));
  const statistics = await learningStatistics(database.sql, accountId, hours(20));
  expect(learnAccount(statistics)).toEqual({ rows: [], models: [] });
  expect(await recordPerformance(database.sql, statistics, hours(20))).toEqual({
    code: 'recorded',
    written: 0,
    removed: 0,
  });
});
