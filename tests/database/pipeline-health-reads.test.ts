import { beforeEach, describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import { invariant } from '../support/health.ts';
import {
  attribute,
  claim,
  followersFound,
  found,
  hourly,
  hours,
  learn,
  minutes,
  only,
  record,
  registerAccount,
  reset,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
const database = useDatabase({
  prepare: async (sql) => {
    await sql`delete from public.integrity_events`;
    await sql`delete from public.payload_shapes`;
    await sql`delete from public.scraper_sessions`;
    accountId = await registerAccount(sql);
    await followersDueFrom(hours(10_000));
  },
});

const followersDueFrom = (at: Date) =>
  database.sql`update public.follower_collections set next_attempt_at = ${at}`;
const check = (name: string, now: Date) => invariant(database.sql, name, now);
const post = snowflakeId(T0);
const NUMBERS = { likes: 9, retweets: 1, replies: 0, bookmarks: 0, impressions: 300 };

/** Tracks posts of T0 and returns their ids. */
async function trackPosts(count: number, now = T0): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, n) => snowflakeId(T0, n + 1));
  for (const postId of ids) await trackPost(database.sql, { postId, now });
  return ids;
}

type Claimed = { post_id: string; phase: string };

/** Claims at a moment; `outcome` says what comes back for the n-th read. */
async function scrape(
  at: Date,
  outcome: (n: number) => string | object = () => 'found',
  limit = 100,
): Promise<void> {
  const { sql } = database;
  const { run_id, reads } = await claim(sql, at, limit);
  const results = reads.map(({ post_id, phase }: Claimed, n: number) => {
    const given = outcome(n);
    if (given === 'found') return found(post_id, phase, at, NUMBERS);
    return { post_id, phase, ...(typeof given === 'string' ? { outcome: given } : given) };
  });
  await record(sql, run_id, { reads: results }, at);
}

describe('reads_on_time', () => {
  it('is green until a read is due for ten minutes, and while it is leased', async () => {
    const { sql } = database;
    await trackPost(sql);
    expect(await check('reads_on_time', minutes(40))).toMatchObject({
      status: 'ok',
      measured: '0 overdue',
    });
    await claim(sql, minutes(45), 40, 20 * 60);
    expect((await check('reads_on_time', minutes(74))).status).toBe('ok');
  });

  it('warns after ten minutes and fails after thirty, naming the oldest', async () => {
    await trackPost(database.sql);
    expect((await check('reads_on_time', minutes(41))).status).toBe('warning');
    expect((await check('reads_on_time', minutes(60))).status).toBe('warning');
    const failing = await check('reads_on_time', minutes(61));
    expect(failing).toMatchObject({
      status: 'failing',
      measured: `1 overdue, the oldest for 31 min: 30m of post ${post} of @somebot`,
    });
    expect(failing.what_to_do).toContain('heartbeat_scraper');
  });

  it('counts reads that are tried again from when they are due again', async () => {
    await trackPost(database.sql);
    await scrape(minutes(35), () => ({
      outcome: 'rate_limited',
      retry_at: minutes(60).toISOString(),
    }));
    expect((await check('reads_on_time', minutes(70))).status).toBe('ok');
    expect((await check('reads_on_time', minutes(71))).status).toBe('warning');
  });

  it('looks at follower counts too', async () => {
    await followersDueFrom(T0);
    expect((await check('reads_on_time', minutes(10))).status).toBe('ok');
    expect(await check('reads_on_time', minutes(31))).toMatchObject({
      status: 'failing',
      measured: '1 overdue, the oldest for 31 min: follower count of @somebot',
    });
  });
});

describe('reads_not_missed', () => {
  /** 25 windows of 30m, of which the scraper comes to `read` before they close. */
  async function windows(read: number): Promise<void> {
    await trackPosts(25);
    await scrape(minutes(30), () => 'found', read);
    await claim(database.sql, minutes(80));
  }

  it.each([
    [25, 'ok', '0 of 25'],
    [24, 'ok', '1 of 25'],
    [23, 'warning', '2 of 25'],
    [19, 'warning', '6 of 25'],
    [18, 'failing', '7 of 25'],
  ])('with %i of 25 windows read is %s', async (read, status, measured) => {
    await windows(read);
    const one = await check('reads_not_missed', minutes(81));
    expect(one.status).toBe(status);
    expect(one.measured.startsWith(`${measured} windows missed in 24 h`)).toBe(true);
  });

  it('names the account and what the last try gave, for a day', async () => {
    await trackPosts(25);
    await scrape(minutes(30), () => 'login_required');
    await scrape(minutes(70), () => 'login_required');
    await claim(database.sql, minutes(80));
    const failing = await check('reads_not_missed', minutes(81));
    expect(failing).toMatchObject({
      status: 'failing',
      measured:
        '25 of 25 windows missed in 24 h (100.0 %), most of @somebot, most often login_required',
    });
    expect(failing.what_to_do).toContain('login_required');
    expect((await check('reads_not_missed', hours(26))).status).toBe('ok');
  });

  it('says when nobody tried', async () => {
    await windows(0);
    const failing = await check('reads_not_missed', minutes(81));
    expect(failing.measured).toContain('most often never tried');
    expect(failing.what_to_do).toContain('reads_on_time');
  });

  it('leaves out windows that were over before the post was tracked', async () => {
    await trackPosts(25, hours(3));
    expect(await check('reads_not_missed', hours(3))).toMatchObject({
      status: 'ok',
      measured: '0 of 0 windows missed in 24 h',
    });
  });

  it('does not judge fewer than 20 windows', async () => {
    await trackPosts(19);
    await claim(database.sql, minutes(80));
    expect(await check('reads_not_missed', minutes(81))).toMatchObject({
      status: 'ok',
      measured: expect.stringContaining('19 of 19'),
    });
  });
});

