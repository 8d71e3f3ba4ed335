import { beforeEach, describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { useDatabase } from '../support/database.ts';
import { invariant, invariants } from '../support/health.ts';
import {
  claim,
  found,
  HOUR_MS,
  hours,
  json,
  MINUTE_MS,
  minutes,
  only,
  record,
  registerAccount,
  T0,
  trackPost,
} from '../support/scenario.ts';

const database = useDatabase({
  prepare: async (sql) => {
    await sql`update postloop.jobs set since = ${T0}`;
  },
});

const check = (name: string, now: Date) => invariant(database.sql, name, now);

/** A run of a job from its start to its end, as a job makes it. */
async function run(
  job: string,
  at: Date,
  { expected = 0, done = 0, failed = 0, error = null as object | null } = {},
): Promise<string> {
  const { sql } = database;
  const { id } = only(
    await sql`select public.start_pipeline_run(${job}, ${expected}, ${at}) as id`,
  );
  await sql`
    select public.finish_pipeline_run(${id}, ${done}, '{}', ${failed}, ${error && json(sql, error)})`;
  return id;
}

const EVERY_MS = {
  attribution: 2 * HOUR_MS,
  cleanup: 24 * HOUR_MS,
  health: 15 * MINUTE_MS,
  learning: 2 * HOUR_MS,
  scraper: MINUTE_MS,
  watch: 5 * MINUTE_MS,
};
const late = (every: number, more = 0) => new Date(+T0 + 2.5 * every + more);

describe('heartbeat', () => {
  it('is watched of every job that has a schedule', async () => {
    const names = (await invariants(database.sql, T0)).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('heartbeat_'))).toEqual(
      Object.keys(EVERY_MS).map((job) => `heartbeat_${job}`),
    );
  });

  it.each(Object.entries(EVERY_MS))(
    'of %s fails once two and a half intervals went by since its last run, and not before',
    async (job, every) => {
      await run(job, T0);
      expect(await check(`heartbeat_${job}`, late(every))).toMatchObject({ status: 'ok' });
      const failing = await check(`heartbeat_${job}`, late(every, 1));
      expect(failing).toMatchObject({
        status: 'failing',
        measured: expect.stringMatching(/^last run .* ago$/),
        threshold: expect.stringMatching(/^a run in the last /),
      });
      expect(failing.what_to_do).toContain(job === 'scraper' ? 'EventBridge' : `select postloop.`);
      expect(failing.what_to_do).toContain(job === 'scraper' ? 'Lambda' : job);
    },
  );

  it('of a job that never ran is not yet due until then, and fails after', async () => {
    expect(await check('heartbeat_attribution', late(EVERY_MS.attribution))).toMatchObject({
      status: 'ok',
      measured: 'not yet due',
    });
    expect(await check('heartbeat_attribution', late(EVERY_MS.attribution, 1))).toMatchObject({
      status: 'failing',
      measured: 'never ran, installed 5 h ago',
    });
  });

  it('is any run, one that failed or is still open too', async () => {
    const { sql } = database;
    await run('attribution', hours(4), { error: { code: 'x', message: 'y' } });
    await sql`select public.start_pipeline_run('learning', 3, ${hours(4)})`;
    expect((await check('heartbeat_attribution', hours(6))).status).toBe('ok');
    expect((await check('heartbeat_learning', hours(6))).status).toBe('ok');
  });

  it('is not a run of later', async () => {
    await run('learning', hours(9));
    expect((await check('heartbeat_learning', hours(6))).status).toBe('failing');
  });
});

describe('last_run', () => {
  const JOBS = ['attribution', 'cleanup', 'health', 'learning', 'watch'];

  it('is judged of every job but the scraper, and fine before the first', async () => {
    const found = (await invariants(database.sql, T0)).filter(({ name }) =>
      name.startsWith('last_run_'),
    );
    expect(found.map(({ name, status }) => [name, status])).toEqual(
      JOBS.map((job) => [`last_run_${job}`, 'ok']),
    );
  });

  it.each(JOBS)('of %s fails when it expected work and did none, and says so', async (job) => {
    await run(job, T0, { expected: 5, done: 5 });
    expect((await check(`last_run_${job}`, T0)).status).toBe('ok');
    const id = await run(job, hours(1), { expected: 5 });
    const failing = await check(`last_run_${job}`, hours(3));
    expect(failing).toMatchObject({
      status: 'failing',
      measured: 'failed 2 h ago: nothing_done: Expected 5, did none; failed 0, skipped {}.',
    });
    expect(failing.what_to_do).toContain(id);
    expect(failing.what_to_do).toContain(job);
  });

  it('fails on an error, whose code and shortened message it names', async () => {
    const message = 'x'.repeat(1000);
    await run('attribution', T0, { error: { code: 'database_error', message } });
    const { status, measured } = await check('last_run_attribution', T0);
    expect(status).toBe('failing');
    expect(measured).toMatch(/: database_error: x{160}$/);
  });

  it('warns of a run that did a part', async () => {
    await run('learning', T0, { expected: 3, done: 2, failed: 1 });
    expect(await check('last_run_learning', minutes(5))).toMatchObject({
      status: 'warning',
      measured: 'partial 5 min ago: 2 of 3 done, 1 failed',
    });
  });

  it('is well again after the next run, and not by one that is still open', async () => {
    const { sql } = database;
    await run('learning', T0, { expected: 3 });
    await sql`select public.start_pipeline_run('learning', 3, ${hours(2)})`;
    expect((await check('last_run_learning', hours(2))).status).toBe('failing');
    await run('learning', hours(4), { expected: 3, done: 3 });
    expect((await check('last_run_learning', hours(4))).status).toBe('ok');
  });

  it('fails when Vault has no key for the request', async () => {
    const { sql } = database;
    await sql`delete from vault.secrets`;
    await sql`select postloop.invoke_job('learning')`;
    expect(await check('last_run_learning', new Date())).toMatchObject({
      status: 'failing',
      measured: expect.stringContaining('vault_secret_missing: No request was sent'),
    });
  });
});

