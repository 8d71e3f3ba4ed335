/** Attribution against the loop that it replaces, and against the least that Postgres can do. */
import { atLeast, atMost, benchmark, elapsed, fastest, milliseconds } from './benchmark.ts';
import { type BenchDatabase, type BenchServer, startBenchServer } from './database.ts';
import { ACTIVE_SINCE, daysOf, NEXT_RUN, NOW } from './generate.ts';
import { type RestClient, startRestClient } from './rest.ts';

/** At this size the whole job has a bar of its own. */
const FULL_ACTIVE = 22_500;

export const attribution = benchmark({
  summary: 'one attribution run over the posts of the last nine days, each with one new read',
  options: {
    active: { default: 2_500, description: 'posts of the last nine days' },
    posts: {
      default: 0,
      least: 0,
      description: 'all posts at the same rate a day; 0: four times the active',
    },
    accounts: { default: 10, description: 'accounts that posted them' },
    sample: { default: 200, description: 'posts of the old loop, which is scaled up' },
    rounds: { default: 3, description: 'times that each is measured; the fastest counts' },
  },
  async run({ active, accounts, sample, rounds, ...size }, progress) {
    const posts = Math.max(size.posts || 4 * active, active);
    const server = await startBenchServer();
    try {
      progress(`Generating ${posts} posts of ${accounts} accounts, ${active} of them active`);
      await server.fill('fleet', { accounts, posts, days: daysOf(posts, active) });

      progress(`The old loop over ${sample} posts`);
      const loop = await onCopy(server, (database) => measureLoop(database, sample));
      const times: Record<string, number>[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        progress(`Round ${round} of ${rounds}`);
        times.push({
          ...(await onCopy(server, measureFloor)),
          ...(await onCopy(server, measureSteps)),
          ...(await onCopy(server, measureJob)),
        });
      }
      const best = (step: string) => fastest(times.map((round) => round[step] ?? Number.NaN));
      const old = loop.perPost * loop.backlog;

      return {
        size: { active, posts, accounts, posts_with_new_reads: loop.backlog, sample, rounds },
        measurements: [
          milliseconds('old loop, one post', loop.perPost),
          milliseconds('old loop, scaled to all posts with new reads', old),
          milliseconds('bare update of the same posts', best('floor')),
          milliseconds('copy_metrics', best('copy')),
          milliseconds('split_blocks, all batches', best('split')),
          milliseconds('fill_followers', best('fill')),
          milliseconds('attribute_posts, every active post has a new read', best('first')),
          milliseconds('attribute_posts again, nothing new', best('again')),
          milliseconds('attribute_posts two hours later', best('next')),
        ],
        bars: [
          atLeast('old loop / copy_metrics, the same work', old / best('copy'), 200),
          atMost('copy_metrics / bare update', best('copy') / best('floor'), 6),
          ...(active >= FULL_ACTIVE
            ? [atMost('whole job in seconds', best('first') / 1000, 30)]
            : []),
        ],
      };
    } finally {
      await server.stop();
    }
  },
});

async function onCopy<T>(
  server: BenchServer,
  work: (database: BenchDatabase) => Promise<T>,
): Promise<T> {
  const database = await server.copy('fleet');
  try {
    return await work(database);
  } finally {
    await database.drop();
  }
}

/** As the old job did it: the newest read of a post, then its row, a request each. */
async function measureLoop(database: BenchDatabase, sample: number) {
  const [counted] = await database.sql`select public.attribution_backlog(${NOW}) as backlog`;
  const posts = await database.sql<{ post_id: string }[]>`
    select p.post_id from public.post_attribution p
    join public.real_tweet_metrics m on m.tweet_id = p.post_id
    where m.attributed_at is null and m.collected_at <= ${NOW}
    order by hashtext(p.post_id) limit ${sample + 1}`;
  const rest = await startRestClient(database);
  try {
    const [first, ...others] = posts;
    // The first request reads the catalogue.
    if (first) await copyOne(rest, first.post_id);
    const total = await elapsed(async () => {
      for (const { post_id } of others) await copyOne(rest, post_id);
    });
    const [written] = await database.sql`
      select count(*)::integer as posts from public.post_attribution where last_updated = ${NOW}`;
    if (written?.posts !== posts.length) throw new Error('The old loop did not write every post.');
    return { backlog: Number(counted?.backlog), perPost: total / others.length };
  } finally {
    await rest.stop();
  }
}

async function copyOne({ client }: RestClient, postId: string): Promise<void> {
  // Unquoted, the local REST layer takes the digits for a number and rounds it.
  const quoted = `("${postId}")`;
  const { data: read } = await client
    .from('real_tweet_metrics')
    .select('likes, retweets, replies, quotes, bookmarks, impressions, collected_at')
    .filter('tweet_id', 'in', quoted)
    .order('collected_at', { ascending: false })
    .limit(1)
    .single()
    .throwOnError();
  const { collected_at, ...counts } = read;
  await client
    .from('post_attribution')
    .update({ ...counts, metrics_captured_at: collected_at, last_updated: NOW.toISOString() })
    .filter('post_id', 'in', quoted)
    .throwOnError();
}

/** One statement that writes the same rows with numbers that it is given. */
async function measureFloor({ sql }: BenchDatabase) {
  const floor = await elapsed(
    () => sql`
      update public.post_attribution
      set likes = 1, retweets = 1, replies = 1, quotes = 1, bookmarks = 1, impressions = 100,
          metrics_captured_at = ${NOW}, metrics_phase = '24h', last_updated = ${NOW}
      where posted_at >= ${ACTIVE_SINCE}`,
  );
  return { floor };
}

async function measureSteps({ sql }: BenchDatabase) {
  return {
    copy: await elapsed(() => sql`select count(*) from postloop.copy_metrics(${NOW}, 1000000)`),
    split: await elapsed(
      () => sql`
        select count(*) from postloop.plan_splits(${NOW}, false) p
        cross join lateral postloop.split_blocks(${NOW}, p.account_ids, p.until_hours)`,
    ),
    fill: await elapsed(
      () => sql`
        select count(*) from postloop.fill_followers(${NOW}, array(
          select c.post_id from public.post_credit c where c.computed_at = ${NOW}))`,
    ),
  };
}

/** The job as the function runs it: part by part until nothing is left. */
async function measureJob({ sql }: BenchDatabase) {
  const job = (now: Date) =>
    elapsed(async () => {
      for (let resume = false, more = true; more; resume = true) {
        const [row] = await sql`select public.attribute_posts(${now}, ${resume}) as reply`;
        more = row?.reply.more === true;
      }
    });
  return { first: await job(NOW), again: await job(NOW), next: await job(NEXT_RUN) };
}
