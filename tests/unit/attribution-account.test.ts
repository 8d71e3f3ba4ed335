import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HALF_90 } from '../../shared/learning/normal.ts';
import {
  type AccountHistory,
  ATTRIBUTION,
  type Attribution,
  attributeAccount,
  interval90,
} from '../../simulation/reference/attribution/account.ts';
import type { FollowerSnapshot } from '../../simulation/reference/attribution/hours.ts';
import { differences } from '../../simulation/studies/attribution-study.ts';
import { followersAt } from '../../simulation/studies/baselines.ts';

const HOUR_MS = 3_600_000;
/** 2026-03-01T12:00:00Z. */
const T0 = Date.UTC(2026, 2, 1, 12);
const hours = (n: number) => T0 + n * HOUR_MS;
/** When every hour of a short history is settled. */
const LATER = hours(2000);

const hourly = (from: number, counts: number[]): FollowerSnapshot[] =>
  counts.map((followers, index) => ({ capturedAt: hours(from + index), followers, isExact: true }));

/** Counts from the changes between them. */
function growth(changes: readonly number[], from = -24, start = 1000): FollowerSnapshot[] {
  let followers = start;
  return hourly(from, [
    start,
    ...changes.map((change) => {
      followers += change;
      return followers;
    }),
  ]);
}

/** A post whose impressions in its first hours are read at the end of each. */
function post(id: string, gathered: readonly number[], at = 0) {
  let impressions = 0;
  return {
    id,
    postedAt: hours(at),
    reads: gathered.map((gained, index) => {
      impressions += gained;
      return { capturedAt: hours(at + index + 1), impressions };
    }),
  };
}

const total = (numbers: Iterable<number>) => [...numbers].reduce((sum, one) => sum + one, 0);
const creditsOf = ({ posts }: Attribution, id: string) => {
  const found = posts.find((one) => one.id === id);
  if (!found) throw new Error(`No credit for ${id}.`);
  return found;
};

// 2 followers an hour without posting, and one for every 100 impressions
const GATHERED = [1000, 500, 300, 200, 100];
const CHANGES = [...Array(24).fill(2), 12, 7, 5, 4, 3, ...Array(45).fill(2)];
/** Nobody waits and no post converts better than another: what a hand can compute. */
const PLAIN = { lags: [0], passes: 0 };

describe('the split of an hour', () => {
  const history = { posts: [post('1', GATHERED)], snapshots: growth(CHANGES) };

  it('gives a post what was expected of it, of all that was expected', () => {
    const result = attributeAccount(history, LATER, PLAIN);
    const first = result.ledger.firstHour;
    const [rates] = result.blocks.filter(({ firstHour }) => firstHour <= first + 24).slice(-1);
    if (!rates) throw new Error('No rates.');
    expect(rates.q).toBeCloseTo(0.01, 3);
    expect(rates.b).toBeCloseTo(2, 1);
    const shares = GATHERED.map((e) => (rates.q * e) / (rates.b + rates.q * e));
    const credits = shares.map((share, hour) => share * (CHANGES[24 + hour] ?? 0));
    const credit = creditsOf(result, '1');
    expect(credit.credit2h).toBeCloseTo((credits[0] ?? 0) + (credits[1] ?? 0), 6);
    expect(credit.credit24h).toBeCloseTo(total(credits), 6);
    expect(credit.credit48h).toBe(credit.credit24h);
    expect(credit.credit7d).toBe(credit.credit24h);
    const thinning = total(credits.map((one, hour) => one * (1 - (shares[hour] ?? 0))));
    expect(credit.variance48h).toBeCloseTo(thinning + thinning ** 2 / 4, 6);
    const half = HALF_90 * Math.sqrt(credit.variance48h);
    expect(interval90(credit)).toEqual({
      low: credit.credit48h - half,
      high: credit.credit48h + half,
    });
  });

  it('follows impressions where posts overlap', () => {
    const posts = [post('1', [600, 300, 180, 120, 60]), post('2', [400, 200, 120, 80, 40])];
    const result = attributeAccount({ posts, snapshots: growth(CHANGES) }, LATER, PLAIN);
    expect(creditsOf(result, '1').credit7d / creditsOf(result, '2').credit7d).toBeCloseTo(1.5, 6);
  });

  it('leans to the post in whose hours more followers came than impressions say', () => {
    const posts = [post('1', GATHERED), post('2', GATHERED, 12)];
    const changes = CHANGES.slice();
    [18, 11, 7, 5, 4].forEach((change, hour) => {
      changes[36 + hour] = change;
    });
    const history = { posts, snapshots: growth(changes) };
    const plain = attributeAccount(history, LATER, PLAIN);
    const estimated = attributeAccount(history, LATER, { lags: [0] });
    const gap = (result: Attribution) =>
      creditsOf(result, '2').credit7d - creditsOf(result, '1').credit7d;
    expect(gap(estimated)).toBeGreaterThan(gap(plain) + 0.5);
  });

  it('counts of the hour in which an age ends the part before it', () => {
    const whole = attributeAccount(history, LATER, PLAIN);
    const shifted = attributeAccount(
      { ...history, posts: [{ ...post('1', GATHERED), postedAt: hours(-0.5) }] },
      LATER,
      PLAIN,
    );
    const credit = creditsOf(shifted, '1');
    expect(credit.credit2h).toBeLessThan(creditsOf(whole, '1').credit2h);
    expect(credit.credit2h).toBeGreaterThan(0);
  });

  it('takes followers from posts in an hour that lost some', () => {
    const changes = CHANGES.slice();
    changes[24] = -5;
    const result = attributeAccount({ ...history, snapshots: growth(changes) }, LATER, PLAIN);
    expect(result.ledger.credited[24]).toBeLessThan(0);
    expect(result.ledger.unexplained[24]).toBe(0);
  });

  it('leaves a shock to nobody', () => {
    const changes = CHANGES.slice();
    changes[50] = 400;
    const result = attributeAccount({ ...history, snapshots: growth(changes) }, LATER);
    expect(result.ledger.unexplained[50]).toBeGreaterThan(350);
    expect(creditsOf(result, '1').credit7d).toBeLessThan(25);
  });
});

