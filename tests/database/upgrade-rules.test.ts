/** Each rule by which the rows of the first system are told apart, with rows that it had. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import {
  attribute,
  claim,
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

const DAY = 24;
/** The moment of the upgrade: the post of T0 is 30 days old. */
const NOW = hours(30 * DAY);
const post = snowflakeId(T0);

let database: TestDatabase;
beforeEach(async () => {
  database = await createDatabase();
});
afterEach(() => database?.drop());

type OldRow = Record<string, string | number | boolean | Date | null>;

/** Puts rows where the migrations set them aside, every column as text, and imports them. */
async function importRows(tables: Record<string, OldRow[]>, now = NOW) {
  const { sql } = database;
  await sql`create schema first_system`;
  for (const [table, rows] of Object.entries(tables)) {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const list = columns.map((column) => `${column} text`).join(', ');
    await sql.unsafe(`create table first_system.${table} (${list})`);
    for (const row of rows)
      await sql`insert into ${sql(`first_system.${table}`)} ${sql(asText(row))}`;
  }
  const { reply } = only(await sql`select postloop.import_first_system(${now}) as reply`);
  return reply;
}

const asText = (row: OldRow) =>
  Object.fromEntries(
    Object.entries(row).map(([key, value]) => [
      key,
      value instanceof Date ? value.toISOString() : value === null ? null : String(value),
    ]),
  );

/** A read of the post of T0 as the first system stored it. */
const read = (ageHours: number, counts: OldRow): OldRow => ({
  tweet_id: post,
  collection_phase: `age ${ageHours}`,
  collected_at: hours(ageHours),
  posted_at: T0,
  ...counts,
});

/** What became of the rows of a table, in their order. */
const verdicts = (source: string) =>
  database.sql`
    select result, reason from postloop.upgraded_rows where source = ${source} order by place`;

const stored = () =>
  database.sql`
    select collection_phase as phase, likes::int, retweets::int, replies::int, bookmarks::int,
      impressions::int, quality, round(engagement_rate::numeric, 4)::float as rate
    from public.real_tweet_metrics order by collected_at`;

describe('the numbers of an old read', () => {
  it('come over as they were: three real rows', async () => {
    await importRows({
      real_tweet_metrics: [
        read(3, { likes: 0, retweets: 0, replies: 0, impressions: 82, engagement_rate: 0 }),
        read(26, { likes: 23, retweets: 5, replies: 0, impressions: 825, engagement_rate: 3.39 }),
        read(50, {
          likes: 264,
          retweets: 51,
          replies: 9,
          impressions: 32_100,
          engagement_rate: 1.01,
        }),
      ],
    });
    const columns = { bookmarks: null };
    expect(await stored()).toEqual([
      {
        phase: '2h',
        likes: 0,
        retweets: 0,
        replies: 0,
        impressions: 82,
        quality: 'exact',
        rate: 0,
        ...columns,
      },
      {
        phase: '24h',
        likes: 23,
        retweets: 5,
        replies: 0,
        impressions: 825,
        quality: 'exact',
        rate: 0.0339,
        ...columns,
      },
      {
        phase: '48h',
        likes: 264,
        retweets: 51,
        replies: 9,
        impressions: 32_100,
        quality: 'rounded',
        rate: 0.0101,
        ...columns,
      },
    ]);
    expect(await verdicts('real_tweet_metrics')).toEqual(
      Array.from({ length: 3 }, () => ({ result: 'kept', reason: null })),
    );
  });

  it.each([
    ['abc', 'a count that is no number'],
    ['1,234', 'a count that is no number'],
    ['12.5', 'a count that is no number'],
    ['NaN', 'a count that is no number'],
    ['99999999999999999999', 'a count that is no number'],
    ['-3', 'a count below 0'],
  ])('become null where they are %s', async (likes, reason) => {
    await importRows({ real_tweet_metrics: [read(50, { likes, retweets: 2, impressions: 500 })] });
    expect(await stored()).toMatchObject([{ likes: null, retweets: 2, impressions: 500 }]);
    expect(await verdicts('real_tweet_metrics')).toEqual([{ result: 'changed', reason }]);
  });

  it.each(['17', ' 17 ', '17.0', '+17'])('are read where they are "%s"', async (likes) => {
    await importRows({ real_tweet_metrics: [read(50, { likes, impressions: 500 })] });
    expect(await stored()).toMatchObject([{ likes: 17, impressions: 500 }]);
  });

  it('20: impressions 0 of a post that was liked were unknown, and become null', async () => {
    await importRows({ real_tweet_metrics: [read(50, { likes: 4, retweets: 0, impressions: 0 })] });
    expect(await stored()).toMatchObject([
      { likes: 4, retweets: 0, impressions: null, rate: null },
    ]);
    expect(await verdicts('real_tweet_metrics')).toEqual([
      { result: 'changed', reason: 'impressions 0 beside engagement' },
    ]);
  });

  it('without any number in it, it is set aside', async () => {
    await importRows({ real_tweet_metrics: [read(50, { likes: '', impressions: null })] });
    expect(await verdicts('real_tweet_metrics')).toEqual([
      { result: 'set_aside', reason: 'no number in it' },
    ]);
  });
});

