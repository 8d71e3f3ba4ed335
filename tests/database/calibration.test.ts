/** Whether predictions come true: observations filled in, and the view that sums them up. */
import { describe, expect, it } from 'vitest';
import { mulberry32, normal } from '../../shared/learning/random.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import { calibrationError, coverage } from '../../simulation/reference/calibration.ts';
import { useDatabase } from '../support/database.ts';
import {
  hours,
  json,
  only,
  registerAccount,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let accountId: number;

const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const POST = snowflakeId(T0);

/** Both predictions of the post of T0, made from its read at 2 h. */
async function predict(createdAt = hours(2.2)): Promise<void> {
  const { sql } = database;
  await trackPost(sql);
  await sql`
    insert into public.post_predictions
      (account_id, kind, post_id, phase, predicted, standard_deviation, threshold, created_at)
    values (${accountId}, 'impressions_48h', ${POST}, '2h', 7, 0.2, null, ${createdAt}),
      (${accountId}, 'viral', ${POST}, '2h', 0.3, null, 1500, ${createdAt})`;
}

const settle = async (now: Date) =>
  only(await database.sql`select postloop.settle_predictions(${now}) as reply`).reply;
const observed = () => database.sql`
  select kind, observed, observed_at from public.post_predictions order by kind`;

describe('what was observed', () => {
  it.each([
    [1500, 0],
    [1501, 1],
  ])('is filled in by the read at 48 h (%i impressions of 1500)', async (impressions, viral) => {
    await predict();
    await storeRead(database.sql, POST, '48h', hours(48.5), { impressions });
    expect(await settle(hours(48.4))).toMatchObject({ settled: 0 });
    expect(await settle(hours(49))).toMatchObject({ settled: 2 });
    expect(await observed()).toEqual([
      { kind: 'impressions_48h', observed: Math.log(impressions + 1), observed_at: hours(49) },
      { kind: 'viral', observed: viral, observed_at: hours(49) },
    ]);
  });

  it('is filled in once', async () => {
    const { sql } = database;
    await predict();
    await storeRead(sql, POST, '48h', hours(48.5), { impressions: 10 });
    await settle(hours(49));
    await sql`update public.real_tweet_metrics set impressions = 99 where tweet_id = ${POST}`;
    expect(await settle(hours(50))).toMatchObject({ settled: 0 });
  });

  it('stays open without a read of that age that is believed', async () => {
    const { sql } = database;
    await predict();
    await storeRead(sql, POST, '48h', hours(48.5), { impressions: 10 });
    await sql`update public.real_tweet_metrics set quality = 'suspect' where tweet_id = ${POST}`;
    await storeRead(sql, POST, '3d', hours(80), { impressions: 20 });
    expect(await settle(hours(90))).toMatchObject({ settled: 0 });
    expect(await observed()).toMatchObject([{ observed: null }, { observed: null }]);
  });

  it('is forgotten after 180 days', async () => {
    await predict();
    expect(await settle(hours(24 * 180))).toMatchObject({ forgotten: 0 });
    expect(await settle(hours(24 * 181))).toMatchObject({ forgotten: 2 });
    expect(await observed()).toEqual([]);
  });
});

describe('the view', () => {
  type Settled = { predicted: number; sd: number; observed: number; n: number };

  /** So many settled predictions of a kind, in the order in which they were observed. */
  async function store(account: number, kind: string, settled: Settled[]): Promise<void> {
    const { sql } = database;
    await sql`
      insert into public.post_attribution (post_id, account_id, posted_at)
      select ${account} || lpad(n::text, 6, '0'), ${account}, ${T0} from generate_series(1, 200) n
      on conflict do nothing`;
    await sql`
      insert into public.post_predictions (account_id, kind, post_id, predicted, standard_deviation, observed,
        threshold, created_at, observed_at)
      select ${account}, ${kind}, ${account} || lpad(s.n::text, 6, '0'), s.predicted,
        case when ${kind} <> 'viral' then s.sd end, s.observed, case when ${kind} = 'viral' then 9 end,
        ${T0}, ${T0}::timestamptz + make_interval(mins => s.n)
      from jsonb_to_recordset(${json(sql, settled)})
        s(predicted double precision, sd double precision, observed double precision, n integer)`;
  }

  const draw = (seed: number, count: number, viral = false): Settled[] => {
    const rng = mulberry32(seed);
    return Array.from({ length: count }, (_, index) => {
      const n = index + 1;
      if (viral) {
        const predicted = rng() ** 3;
        return { predicted, sd: 0, observed: Number(rng() < predicted), n };
      }
      const predicted = 7 + normal(rng);
      return { predicted, sd: 0.3, observed: predicted + 0.3 * normal(rng), n };
    });
  };

  const view = (kind: string) => database.sql`
    select * from public.prediction_calibration where account_id = ${accountId} and kind = ${kind}`;

  it.each(['impressions_48h', 'reward'])(
    'counts how often ranges of %s held, as the reference',
    async (kind) => {
      const settled = draw(1, 130);
      await store(accountId, kind, settled);
      const row = only(await view(kind));
      const newest = settled.slice(-100);
      const share = (z: number) =>
        coverage(
          newest.map(({ predicted, sd, observed }) => ({
            low: predicted - z * sd,
            high: predicted + z * sd,
            observed,
          })),
        );
      expect(row).toMatchObject({ predictions: 100, calibration_error: null });
      expect(row.coverage_50).toBeCloseTo(share(0.6744897501960817), 12);
      expect(row.coverage_80).toBeCloseTo(share(1.2815515655446004), 12);
      expect(row.coverage_90).toBeCloseTo(share(1.6448536269514722), 12);
      const mean = newest.reduce((sum, { predicted }) => sum + predicted, 0) / 100;
      expect(row.mean_predicted).toBeCloseTo(mean, 12);
    },
  );

  it('has the calibration error of probabilities, as the reference', async () => {
    const settled = draw(2, 130, true);
    settled[129] = { predicted: 1, sd: 0, observed: 1, n: 130 };
    await store(accountId, 'viral', settled);
    const row = only(await view('viral'));
    const newest = settled.slice(-100);
    const forecasts = newest.map((one) => ({
      probability: one.predicted,
      happened: one.observed === 1,
    }));
    expect(row).toMatchObject({
      predictions: 100,
      coverage_50: null,
      coverage_80: null,
      coverage_90: null,
    });
    expect(row.calibration_error).toBeCloseTo(calibrationError(forecasts), 12);
    const share = newest.reduce((sum, one) => sum + one.observed, 0) / 100;
    expect(row.mean_observed).toBeCloseTo(share, 12);
  });

  it('keeps accounts and kinds apart, and open predictions out', async () => {
    const other = await registerAccount(database.sql, 'otherbot');
    await store(accountId, 'viral', draw(3, 10, true));
    await store(accountId, 'impressions_48h', draw(4, 20));
    await store(other, 'impressions_48h', draw(5, 30));
    await predict();
    const rows = await database.sql`
      select account_id::int, kind, predictions from public.prediction_calibration order by account_id, kind`;
    expect([...rows]).toEqual([
      { account_id: accountId, kind: 'impressions_48h', predictions: 20 },
      { account_id: accountId, kind: 'viral', predictions: 10 },
      { account_id: other, kind: 'impressions_48h', predictions: 30 },
    ]);
  });
});
