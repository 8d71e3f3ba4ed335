import { describe, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { type LoggedPost, storeLoggedPosts } from '../support/logged-posts.ts';
import { hours, only, registerAccount } from '../support/scenario.ts';

let accountId: number;
const database = useDatabase({
  prepare: async (sql) => {
    accountId = await registerAccount(sql);
  },
});

const store = (posts: readonly Partial<LoggedPost>[]) =>
  storeLoggedPosts(
    database.sql,
    accountId,
    posts.map((post, index) => ({
      decisionId: `d${index}`,
      postedAt: hours(-100 - index),
      slate: [{ tone: 'dry' }],
      chosen: 0,
      reward: 0,
      ...post,
    })),
  );

const worth = () => database.sql`select * from public.prompt_worth`;

describe('prompt_worth', () => {
  it('is the difference of the two mean rewards, with its standard error and interval', async () => {
    const prompted = [0.9, 0.1, 0.5, 0.7];
    const control = [-0.2, 0.2, 0.3];
    await store([
      ...prompted.map((reward) => ({ reward, prompted: true, controlShare: 0.4 })),
      ...control.map((reward) => ({ reward, prompted: false, controlShare: 0.4 })),
    ]);
    const row = only(await worth());
    // Variances of the means: 0.35 / 3 / 4 and 0.14 / 2 / 3.
    const se = Math.sqrt(0.35 / 12 + 0.14 / 6);
    expect(row).toMatchObject({ prompted_posts: '4', control_posts: '3' });
    expect(row.prompted_mean).toBeCloseTo(0.55, 12);
    expect(row.control_mean).toBeCloseTo(0.1, 12);
    expect(row.difference).toBeCloseTo(0.45, 12);
    expect(row.standard_error).toBeCloseTo(se, 12);
    expect(row.low_90).toBeCloseTo(0.45 - 1.6448536269514722 * se, 12);
    expect(row.high_90).toBeCloseTo(0.45 + 1.6448536269514722 * se, 12);
  });

  it('is not fooled by a control share that grew while the posts got better', async () => {
    const period = (share: number, reward: number, posts: number) =>
      Array.from({ length: posts }, (_, index) => {
        const prompted = index >= share * posts;
        return { prompted, controlShare: share, reward: reward + (index % 2 === 0 ? 0.1 : -0.1) };
      });
    await store([...period(0.5, 1, 20), ...period(0.1, 0, 20)]);
    expect(only(await worth()).difference).toBeCloseTo(0, 12);
  });

  it('leaves out posts from when there was no control share, and posts that are not finished', async () => {
    await store([
      { reward: 3, prompted: true, controlShare: 0 },
      { reward: 3 },
      { reward: 3, prompted: true, controlShare: 0.5, final: false },
      { reward: 1, prompted: true, controlShare: 0.5 },
    ]);
    expect(await worth()).toEqual([
      {
        account_id: `${accountId}`,
        prompted_posts: '1',
        control_posts: '0',
        prompted_mean: 1,
        control_mean: null,
        difference: null,
        standard_error: null,
        low_90: null,
        high_90: null,
      },
    ]);
  });

  it('has no row for an account that never had a control share', async () => {
    await store([{ reward: 1 }]);
    expect(await worth()).toEqual([]);
  });
});

describe('logged_slates', () => {
  const logged = async (since = new Date(0), now = hours(0), limit = 5000) =>
    only(
      await database.sql`
        select public.logged_slates('SOMEBOT', ${since}, ${now}, ${limit}) as reply`,
    ).reply;

  it('are the finished decisions with what they chose from, oldest first', async () => {
    const slate = [{ tone: 'warm' }, { tone: 'dry' }];
    await store([
      { slate, chosen: 1, reward: 0.5, realised: { tone: 'warm' } },
      { slate, chosen: 0, reward: -0.5 },
      { reward: 1, final: false },
    ]);
    expect(await logged()).toEqual({
      code: 'ready',
      account_id: accountId,
      handle: 'somebot',
      vocabulary: { tone: ['dry', 'warm'], topic: ['hiring', 'pricing'] },
      decisions: [
        expect.objectContaining({ decision_id: 'd1', chosen: 0, reward: -0.5 }),
        {
          decision_id: 'd0',
          policy: 'uniform',
          slate,
          chosen: 1,
          propensity: 0.5,
          reward: 0.5,
          posted_at: expect.any(String),
          kind: 'single',
          followers: null,
        },
      ],
    });
  });

  it('are the newest when there are more, and those between two moments', async () => {
    await store([{}, {}, {}]);
    const ids = (reply: { decisions: { decision_id: string }[] }) =>
      reply.decisions.map(({ decision_id }) => decision_id);
    expect(ids(await logged(new Date(0), hours(0), 2))).toEqual(['d1', 'd0']);
    expect(ids(await logged(hours(-101.5)))).toEqual(['d1', 'd0']);
    expect(ids(await logged(new Date(0), hours(-100.5)))).toEqual(['d2', 'd1']);
  });

  it('say when nobody knows the account', async () => {
    const { reply } = only(
      await database.sql`select public.logged_slates('nobody', '-infinity', ${hours(0)}) as reply`,
    );
    expect(reply).toEqual({ code: 'account_unknown' });
  });
});
