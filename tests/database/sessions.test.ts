import { beforeEach, expect, it } from 'vitest';
import {
  type SessionReservation,
  sessionReservationSchema,
} from '../../shared/contracts/session.ts';
import { useDatabase } from '../support/database.ts';
import { minutes, only, T0 } from '../support/scenario.ts';

const ONE = '1111111111111111';
const TWO = '2222222222222222';
const TIMELINE = ['UserByScreenName', 'UserTweets'];

const database = useDatabase({ isEmptied: false });
beforeEach(async () => {
  await database.sql`delete from public.scraper_session_budgets`;
  await database.sql`delete from public.scraper_sessions`;
  await database.sql`update public.scraper_operation_budgets set per_session = 3, per_guest = 2
    where operation in ('UserByScreenName', 'UserTweets')`;
});

async function reserve(
  sessions: string[],
  operations = TIMELINE,
  now = T0,
): Promise<SessionReservation> {
  const { reply } = only(
    await database.sql`
      select public.reserve_session(${sessions}, ${operations}, ${now}) as reply`,
  );
  return sessionReservationSchema.parse(reply);
}

async function report(session: string, operation: string, outcome: string, retryAt: Date | null) {
  await database.sql`
    select public.report_session(${session}, ${operation}, ${outcome}, ${retryAt}, ${T0})`;
}

const reservedBy = (session: string) => ({ code: 'reserved', session });

it('spreads the calls over the sessions and takes the guest last', async () => {
  const given: string[] = [];
  for (let call = 0; call < 8; call += 1) {
    const reply = await reserve(['guest', ONE, TWO]);
    if (reply.code === 'reserved') given.push(reply.session);
  }
  expect(given.slice(0, 6).sort()).toEqual([ONE, ONE, ONE, TWO, TWO, TWO]);
  expect(given.slice(6)).toEqual(['guest', 'guest']);
  expect(await reserve(['guest', ONE, TWO])).toMatchObject({ code: 'exhausted' });
});

it('says when the window that is used up ends, and gives again from then on', async () => {
  for (let call = 0; call < 3; call += 1) await reserve([ONE]);
  const refused = await reserve([ONE]);
  expect(refused.code === 'exhausted' && new Date(refused.retry_at)).toEqual(minutes(15));
  expect(await reserve([ONE], TIMELINE, minutes(14))).toMatchObject({ code: 'exhausted' });
  expect(await reserve([ONE], TIMELINE, minutes(15))).toEqual(reservedBy(ONE));
});

it('books each operation of a page, so that another operation has its own budget', async () => {
  for (let call = 0; call < 3; call += 1) await reserve([ONE]);
  expect(await reserve([ONE], ['TweetDetail'])).toEqual(reservedBy(ONE));
  const used = await database.sql`
    select operation, used from public.scraper_session_budgets where session = ${ONE} order by operation`;
  expect([...used]).toEqual([
    { operation: 'TweetDetail', used: 1 },
    { operation: 'UserByScreenName', used: 3 },
    { operation: 'UserTweets', used: 3 },
  ]);
});

it('never gives a guest what X answers to logged-in readers only', async () => {
  expect(await reserve(['guest'], ['TweetDetail'])).toMatchObject({ code: 'exhausted' });
  expect(await reserve(['guest', ONE], ['TweetDetail'])).toEqual(reservedBy(ONE));
});

it('leaves a rate-limited session alone until X’s reset, for that operation only', async () => {
  await report(ONE, 'UserTweets', 'rate_limited', minutes(7));
  const refused = await reserve([ONE]);
  expect(refused.code === 'exhausted' && new Date(refused.retry_at)).toEqual(minutes(7));
  expect(await reserve([ONE], ['UserByScreenName'])).toEqual(reservedBy(ONE));
  expect(await reserve([ONE], TIMELINE, minutes(7))).toEqual(reservedBy(ONE));
});

it('never uses cookies again that X called bad', async () => {
  await report(ONE, 'UserTweets', 'session_invalid', null);
  expect(await reserve([ONE, TWO])).toEqual(reservedBy(TWO));
  expect(await reserve([ONE], TIMELINE, minutes(100_000))).toMatchObject({ code: 'exhausted' });
});

it('lets the guest rest from the refused operation for a quarter of an hour', async () => {
  await report('guest', 'UserTweets', 'login_required', null);
  expect(await reserve(['guest'])).toMatchObject({ code: 'exhausted' });
  expect(await reserve(['guest'], ['TweetResultByRestId'])).toEqual(reservedBy('guest'));
  expect(await reserve(['guest'], TIMELINE, minutes(15))).toEqual(reservedBy('guest'));
});

it('gives two scrapers at once together no more than the budget', async () => {
  const replies = await Promise.all(Array.from({ length: 12 }, () => reserve([ONE, TWO])));
  expect(replies.filter(({ code }) => code === 'reserved')).toHaveLength(6);
});

it('stores no session but by its label', async () => {
  await expect(report('auth-token-in-clear', 'UserTweets', 'rate_limited', null)).rejects.toThrow(
    'session_is_a_label',
  );
  await expect(reserve(['auth-token-in-clear'])).rejects.toThrow('session_is_a_label');
});
