/** The two checks of made up numbers, beside the formulas that the simulation judges. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulberry32, type Rng } from '../../shared/learning/random.ts';
import { snowflakeId } from '../../shared/snowflake.ts';
import {
  COUNTS,
  fallingPosts,
  falls,
  type JudgedAccount,
  type JudgedPost,
  type JudgedRead,
  madeUpAccounts,
} from '../../simulation/reference/plausibility.ts';
import { useDatabase } from '../support/database.ts';
import { HOUR_MS, hours, json, registerAccount, reset } from '../support/scenario.ts';

const database = useDatabase();

const NOW = hours(24 * 60);

/** Phases by the ages that their reads may have, in hours; each has room for one read. */
const PHASES: [phase: string, from: number, until: number][] = [
  ['30m', 0.5, 1.2],
  ['2h', 2, 4],
  ['6h', 6, 12],
  ['24h', 23, 36],
  ['48h', 48, 72],
  ['7d', 168, 300],
];

/** What `check_numbers` says of some accounts, which it alone finds in the database. */
async function check(accounts: readonly JudgedAccount[]) {
  const { sql } = database;
  await reset(sql);
  for (const { handle, posts } of accounts) {
    const account = await registerAccount(sql, handle);
    const reads = posts.flatMap(({ id, ageHours, reads }) =>
      reads.map((read, n) => ({
        ...read,
        id,
        phase: PHASES[n]?.[0],
        posted_at: new Date(+NOW - ageHours * HOUR_MS),
        collected_at: new Date(+NOW - (ageHours - read.ageHours) * HOUR_MS),
      })),
    );
    await sql`
      insert into public.post_attribution (post_id, account_id, posted_at)
      select p.id, ${account}, p.at from jsonb_to_recordset(${json(
        sql,
        posts.map(({ id, ageHours }) => ({ id, at: new Date(+NOW - ageHours * HOUR_MS) })),
      )}) p(id text, at timestamptz)`;
    await sql`
      insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at,
        posted_at, likes, retweets, replies, bookmarks, impressions, source, quality, run_id)
      select r.id, r.phase, ${account}, r.collected_at, r.posted_at, r.likes, r.retweets, r.replies,
        r.bookmarks, r.impressions, 'graphql', r.quality, gen_random_uuid()
      from jsonb_to_recordset(${json(sql, reads)}) r(id text, phase text, posted_at timestamptz,
        collected_at timestamptz, likes bigint, retweets bigint, replies bigint, bookmarks bigint,
        impressions bigint, quality text)`;
  }
  const rows = await sql<{ name: string; status: string; measured: string }[]>`
    select name, status, measured from postloop.check_numbers(${NOW})`;
  const said = (name: string) => {
    const { status, measured } = rows.find((row) => row.name === name) ?? {};
    return { status, measured };
  };
  return { falling: said('metrics_monotone'), madeUp: said('metrics_plausible') };
}

/** The same by the formulas, in the words of the check. */
function expected(accounts: readonly JudgedAccount[]) {
  const { status, handle, posts, falling, newest } = fallingPosts(accounts);
  const { judged, madeUp } = madeUpAccounts(accounts);
  const [worst] = madeUp;
  const counted = (n: number) => `${n} account${n === 1 ? '' : 's'}`;
  const fault =
    worst &&
    (worst.looksImpossible
      ? `${worst.impossible} of 30 posts have more likes than impressions`
      : expect.stringContaining(
          `@${worst.handle}: looks uniform: rank correlation of impressions and likes `,
        ));
  const more = madeUp.length > 1 ? ` (and ${counted(madeUp.length - 1)} more)` : '';
  return {
    falling: {
      status,
      measured:
        posts === null
          ? 'too few posts with two reads'
          : `${falling} of ${posts} posts of ${handle === null ? 'all accounts' : `@${handle}`} have numbers that fall${newest === null ? '' : `, the newest is ${newest}`}`,
    },
    madeUp: {
      status: worst ? 'failing' : 'ok',
      measured: !worst
        ? `${counted(judged)} with 30 posts, none looks made up`
        : typeof fault === 'string'
          ? `@${worst.handle}: ${fault}${more}`
          : fault,
    },
  };
}

