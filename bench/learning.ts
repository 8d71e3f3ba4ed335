/** Learning one changed account, alone and among the history of many others. */
import { learnAccount } from '../shared/learning/learn.ts';
import { learningStatisticsSchema } from '../shared/learning/statistics.ts';
import { snowflakeId } from '../shared/snowflake.ts';
import { atMost, benchmark, elapsed, fastest, milliseconds, percentile } from './benchmark.ts';
import { type BenchDatabase, type BenchServer, startBenchServer } from './database.ts';
import { DAY_MS, NOW } from './generate.ts';
import { type RestClient, startRestClient } from './rest.ts';

/** The account of which `--posts-per-account` posts are. */
const ACCOUNT = 'bench1';
const DAYS = 400;
const OTHER_ACCOUNTS = 20;
/** Values of each of the six dimensions of an account that has more than can be fitted. */
const MANY_VALUES = 40;
/** CPU seconds that the platform gives a call. */
const CPU_LIMIT_S = 2;

export const learning = benchmark({
  summary: 'what learning does for one changed account, in a small and in a large table',
  options: {
    'posts-per-account': { default: 2_000, description: 'posts of the changed account' },
    'small-posts': { default: 8_000, description: 'posts of other accounts, small table' },
    'other-posts': { default: 80_000, description: 'posts of other accounts, large table' },
    rounds: { default: 7, description: 'times that each is measured' },
  },
  async run(size, progress) {
    const own = size['posts-per-account'];
    const server = await startBenchServer();
    const stops: (() => Promise<void>)[] = [server.stop];
    try {
      const subjects = [];
      for (const [name, others] of [
        ['small', size['small-posts']],
        ['large', size['other-posts']],
      ] as const) {
        progress(`Generating ${own + others} posts, ${own} of them the account's`);
        const subject = await prepare(server, name, own, others);
        stops.unshift(subject.stop);
        subjects.push({ ...subject, first: await learn(subject, 0), times: [] as Times[] });
      }
      // In turn, so that a load on the machine falls on both.
      for (let round = 1; round <= size.rounds; round += 1) {
        progress(`Round ${round} of ${size.rounds}`);
        for (const subject of subjects) subject.times.push(await learn(subject, round));
      }
      const [small, large] = subjects.map((subject) => ({
        first: subject.first.total,
        learned: subject.first.posts,
        fastest: fastest(subject.times.map(({ total }) => total)),
        ...medians(subject.times),
      }));
      const [, subject] = subjects;
      if (!small || !large || !subject) throw new Error('Both tables are measured.');
      progress('The largest design that is fitted');
      const widest = await fitWidest(subject, size.rounds);
      return {
        size: { ...size, finished_posts: large.learned },
        measurements: [
          milliseconds('small table, all in', small.total),
          milliseconds('large table, all in', large.total),
          milliseconds('large table, all in, fastest round', large.fastest),
          milliseconds('large table, learning_statistics', large.statistics),
          milliseconds('large table, learnAccount', large.fit),
          milliseconds('large table, record_performance', large.record),
          milliseconds('large table, all in, the first time', large.first),
          { name: 'features of the largest design', value: widest.features, unit: '' },
          milliseconds('learnAccount of the largest design, all outcomes', widest.fit),
        ],
        bars: [
          atMost('all in, fastest round, in seconds', large.fastest / 1000, 1.5),
          atMost('large table / small table, medians', large.total / small.total, 1.5),
          atMost('fit of the largest design, in CPU seconds', widest.fit / 1000, CPU_LIMIT_S),
        ],
      };
    } finally {
      for (const stop of stops) await stop();
    }
  },
});

type Subject = { rest: RestClient; database: BenchDatabase; accountId: number };
type Times = { statistics: number; fit: number; record: number; total: number };