describe('an old read is not believed', () => {
  const estimate = 'impressions are an estimate: 30 x engagement';
  it.each([
    [
      '14: impressions of 30 x engagement',
      { likes: 23, retweets: 5, replies: 0, impressions: 840 },
      estimate,
    ],
    [
      '14: with bookmarks, and the rate 1/30',
      {
        likes: 20,
        retweets: 5,
        replies: 1,
        bookmarks: 4,
        impressions: 900,
        engagement_rate: '0.03333',
      },
      estimate,
    ],
    [
      '14: with bookmarks, and the rate 3.33 %',
      {
        likes: 20,
        retweets: 5,
        replies: 1,
        bookmarks: 4,
        impressions: 900,
        engagement_rate: '3.33',
      },
      estimate,
    ],
    [
      '17: 332,741,500 bookmarks',
      { likes: 9, bookmarks: 332_741_500, impressions: 3000 },
      'more engagement than impressions',
    ],
    [
      '20: nothing but the default',
      { likes: 0, retweets: 0, replies: 0, impressions: 0 },
      'every count is 0, the old default',
    ],
    ['not verified', { likes: 9, impressions: 3001, is_verified: false }, 'not verified'],
    [
      'of the future',
      { likes: 9, impressions: 3001, collected_at: hours(31 * DAY) },
      'read in the future',
    ],
  ])('%s', async (_name, counts: OldRow, reason) => {
    await importRows({ real_tweet_metrics: [read(200, counts)] });
    expect(await verdicts('real_tweet_metrics')).toEqual([{ result: 'marked', reason }]);
    expect(await stored()).toMatchObject([{ quality: 'suspect' }]);
    expect(await attribute(database.sql, hours(40 * DAY))).toMatchObject({ expected: 0, done: 0 });
    expect(
      await database.sql`select impressions, metrics_phase from public.post_attribution`,
    ).toEqual([{ impressions: null, metrics_phase: null }]);
  });

  it.each([
    [
      'a rate near 1/30',
      { likes: 23, retweets: 5, replies: 0, impressions: 841, engagement_rate: 0.0333 },
    ],
    [
      '30 x engagement with bookmarks, but another rate',
      {
        likes: 20,
        retweets: 5,
        replies: 1,
        bookmarks: 4,
        impressions: 900,
        engagement_rate: 0.0289,
      },
    ],
    ['19: a viral post', { likes: 5_000_001, retweets: 1, replies: 1, impressions: 900_000_001 }],
  ])('but it is with %s', async (_name, counts: OldRow) => {
    await importRows({ real_tweet_metrics: [read(200, counts)] });
    expect(await stored()).toMatchObject([{ quality: 'exact' }]);
  });
});

