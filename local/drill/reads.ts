/** The reads of one tick: which are due, which of them are still open, and time that passes for them. */
import type { Stack } from '../stack/stack.ts';
import { patiently } from './stage.ts';

export type Due = {
  now: Date;
  /** `<post id> <phase>` of each. */
  posts: string[];
  accounts: number[];
};

export async function dueReads({ sql }: Stack, now: Date): Promise<Due> {
  const [row] = await patiently(
    () => sql<{ posts: string[]; accounts: string[] }[]>`
      select
        array(select c.post_id || ' ' || c.phase from public.metric_collections c
          where c.state in ('waiting', 'leased') and c.next_attempt_at <= ${now}) as posts,
        array(select f.account_id from public.follower_collections f
          where f.next_attempt_at <= ${now}) as accounts`,
  );
  return { now, posts: row?.posts ?? [], accounts: (row?.accounts ?? []).map(Number) };
}

/** How many of the due reads are not finished, and how many of those may be claimed now. */
export async function openReads(
  { sql }: Stack,
  due: Due,
): Promise<{ open: number; claimable: number }> {
  const [row] = await patiently(
    () => sql<{ open: number; claimable: number }[]>`
      with open as (
        select c.next_attempt_at from public.metric_collections c
        where c.state in ('waiting', 'leased') and c.post_id || ' ' || c.phase = any (${due.posts})
        union all
        select f.next_attempt_at from public.follower_collections f
        where f.account_id = any (${due.accounts})
          and (f.attempts > 0 or f.lease_id is not null or f.next_attempt_at <= ${due.now})
      )
      select count(*)::int as open,
        (count(*) filter (where next_attempt_at <= ${due.now}))::int as claimable
      from open`,
  );
  return row ?? { open: 0, claimable: 0 };
}

/**
 * Lets a minute pass in a world that stands still. Moved forward, the clock would give what is read
 * late another time, other numbers and so other credits than in the run without faults, and nothing
 * could be compared. So it is the pending deadlines that come a minute nearer: leases and next
 * attempts of what is due, and until when X refuses a session. Budgets are counted in quarters of an
 * hour; after every 15 minutes that were waited a new one begins.
 *
 * @param minute how many have been waited in this tick, this one included
 */
export async function letMinutePass({ sql }: Stack, due: Due, minute: number): Promise<void> {
  await patiently(() =>
    sql.begin(async (transaction) => {
      // A repetition after a lost answer would only wait a minute more.
      await transaction`
        update public.metric_collections c
        set next_attempt_at = c.next_attempt_at - interval '1 minute'
        where c.state in ('waiting', 'leased') and c.post_id || ' ' || c.phase = any (${due.posts})`;
      await transaction`
        update public.follower_collections f
        set next_attempt_at = f.next_attempt_at - interval '1 minute'
        where f.account_id = any (${due.accounts}) and (f.attempts > 0 or f.lease_id is not null)`;
      await transaction`
        update public.scraper_session_budgets b set blocked_until = b.blocked_until - interval '1 minute'`;
      if (minute % 15 === 0) {
        await transaction`
          update public.scraper_session_budgets b
          set window_starts_at = b.window_starts_at - interval '15 minutes'`;
      }
    }),
  );
}