describe('posts_have_reads', () => {
  const write = (id: string, account = accountId) =>
    database.sql`
      insert into public.post_attribution (post_id, account_id, posted_at)
      values (${id}, ${account}, ${T0})`;

  it('is green for posts that were tracked', async () => {
    await trackPost(database.sql);
    expect(await check('posts_have_reads', hours(1))).toMatchObject({
      status: 'ok',
      measured: '0 posts without',
    });
  });

  it('fails for a post that was written past track_post, until its reads are scheduled', async () => {
    const { sql } = database;
    await write('77');
    const failing = await check('posts_have_reads', hours(1));
    expect(failing).toMatchObject({
      status: 'failing',
      measured: '1 post without, the newest is 77 of @somebot',
    });
    expect(failing.what_to_do).toContain('select postloop.schedule_reads(');
    await sql`select postloop.schedule_reads(array['77'], ${hours(1)})`;
    expect((await check('posts_have_reads', hours(1))).status).toBe('ok');
  });

  it('leaves out older posts, and those of an account that is not read', async () => {
    const { sql } = database;
    await write('77');
    expect((await check('posts_have_reads', hours(24 * 14))).status).toBe('ok');
    await sql`delete from public.follower_collections`;
    expect((await check('posts_have_reads', hours(1))).status).toBe('ok');
  });
});

describe('reads_attributed', () => {
  beforeEach(async () => {
    await trackPost(database.sql);
    await scrape(minutes(30));
  });

  it('is green for five hours, and after attribution', async () => {
    expect((await check('reads_attributed', hours(5.5))).status).toBe('ok');
    await attribute(database.sql, hours(2));
    expect(await check('reads_attributed', hours(100))).toMatchObject({
      status: 'ok',
      measured: '0 reads waiting',
    });
  });

  it('fails for a read that attribution does not take up, and names it', async () => {
    const failing = await check('reads_attributed', minutes(331));
    expect(failing).toMatchObject({
      status: 'failing',
      measured: `1 read waiting, the oldest for 5 h: 30m of post ${post} of @somebot`,
    });
    expect(failing.what_to_do).toContain("select postloop.invoke_job('attribution');");
  });

  it('leaves out reads that are not believed', async () => {
    await database.sql`update public.real_tweet_metrics set quality = 'suspect'`;
    expect((await check('reads_attributed', hours(20))).status).toBe('ok');
  });

  it('counts an imported read from its import on', async () => {
    const { sql } = database;
    const { id } = only(
      await sql`select public.start_pipeline_run('upgrade', 1, ${hours(30)}) as id`,
    );
    await sql`update public.real_tweet_metrics set run_id = ${id}, source = 'imported'`;
    expect((await check('reads_attributed', hours(35))).status).toBe('ok');
    expect((await check('reads_attributed', hours(36))).status).toBe('failing');
  });
});

describe('posts_learned', () => {
  beforeEach(async () => {
    const { sql } = database;
    await trackPost(sql, { dimensions: { tone: 'dry' } });
    await storeRead(sql, post, '48h', hours(48), NUMBERS);
    await attribute(sql, hours(50));
  });

  it('is green for five hours after attribution took the last number up, and after learning', async () => {
    expect((await check('posts_learned', hours(55))).status).toBe('ok');
    await learn(database.sql, accountId, hours(52));
    expect(await check('posts_learned', hours(200))).toMatchObject({
      status: 'ok',
      measured: '0 posts waiting',
    });
  });

  it('fails for a finished post without an outcome, and says how to make it due', async () => {
    const { sql } = database;
    const failing = await check('posts_learned', hours(56));
    expect(failing).toMatchObject({
      status: 'failing',
      measured: `1 post waiting, the oldest is ${post} of @somebot`,
    });
    expect(failing.what_to_do).toContain(`where account_id = ${accountId};`);
    await learn(sql, accountId, hours(56));
    await sql`delete from public.post_outcomes`;
    expect((await check('posts_learned', hours(56))).status).toBe('failing');
  });

  it.each([
    ['are not believed', "quality = 'suspect'"],
    ['lack impressions', 'impressions = null'],
  ])('leaves out posts whose numbers %s', async (_, change) => {
    const { sql } = database;
    await sql`update public.real_tweet_metrics set ${sql.unsafe(change)}`;
    expect((await check('posts_learned', hours(80))).status).toBe('ok');
  });

  it('leaves out posts that have no number of 48 h yet', async () => {
    const { sql } = database;
    await sql`update public.real_tweet_metrics set collection_phase = '24h'`;
    expect((await check('posts_learned', hours(80))).status).toBe('ok');
  });
});