describe('the phase of an old read', () => {
  const phases = async () => (await stored()).map((row) => [row.phase, row.likes]);

  it.each([
    [0.0001, '0m'],
    [0.5, '30m'],
    [1.25, '75m'],
    [2, '2h'],
    [5, '4h'],
    [6, '6h'],
    [23.9, '12h'],
    [24, '24h'],
    [47, '36h'],
    [48, '48h'],
    [100, '3d'],
    [170, '7d'],
    [500, '14d'],
  ])('is that of its true age: %s h is %s, whatever it was called', async (age, phase) => {
    await importRows({
      real_tweet_metrics: [{ ...read(age, { likes: 7 }), collection_phase: 'checkpoint_2h' }],
    });
    expect(await phases()).toEqual([[phase, 7]]);
  });

  it('7: a late run that filled two phases with one number fills one', async () => {
    await importRows({
      real_tweet_metrics: [
        { ...read(60, { likes: 7 }), collection_phase: 'checkpoint_2h' },
        { ...read(60, { likes: 7 }), collection_phase: 'checkpoint_24h' },
      ],
    });
    expect(await phases()).toEqual([['48h', 7]]);
    const reasons = (await verdicts('real_tweet_metrics')).map((row) => row.reason);
    expect(reasons.toSorted()).toEqual([
      'duplicate: another row of the same reading is kept',
      null,
    ]);
  });

  it('goes to the nearest of several, but to one that is not believed only when there is no other', async () => {
    await importRows({
      real_tweet_metrics: [
        read(60, { likes: 3, impressions: 901 }),
        read(50, { likes: 2, impressions: 900 }),
        read(49, { likes: 1, impressions: 30 }),
      ],
    });
    expect(await phases()).toEqual([['48h', 2]]);
    expect(await verdicts('real_tweet_metrics')).toEqual([
      { result: 'set_aside', reason: 'a read nearer to its phase is kept' },
      { result: 'kept', reason: null },
      { result: 'set_aside', reason: 'a usable read of its phase is kept' },
    ]);
  });

  it('22: is measured from the time inside the id when the stored one was that of queueing', async () => {
    await importRows({
      real_tweet_metrics: [{ ...read(50, { likes: 7 }), posted_at: hours(-30) }],
    });
    expect(await phases()).toEqual([['48h', 7]]);
    expect(await database.sql`select posted_at from public.post_attribution`).toEqual([
      { posted_at: T0 },
    ]);
    expect(await verdicts('real_tweet_metrics')).toEqual([
      { result: 'changed', reason: 'not the posting time' },
    ]);
  });
});

describe('the time of posting', () => {
  const postedAt = async () =>
    (await database.sql`select posted_at from public.post_attribution`).map((row) => row.posted_at);

  it('is the one given when the id has none, and of several the most frequent', async () => {
    const row = (age: number, posted: Date) => ({
      ...read(age, { likes: 1 }),
      tweet_id: '20',
      posted_at: posted,
    });
    await importRows({ real_tweet_metrics: [row(20, hours(1)), row(50, T0), row(60, T0)] });
    expect(await postedAt()).toEqual([T0]);
  });

  it('is the one given when it is within ten minutes of the id', async () => {
    await importRows({ post_attribution: [{ post_id: post, posted_at: minutes(9) }] });
    expect(await postedAt()).toEqual([minutes(9)]);
  });

  it.each([
    ['2026-03-01 12:00:00', T0],
    ['2026-03-01T14:00:00+02:00', T0],
    ['2026-03-01T12:00:00.000Z', T0],
    [String(T0.getTime()), T0],
    [String(T0.getTime() / 1000), T0],
    ['2026-02-30T12:00:00Z', undefined],
    ['1970-01-01T00:00:00Z', undefined],
    ['yesterday', undefined],
    ['infinity', undefined],
    ['', undefined],
  ])('is read from "%s"', async (text, expected) => {
    await importRows({ post_attribution: [{ tweet_id: '20', posted_at: text }] });
    expect(await postedAt()).toEqual(expected ? [expected] : []);
  });

  it.each([
    ['no-digits', 'not a post id'],
    ['123456789012345678901', 'not a post id'],
    ['', 'no post id'],
    ['20', 'no posting time'],
    // an id that X will mint in 2086
    ['9999999999999999999', 'no posting time'],
  ])(
    'of "%s" is not known: the row is set aside, and no account is made for it',
    async (id, reason) => {
      const reply = await importRows({ post_attribution: [{ post_id: id, posted_at: null }] });
      expect(await verdicts('post_attribution')).toEqual([{ result: 'set_aside', reason }]);
      expect(await database.sql`select from public.x_accounts`).toHaveLength(0);
      expect(reply).toMatchObject({ code: 'imported', status: 'failed', expected: 1, done: 0 });
    },
  );
});