describe('where counts are missing', () => {
  it('a gap of more than six hours is all unexplained', () => {
    const snapshots = growth(CHANGES).filter(
      ({ capturedAt }) => capturedAt <= hours(0) || capturedAt >= hours(7),
    );
    const { ledger, posts } = attributeAccount({ posts: [post('1', GATHERED)], snapshots }, LATER);
    expect(total(ledger.gap)).toBe(7);
    expect(total(ledger.unexplained)).toBeCloseTo(12 + 7 + 5 + 4 + 3 + 2 + 2, 9);
    // half an hour is what people wait: next to nothing is left for the hours after the gap
    expect(posts[0]?.credit7d).toBe(0);
  });

  it('a rounded series credits nothing', () => {
    const snapshots = growth(CHANGES).map((one) => ({ ...one, isExact: false }));
    const { ledger, posts, blocks } = attributeAccount(
      { posts: [post('1', GATHERED)], snapshots },
      LATER,
    );
    expect(ledger.change).toHaveLength(0);
    expect(blocks).toEqual([]);
    expect(posts[0]).toMatchObject({ credit2h: 0, credit48h: 0, variance48h: 0 });
  });

  it('an account without posts is organic', () => {
    const { ledger } = attributeAccount({ posts: [], snapshots: growth(CHANGES) }, LATER);
    expect(total(ledger.credited)).toBe(0);
    expect(total(ledger.organic) + total(ledger.unexplained)).toBe(total(CHANGES));
  });
});

describe('settling', () => {
  const { blockHours, settleHours, deliveryHours } = ATTRIBUTION;
  const firstBlock = Math.floor(T0 / HOUR_MS / blockHours) * blockHours;
  const settlesAt = (firstBlock + blockHours + settleHours) * HOUR_MS;
  const quiet = growth(Array(400).fill(1), 0);

  it('a read made after a block has settled changes nothing in it', () => {
    const known = post('1', GATHERED);
    const early = { ...known, reads: known.reads.slice(0, 3) };
    const late = {
      ...known,
      reads: [...early.reads, { capturedAt: settlesAt + 1, impressions: 90_000 }],
    };
    const of = (one: typeof known) => attributeAccount({ posts: [one], snapshots: quiet }, LATER);
    const end = firstBlock + blockHours - T0 / HOUR_MS;
    const [without, withLate] = [of(early).ledger, of(late).ledger];
    for (const key of ['exposure', 'credited', 'organic', 'unexplained'] as const) {
      expect(withLate[key].subarray(0, end)).toEqual(without[key].subarray(0, end));
    }
    expect(total(withLate.exposure)).toBeGreaterThan(total(without.exposure));
  });

  it('a read made at the last moment still counts', () => {
    const known = { ...post('1', []), reads: [{ capturedAt: settlesAt, impressions: 1000 }] };
    const { ledger } = attributeAccount({ posts: [known], snapshots: quiet }, LATER);
    expect(ledger.exposure[0]).toBeGreaterThan(0);
  });

  it('comes an hour later than the last read that counts, which may be on its way', () => {
    const through = (now: number) =>
      attributeAccount({ posts: [], snapshots: quiet }, now).settled.through;
    const stored = settlesAt + deliveryHours * HOUR_MS;
    expect(through(stored - 1)).toBe(firstBlock);
    expect(through(stored)).toBe(firstBlock + blockHours);
  });

  it('a post is final when every hour that it acts in is settled', () => {
    const posts = [post('1', GATHERED)];
    const finalAt = (now: number) =>
      attributeAccount({ posts, snapshots: quiet }, now).posts[0]?.final;
    const lastHour = T0 / HOUR_MS + 168 + 15;
    const lastBlock = Math.floor(lastHour / blockHours) * blockHours;
    const settled = (lastBlock + blockHours + settleHours + deliveryHours) * HOUR_MS;
    expect(finalAt(settled - 1)).toBe(false);
    expect(finalAt(settled)).toBe(true);
  });
});