describe('follower_counts_fresh', () => {
  it('is green for three hours after registration and after each count', async () => {
    expect((await check('follower_counts_fresh', hours(3))).status).toBe('ok');
    await storeFollowers(database.sql, accountId, hourly(T0, [10, 11, 12, 13]));
    expect(await check('follower_counts_fresh', hours(6))).toMatchObject({
      status: 'ok',
      measured: 'every account has one',
    });
  });

  it('fails for an account that was never counted', async () => {
    expect(await check('follower_counts_fresh', hours(3.1))).toMatchObject({
      status: 'failing',
      measured: '1 account without, the worst is @somebot: never counted, last try none',
    });
  });

  it('fails when the counts stop, and names the worst account', async () => {
    const { sql } = database;
    const other = await registerAccount(sql, 'otherbot');
    await storeFollowers(sql, accountId, [{ at: hours(1), followers: 10 }]);
    await storeFollowers(sql, other, [{ at: hours(2), followers: 10 }]);
    expect(await check('follower_counts_fresh', hours(7))).toMatchObject({
      status: 'failing',
      measured:
        '2 accounts without, the worst is @somebot: last exact count 6 h ago, last try none',
    });
  });

  it('fails on rounded counts alone, and says what to do about them', async () => {
    const { sql } = database;
    await followersDueFrom(T0);
    const { run_id } = await claim(sql, hours(2));
    const followers = [followersFound(accountId, hours(2), 12_300, false)];
    await record(sql, run_id, { followers }, hours(2));
    expect(await check('follower_counts_fresh', hours(3.5))).toMatchObject({
      status: 'failing',
      what_to_do: expect.stringContaining('X shows the count of @somebot rounded'),
    });
  });

  it('does not judge an account that is gone from X, and says how to stop reading it', async () => {
    const { sql } = database;
    await followersDueFrom(T0);
    const { run_id } = await claim(sql, hours(2));
    const followers = [{ account_id: accountId, outcome: 'suspended' }];
    await record(sql, run_id, { followers }, hours(2));
    const gone = await check('follower_counts_fresh', hours(4));
    expect(gone).toMatchObject({
      status: 'ok',
      measured: 'every account has one, gone from X: @somebot',
    });
    await sql.unsafe(gone.what_to_do.slice(gone.what_to_do.indexOf('delete from')));
    expect((await check('follower_counts_fresh', hours(4))).measured).toBe('every account has one');
  });
});

describe('attempts of a day', () => {
  /** 25 attempts, the first `refused` of them with an outcome. */
  async function attempts(refused: number, outcome: string, of = 25): Promise<void> {
    await trackPosts(of);
    await scrape(minutes(30), (n) => (n < refused ? outcome : 'found'));
  }

  it.each([
    [0, 'ok'],
    [5, 'ok'],
    [6, 'warning'],
    [12, 'warning'],
    [13, 'failing'],
  ])('with %i of 25 refused: reads_succeed is %s', async (refused, status) => {
    await attempts(refused, 'blocked');
    expect((await check('reads_succeed', minutes(31))).status).toBe(status);
  });

  it('names the most frequent refusal, and forgets it after a day', async () => {
    await attempts(25, 'blocked');
    const failing = await check('reads_succeed', minutes(31));
    expect(failing).toMatchObject({
      measured: '25 of 25 attempts refused in 24 h (100.0 %), most often blocked (25)',
      what_to_do: expect.stringContaining('blocked'),
    });
    expect((await check('reads_succeed', hours(25))).status).toBe('ok');
  });

  it('does not count a post that is gone as a refusal, nor judge fewer than 20', async () => {
    await attempts(25, 'deleted');
    expect((await check('reads_succeed', minutes(31))).status).toBe('ok');
    await reset(database.sql);
    await registerAccount(database.sql);
    await followersDueFrom(hours(10_000));
    await attempts(19, 'blocked', 19);
    expect((await check('reads_succeed', minutes(31))).status).toBe('ok');
  });

  it.each([
    [2, 'degraded', 'ok'],
    [3, 'degraded', 'warning'],
    [7, 'wrong_post', 'warning'],
    [8, 'wrong_post', 'failing'],
    [25, 'blocked', 'ok'],
  ])('with %i of 25 %s: reads_believed is %s', async (refused, outcome, status) => {
    await attempts(refused, outcome);
    expect((await check('reads_believed', minutes(31))).status).toBe(status);
  });

  it('says of numbers that are not believed what they were and what to do', async () => {
    await attempts(10, 'degraded');
    expect(await check('reads_believed', minutes(31))).toMatchObject({
      measured: '10 degraded and 0 wrong_post of 25 attempts in 24 h',
      what_to_do: expect.stringContaining('another session'),
    });
  });
});