describe('decisions', () => {
  const ids = [0, 1, 2].map((n) => snowflakeId(hours(n)));
  const links = () =>
    database.sql`
      select p.post_id, p.decision_id, d.origin, p.kind, p.realised
      from public.post_attribution p
      left join public.content_metadata d on d.decision_id = p.decision_id
      order by p.posted_at`;

  it('5: are linked by the id that the post names, by the post that they name, or by the wrong join', async () => {
    await importRows({
      post_attribution: [
        { post_id: ids[0] as string, decision_id: 'named', posted_at: T0 },
        { post_id: ids[1] as string, decision_id: null, posted_at: hours(1) },
        { post_id: ids[2] as string, decision_id: null, posted_at: hours(2) },
      ],
      content_metadata: [
        { decision_id: 'named', tweet_id: null, tone: 'dry', decision_type: 'Thread' },
        { decision_id: 'names', tweet_id: ids[1] as string, tone: 'warm', decision_type: 'poll' },
        { decision_id: ids[2] as string, tweet_id: null, tone: 'urgent', decision_type: 'reply' },
      ],
    });
    expect(await links()).toEqual([
      {
        post_id: ids[0],
        decision_id: 'named',
        origin: 'imported',
        kind: 'thread',
        realised: { tone: 'dry' },
      },
      {
        post_id: ids[1],
        decision_id: 'names',
        origin: 'imported',
        kind: 'single',
        realised: { tone: 'warm' },
      },
      {
        post_id: ids[2],
        decision_id: ids[2],
        origin: 'imported',
        kind: 'reply',
        realised: { tone: 'urgent' },
      },
    ]);
  });

  it('are found though the id is text here and a uuid there', async () => {
    const id = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11';
    await importRows({
      post_attribution: [{ post_id: post, decision_id: id.toLowerCase(), posted_at: T0 }],
      content_metadata: [{ decision_id: ` ${id} `, tone: 'dry' }],
    });
    expect(await links()).toMatchObject([
      { decision_id: id.toLowerCase(), realised: { tone: 'dry' } },
    ]);
  });

  it('that name the post win over an id that nobody knows', async () => {
    await importRows({
      post_attribution: [{ post_id: post, decision_id: post, posted_at: T0 }],
      content_metadata: [{ decision_id: 'true one', tweet_id: post, tone: 'dry' }],
    });
    expect(await links()).toMatchObject([{ decision_id: 'true one' }]);
  });

  it('that are lost are made again without dimensions', async () => {
    await importRows({ post_attribution: [{ post_id: post, decision_id: 'lost', posted_at: T0 }] });
    expect(await links()).toEqual([
      { post_id: post, decision_id: 'lost', origin: 'imported', kind: 'single', realised: {} },
    ]);
  });

  it('belong to the first of two posts', async () => {
    await importRows({
      post_attribution: [
        { post_id: ids[1] as string, decision_id: 'one', posted_at: hours(1) },
        { post_id: ids[0] as string, decision_id: 'one', posted_at: T0 },
      ],
      content_metadata: [{ decision_id: 'one', tone: 'dry' }],
    });
    expect(await links()).toMatchObject([{ decision_id: 'one' }, { decision_id: null }]);
    expect(await verdicts('post_attribution')).toEqual([
      { result: 'kept', reason: 'its decision led to an earlier post' },
      { result: 'linked', reason: null },
    ]);
  });

  it('are taken in their newest version', async () => {
    await importRows({
      content_metadata: [
        { decision_id: 'one', tone: 'dry', created_at: hours(-2) },
        { decision_id: 'one', tone: 'warm', created_at: hours(-1) },
      ],
    });
    expect(await database.sql`select tone, created_at from public.content_metadata`).toEqual([
      { tone: 'warm', created_at: hours(-1) },
    ]);
    expect(await verdicts('content_metadata')).toEqual([
      { result: 'set_aside', reason: 'duplicate: a newer row of the decision is kept' },
      { result: 'kept', reason: null },
    ]);
  });

  it('without an id are known by their post, and one with an endless id is set aside', async () => {
    await importRows({
      content_metadata: [
        { decision_id: null, tweet_id: post, tone: 'dry' },
        { decision_id: 'x'.repeat(201), tweet_id: null, tone: 'dry' },
      ],
    });
    expect(await links()).toMatchObject([{ decision_id: post, realised: { tone: 'dry' } }]);
    expect(await verdicts('content_metadata')).toEqual([
      { result: 'linked', reason: null },
      { result: 'set_aside', reason: 'not a decision id' },
    ]);
  });

  it('bring their dimensions under any of the old names', async () => {
    const rows = [
      {
        topic_cluster: 'pricing',
        angle: 'contrarian',
        tone: 'dry',
        format_strategy: 'list',
        generator_used: 'model',
        hook_type: 'question',
      },
      {
        topic: 'hiring',
        topic_cluster: 'people',
        format: ' story ',
        generator_name: 'human',
        hook: 'number',
      },
    ];
    await importRows({
      content_metadata: rows.map((row, n) => ({ decision_id: `d${n}`, ...row })),
    });
    expect(
      await database.sql`select assigned from public.content_metadata order by decision_id`,
    ).toEqual([
      {
        assigned: {
          topic: 'pricing',
          angle: 'contrarian',
          tone: 'dry',
          format: 'list',
          generator: 'model',
          hook_pattern: 'question',
        },
      },
      {
        assigned: { topic: 'hiring', format: 'story', generator: 'human', hook_pattern: 'number' },
      },
    ]);
  });

  it('12: make a vocabulary of fifty values as it is, and of free text only what was used five times', async () => {
    const decisions = Array.from({ length: 60 }, (_, n) => ({
      decision_id: `d${n}`,
      topic: `topic ${n % 50}`,
      hook: n < 5 ? 'question' : n < 9 ? 'number' : `free text ${n}`,
    }));
    await importRows({ content_metadata: decisions });
    expect(
      await database.sql`
        select dimension, count(*)::int as values, min(value) as least
        from public.content_dimension_values group by 1 order by 1`,
    ).toEqual([
      { dimension: 'hook_pattern', values: 1, least: 'question' },
      { dimension: 'topic', values: 50, least: 'topic 0' },
    ]);
    expect(
      await database.sql`
        select result, reason, count(*)::int as rows from postloop.upgraded_rows group by 1, 2 order by 1`,
    ).toEqual([
      { result: 'changed', reason: 'kept; left out of the vocabulary: hook_pattern', rows: 55 },
      { result: 'kept', reason: null, rows: 5 },
    ]);
  });
});