/** Reads and counts as they may come: late, falling, missing, at odd moments. */
const histories: fc.Arbitrary<AccountHistory> = fc
  .record({
    posts: fc.array(
      fc.record({
        at: fc.integer({ min: -100, max: 14 * 24 }),
        minute: fc.integer({ min: 0, max: 59 }),
        reads: fc.array(
          fc.record({
            minutes: fc.integer({ min: 1, max: 9 * 24 * 60 }),
            impressions: fc.integer({ min: 0, max: 20_000 }),
          }),
          { maxLength: 6 },
        ),
      }),
      { maxLength: 12 },
    ),
    counts: fc.array(
      fc.record({
        afterMinutes: fc.oneof(
          { weight: 20, arbitrary: fc.integer({ min: 20, max: 120 }) },
          { weight: 1, arbitrary: fc.integer({ min: 300, max: 9 * 24 * 60 }) },
        ),
        change: fc.oneof(
          { weight: 20, arbitrary: fc.integer({ min: -3, max: 12 }) },
          { weight: 1, arbitrary: fc.integer({ min: -400, max: 400 }) },
        ),
        isExact: fc.integer({ min: 0, max: 9 }).map((one) => one > 0),
      }),
      { minLength: 2, maxLength: 300 },
    ),
  })
  .map(({ posts, counts }) => {
    let minute = 0;
    let followers = 5_000;
    return {
      posts: posts.map((one, index) => {
        const postedAt = hours(one.at) + one.minute * 60_000;
        const reads = one.reads.map(({ minutes, impressions }) => ({
          capturedAt: postedAt + minutes * 60_000,
          impressions,
        }));
        return { id: String(index), postedAt, reads };
      }),
      snapshots: counts.map(({ afterMinutes, change, isExact }) => {
        minute += afterMinutes;
        followers += change;
        return { capturedAt: T0 + minute * 60_000, followers, isExact };
      }),
    };
  });
const RUNS = { numRuns: 60 };

describe('whatever the data', () => {
  it('credits, organic and unexplained of an hour add up to its change', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 900 }), (history, at) => {
        const now = hours(at);
        const { ledger, posts } = attributeAccount(history, now);
        const exact = history.snapshots.filter((one) => one.isExact && one.capturedAt <= now);
        for (let i = 0; i < ledger.change.length; i += 1) {
          const start = (ledger.firstHour + i) * HOUR_MS;
          const observed = followersAt(exact, start + HOUR_MS) - followersAt(exact, start);
          const parts =
            (ledger.credited[i] ?? 0) + (ledger.organic[i] ?? 0) + (ledger.unexplained[i] ?? 0);
          expect(Math.abs(parts - observed)).toBeLessThan(1e-6);
        }
        expect(total(posts.map(({ credit7d }) => credit7d))).toBe(total(ledger.credited));
      }),
      RUNS,
    );
  });

  it('an hour that gained takes from nobody, and a post is credited more with age', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { ledger, posts } = attributeAccount(history, LATER);
        ledger.change.forEach((change, i) => {
          if (change < 0) return;
          // a rounding of shares to 2^-30 may exceed the whole
          expect(ledger.credited[i]).toBeGreaterThanOrEqual(0);
          expect(ledger.organic[i]).toBeGreaterThanOrEqual(-1e-7);
          expect(ledger.unexplained[i]).toBeGreaterThanOrEqual(0);
        });
        for (const { variance48h, credit2h, credit24h, credit48h, credit7d } of posts) {
          expect(variance48h).toBeGreaterThanOrEqual(0);
          if (ledger.change.some((change) => change < 0)) continue;
          expect([credit2h, credit24h, credit48h, credit7d]).toEqual(
            [credit2h, credit24h, credit48h, credit7d].toSorted((one, other) => one - other),
          );
        }
      }),
      RUNS,
    );
  });

  it('the result is the same to the last bit in every order of the data', () => {
    fc.assert(
      fc.property(histories, fc.infiniteStream(fc.nat()), (history, keys) => {
        const shuffled = <T>(items: readonly T[]) =>
          items
            .map((item) => ({ item, key: keys.next().value ?? 0 }))
            .toSorted((one, other) => one.key - other.key)
            .map(({ item }) => item);
        const other = {
          posts: shuffled(history.posts).map((one) => ({ ...one, reads: shuffled(one.reads) })),
          snapshots: shuffled(history.snapshots),
        };
        expect(differences(attributeAccount(history, LATER), attributeAccount(other, LATER))).toBe(
          0,
        );
      }),
      RUNS,
    );
  });

  it('runs at any moments leave what one run over everything gives', () => {
    fc.assert(
      fc.property(
        histories,
        fc.array(fc.integer({ min: 0, max: 2000 * 60 }), { maxLength: 8 }),
        (history, minutes) => {
          let settled = attributeAccount(history, T0).settled;
          for (const minute of minutes.toSorted((one, other) => one - other)) {
            settled = attributeAccount(history, T0 + minute * 60_000, { before: settled }).settled;
          }
          const stepped = attributeAccount(history, LATER, { before: settled });
          expect(differences(attributeAccount(history, LATER), stepped)).toBe(0);
        },
      ),
      RUNS,
    );
  });
});
