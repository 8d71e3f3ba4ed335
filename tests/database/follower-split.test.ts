import { expect, it } from 'vitest';
import { HALF_90 } from '../../shared/learning/normal.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import {
  attribute,
  type Counts,
  hourly,
  hours,
  minutes,
  only,
  registerAccount,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
const post = snowflakeId(T0);

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
    await trackPost(sql);
  },
});

const read = (phase: string, at: Date, counts: Counts, id = post) =>
  storeRead(database.sql, id, phase, at, counts);

const PHASES = ['30m', '2h', '6h', '24h', '48h', '7d'];

/** Impressions gathered in each of the first hours of a post: a read at the end of each hour. */
async function readHourly(gathered: number[], id = post, from = T0): Promise<void> {
  let impressions = 0;
  for (const [index, gained] of gathered.entries()) {
    impressions += gained;
    await read(PHASES[index] ?? '', hours(index + 1, from), { impressions }, id);
  }
}

const credits = () =>
  database.sql`
    select credit_2h, credit_24h, credit_48h, credit_7d, variance_48h, final
    from public.post_credit order by post_id`;

const ledger = () => database.sql`select * from public.follower_hour order by account_id, hour`;

async function totals() {
  return only(
    await database.sql`
      select sum(change) as change, sum(credited) as credited, sum(organic) as organic,
        sum(unexplained) as unexplained,
        (select sum(credit_7d) from public.post_credit) as posts
      from public.follower_hour`,
  );
}

/** Everything that attribution writes. */
async function state() {
  const { sql } = database;
  return {
    posts: await sql`select * from public.post_attribution order by post_id`,
    reads: await sql`select * from public.real_tweet_metrics order by 1, 2`,
    hours: await ledger(),
    credits: await sql`select * from public.post_credit order by post_id`,
    rates: await sql`select * from public.follower_rates`,
    blocks: await sql`select * from public.follower_block_rates order by 1, 2`,
    learning: await sql`select * from public.account_learning`,
  };
}

// 2 followers an hour without posting, and one for every 100 impressions
const GATHERED = [1000, 500, 300, 200, 100];
const CHANGES = [...Array(24).fill(2), 12, 7, 5, 4, 3, ...Array(45).fill(2)];
const growth = (changes: number[], from = hours(-24)) => {
  let followers = 1000;
  return hourly(from, [
    1000,
    ...changes.map((change) => {
      followers += change;
      return followers;
    }),
  ]);
};

it('gives a post alone what its impressions times the conversion rate say', async () => {
  const { sql } = database;
  await readHourly(GATHERED);
  await storeFollowers(sql, accountId, growth(CHANGES));
  await attribute(sql, hours(50));

  // not exactly: some are taken to follow in the hour after, and so few posts may convert by chance
  const rates = only(
    await sql`
      select organic_per_hour, followers_per_impression, dispersion, hours from public.follower_rates`,
  );
  expect(Math.abs(rates.organic_per_hour - 2)).toBeLessThan(0.1);
  expect(Math.abs(rates.followers_per_impression - 0.01)).toBeLessThan(0.001);
  expect(rates).toMatchObject({ dispersion: 1, hours: CHANGES.length });

  const credit = only(await credits());
  expect(Math.abs(credit.credit_2h - 15)).toBeLessThan(2);
  expect(Math.abs(credit.credit_48h - 21)).toBeLessThan(1.5);
  expect(credit.credit_24h).toBe(credit.credit_48h);
  expect(credit.credit_7d).toBe(credit.credit_48h);
  // x p (1 - p) of 12, 7, 5, 4 and 3 followers of whom 2 an hour are organic
  const thinning = 10 / 6 + 10 / 7 + 6 / 5 + 1 + 2 / 3;
  expect(Math.abs(credit.variance_48h / (thinning + thinning ** 2 / 4) - 1)).toBeLessThan(0.2);

  const gained = only(
    await sql`
      select followers_gained, followers_gained_low, followers_gained_high, credit_note
      from public.post_attribution`,
  );
  const half = HALF_90 * Math.sqrt(credit.variance_48h);
  expect(gained.followers_gained).toBe(credit.credit_48h);
  expect(gained.followers_gained_low).toBeCloseTo(credit.credit_48h - half, 9);
  expect(gained.followers_gained_high).toBeCloseTo(credit.credit_48h + half, 9);
  expect(gained.credit_note).toBeNull();

  const sum = await totals();
  expect(sum.change).toBe(24 * 2 + 31 + 45 * 2);
  expect(sum.organic).toBeCloseTo(sum.change - credit.credit_7d, 9);
  expect(sum.unexplained).toBe(0);
});

it('spreads impressions between two reads by how attention fades', async () => {
  const { sql } = database;
  await read('6h', hours(6), { impressions: 6000 });
  await storeFollowers(sql, accountId, growth(Array(48).fill(3)));
  await attribute(sql, hours(24));
  const exposure = await sql`
    select exposure from public.follower_hour where hour >= ${T0} and hour < ${hours(6)} order by hour`;
  const attention = (age: number) => Math.log(1 + age / 1.333);
  for (const [hour, row] of exposure.entries()) {
    const share = (attention(hour + 1) - attention(hour)) / attention(6);
    expect(row.exposure).toBeCloseTo(6000 * share, 6);
  }
  expect(exposure).toHaveLength(6);
});

