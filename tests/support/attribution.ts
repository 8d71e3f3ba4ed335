/** Whole account histories in the database, and what attribution stored of them beside the formulas. */
import type postgres from 'postgres';
import type { Rng } from '../../shared/learning/random.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import {
  type AccountHistory,
  type Attribution,
  attributeAccount,
} from '../../simulation/reference/attribution/account.ts';
import { HOUR_MS, json, registerAccount } from './scenario.ts';

/** As many reads of a post can be stored: one a phase. */
const PHASES = [
  ...['0m', '30m', '75m', '2h', '4h', '6h', '12h'],
  ...['24h', '36h', '48h', '3d', '7d', '14d'],
];

/** The same history with ids that X could have given its posts. */
export function withPostIds(history: AccountHistory): AccountHistory {
  return {
    ...history,
    posts: history.posts.map((post, n) => ({
      ...post,
      id: snowflakeId(new Date(post.postedAt), n),
    })),
  };
}

/** Stores an account with its posts, reads and counts; with `rng`, in a random physical order. */
export async function storeHistory(
  sql: postgres.Sql,
  handle: string,
  history: AccountHistory,
  rng?: Rng,
): Promise<number> {
  const accountId = await registerAccount(sql, handle);
  const ordered = <T>(rows: T[]): T[] =>
    rng
      ? rows
          .map((row) => ({ row, key: rng() }))
          .sort((one, other) => one.key - other.key)
          .map(({ row }) => row)
      : rows;
  const posts = history.posts.map(({ id, postedAt }) => ({ id, at: new Date(postedAt) }));
  const reads = history.posts.flatMap((post) =>
    post.reads.map(({ capturedAt, impressions, profileClicks }, n) => ({
      id: post.id,
      phase: PHASES[n],
      at: new Date(capturedAt),
      posted: new Date(post.postedAt),
      impressions,
      clicks: profileClicks,
    })),
  );
  const counts = history.snapshots.map(({ capturedAt, followers, isExact }) => ({
    at: new Date(capturedAt),
    followers,
    exact: isExact,
  }));
  await sql`
    insert into public.post_attribution (post_id, account_id, posted_at)
    select p.id, ${accountId}, p.at
    from jsonb_to_recordset(${json(sql, ordered(posts))}) p(id text, at timestamptz)`;
  await sql`
    insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
      posted_at, impressions, profile_clicks, source, quality, run_id)
    select r.id, r.phase, ${accountId}, r.at, r.posted, r.impressions, r.clicks, 'graphql', 'exact', gen_random_uuid()
    from jsonb_to_recordset(${json(sql, ordered(reads))})
      r(id text, phase text, at timestamptz, posted timestamptz, impressions bigint, clicks bigint)`;
  await sql`
    insert into public.follower_snapshots (account_id, captured_at, followers, is_exact, source, run_id)
    select ${accountId}, c.at, c.followers, c.exact, 'graphql', gen_random_uuid()
    from jsonb_to_recordset(${json(sql, ordered(counts))}) c(at timestamptz, followers bigint, exact boolean)`;
  return accountId;
}

/** Every row that attribution wrote, in a fixed order and without when it wrote it. */
export async function attributedRows(sql: postgres.Sql) {
  return {
    hours: await sql`
      select a.handle, f.* from public.follower_hour f
      join public.x_accounts a on a.id = f.account_id order by a.handle, f.hour`.then(
      withoutAccount,
    ),
    rates: await sql`
      select a.handle, r.account_id, r.block_start, r.organic_per_hour, r.followers_per_impression,
        r.dispersion, r.lag_h, r.hours
      from public.follower_block_rates r
      join public.x_accounts a on a.id = r.account_id order by a.handle, r.block_start`.then(
      withoutAccount,
    ),
    credits: await sql`
      select c.* from public.post_credit c order by c.post_id`.then((rows) =>
      rows.map(({ account_id: _, computed_at: __, ...row }) => row),
    ),
  };
}

const withoutAccount = (rows: readonly postgres.Row[]) =>
  rows.map(({ account_id: _, ...row }) => row);

/** The largest difference between what is stored of an account and what the formulas give. */
export type Difference = { error: number; at: string };

