/** What must be in the database after a play, from the plan and the world alone. */
import postgres from 'postgres';
import type { PostNumbers } from '../x-site/payloads.ts';
import type { Plan } from './plan.ts';
import { createWorld } from './world.ts';

export type Phase = { phase: string; minutes: number };

/** The ages at which a post's numbers are read, the youngest first. */
export async function scheduledPhases(databaseUrl: string): Promise<Phase[]> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    return await sql<Phase[]>`
      select p.phase, (extract(epoch from p.age) / 60)::int as minutes
      from public.collection_phases p where p.scheduled order by p.age`;
  } finally {
    await sql.end();
  }
}

export type Expected = {
  /** By `<post id> <phase>`: what X showed at the tick in which the read fell due, and when. */
  reads: Map<string, { at: string; numbers: PostNumbers }>;
  /** By `<handle> <moment>`. */
  followers: Map<string, number>;
};

export function expectedOf(plan: Plan, phases: Phase[]): Expected {
  const world = createWorld(plan);
  const expected: Expected = { reads: new Map(), followers: new Map() };
  let before = Number.NEGATIVE_INFINITY;
  for (const [tick, now] of plan.ticks.entries()) {
    world.enter(tick);
    const at = now.toISOString();
    const isDue = (moment: number) => moment > before && moment <= now.getTime();
    for (const { id, postedAt } of plan.posts) {
      for (const { phase, minutes } of phases) {
        if (!isDue(postedAt.getTime() + minutes * 60_000)) continue;
        const numbers = world.post(id);
        if (numbers) expected.reads.set(`${id} ${phase}`, { at, numbers });
      }
    }
    // A count is due at the first tick and from then on at each full hour.
    const hour = Math.floor(now.getTime() / 3_600_000) * 3_600_000;
    if (tick === 0 || isDue(hour)) {
      for (const handle of plan.handles) {
        expected.followers.set(`${handle} ${at}`, world.followers(handle));
      }
    }
    before = now.getTime();
  }
  return expected;
}

export type Found = {
  expected: number;
  recorded: number;
  lost: number;
  /** Recorded without being expected, or accepted more than once. */
  duplicated: number;
  /** Recorded with other numbers, or another moment, than X showed. */
  wrong: number;
};

export async function checkReads(sql: postgres.Sql, { reads }: Expected): Promise<Found> {
  const rows = await sql<{ key: string; at: Date; numbers: Record<string, number | null> }[]>`
    select m.tweet_id || ' ' || m.collection_phase as key, m.collected_at as at,
      jsonb_build_object('likes', m.likes, 'retweets', m.retweets, 'replies', m.replies,
        'quotes', m.quotes, 'bookmarks', m.bookmarks, 'impressions', m.impressions) as numbers
    from public.real_tweet_metrics m`;
  const [twice] = await sql<{ count: number }[]>`
    select count(*)::int as count from (
      select from public.collection_attempts a
      where a.post_id is not null and a.outcome = 'found'
      group by a.post_id, a.phase having count(*) > 1) a`;
  const isRight = ({ key, at, numbers }: (typeof rows)[number]) => {
    const shown = reads.get(key);
    if (!shown || shown.at !== at.toISOString()) return false;
    return Object.entries(numbers).every(
      ([name, value]) => value === shown.numbers[name as keyof PostNumbers],
    );
  };
  return tallyFound(reads, rows, isRight, twice?.count ?? 0);
}

export async function checkFollowers(sql: postgres.Sql, { followers }: Expected): Promise<Found> {
  const rows = await sql<{ key: string; followers: number; hourly: boolean }[]>`
    select a.handle || ' ' || to_char(s.captured_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as key,
      s.followers::int as followers
    from public.follower_snapshots s join public.x_accounts a on a.id = s.account_id`;
  // A count that came along with the reads of posts, between the hours, is welcome.
  const hourly = rows.filter(({ key }) => followers.has(key));
  return tallyFound(followers, hourly, (row) => row.followers === followers.get(row.key), 0);
}

/** Holds rows against what was expected; `twice` is how many were accepted more than once. */
export function tallyFound<Row extends { key: string }>(
  expected: Map<string, unknown>,
  rows: Row[],
  isRight: (row: Row) => boolean,
  twice: number,
): Found {
  const keys = new Set(rows.map(({ key }) => key));
  const known = rows.filter(({ key }) => expected.has(key));
  return {
    expected: expected.size,
    recorded: rows.length,
    lost: [...expected.keys()].filter((key) => !keys.has(key)).length,
    duplicated: rows.length - known.length + twice,
    wrong: known.filter((row) => !isRight(row)).length,
  };
}
