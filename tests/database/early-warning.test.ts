/** Predictions from early reads, and what follows from a post that may go viral. */
import { describe, expect, it } from 'vitest';
import { normalCdf } from '../../shared/learning/normal.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { probabilityAbove, viralThreshold } from '../../simulation/reference/early-warning.ts';
import { growthCurve, type Projection, project } from '../../simulation/reference/growth.ts';
import { useDatabase } from '../support/database.ts';
import {
  type DrawnPost,
  drawPosts,
  fitGrowth,
  maturePosts,
  storeDrawnPosts,
} from '../support/drawn-posts.ts';
import {
  claim,
  hours,
  minutes,
  only,
  registerAccount,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;
let history: DrawnPost[];

const database = useDatabase({
  prepare: async (sql) => {
    await sql`delete from public.growth_curve`;
    await sql`delete from public.pipeline_alerts`;
    accountId = await registerAccount(sql);
    history = drawPosts(1, 60, hours(-60));
    await storeDrawnPosts(sql, accountId, history);
    await fitGrowth(sql, T0);
  },
});

const POST = snowflakeId(T0);
const READ_AT = hours(2.1);
const NOW = minutes(1, READ_AT);

/** The post of T0, with a read at an age in hours. */
async function read(impressions: number, phase = '2h', ageHours = 2.1, postId = POST) {
  await storeRead(database.sql, postId, phase, hours(ageHours), { impressions });
}

const warn = async (now = NOW) =>
  only(await database.sql`select postloop.warn_early(${now}) as reply`).reply;
const events = () => database.sql`
  select kind, phase, predicted, standard_deviation, threshold, observed from public.post_predictions order by id`;
const alerts = () => database.sql`
  select change, status, invariant, measured, what_to_do, since, delivery from public.pipeline_alerts order by id`;
const rising = (now = NOW) =>
  database.sql`select post_id, probability, since from public.rising_posts(${accountId}, ${now})`;

const THRESHOLD = () =>
  viralThreshold(maturePosts(history).map(({ impressions48h }) => impressions48h)) as number;
const projected = (impressions: number, ageHours = 2.1) =>
  project({ ageHours, impressions }, growthCurve(maturePosts(history))) as Projection;

describe('normal_cdf', () => {
  it('is that of the reference', async () => {
    const zs = Array.from({ length: 321 }, (_, index) => (index - 160) / 4);
    const rows = await database.sql`
      select z, postloop.normal_cdf(z) as p from unnest(${zs}::double precision[]) with ordinality u(z, n)
      order by n`;
    expect(rows).toHaveLength(zs.length);
    for (const { z, p } of rows) expect(Math.abs(p - normalCdf(z))).toBeLessThan(1e-13);
  });

  it.each([
    ['-Infinity', 0],
    ['-1e-300', 0.5],
    ['0', 0.5],
    ['1e-9', 0.5],
    ['1.959963984540054', 0.975],
    ['1e300', 1],
    ['Infinity', 1],
  ])('of %s is %d', async (z, p) => {
    const row = only(
      await database.sql`select postloop.normal_cdf(${z}::text::double precision) as p`,
    );
    expect(row.p).toBeCloseTo(p, 8);
  });
});

describe('a prediction', () => {
  it.each([
    ['30m', 0.7],
    ['75m', 1.4],
    ['2h', 3.9],
  ])('from a read in the window of %s is that of the reference', async (phase, ageHours) => {
    await trackPost(database.sql);
    await read(900, phase, ageHours);
    expect(await warn(hours(4))).toMatchObject({ predictions: 2 });
    const projection = projected(900, ageHours);
    const [impressions, viral] = await events();
    expect(impressions).toMatchObject({ kind: 'impressions_48h', phase, threshold: null });
    expect(impressions?.predicted).toBeCloseTo(projection.y, 9);
    expect(impressions?.standard_deviation).toBeCloseTo(projection.spread, 9);
    expect(viral).toMatchObject({ kind: 'viral', phase, standard_deviation: null, observed: null });
    expect(viral?.predicted).toBeCloseTo(probabilityAbove(THRESHOLD(), projection), 9);
    expect(viral?.threshold).toBeCloseTo(THRESHOLD(), 9);
  });

  it('is made once a read', async () => {
    await trackPost(database.sql);
    await read(900, '30m', 0.7);
    await warn(hours(1));
    expect(await warn(hours(1.1))).toMatchObject({ predictions: 0 });
    await read(1500);
    expect(await warn()).toMatchObject({ predictions: 2 });
    expect((await events()).map(({ phase }) => phase)).toEqual(['30m', '30m', '2h', '2h']);
  });

  it('is not made from a read that is suspect, without impressions, later than 4 h or still to come', async () => {
    const { sql } = database;
    await trackPost(sql);
    await read(900);
    await sql`update public.real_tweet_metrics set quality = 'suspect' where tweet_id = ${POST}`;
    expect(await warn()).toMatchObject({ predictions: 0 });
    await sql`update public.real_tweet_metrics set quality = 'exact', impressions = null where tweet_id = ${POST}`;
    expect(await warn()).toMatchObject({ predictions: 0 });
    await read(900, '4h', 4.5);
    expect(await warn(hours(5))).toMatchObject({ predictions: 0 });
    await sql`update public.real_tweet_metrics set impressions = 900 where tweet_id = ${POST}`;
    expect(await warn(hours(2))).toMatchObject({ predictions: 0 });
    expect(await warn()).toMatchObject({ predictions: 2 });
  });

  it('names no probability where the account has too few posts for a threshold', async () => {
    const { sql } = database;
    await registerAccount(sql, 'newbot');
    await trackPost(sql, { account: 'newbot' });
    await read(900);
    expect(await warn()).toMatchObject({ predictions: 1, alerts: 0 });
    expect(await events()).toMatchObject([{ kind: 'impressions_48h' }]);
  });

  it('is not made where nobody has a curve', async () => {
    const { sql } = database;
    await sql`delete from public.growth_curve`;
    await trackPost(sql);
    await read(900);
    expect(await warn()).toMatchObject({ predictions: 0 });
  });
});

describe('a post that may go viral', () => {
  const MANY = 50_000;

  it('is told once, with its probability and numbers', async () => {
    await trackPost(database.sql);
    await read(MANY, '75m', 1.4);
    expect(await warn(hours(1.5))).toMatchObject({ alerts: 1 });
    await read(2 * MANY);
    expect(await warn()).toMatchObject({ predictions: 2, alerts: 0 });
    expect(await alerts()).toEqual([
      {
        change: 'rising',
        status: 'ok',
        invariant: `post ${POST}`,
        measured: `may go viral: P = 1.00 to pass ${Math.round(THRESHOLD())} impressions at 48 h, as one post in twenty does; now 50000 after 84 min`,
        what_to_do: `Post a follow-up while it spreads: https://x.com/somebot/status/${POST}`,
        since: hours(1.4),
        delivery: 'pending',
      },
    ]);
  });

  it('goes to the webhook with the next turn of the watch', async () => {
    const { sql } = database;
    await trackPost(sql);
    await read(MANY);
    await warn();
    const { text } = only(
      await sql`
        select postloop.alert_message('https://hooks.slack.com/services/x',
          (select jsonb_agg(to_jsonb(a)) from public.pipeline_alerts a), ${NOW}) ->> 'text' as text`,
    );
    expect(text).toMatch(
      /^Postloop\nRISING post \d+: may go viral: P = 1\.00 .* since 14:06 UTC\. Post a follow-up/,
    );
    const sent = only(
      await sql`select postloop.deliver_alerts('https://example.com/hook', null, ${NOW}) as sent`,
    );
    expect(sent.sent).toBe(1);
    expect(await alerts()).toMatchObject([{ delivery: 'sent' }]);
  });

  it('is read at the ages between the scheduled ones that are still to come', async () => {
    const { sql } = database;
    await trackPost(sql);
    await read(MANY, '30m', 0.7);
    expect(await warn(hours(0.75))).toMatchObject({ reads_scheduled: 4 });
    const extra = await sql`
      select c.phase, c.due_at, c.state from public.metric_collections c
      join public.collection_phases p on p.phase = c.phase and not p.scheduled
      where c.post_id = ${POST} order by c.due_at`;
    expect([...extra]).toEqual([
      { phase: '75m', due_at: hours(1.25), state: 'waiting' },
      { phase: '4h', due_at: hours(4), state: 'waiting' },
      { phase: '12h', due_at: hours(12), state: 'waiting' },
      { phase: '36h', due_at: hours(36), state: 'waiting' },
    ]);
    const { reads } = await claim(sql, hours(4.1));
    expect(reads.map(({ phase }: { phase: string }) => phase)).toContain('4h');
  });

  it('gets no read whose age has passed', async () => {
    await trackPost(database.sql);
    await read(MANY);
    expect(await warn()).toMatchObject({ reads_scheduled: 3 });
  });

  it('is not one at a probability below one half', async () => {
    await trackPost(database.sql);
    await read(100);
    expect(await warn()).toMatchObject({ predictions: 2, reads_scheduled: 0, alerts: 0 });
    expect(await rising()).toEqual([]);
  });

  it('is rising until a newer read says otherwise', async () => {
    await trackPost(database.sql);
    await read(MANY, '30m', 0.7);
    await warn(hours(0.75));
    expect(await rising()).toMatchObject([{ post_id: POST, since: hours(0.75) }]);
    expect((await rising())[0]?.probability).toBeGreaterThan(0.99);
    await read(MANY + 1, '75m', 1.3);
    await warn(hours(1.4));
    expect(await rising()).toMatchObject([{ since: hours(0.75) }]);
    await database.sql`
      update public.post_predictions set predicted = 0.2 where kind = 'viral' and phase = '75m'`;
    expect(await rising()).toEqual([]);
  });

  it('is rising for 48 hours at most', async () => {
    await trackPost(database.sql);
    await read(MANY);
    await warn();
    expect(await rising(hours(47, NOW))).toHaveLength(1);
    expect(await rising(hours(48, NOW))).toEqual([]);
  });
});