describe('payload_shapes_known', () => {
  const evidence = { operation: 'TweetDetail', missing: ['data.result.views.count'] };

  /** Claims nothing and brings what the page showed beside. */
  async function bring(batch: Parameters<typeof record>[2], at: Date): Promise<void> {
    const { run_id } = await claim(database.sql, at);
    await database.sql`
      update public.pipeline_runs set status = 'running', finished_at = null
      where run_id = ${run_id}`;
    await record(database.sql, run_id, batch, at);
  }
  const shape = (hash: string) => ({
    shapes: [{ operation: 'TweetDetail', hash, paths: ['data'] }],
  });

  it('is green for the first shapes, and for those seen before', async () => {
    await bring(shape('a'), T0);
    await bring(shape('b'), hours(2));
    await bring(shape('a'), hours(48));
    for (const at of [hours(3), hours(49)]) {
      expect(await check('payload_shapes_known', at)).toMatchObject({
        status: 'ok',
        measured: 'no new shape in 24 h',
      });
    }
  });

  it('warns for a day of a new shape of an operation that had another', async () => {
    await bring(shape('a'), T0);
    await bring(shape('b'), hours(30));
    expect(await check('payload_shapes_known', hours(31))).toMatchObject({
      status: 'warning',
      measured: '1 new shape of TweetDetail in 24 h',
      what_to_do: expect.stringContaining('payload_shapes'),
    });
    expect((await check('payload_shapes_known', hours(55))).status).toBe('ok');
  });

  it('fails for a page that could not be read, naming the operation and the path', async () => {
    await trackPost(database.sql);
    const { run_id } = await claim(database.sql, minutes(30));
    await record(
      database.sql,
      run_id,
      {
        reads: [{ post_id: post, phase: '30m', outcome: 'shape_changed', evidence }],
        events: [
          { kind: 'shape_changed', account_id: accountId, post_id: post, details: evidence },
        ],
      },
      minutes(30),
    );
    expect(await check('payload_shapes_known', minutes(31))).toMatchObject({
      status: 'failing',
      measured: '1 page not understood in 24 h, the last: TweetDetail: data.result.views.count',
      what_to_do: expect.stringContaining('X changed its payload'),
    });
    expect((await check('payload_shapes_known', hours(25))).status).toBe('ok');
  });

  it.each([
    {},
    { missing: 'x' },
    { codes: [1, 2], status: 500 },
    { missing: [], differing: ['a: b'] },
  ])('fails on an event of a form of its own, %j', async (details) => {
    await bring({ events: [{ kind: 'shape_changed', details }] }, T0);
    expect((await check('payload_shapes_known', T0)).status).toBe('failing');
  });
});

describe('sessions_accepted', () => {
  it('is green without a refusal', async () => {
    expect(await check('sessions_accepted', T0)).toMatchObject({
      status: 'ok',
      measured: 'no refusal in 24 h',
    });
  });

  it.each(['session_invalid', 'login_required'])(
    'warns for a day after X answered %s, and names the session',
    async (outcome) => {
      const { sql } = database;
      await sql`
        select public.report_session('0123456789abcdef', 'TweetDetail', ${outcome}, null, ${T0})`;
      expect(await check('sessions_accepted', hours(1))).toMatchObject({
        status: 'warning',
        measured: `X answered ${outcome} in 24 h (session 0123456789abcdef)`,
        what_to_do: expect.stringContaining('cookies'),
      });
      expect((await check('sessions_accepted', hours(25))).status).toBe('ok');
    },
  );

  it('warns of a read that wanted a login', async () => {
    await trackPost(database.sql);
    await scrape(minutes(30), () => 'login_required');
    expect((await check('sessions_accepted', minutes(31))).status).toBe('warning');
  });

  it('is not disturbed by a rate limit', async () => {
    const { sql } = database;
    await sql`
      select public.report_session('0123456789abcdef', 'TweetDetail', 'rate_limited', null, ${T0})`;
    expect((await check('sessions_accepted', T0)).status).toBe('ok');
  });
});