it('3, 6: random numbers and the follower count 30 are not brought over', async () => {
  await importRows({
    post_attribution: [
      {
        post_id: post,
        posted_at: T0,
        followers_before: 30,
        followers_48h_after: 30,
        followers_gained: 12,
        engagement_rate: 0.07,
        impressions: 4711,
      },
    ],
  });
  expect(
    await database.sql`
      select followers_before, followers_48h_after, followers_gained, impressions, engagement_rate
      from public.post_attribution`,
  ).toEqual([
    {
      followers_before: null,
      followers_48h_after: null,
      followers_gained: null,
      impressions: null,
      engagement_rate: null,
    },
  ]);
  expect(await verdicts('post_attribution')).toEqual([
    { result: 'kept', reason: 'its numbers were drawn at random and stay in first_system' },
  ]);
});

it('notes in the schedule what was read and what was missed', async () => {
  await importRows(
    { real_tweet_metrics: [read(3, { likes: 1 }), read(5, { likes: 1 }), read(26, { likes: 2 })] },
    hours(60),
  );
  expect(
    await database.sql`
      select phase, state, outcome, attempts, finished_at from public.metric_collections
      order by due_at`,
  ).toEqual([
    { phase: '30m', state: 'missed', outcome: null, attempts: 0, finished_at: minutes(75) },
    { phase: '2h', state: 'done', outcome: 'found', attempts: 1, finished_at: hours(3) },
    { phase: '4h', state: 'done', outcome: 'found', attempts: 1, finished_at: hours(5) },
    { phase: '6h', state: 'missed', outcome: null, attempts: 0, finished_at: hours(12) },
    { phase: '24h', state: 'done', outcome: 'found', attempts: 1, finished_at: hours(26) },
  ]);
});