/** Two posts of the same moment that were seen as often, the first with more profile clicks. */
async function twoClickedPosts(clicks: [number, number]): Promise<[number, number]> {
  const { sql } = database;
  const second = snowflakeId(T0, 1);
  await trackPost(sql, { postId: second });
  for (const [index, id] of [post, second].entries()) {
    await read('2h', hours(2), { impressions: 2000 }, id);
    await read('6h', hours(6), { impressions: 3000, profile_clicks: clicks[index] ?? 0 }, id);
  }
  await storeFollowers(sql, accountId, growth(CHANGES));
  await attribute(sql, hours(50));
  const [one, other] = await credits();
  return [one?.credit_48h, other?.credit_48h];
}

it('credits a post more of whose readers looked who wrote it', async () => {
  const [one, other] = await twoClickedPosts([36, 12]);
  // 24 clicks are usual: impressions count (4 + 36) / 28 and (4 + 12) / 28
  expect(Math.abs(one / other / (40 / 16) - 1)).toBeLessThan(0.1);
  const sum = await totals();
  expect(one + other).toBeCloseTo(sum.credited, 6);
});

it('takes an imported 0 of profile clicks for unknown, and a read one for what it is', async () => {
  const { sql } = database;
  const [clicked, ignored] = await twoClickedPosts([12, 0]);
  expect(ignored).toBeLessThan(clicked / 2);
  await sql`update public.real_tweet_metrics set source = 'imported' where tweet_id <> ${post}`;
  await attribute(sql, hours(51));
  const [one, other] = await credits();
  expect(other?.credit_48h).toBe(one?.credit_48h);
});

it('shares one hour between overlapping posts, in proportion to who saw them', async () => {
  const { sql } = database;
  const second = snowflakeId(T0, 1);
  await trackPost(sql, { postId: second });
  await readHourly([600, 300, 180, 120, 60]);
  await readHourly([400, 200, 120, 80, 40], second);
  await storeFollowers(sql, accountId, growth(CHANGES));
  await attribute(sql, hours(50));
  const [one, two] = await credits();
  const both = (one?.credit_48h ?? 0) + (two?.credit_48h ?? 0);
  expect(Math.abs(both - 21)).toBeLessThan(1.5);
  expect((one?.credit_48h ?? 0) / both).toBeCloseTo(0.6, 2);
});

it('never credits overlapping posts with more than was observed', async () => {
  const { sql } = database;
  await readHourly([900, 300, 100, 50, 20, 10]);
  for (const [index, at] of [hours(1), hours(2), hours(3.5)].entries()) {
    const id = snowflakeId(at);
    await trackPost(sql, { postId: id, postedAt: at });
    await readHourly([500 * (index + 1), 200, 90, 30, 20, 5], id, at);
  }
  await storeFollowers(
    sql,
    accountId,
    growth([5, -3, 8, 0, 30, 22, 19, 40, 7, 6, 1, -2, 0, 3], hours(-4)),
  );
  await attribute(sql, hours(12));
  const sum = await totals();
  expect(sum.change).toBe(136);
  expect(sum.posts).toBeCloseTo(sum.credited, 6);
  expect(sum.credited + sum.organic + sum.unexplained).toBeCloseTo(136, 6);
  expect(sum.credited).toBeGreaterThan(0);
  // the raw 48 h difference would have given each of the four posts nearly all of it
  const posts = await credits();
  expect(posts.every(({ credit_7d }) => credit_7d < 136)).toBe(true);
});

it('leaves a shock to nobody', async () => {
  const { sql } = database;
  await readHourly(GATHERED);
  const calm = [...Array(240).fill(2), ...CHANGES];
  await storeFollowers(sql, accountId, growth(calm.with(100, 502), hours(-264)));
  await attribute(sql, hours(50));
  const sum = await totals();
  expect(sum.unexplained).toBeGreaterThan(450);
  expect(sum.credited).toBeLessThan(30);
  expect(sum.credited + sum.organic + sum.unexplained).toBeCloseTo(sum.change, 6);
});

it('leaves hours between snapshots more than six hours apart unexplained', async () => {
  const { sql } = database;
  await readHourly(GATHERED);
  const counts = growth(CHANGES).filter(({ at }) => at <= hours(1) || at >= hours(9));
  await storeFollowers(sql, accountId, counts);
  await attribute(sql, hours(50));
  const gap = await sql`
    select gap, explained, credited, organic, change, unexplained from public.follower_hour
    where hour >= ${hours(1)} and hour < ${hours(9)}`;
  expect(gap).toHaveLength(8);
  for (const row of gap) {
    expect(row).toMatchObject({ gap: true, explained: 0, credited: 0, organic: 0 });
    expect(row.unexplained).toBe(row.change);
  }
  const others = await sql`select from public.follower_hour where not gap`;
  expect(others).toHaveLength(CHANGES.length - 8);
});

