import { describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  attribute,
  hourly,
  hours,
  only,
  registerAccount,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
const post = snowflakeId(T0);
const rising = (count: number) => Array.from({ length: count }, (_, n) => 1000 + 3 * n);

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
    await trackPost(sql);
  },
});

const tracked = async () =>
  only(
    await database.sql`
      select followers_gained, credit_48h, credit_note from public.post_tracking
      where post_id = ${post}`,
  );
/** Followers that 3,000 impressions in six hours and 1,500 in two bring, an hour of age at a time. */
const gainedBy = (hour: number) =>
  5 * Math.min(Math.max(hour, 0), 6) + 7 * Math.min(Math.max(hour - 20, 0), 2);
const readImpressions = (impressions: number | null = 900) =>
  storeRead(database.sql, post, '6h', hours(6), { impressions });

describe('a post without credit says why', () => {
  it.each([
    ['no read showed its impressions', null, () => hourly(hours(-3), rising(30)), 'no_impressions'],
    ['no follower count came since', 900, () => hourly(hours(-9), rising(9)), 'awaiting_counts'],
    [
      'X showed only rounded counts since',
      900,
      () => [
        ...hourly(hours(-9), rising(9)),
        ...hourly(hours(1), rising(20)).map((point) => ({ ...point, exact: false })),
      ],
      'rounded_counts',
    ],
    [
      'all counts around it are far apart',
      900,
      () => [-30, -20, -1, 11, 23, 35].map((at) => ({ at: hours(at), followers: 2000 + at })),
      'gapped_counts',
    ],
  ])('when %s', async (_, impressions, counts, note) => {
    await readImpressions(impressions);
    await storeFollowers(database.sql, accountId, counts());
    await attribute(database.sql, hours(36));
    expect(await tracked()).toEqual({
      followers_gained: null,
      credit_48h: null,
      credit_note: note,
    });
  });

  it('until it has one', async () => {
    const { sql } = database;
    await readImpressions();
    await storeFollowers(sql, accountId, hourly(hours(-30), rising(30)));
    await attribute(sql, hours(7));
    expect(await tracked()).toMatchObject({ credit_note: 'awaiting_counts' });
    await storeFollowers(sql, accountId, hourly(hours(0), rising(10)));
    await attribute(sql, hours(10));
    const { credit_note, credit_48h, followers_gained } = await tracked();
    expect(credit_note).toBeNull();
    expect(credit_48h).toBeGreaterThan(0);
    expect(followers_gained).toBe(credit_48h);
  });
});

describe('the follows that X shows its author', () => {
  const analytics = (postId: string, at: Date, follows: number | null) =>
    database.sql`
      insert into public.x_post_analytics (post_id, captured_at, follows, run_id)
      values (${postId}, ${at}, ${follows}, gen_random_uuid())`;

  it('stand beside the estimate of the post, the newest of them', async () => {
    const xFollows = async () =>
      only(await database.sql`select x_follows::int from public.post_tracking`).x_follows;
    expect(await xFollows()).toBeNull();
    await analytics(post, hours(2), 1);
    await analytics(post, hours(30), 4);
    await analytics(post, hours(40), null);
    expect(await xFollows()).toBe(4);
  });

  it('are compared with the credits of all posts that have both after 48 hours', async () => {
    const { sql } = database;
    const second = snowflakeId(hours(20));
    const young = snowflakeId(hours(40));
    await trackPost(sql, { postId: second, postedAt: hours(20) });
    await trackPost(sql, { postId: young, postedAt: hours(40) });
    await readImpressions(3000);
    await storeRead(sql, second, '2h', hours(22), { impressions: 1500 });
    await storeRead(sql, young, '2h', hours(42), { impressions: 700 });
    // nobody comes but by the first two posts
    const counts = Array.from({ length: 110 }, (_, n) => 1000 + gainedBy(n - 30));
    await storeFollowers(sql, accountId, hourly(hours(-30), counts));
    await attribute(sql, hours(80));
    const { credit_48h } = await tracked();
    expect(credit_48h).toBeGreaterThan(10);
    await analytics(post, hours(30), 90);
    await analytics(post, hours(49), Math.round(credit_48h));
    await analytics(post, hours(70), 80);
    await analytics(second, hours(70), 1000);
    await analytics(young, hours(70), 5);
    const { credited } = only(
      await sql`
        select sum(credit_48h) as credited from public.post_credit
        where post_id in ${sql([post, second])}`,
    );
    expect(
      only(
        await sql`
          select posts::int, credited, x_follows::int, credited_per_x_follow, covered
          from public.credit_calibration`,
      ),
    ).toEqual({
      posts: 2,
      credited,
      x_follows: 1000 + Math.round(credit_48h),
      credited_per_x_follow: credited / (1000 + Math.round(credit_48h)),
      covered: 0.5,
    });
  });
});