describe('the scraper', () => {
  const post = snowflakeId(T0);
  const numbers = { likes: 1, retweets: 0, replies: 0, impressions: 100 };

  beforeEach(async () => {
    const { sql } = database;
    await registerAccount(sql);
    await sql`update public.follower_collections set next_attempt_at = ${hours(1000)}`;
    await trackPost(sql);
  });

  /** A run that gets nothing from X; the read is due again at once. */
  async function refused(at: Date, outcome = 'transient') {
    const { sql } = database;
    await sql`update public.metric_collections set next_attempt_at = ${at} where phase = '30m'`;
    const { run_id } = await claim(sql, at);
    await record(sql, run_id, { reads: [{ post_id: post, phase: '30m', outcome }] }, at);
  }

  it('works while some read is done', async () => {
    for (const minute of [30, 31, 32]) await refused(minutes(minute));
    const { sql } = database;
    const { run_id } = await claim(sql, minutes(40));
    await record(sql, run_id, { reads: [found(post, '30m', minutes(40), numbers)] }, minutes(40));
    expect(await check('scraper_works', minutes(41))).toMatchObject({
      status: 'ok',
      measured: '1 of 4 reads done in 4 runs of the last 30 min',
    });
  });

  it('does not fail for one or two failed runs, and fails for three', async () => {
    await refused(minutes(30));
    await refused(minutes(31), 'blocked');
    expect((await check('scraper_works', minutes(32))).status).toBe('ok');
    await refused(minutes(32), 'blocked');
    const failing = await check('scraper_works', minutes(33));
    expect(failing).toMatchObject({
      status: 'failing',
      measured: '0 of 3 reads done in 3 runs of the last 30 min, most often blocked',
    });
    expect(failing.what_to_do).toContain('blocked');
    expect((await check('scraper_works', minutes(63))).status).toBe('ok');
  });

  it('is not judged by runs that had nothing to do, nor by open ones', async () => {
    const { sql } = database;
    for (const minute of [1, 2, 3, 4]) await claim(sql, minutes(minute));
    await claim(sql, minutes(30));
    expect(await check('scraper_works', minutes(31))).toMatchObject({
      status: 'ok',
      measured: '0 of 0 reads done in 0 runs of the last 30 min',
    });
  });

  it('whose runs end before the first read fails, and says so', async () => {
    const { sql } = database;
    for (const minute of [30, 31, 32]) {
      const { run_id } = await claim(sql, minutes(minute));
      await record(sql, run_id, {}, minutes(minute));
    }
    expect(await check('scraper_works', minutes(33))).toMatchObject({
      status: 'failing',
      measured: expect.stringContaining('none was tried'),
      what_to_do: expect.stringContaining("Lambda's log"),
    });
  });
});

describe('runs_end', () => {
  it('is green when every run reported its end, and while one is under way', async () => {
    const { sql } = database;
    await run('attribution', T0);
    const { id } = only(await sql`select public.start_pipeline_run('learning', 3, ${T0}) as id`);
    await sql`update public.pipeline_runs set started_at = ${T0} where run_id = ${id}`;
    expect(await check('runs_end', minutes(15))).toMatchObject({
      status: 'ok',
      measured: 'every run reported its end',
    });
  });

  it('fails for a scraper that was killed between claim and record', async () => {
    const { sql } = database;
    await registerAccount(sql);
    const { run_id } = await claim(sql, T0);
    await sql`update public.pipeline_runs set started_at = ${T0} where run_id = ${run_id}`;
    const failing = await check('runs_end', minutes(16));
    expect(failing).toMatchObject({
      status: 'failing',
      measured: '1 scraper run without an end, the oldest started 16 min ago',
    });
    expect(failing.what_to_do).toContain(run_id);
    expect(failing.what_to_do).toContain('Lambda');
  });

  it('fails for a scraper whose numbers could not be written', async () => {
    const { sql } = database;
    await registerAccount(sql);
    await trackPost(sql);
    const { run_id } = await claim(sql, minutes(30));
    await sql`alter table public.real_tweet_metrics rename column likes to like_count`;
    const batch = { reads: [found(snowflakeId(T0), '30m', minutes(30), { likes: 1 })] };
    await expect(record(sql, run_id, batch, minutes(30))).rejects.toThrow('likes');
    await sql`alter table public.real_tweet_metrics rename column like_count to likes`;
    await sql`update public.pipeline_runs set started_at = ${minutes(30)}`;
    expect((await check('runs_end', minutes(46))).status).toBe('failing');
    // what the run could not write then is written once the column is back
    await record(sql, run_id, batch, minutes(47));
    expect((await check('runs_end', minutes(47))).status).toBe('ok');
  });

  it('fails for an hour after a run was closed as abandoned', async () => {
    const { sql } = database;
    const { id } = only(await sql`select public.start_pipeline_run('attribution', 3, ${T0}) as id`);
    const now = new Date();
    await sql`update public.pipeline_runs set started_at = ${hours(-2, now)} where run_id = ${id}`;
    await sql`select postloop.cleanup(${now})`;
    const failing = await check('runs_end', minutes(1, now));
    expect(failing).toMatchObject({
      status: 'failing',
      measured: expect.stringContaining('1 attribution run without an end'),
    });
    expect(failing.what_to_do).toContain(`job attribution`);
    expect((await check('runs_end', minutes(62, now))).status).toBe('ok');
  });
});
