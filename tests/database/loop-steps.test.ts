import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import {
  attribute,
  claim,
  followersFound,
  found,
  hourly,
  hours,
  json,
  learn,
  learningStatistics,
  minutes,
  only,
  record,
  registerAccount,
  reset,
  rowCounts,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let database: TestDatabase;
let accountId: number;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database?.drop());
beforeEach(async () => {
  await reset(database.sql);
  accountId = await registerAccount(database.sql);
});

type Step = {
  step: string;
  count_7d: number;
  newest_at: string | null;
  state: string;
  waiting: number;
  detail: string | null;
  what_to_do: string | null;
};

const STEPS = [
  'decision',
  'post',
  'tracking_row',
  'due_reads',
  'metrics',
  'follower_snapshots',
  'attribution',
  'credit',
  'learning',
  'performance',
  'recommendation',
];

async function steps(now: Date): Promise<Step[]> {
  return only(await database.sql`select public.loop_steps(${now}) as reply`).reply;
}

async function step(name: string, now: Date): Promise<Step> {
  const one = (await steps(now)).find((found) => found.step === name);
  if (!one) throw new Error(`There is no step ${name}.`);
  return { ...one, newest_at: one.newest_at && new Date(one.newest_at).toISOString() };
}

const broken = async (now: Date) =>
  (await steps(now)).filter((one) => one.state === 'broken').map((one) => one.step);

const at = (moment: Date) => moment.toISOString();

/** Decisions that recommend drew at a moment, and that nobody has posted. */
async function draw(count: number, now = T0): Promise<string[]> {
  const { sql } = database;
  const drawn = Array.from({ length: count }, (_, n) => ({
    decision_id: `${+now}-${n}`,
    kind: 'single',
    assigned: { tone: 'dry' },
    policy: 'uniform',
    propensity: 0.5,
    slate: [{ tone: 'dry' }],
    chosen: 0,
    rng_seed: n,
    prompted: true,
    control_share: 0,
  }));
  await sql`select public.store_decisions(${accountId}, ${json(sql, drawn)}, ${now})`;
  return drawn.map((one) => one.decision_id);
}

/** Posts that the scraper saw on the timeline and that no bot told of. */
async function discover(times: Date[], now: Date): Promise<void> {
  const { sql } = database;
  const posts = times.map((time, n) => ({
    account_id: accountId,
    post_id: snowflakeId(time, n),
    posted_at: time.toISOString(),
    kind: 'single',
  }));
  await sql`select postloop.discover_posts(${json(sql, posts)}, ${now})`;
}

/** The account's own post of T0, tracked at once. */
const post = snowflakeId(T0);
const track = () => trackPost(database.sql, { dimensions: { tone: 'dry' } });

/** A scraper run at a moment in which everything due comes to one outcome. */
async function scrape(now: Date, outcome = 'found', followers = 100): Promise<void> {
  const { sql } = database;
  const { run_id, reads, followers: due } = await claim(sql, now);
  await record(
    sql,
    run_id,
    {
      reads: reads.map((read: { post_id: string; phase: string }) =>
        outcome === 'found'
          ? found(read.post_id, read.phase, now, { impressions: 500, likes: 5 })
          : { post_id: read.post_id, phase: read.phase, outcome },
      ),
      followers: due.map(() => followersFound(accountId, now, followers)),
    },
    now,
  );
}

/** A post that was read at 2 h and at 48 h, among hourly follower counts until `until`. */
async function finish(until = hours(60)): Promise<void> {
  const { sql } = database;
  await track();
  await storeRead(sql, post, '2h', hours(2), { impressions: 400, likes: 4 });
  const later = { impressions: 900, likes: 9, retweets: 1, replies: 0, bookmarks: 2 };
  await storeRead(sql, post, '48h', hours(48), later);
  const counted = (+until - +hours(-2)) / 3_600_000 + 1;
  const growth = Array.from({ length: counted }, (_, n) => 1000 + 3 * n);
  await storeFollowers(sql, accountId, hourly(hours(-2), growth));
}