/** Compares each number that is stored with that of `attributeAccount`; `error` is relative above 1. */
export async function differenceFromFormulas(
  sql: postgres.Sql,
  accountId: number,
  history: AccountHistory,
  now: Date,
): Promise<Difference> {
  const expected = attributeAccount(
    { ...history, posts: history.posts.filter(({ postedAt }) => postedAt <= +now) },
    +now,
  );
  let worst: Difference = { error: 0, at: '' };
  const compare = (at: string, stored: unknown, wanted: number | boolean) => {
    const [one, other] = [Number(stored), Number(wanted)];
    const error = Math.abs(one - other) / Math.max(1, Math.abs(other));
    // a number that is missing is the largest difference, whatever comes after it
    if (!Number.isNaN(worst.error) && !(error <= worst.error))
      worst = { error, at: `${at}: ${one} stored, not ${other}` };
  };
  await compareHours(sql, accountId, expected, compare);
  await compareRates(sql, accountId, expected, compare);
  await compareCredits(sql, accountId, expected, compare);
  return worst;
}

type Compare = (at: string, stored: unknown, wanted: number | boolean) => void;

async function compareHours(
  sql: postgres.Sql,
  accountId: number,
  { ledger }: Attribution,
  compare: Compare,
): Promise<void> {
  const rows = await sql`
    select * from public.follower_hour where account_id = ${accountId} order by hour`;
  compare('hours', rows.length, ledger.change.length);
  rows.forEach((row, i) => {
    const name = row.hour.toISOString();
    compare(`${name} start`, +row.hour / HOUR_MS, ledger.firstHour + i);
    compare(`${name} change`, row.change, ledger.change[i] ?? Number.NaN);
    compare(`${name} gap`, row.gap, ledger.gap[i] === 1);
    compare(`${name} exposure`, row.exposure, ledger.exposure[i] ?? Number.NaN);
    compare(`${name} credited`, row.credited, ledger.credited[i] ?? Number.NaN);
    compare(`${name} organic`, row.organic, ledger.organic[i] ?? Number.NaN);
    compare(`${name} unexplained`, row.unexplained, ledger.unexplained[i] ?? Number.NaN);
  });
}

async function compareRates(
  sql: postgres.Sql,
  accountId: number,
  { blocks }: Attribution,
  compare: Compare,
): Promise<void> {
  const rows = await sql`
    select * from public.follower_block_rates where account_id = ${accountId} order by block_start`;
  compare('blocks', rows.length, blocks.length);
  rows.forEach((row, i) => {
    const name = `block ${row.block_start.toISOString()}`;
    const block = blocks[i];
    compare(`${name} start`, +row.block_start / HOUR_MS, block?.firstHour ?? Number.NaN);
    compare(`${name} b`, row.organic_per_hour, block?.b ?? Number.NaN);
    // as large as b, so that its digits count as much
    compare(`${name} q`, row.followers_per_impression * 1000, (block?.q ?? Number.NaN) * 1000);
    compare(`${name} phi`, row.dispersion, block?.phi ?? Number.NaN);
    compare(`${name} lag`, row.lag_h, block?.lag ?? Number.NaN);
  });
}

async function compareCredits(
  sql: postgres.Sql,
  accountId: number,
  { posts }: Attribution,
  compare: Compare,
): Promise<void> {
  const rows = await sql`select * from public.post_credit where account_id = ${accountId}`;
  const stored = new Map(rows.map((row) => [row.post_id, row]));
  for (const post of posts) {
    const row = stored.get(post.id);
    stored.delete(post.id);
    compare(`${post.id} 2 h`, row?.credit_2h ?? 0, post.credit2h);
    compare(`${post.id} 24 h`, row?.credit_24h ?? 0, post.credit24h);
    compare(`${post.id} 48 h`, row?.credit_48h ?? 0, post.credit48h);
    compare(`${post.id} 7 d`, row?.credit_7d ?? 0, post.credit7d);
    compare(`${post.id} variance`, row?.variance_48h ?? 0, post.variance48h);
    if (row) compare(`${post.id} final`, row.final, post.final);
  }
  compare('credits of other posts', stored.size, 0);
}