/** Falls just within and just beyond what is tolerated, to nothing, and none. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant((before: number) => before) },
  { weight: 3, arbitrary: fc.nat(500).map((more) => (before: number) => before + more) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(0.005, 0.06), fc.integer({ min: -1, max: 1 })).map(
      ([share, more]) =>
        (before: number) =>
          Math.max(0, Math.round(before * (1 - share)) + more),
    ),
  },
  { weight: 1, arbitrary: fc.nat(5).map((less) => (before: number) => Math.max(0, before - less)) },
  { weight: 1, arbitrary: fc.constant(() => 0) },
);

const count = fc
  .tuple(
    fc.oneof(fc.nat(12), fc.nat(3000)),
    fc.array(fc.option(step, { freq: 4 }), {
      minLength: PHASES.length,
      maxLength: PHASES.length,
    }),
  )
  .map(([first, steps]) => {
    let value = first;
    return steps.map((next) => {
      if (next === null) return null;
      value = next(value);
      return value;
    });
  });

const reads: fc.Arbitrary<JudgedRead[]> = fc
  .record({
    counts: fc.record({
      impressions: count,
      likes: count,
      retweets: count,
      replies: count,
      bookmarks: count,
    }),
    each: fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        quality: fc.constantFrom('exact', 'exact', 'exact', 'exact', 'rounded', 'suspect'),
      }),
      { minLength: PHASES.length, maxLength: PHASES.length },
    ),
    missed: fc.subarray(PHASES.map(([phase]) => phase)),
  })
  .map(({ counts, each, missed }) =>
    PHASES.flatMap(([phase, from, until], n) => {
      const { at = 0, quality = 'exact' } = each[n] ?? {};
      if (missed.length < PHASES.length - 1 && missed.includes(phase)) return [];
      const ageHours = Math.round((from + at * (until - from)) * 1000) / 1000;
      const values = Object.fromEntries(COUNTS.map((name) => [name, counts[name][n] ?? null]));
      return [{ ageHours, quality, ...values } as JudgedRead];
    }),
  );

/** Posts some hours apart, with the reads that they have had by now. */
function posts(rng: Rng, histories: readonly JudgedRead[][], account: number): JudgedPost[] {
  let ageHours = 0.01;
  return histories.map((history, n) => {
    ageHours += 0.01 + Math.round(rng() * 20_000) / 1000;
    return {
      id: snowflakeId(new Date(+NOW - ageHours * HOUR_MS), account * 1000 + n),
      ageHours,
      reads: history,
    };
  });
}

