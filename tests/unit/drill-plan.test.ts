import { describe, expect, it } from 'vitest';
import { expectedOf, tallyFound } from '../../local/drill/expected.ts';
import { createPlan, FAULT_KINDS } from '../../local/drill/plan.ts';

const PHASES = [
  { phase: '30m', minutes: 30 },
  { phase: '2h', minutes: 120 },
  { phase: '6h', minutes: 360 },
  { phase: '24h', minutes: 1_440 },
  { phase: '48h', minutes: 2_880 },
  { phase: '7d', minutes: 10_080 },
];
const AGES = PHASES.map(({ minutes }) => minutes);
const MINUTE_MS = 60_000;

describe('the plan of a drill', () => {
  it.each([12, 200, 1_000])(
    'has the %i faults asked for, every kind as often as the others',
    (n) => {
      const { faults } = createPlan(1, n, AGES);
      expect(faults).toHaveLength(n);
      const counts = FAULT_KINDS.map((kind) => faults.filter((one) => one.kind === kind).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    },
  );

  it('follows from the seed', () => {
    expect(createPlan(7, 200, AGES)).toEqual(createPlan(7, 200, AGES));
    expect(createPlan(7, 200, AGES)).not.toEqual(createPlan(8, 200, AGES));
  });

  it.each([12, 200])('with %i faults ends before an hour could be split for good', (n) => {
    const { startsAt, ticks } = createPlan(1, n, AGES);
    const days = ((ticks.at(-1)?.getTime() ?? 0) - startsAt.getTime()) / 86_400_000;
    // 48 hours until the first post is learned from; 8 days less the one that a clock may be ahead.
    expect(days).toBeGreaterThan(2);
    expect(days).toBeLessThan(7);
  });

  it.each([12, 200])('with %i faults makes every read well inside its window', (n) => {
    const { ticks, posts } = createPlan(3, n, AGES);
    const late = posts.flatMap(({ postedAt }) =>
      AGES.map((age) => {
        const due = postedAt.getTime() + age * MINUTE_MS;
        const tick = ticks.find((at) => at.getTime() >= due);
        return tick ? (tick.getTime() - due) / MINUTE_MS : 0;
      }),
    );
    expect(Math.max(...late)).toBeLessThanOrEqual(10);
  });
});

describe('what a drill expects', () => {
  const plan = createPlan(1, 12, AGES);
  const { reads, followers } = expectedOf(plan, PHASES);

  it('is the same every time, as the world takes no notice of the pipeline', () => {
    expect(expectedOf(plan, PHASES)).toEqual({ reads, followers });
  });

  it('is a read of each post at each age that is reached, until the post is deleted', () => {
    for (const { id, postedAt, deletedAfterHours } of plan.posts) {
      const lived = (deletedAfterHours ?? Number.POSITIVE_INFINITY) * 60;
      const reached = PHASES.filter(({ minutes }) => {
        const due = postedAt.getTime() + minutes * MINUTE_MS;
        return minutes < lived && due <= (plan.ticks.at(-1)?.getTime() ?? 0);
      });
      const read = PHASES.filter(({ phase }) => reads.has(`${id} ${phase}`));
      expect(read).toEqual(reached);
    }
    expect(reads.size).toBeGreaterThan(30);
  });

  it('is a follower count of each account at each tick at which an hour has begun', () => {
    for (const handle of plan.handles) {
      const counted = [...followers.keys()].filter((key) => key.startsWith(`${handle} `));
      expect(counted.length).toBeGreaterThan(20);
    }
  });
});

describe('what is found', () => {
  const tally = (keys: string[], twice = 0) =>
    tallyFound(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      keys.map((key) => ({ key, isRight: key !== 'b' })),
      ({ isRight }) => isRight,
      twice,
    );

  it('is lost when it is expected and not there', () => {
    expect(tally(['a'])).toEqual({ expected: 2, recorded: 1, lost: 1, duplicated: 0, wrong: 0 });
  });

  it('is wrong when it is there with other numbers', () => {
    expect(tally(['a', 'b'])).toMatchObject({ lost: 0, duplicated: 0, wrong: 1 });
  });

  it('is a duplicate when nobody expected it, or when it was accepted twice', () => {
    expect(tally(['a', 'b', 'c'])).toMatchObject({ lost: 0, duplicated: 1 });
    expect(tally(['a', 'b'], 1)).toMatchObject({ lost: 0, duplicated: 1 });
  });
});