describe('the loop', () => {
  it('has its eleven steps in order', async () => {
    expect((await steps(T0)).map((one) => one.step)).toEqual(STEPS);
  });

  it('is empty and not broken where nothing has been done yet', async () => {
    await reset(database.sql);
    for (const one of await steps(T0)) {
      expect(one).toMatchObject({ count_7d: 0, newest_at: null, state: 'empty', waiting: 0 });
      expect(one.what_to_do).toBeNull();
    }
  });

  it('is ok from end to end once a post has gone round', async () => {
    const { sql } = database;
    const [decisionId] = await draw(1);
    await trackPost(sql, { decisionId: decisionId ?? '' });
    for (let hour = 0; hour <= 50; hour += 0.5) await scrape(hours(hour), 'found', 100 + hour);
    await attribute(sql, hours(50.5));
    await learn(sql, accountId, hours(50.5));
    const round = await steps(hours(51));
    expect(round.map((one) => [one.step, one.state, one.waiting, one.what_to_do])).toEqual(
      STEPS.map((name) => [name, 'ok', 0, null]),
    );
    expect(round.map((one) => one.count_7d)).toEqual([1, 1, 1, 5, 5, 51, 5, 1, 1, 1, 1]);
  });

  it('writes nothing', async () => {
    const { sql } = database;
    await finish();
    const before = await rowCounts(sql);
    await steps(hours(60));
    expect(await rowCounts(sql)).toEqual(before);
  });

  it('knows nothing of what came after the moment that is asked for', async () => {
    await finish();
    await attribute(database.sql, hours(60));
    const before = await steps(hours(-3));
    expect(before.filter(({ step }) => step !== 'recommendation')).toEqual(
      STEPS.slice(0, -1).map((name) =>
        expect.objectContaining({ step: name, count_7d: 0, newest_at: null, state: 'empty' }),
      ),
    );
  });

  it('counts the last seven days, and names the newest of any time', async () => {
    const { sql } = database;
    await track();
    await storeRead(sql, post, '2h', hours(2), { likes: 1 });
    await attribute(sql, hours(3));
    await sql`update public.metric_collections set state = 'done', finished_at = due_at`;
    for (const [name, newest] of [
      ['decision', T0],
      ['post', T0],
      ['tracking_row', T0],
      ['due_reads', hours(7 * 24)],
      ['metrics', hours(2)],
      ['attribution', hours(3)],
    ] as const) {
      expect(await step(name, hours(15 * 24))).toMatchObject({
        count_7d: 0,
        newest_at: at(newest),
        state: 'ok',
      });
    }
  });

  it('is answered to service_role, and to nobody else of the API', async () => {
    const { sql } = database;
    const ask = (role: string) =>
      sql.begin(async (transaction) => {
        await transaction`set local role ${transaction(role)}`;
        return only(await transaction`select public.loop_steps(${T0}) as reply`).reply;
      });
    expect(await ask('service_role')).toHaveLength(11);
    for (const role of ['anon', 'authenticated']) {
      await expect(ask(role)).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('decision and post', () => {
  it('say who decided, and which posts were only found', async () => {
    await draw(3);
    await track();
    await discover([minutes(10)], minutes(20));
    expect(await step('decision', hours(1))).toMatchObject({
      count_7d: 4,
      newest_at: at(T0),
      state: 'ok',
      detail: '3 recommended, 1 chosen by the bot',
    });
    expect(await step('post', hours(1))).toMatchObject({
      count_7d: 2,
      newest_at: at(minutes(10)),
      state: 'ok',
      detail: '1 of them found on the timeline',
    });
  });

  it('are not broken by decisions that are never posted', async () => {
    await draw(20);
    expect(await step('decision', hours(48))).toMatchObject({ state: 'ok', count_7d: 20 });
    expect((await step('post', hours(48))).state).toBe('empty');
    expect((await step('tracking_row', hours(48))).state).toBe('empty');
  });
});

describe('tracking row', () => {
  it('is broken when decisions are drawn, posts are found, and none of them is told of', async () => {
    await draw(3);
    await discover([minutes(5), minutes(65), minutes(125)], hours(3));
    expect(await step('tracking_row', hours(4))).toMatchObject({
      count_7d: 0,
      state: 'broken',
      waiting: 3,
      what_to_do: expect.stringContaining('track-post'),
    });
  });

  it('is ok once one post of the account is told of', async () => {
    await draw(3);
    await discover([minutes(5), minutes(65), minutes(125)], hours(3));
    await track();
    expect(await step('tracking_row', hours(4))).toMatchObject({ count_7d: 1, state: 'ok' });
  });

  it.each([
    ['two decisions', 2, [5, 65, 125], 4],
    ['two posts', 3, [5, 65], 4],
    ['posts that were made before', 3, [-125, -65, -5], 4],
    ['posts of the last hour', 3, [5, 65, 125], 2.5],
  ])('is not broken by %s', async (_, decisions, posted, now) => {
    await draw(decisions);
    await discover(
      posted.map((minute) => minutes(minute)),
      hours(2.2),
    );
    expect(await step('tracking_row', hours(now))).toMatchObject({ state: 'empty', waiting: 0 });
  });
});

describe('due reads', () => {
  it('are empty until the first falls due', async () => {
    await track();
    expect(await step('due_reads', minutes(29))).toMatchObject({ count_7d: 0, state: 'empty' });
  });

  it('are broken once nobody has claimed one for ten minutes, and not before', async () => {
    await track();
    expect(await step('due_reads', minutes(40))).toMatchObject({
      count_7d: 1,
      newest_at: at(minutes(30)),
      state: 'ok',
    });
    expect(await step('due_reads', minutes(41))).toMatchObject({
      state: 'broken',
      waiting: 1,
      detail: 'due for more than 10 min: 1, the oldest since 2026-03-01 12:30 UTC',
      what_to_do: expect.stringContaining('Start the scraper'),
    });
  });

  it('are broken by a lease that ran out unnoticed', async () => {
    await track();
    await claim(database.sql, minutes(31), 40, 180);
    expect((await step('due_reads', minutes(43))).state).toBe('ok');
    expect((await step('due_reads', minutes(45))).state).toBe('broken');
  });

  it('are ok again when they are read', async () => {
    await track();
    await scrape(minutes(60));
    expect(await step('due_reads', minutes(61))).toMatchObject({
      state: 'ok',
      detail: '1 done, 0 missed',
    });
  });

  it('are broken by a tracked post that has none, and name it', async () => {
    const { sql } = database;
    await track();
    await sql`delete from public.metric_collections`;
    expect((await step('due_reads', minutes(9))).state).toBe('empty');
    expect(await step('due_reads', minutes(10))).toMatchObject({
      state: 'broken',
      waiting: 1,
      detail: `tracked without due reads: 1, such as ${post}`,
      what_to_do: expect.stringContaining(`postloop.schedule_reads(array['${post}'], now())`),
    });
    await sql`select postloop.schedule_reads(${[post]}, ${minutes(20)})`;
    expect((await step('due_reads', minutes(20))).state).toBe('empty');
  });

  it('are not expected of an account that is not read', async () => {
    const { sql } = database;
    await track();
    await sql`delete from public.metric_collections`;
    await sql`delete from public.follower_collections`;
    expect(await broken(hours(4))).toEqual([]);
  });
});

describe('metrics', () => {
  it('are broken when a day of tries gave no number, and say what came instead', async () => {
    await track();
    await scrape(minutes(31), 'login_required');
    expect((await step('metrics', minutes(60))).state).toBe('empty');
    expect(await step('metrics', minutes(61))).toMatchObject({
      count_7d: 0,
      newest_at: null,
      state: 'broken',
      waiting: 1,
      detail: 'tried in 24 h without a number: 1, mostly login_required',
      what_to_do: expect.stringContaining('login_required'),
    });
  });

  it.each(['found', 'deleted'])('are not broken when a try of the day was %s', async (outcome) => {
    const { sql } = database;
    await track();
    await trackPost(sql, { postId: snowflakeId(T0, 1), dimensions: { tone: 'warm' } });
    const { run_id } = await claim(sql, minutes(31));
    const fine =
      outcome === 'found'
        ? found(post, '30m', minutes(31), { impressions: 5 })
        : { post_id: post, phase: '30m', outcome };
    const bad = { post_id: snowflakeId(T0, 1), phase: '30m', outcome: 'transient' };
    await record(sql, run_id, { reads: [fine, bad] }, minutes(31));
    expect(await step('metrics', hours(2))).toMatchObject({
      state: outcome === 'found' ? 'ok' : 'empty',
      waiting: 0,
      count_7d: outcome === 'found' ? 1 : 0,
    });
  });

  it('do not answer for reads that nobody tried', async () => {
    await track();
    expect((await step('metrics', hours(3))).state).toBe('empty');
    expect((await step('due_reads', hours(3))).state).toBe('broken');
  });
});

describe('follower snapshots', () => {
  it('are empty on the day of registration, and broken after three hours', async () => {
    expect((await step('follower_snapshots', minutes(179))).state).toBe('empty');
    expect(await step('follower_snapshots', hours(3))).toMatchObject({
      state: 'broken',
      waiting: 1,
      detail: 'without an exact count for 3 h: 1 of 1 accounts, such as @somebot',
      what_to_do: expect.stringContaining('@somebot'),
    });
  });

  it('are ok while an exact count is younger than three hours', async () => {
    await storeFollowers(database.sql, accountId, hourly(T0, [100, 101]));
    expect(await step('follower_snapshots', hours(3.9))).toMatchObject({
      count_7d: 2,
      newest_at: at(hours(1)),
      state: 'ok',
    });
    expect((await step('follower_snapshots', hours(4))).state).toBe('broken');
  });

  it('are broken by rounded counts, which nothing can use', async () => {
    await storeFollowers(database.sql, accountId, [
      { at: hours(3), followers: 1200, exact: false },
    ]);
    expect((await step('follower_snapshots', hours(3.5))).state).toBe('broken');
  });

  it('are not expected of an account that is gone', async () => {
    const { sql } = database;
    const { run_id } = await claim(sql, T0);
    await record(sql, run_id, { followers: [{ account_id: accountId, outcome: 'suspended' }] }, T0);
    expect((await step('follower_snapshots', hours(9))).state).toBe('empty');
  });
});

describe('attribution', () => {
  it('is broken once a read has waited for two and a half of its intervals', async () => {
    const { sql } = database;
    await track();
    await storeRead(sql, post, '2h', hours(2), { likes: 1 });
    expect((await step('attribution', hours(6.9))).state).toBe('empty');
    expect(await step('attribution', hours(7))).toMatchObject({
      count_7d: 0,
      state: 'broken',
      waiting: 1,
      detail: 'reads not taken up: 1, the oldest of 2026-03-01 14:00 UTC',
      what_to_do: expect.stringContaining('/functions/v1/attribution'),
    });
    await attribute(sql, hours(7));
    expect(await step('attribution', hours(7))).toMatchObject({
      count_7d: 1,
      newest_at: at(hours(7)),
      state: 'ok',
    });
  });

  it('goes by the interval in postloop.jobs', async () => {
    const { sql } = database;
    await track();
    await storeRead(sql, post, '2h', hours(2), { likes: 1 });
    await sql`update postloop.jobs set every = '4 hours' where job = 'attribution'`;
    expect((await step('attribution', hours(11.9))).state).toBe('empty');
    expect((await step('attribution', hours(12))).state).toBe('broken');
    await sql`update postloop.jobs set every = '2 hours' where job = 'attribution'`;
  });

  it('does not wait for reads that are not believed', async () => {
    const { sql } = database;
    await track();
    await storeRead(sql, post, '2h', hours(2), { likes: 1 });
    await sql`update public.real_tweet_metrics set quality = 'suspect'`;
    expect((await step('attribution', hours(9))).state).toBe('empty');
  });
});

describe('credit', () => {
  it('is ok once attribution has split the followers', async () => {
    const { sql } = database;
    await finish();
    await attribute(sql, hours(60));
    expect(await step('credit', hours(66))).toMatchObject({
      count_7d: 1,
      newest_at: at(hours(60)),
      state: 'ok',
    });
  });

  it('is broken when an attributed post between exact counts has none', async () => {
    const { sql } = database;
    await finish();
    await attribute(sql, hours(60));
    await sql`delete from public.post_credit`;
    expect(await step('credit', hours(60))).toMatchObject({
      count_7d: 0,
      newest_at: null,
      state: 'broken',
      waiting: 1,
      detail: `attributed without credit: 1, such as ${post}`,
    });
  });

  it.each([
    ['the followers were not counted before it', hourly(hours(1), [5, 6, 7, 8]), 9],
    ['they were not counted after its read', hourly(hours(-1), [4, 5, 6]), 9],
    ['the counts are of this interval of attribution', hourly(hours(-1), [4, 5, 6, 7]), 6.9],
  ])('is not expected of a post when %s', async (_, counts, now) => {
    const { sql } = database;
    await track();
    await storeRead(sql, post, '2h', hours(2), { impressions: 400 });
    await storeFollowers(sql, accountId, counts);
    await attribute(sql, hours(2));
    await sql`delete from public.post_credit`;
    expect((await step('credit', hours(now))).state).toBe('empty');
  });
});

describe('learning', () => {
  it('is broken once a finished post was not learned for two and a half intervals', async () => {
    const { sql } = database;
    await finish();
    await attribute(sql, hours(50));
    expect((await step('learning', hours(54.9))).state).toBe('empty');
    expect(await step('learning', hours(55))).toMatchObject({
      count_7d: 0,
      state: 'broken',
      waiting: 1,
      detail: `finished and not learned: 1, such as ${post}`,
      what_to_do: expect.stringContaining('/functions/v1/learning'),
    });
    await learn(sql, accountId, hours(55));
    expect(await step('learning', hours(55))).toMatchObject({
      count_7d: 1,
      newest_at: at(hours(55)),
      state: 'ok',
    });
  });

  it('does not answer for what attribution has not taken up', async () => {
    await finish();
    expect((await step('learning', hours(60))).state).toBe('empty');
    expect((await step('attribution', hours(60))).state).toBe('broken');
  });

  it('does not wait for a post whose impressions are not known', async () => {
    const { sql } = database;
    await track();
    await storeRead(sql, post, '48h', hours(48), { likes: 5 });
    await attribute(sql, hours(49));
    expect((await step('learning', hours(60))).state).toBe('empty');
  });
});

describe('performance', () => {
  it('is broken when the outcomes were computed and what they show was not recorded', async () => {
    const { sql } = database;
    await finish();
    await attribute(sql, hours(60));
    await learningStatistics(sql, accountId, hours(60));
    expect((await step('performance', minutes(9, hours(60)))).state).toBe('empty');
    expect(await step('performance', minutes(10, hours(60)))).toMatchObject({
      count_7d: 0,
      newest_at: null,
      state: 'broken',
      waiting: 1,
      detail: 'accounts with outcomes and no performance: 1, such as @somebot',
    });
    expect((await step('learning', minutes(10, hours(60)))).waiting).toBe(0);
    await learn(sql, accountId, hours(61));
    expect(await step('performance', hours(62))).toMatchObject({
      count_7d: 1,
      newest_at: at(hours(61)),
      state: 'ok',
      detail: 'accounts: 1',
    });
  });

  it('is broken when a later run computed outcomes and recorded nothing', async () => {
    const { sql } = database;
    await finish();
    await attribute(sql, hours(50));
    await learn(sql, accountId, hours(50));
    await sql`update public.account_learning set data_version = data_version + 1`;
    expect((await step('performance', hours(51))).state).toBe('ok');
    await learningStatistics(sql, accountId, hours(52));
    expect((await step('performance', hours(53))).state).toBe('broken');
  });

  it('is broken when its rows are gone', async () => {
    const { sql } = database;
    await finish();
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    await sql`delete from public.dimension_performance`;
    expect((await step('performance', hours(61))).state).toBe('broken');
  });

  it('is not expected of posts that nobody decided', async () => {
    const { sql } = database;
    await discover([T0], T0);
    await storeRead(sql, snowflakeId(T0, 0), '48h', hours(48), { impressions: 900, likes: 9 });
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
    expect((await step('performance', hours(61))).state).toBe('empty');
  });
});

describe('recommendation', () => {
  it('is ok as soon as there is something to choose from', async () => {
    expect(await step('recommendation', T0)).toMatchObject({
      count_7d: 0,
      newest_at: null,
      state: 'ok',
      detail: 'can be drawn for 1 of 1 accounts',
    });
    await draw(2, hours(1));
    expect(await step('recommendation', hours(2))).toMatchObject({
      count_7d: 2,
      newest_at: at(hours(1)),
    });
  });

  it('is broken when no account has a value left, and says how to give one', async () => {
    const { sql } = database;
    await sql`update public.content_dimension_values set retired_at = ${T0}`;
    expect(await step('recommendation', T0)).toMatchObject({
      state: 'broken',
      waiting: 1,
      what_to_do: expect.stringContaining("public.register_x_account('somebot'"),
    });
    await registerAccount(sql, 'otherbot');
    expect((await step('recommendation', T0)).state).toBe('ok');
  });
});