describe('posts whose numbers fall', () => {
  it('are the same one by one', async () => {
    let fallen = 0;
    await fc.assert(
      fc.asyncProperty(reads, async (history) => {
        // ten posts alike, so that they are judged
        const account = {
          handle: 'somebot',
          posts: Array.from({ length: 10 }, (_, n) => ({
            id: snowflakeId(new Date(+NOW - (320 + n) * HOUR_MS), n),
            ageHours: 320 + n,
            reads: history,
          })),
        };
        const exact = history.filter(({ quality }) => quality === 'exact');
        fallen += Number(falls(exact));
        const { falling } = await check([account]);
        expect(falling).toEqual(expected([account]).falling);
        expect(falling.measured).toMatch(
          exact.length < 2 ? /^too few/ : falls(exact) ? /^10 of 10 / : /^0 of 10 /,
        );
      }),
      { seed: 20261128, numRuns: 80 },
    );
    expect(fallen).toBeGreaterThan(15);
    expect(fallen).toBeLessThan(65);
  }, 120_000);

  it('pass over what was not read: 1000, unknown, 500 falls', async () => {
    const read = (ageHours: number, impressions: number | null): JudgedRead => ({
      ageHours,
      quality: 'exact',
      impressions,
      likes: null,
      retweets: null,
      replies: null,
      bookmarks: null,
    });
    const account = {
      handle: 'somebot',
      posts: posts(mulberry32(1), Array(12).fill([read(1, 1000), read(2, null), read(6, 500)]), 1),
    };
    const { falling } = await check([
      {
        ...account,
        posts: account.posts.map((post) => ({ ...post, ageHours: post.ageHours + 6 })),
      },
    ]);
    expect(falling).toMatchObject({
      status: 'failing',
      measured: expect.stringMatching(/^12 of 12 /),
    });
  });

  it('are the same of several accounts of any number of posts', async () => {
    const states = new Map<string, number>();
    const calm = fc.constant<JudgedRead[]>(
      PHASES.map(([, from], n) => ({
        ageHours: from,
        quality: 'exact',
        impressions: 100 * n,
        likes: n,
        retweets: 0,
        replies: 0,
        bookmarks: 0,
      })),
    );
    /** Mostly calm or mostly not, so that every state comes about. */
    const account = fc.constantFrom(0, 1, 5, 20).chain((weight) =>
      fc.array(fc.oneof({ weight: 20, arbitrary: calm }, { weight, arbitrary: reads }), {
        maxLength: 45,
        size: 'max',
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(account, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        async (histories, seed) => {
          const accounts = histories.map((one, n) => ({
            handle: `bot${n}`,
            posts: posts(mulberry32(seed + n), one, n),
          }));
          const { falling } = await check(accounts);
          expect(falling).toEqual(expected(accounts).falling);
          states.set(falling.status ?? '', (states.get(falling.status ?? '') ?? 0) + 1);
        },
      ),
      { seed: 20261128, numRuns: 40 },
    );
    for (const state of ['ok', 'warning', 'failing']) {
      expect(states.get(state), state).toBeGreaterThan(2);
    }
  }, 180_000);
});

it('accounts whose numbers look made up are the same', async () => {
  const states = new Map<string, number>();
  const world = fc.constantFrom('even', 'few likes', 'alike', 'impossible', 'skewed');
  /** Posts of a world, most of which have a usable read at a day. */
  const history = (rng: Rng, kind: string, ahead: number): JudgedRead[] => {
    const impressions = Math.floor(
      kind === 'skewed' ? Math.exp(4 + 4 * rng()) : 3000 + 3000 * rng(),
    );
    const likes =
      kind === 'alike'
        ? Math.floor(impressions / 100)
        : Math.floor(rng() * (kind === 'few likes' ? 6 : 40));
    const isImpossible = kind === 'impossible' && rng() < ahead;
    return PHASES.map(([, from, until], n) => ({
      ageHours: Math.round((from + rng() * (until - from)) * 1000) / 1000,
      quality: rng() < 0.05 ? 'suspect' : rng() < 0.2 ? 'rounded' : 'exact',
      impressions: rng() < 0.05 ? null : impressions + 10 * n,
      likes: rng() < 0.05 ? null : isImpossible ? impressions + 100 : likes,
      retweets: 0,
      replies: 0,
      bookmarks: 0,
    }));
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ kind: world, posts: fc.integer({ min: 26, max: 55 }) }), {
        minLength: 1,
        maxLength: 3,
        size: 'max',
      }),
      fc.constantFrom(0, 0.1, 0.2),
      fc.nat(),
      async (kinds, ahead, seed) => {
        const accounts = kinds.map(({ kind, posts: most }, n) => {
          const rng = mulberry32(seed + n);
          const histories = Array.from({ length: most }, () => history(rng, kind, ahead));
          return { handle: `bot${n}`, posts: posts(rng, histories, n) };
        });
        const { madeUp } = await check(accounts);
        expect(madeUp).toEqual(expected(accounts).madeUp);
        const [worst] = madeUpAccounts(accounts).madeUp;
        const state = !worst ? 'ok' : worst.looksImpossible ? 'impossible' : 'uniform';
        states.set(state, (states.get(state) ?? 0) + 1);
      },
    ),
    { seed: 20261128, numRuns: 40 },
  );
  for (const state of ['ok', 'impossible', 'uniform']) {
    expect(states.get(state), state).toBeGreaterThan(2);
  }
}, 180_000);