describe('the imported account', () => {
  const name = async (handle: string, now: Date) =>
    only(await database.sql`select public.name_imported_account(${handle}, ${now}) as reply`).reply;
  const health = async () =>
    only(
      await database.sql`
      select status, what_to_do from public.check_pipeline(${NOW}) where name = 'imported_account_named'`,
    );

  it('is not read before it has its name, and says so', async () => {
    await importRows({ real_tweet_metrics: [read(3, { likes: 1 })] }, hours(10));
    expect(await claim(database.sql, hours(10))).toMatchObject({ reads: [], followers: [] });
    expect(await claim(database.sql, hours(60))).toMatchObject({ reads: [], followers: [] });
    expect(await health()).toMatchObject({
      status: 'warning',
      what_to_do: expect.stringContaining('name_imported_account'),
    });
  });

  it('is read from then on: its followers, and the posts whose windows are open', async () => {
    const { sql } = database;
    const old = snowflakeId(hours(-20 * DAY));
    await importRows(
      {
        real_tweet_metrics: [read(3, { likes: 1 })],
        post_attribution: [{ post_id: old, posted_at: null }],
      },
      hours(10),
    );
    expect(await name('SomeBot', hours(30))).toMatchObject({ code: 'named', reads_waiting: 3 });
    expect(await health()).toMatchObject({ status: 'ok' });
    expect(
      await sql`
        select phase, state from public.metric_collections where post_id = ${post} order by due_at`,
    ).toEqual([
      { phase: '30m', state: 'missed' },
      { phase: '2h', state: 'done' },
      { phase: '6h', state: 'missed' },
      { phase: '24h', state: 'waiting' },
      { phase: '48h', state: 'waiting' },
      { phase: '7d', state: 'waiting' },
    ]);
    const claimed = await claim(sql, hours(30));
    expect(claimed.reads).toMatchObject([
      { post_id: post, phase: '24h', handle: 'SomeBot', previous: { metrics: { likes: 1 } } },
    ]);
    expect(claimed.followers).toMatchObject([{ handle: 'SomeBot' }]);
    const reply = await record(
      sql,
      claimed.run_id,
      { reads: [found(post, '24h', hours(30), { likes: 5 })] },
      hours(30),
    );
    expect(reply).toMatchObject({ code: 'recorded', metrics_rows: 1 });
  });

  it('leaves the place of a read that can still be made to the true one', async () => {
    const { sql } = database;
    const estimated = { likes: 23, retweets: 5, replies: 0, impressions: 840 };
    await importRows({ real_tweet_metrics: [read(25, estimated)] }, hours(26));
    expect(await verdicts('real_tweet_metrics')).toEqual([
      {
        result: 'set_aside',
        reason: 'its phase can still be read; impressions are an estimate: 30 x engagement',
      },
    ]);
    await name('somebot', hours(26));
    const claimed = await claim(sql, hours(26));
    await record(
      sql,
      claimed.run_id,
      { reads: [found(post, '24h', hours(26), { likes: 24, impressions: 1234 })] },
      hours(26),
    );
    expect(await stored()).toMatchObject([{ phase: '24h', impressions: 1234, quality: 'exact' }]);
  });

  it('is named once, with a handle that is free', async () => {
    const { sql } = database;
    expect(await name('somebot', NOW)).toEqual({ code: 'nothing_imported' });
    await importRows({ real_tweet_metrics: [read(3, { likes: 1 })] });
    await registerAccount(sql, 'otherbot');
    expect(await name('no handle', NOW)).toMatchObject({ code: 'handle_invalid' });
    expect(await name('OtherBot', NOW)).toMatchObject({ code: 'handle_taken' });
    expect(await sql`select named_at from postloop.imported_accounts`).toEqual([
      { named_at: null },
    ]);
    expect(await name('somebot', NOW)).toMatchObject({ code: 'named', handle: 'somebot' });
    expect(await name('anotherbot', NOW)).toMatchObject({
      code: 'already_named',
      handle: 'somebot',
    });
  });

  it('can be named with the secret key alone', async () => {
    await importRows({ real_tweet_metrics: [read(3, { likes: 1 })] }, hours(10));
    const { reply } = await database.sql.begin(async (sql) => {
      await sql`set local role service_role`;
      await sql`select from public.upgrade_report`;
      return only(await sql`select public.name_imported_account('somebot', ${hours(10)}) as reply`);
    });
    expect(reply).toMatchObject({ code: 'named', reads_waiting: 4 });
  });
});