async function prepare(server: BenchServer, name: string, own: number, others: number) {
  await server.fill(name, {
    accounts: 1 + OTHER_ACCOUNTS,
    posts: own + others,
    days: DAYS,
    firstAccountPosts: own,
  });
  const database: BenchDatabase = await server.copy(name);
  const [account] = await database.sql<{ id: string }[]>`
    select id from public.x_accounts where handle = ${ACCOUNT}`;
  const rest = await startRestClient(database);
  // The first request reads the catalogue.
  await rest.client.rpc('learning_backlog', {}).throwOnError();
  const stop = async () => {
    await rest.stop();
    await database.drop();
  };
  return { rest, database, accountId: Number(account?.id), stop };
}

/** One account as the learning function does it; each round has a post more, so every weight changes. */
async function learn({ rest, database, accountId }: Subject, round: number) {
  const now = new Date(+NOW + round * DAY_MS).toISOString();
  await finishPost(database, accountId, new Date(+NOW + (round - 2) * DAY_MS));
  const startedAt = performance.now();
  const { data } = await rest.client
    .rpc('learning_statistics', { p_account_id: accountId, p_now: now })
    .throwOnError();
  const readAt = performance.now();
  const statistics = learningStatisticsSchema.parse(data);
  const { rows, models } = learnAccount(statistics);
  const fittedAt = performance.now();
  const record = await elapsed(() =>
    rest.client
      .rpc('record_performance', {
        p_account_id: accountId,
        p_data_version: statistics.data_version,
        p_finished_posts: statistics.finished_posts,
        p_rows: rows,
        p_models: models,
        p_now: now,
      })
      .throwOnError(),
  );
  return {
    statistics: readAt - startedAt,
    fit: fittedAt - readAt,
    record,
    total: fittedAt - startedAt + record,
    posts: statistics.finished_posts,
  };
}

/** The account with more values than a fit takes: the most used fill it. Fitting is CPU alone. */
async function fitWidest({ rest, database: { sql }, accountId }: Subject, rounds: number) {
  await sql`
    select public.register_x_account(${ACCOUNT}, (
      select jsonb_object_agg(d.dimension, (
        select jsonb_agg(d.dimension || '_' || n) from generate_series(0, ${MANY_VALUES - 1}::integer) n))
      from (select distinct v.dimension from public.content_dimension_values v where v.account_id = ${accountId}) d))`;
  await sql`
    update public.post_attribution p
    set realised = (
      select jsonb_object_agg(v.key,
        v.key || '_' || abs(hashtextextended(p.post_id || v.key, 0) % ${MANY_VALUES}::bigint))
      from jsonb_each_text(p.realised) v)
    where p.account_id = ${accountId}`;
  const { data } = await rest.client
    .rpc('learning_statistics', { p_account_id: accountId, p_now: NOW.toISOString() })
    .throwOnError();
  const statistics = learningStatisticsSchema.parse(data);
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push(await elapsed(async () => learnAccount(statistics)));
  }
  return { features: statistics.uses.length, fit: percentile(times, 0.5) };
}

/** A post with its read at 48 hours, in the words of one before it. */
async function finishPost({ sql }: BenchDatabase, accountId: number, postedAt: Date) {
  const postId = snowflakeId(postedAt);
  const readAt = new Date(+postedAt + 2 * DAY_MS);
  await sql`
    insert into public.post_attribution (post_id, account_id, posted_at, realised, likes, retweets,
      replies, bookmarks, impressions)
    select ${postId}, p.account_id, ${postedAt}, p.realised, 9, 1, 1, 1, 900
    from public.post_attribution p
    where p.account_id = ${accountId}
    order by p.posted_at
    limit 1`;
  await sql`
    insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
      posted_at, likes, retweets, replies, bookmarks, impressions, source, quality, run_id)
    values (${postId}, '48h', ${accountId}, ${readAt}, ${postedAt}, 9, 1, 1, 1, 900, 'graphql',
      'exact', gen_random_uuid())`;
}

function medians(times: Times[]): Times {
  const median = (part: keyof Times) =>
    percentile(
      times.map((time) => time[part]),
      0.5,
    );
  return {
    statistics: median('statistics'),
    fit: median('fit'),
    record: median('record'),
    total: median('total'),
  };
}