it('takes no notice of rounded counts', async () => {
  const { sql } = database;
  await readHourly(GATHERED);
  await storeFollowers(sql, accountId, growth(CHANGES));
  await attribute(sql, hours(50));
  const before = { hours: await ledger(), credits: await credits() };
  await storeFollowers(sql, accountId, [
    { at: minutes(90), followers: 50_000, exact: false },
    { at: hours(49.5), followers: 1, exact: false },
  ]);
  expect(await attribute(sql, hours(50))).toMatchObject({ account_ids: [], rows_changed: 0 });
  expect({ hours: await ledger(), credits: await credits() }).toEqual(before);
});

it('says nothing about an account whose count was never exact', async () => {
  const { sql } = database;
  await readHourly(GATHERED);
  const rounded = growth(CHANGES).map((point) => ({ ...point, exact: false }));
  await storeFollowers(sql, accountId, rounded);
  await attribute(sql, hours(50));
  expect(await ledger()).toEqual([]);
  const row = only(
    await sql`select followers_gained, followers_24h_after from public.post_attribution`,
  );
  expect(row).toEqual({ followers_gained: null, followers_24h_after: null });
});

it('changes nothing when it runs a second time', async () => {
  const { sql } = database;
  await readHourly([911, 307, 101, 53, 17]);
  for (const at of [hours(0.7), hours(1.3), hours(2.9), hours(7.1)]) {
    await trackPost(sql, { postedAt: at });
    await readHourly([713, 211, 97, 31, 11], snowflakeId(at), at);
  }
  await storeFollowers(sql, accountId, growth(CHANGES));
  await attribute(sql, hours(50));
  const before = await state();
  expect(await attribute(sql, hours(50))).toEqual({
    code: 'attributed',
    expected: 0,
    done: 0,
    rows_changed: 0,
    account_ids: [],
    batches: 1,
    accounts_waiting: 0,
    more: false,
  });
  expect(await state()).toEqual(before);
});

it('settles a block five days after its end, and late data never change it', async () => {
  const { sql } = database;
  const day = (n: number) => hours(24 * n);
  // the last multiple of 48 hours that is 121 hours before day 12
  const settledThrough = new Date('2026-03-08T00:00:00Z');
  await readHourly(GATHERED);
  // Its hours lie across the settled moment, as do the snapshots around that.
  const across = snowflakeId(hours(153));
  await trackPost(sql, { postId: across, postedAt: hours(153) });
  await readHourly([...GATHERED, 50], across, hours(153));
  const changes = Array.from({ length: 24 * 12 }, (_, hour) => 2 + (hour % 5));
  const counts = growth(changes, hours(-2)).filter((_, index) => index % 3 === 0);
  await storeFollowers(sql, accountId, counts);
  await attribute(sql, day(12));
  const settled = async () => ({
    hours:
      await sql`select * from public.follower_hour where hour < ${settledThrough} order by hour`,
    credits: await sql`
      select post_id, settled_2h, settled_24h, settled_48h, settled_7d from public.post_credit
      where post_id in ${sql([post, across])} order by post_id`,
  });
  const before = await settled();
  expect(before.credits.every((row) => row.settled_7d > 0)).toBe(true);
  expect(only(await sql`select settled_through from public.follower_rates`)).toEqual({
    settled_through: settledThrough,
  });

  await read('7d', hours(6), { impressions: 90_000 });
  const late = snowflakeId(day(1));
  await trackPost(sql, { postId: late, postedAt: day(1), now: day(12) });
  await read('2h', hours(26), { impressions: 5000 }, late);
  await storeFollowers(sql, accountId, [{ at: hours(24 * 12 + 1), followers: 5000 }]);
  await attribute(sql, hours(24 * 12 + 0.5));
  expect(await settled()).toEqual(before);
  const sum = await totals();
  expect(sum.posts).toBeCloseTo(sum.credited, 6);
});

it('leaves the hours of an outage of more than eight days unexplained, not lost', async () => {
  const { sql } = database;
  await readHourly(GATHERED);
  await storeFollowers(sql, accountId, growth(CHANGES));
  await attribute(sql, hours(24 * 14));
  await storeFollowers(sql, accountId, [{ at: hours(24 * 15), followers: 2000 }]);
  await attribute(sql, hours(24 * 15));
  const sum = await totals();
  expect(sum.change).toBeCloseTo(1000, 6);
  expect(sum.credited + sum.organic + sum.unexplained).toBeCloseTo(1000, 6);
});

it('calls a credit final once the seven days of its post are settled, also when the last read was missed', async () => {
  const { sql } = database;
  await readHourly(GATHERED);
  await storeFollowers(sql, accountId, growth(Array(24 * 18).fill(2)));
  for (const day of [3, 9, 16, 17]) await attribute(sql, hours(24 * day));
  expect(only(await credits()).final).toBe(true);
});