describe('a read that is not believed', () => {
  /** A post with a true read at 24 h and one at 48 h that is marked. */
  beforeEach(async () => {
    const { sql } = database;
    await reset(sql);
    await registerAccount(sql);
    await trackPost(sql, { dimensions: { tone: 'dry' } });
    await storeRead(sql, post, '24h', hours(24), { likes: 7, impressions: 500 });
    await storeRead(sql, post, '48h', hours(48), { likes: 900_000, impressions: 800_000 });
    await sql`update public.real_tweet_metrics set quality = 'suspect' where collection_phase = '48h'`;
  });

  it('is not what a new read is judged against', async () => {
    const { reads } = await claim(database.sql, hours(7 * DAY));
    expect(reads).toMatchObject([{ phase: '7d', previous: { metrics: { likes: 7 } } }]);
  });

  it('is no work for attribution and not copied to the post', async () => {
    const { sql } = database;
    expect(await attribute(sql, hours(50))).toMatchObject({ expected: 1, done: 1 });
    expect(
      await sql`select likes::int, impressions::int, metrics_phase from public.post_attribution`,
    ).toEqual([{ likes: 7, impressions: 500, metrics_phase: '24h' }]);
    expect(only(await sql`select public.attribution_backlog(${hours(50)}) as n`)).toEqual({ n: 0 });
  });

  it('takes no share of the follower growth', async () => {
    const { sql } = database;
    const { id } = only(await sql`select id from public.x_accounts`);
    await storeFollowers(
      sql,
      id,
      hourly(
        T0,
        Array.from({ length: 60 }, (_, n) => 100 + n),
      ),
    );
    await attribute(sql, hours(60));
    const { n } = only(
      await sql`
      select count(*)::int as n from public.follower_hour where hour >= ${hours(24)} and exposure > 0`,
    );
    expect(n).toBe(0);
  });

  it('is learned nothing from', async () => {
    const { sql } = database;
    const { id } = only(await sql`select id from public.x_accounts`);
    await attribute(sql, hours(60));
    await learn(sql, id, hours(60));
    expect(await sql`select from public.post_outcomes`).toHaveLength(0);
    expect(await sql`select from public.dimension_performance`).toHaveLength(0);
  });
});
