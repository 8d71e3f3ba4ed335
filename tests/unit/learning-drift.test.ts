/** Whether posts still do what was learned. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DatedResidual, driftAlarms } from '../../shared/learning/drift.ts';

const dayOf = (day: number) => new Date(Date.UTC(2026, 0, day)).toISOString().slice(0, 10);
const posts = (
  days: readonly (readonly number[])[],
  values: DatedResidual['values'] = {},
): DatedResidual[] =>
  days.flatMap((residuals, index) =>
    residuals.map((residual) => ({ day: dayOf(index + 1), residual, values })),
  );

describe('an alarm', () => {
  it('comes when the days above the slack add up to more than 5', () => {
    // each day adds 1.5 - 0.5; the sum is 5 on the fifth and 6 on the sixth
    expect(driftAlarms(posts(Array(6).fill([1.5])))).toEqual([
      {
        dimension: null,
        value: null,
        direction: 'up',
        since: '2026-01-01',
        day: '2026-01-06',
        sum: 6,
        limit: 5,
      },
    ]);
    expect(driftAlarms(posts(Array(5).fill([1.5])))).toEqual([]);
  });

  it('says when the change came, in either direction', () => {
    const days = [[0.2], [-1], [0.3], [-3.5], [-3.5]];
    expect(driftAlarms(posts(days))).toMatchObject([
      { direction: 'down', since: '2026-01-04', day: '2026-01-05' },
    ]);
  });

  it('takes a day as one, by its mean times the root of its posts', () => {
    const four = driftAlarms(
      posts([
        [2, 2, 2, 2],
        [2, 2, 2, 2],
      ]),
    );
    // 4 - 0.5 twice
    expect(four).toMatchObject([{ sum: 7, day: '2026-01-02' }]);
    expect(driftAlarms(posts([[2], [2]]))).toEqual([]);
  });

  it('starts the stream again', () => {
    const alarms = driftAlarms(posts(Array(12).fill([1.5])));
    expect(alarms.map(({ since, day }) => [since, day])).toEqual([
      ['2026-01-01', '2026-01-06'],
      ['2026-01-07', '2026-01-12'],
    ]);
  });

  it('names the value whose posts changed, where all posts together do not', () => {
    const days = Array.from({ length: 10 }, (_, index) => dayOf(index + 1));
    const residuals = days.flatMap((day) => [
      { day, residual: 2, values: { tone: 'dry', topic: 'ai' } },
      { day, residual: -2, values: { tone: 'warm', topic: 'ai' } },
    ]);
    const alarms = driftAlarms(residuals);
    // three values a day: the limit is 5 + ln 3
    expect(alarms.slice(0, 2)).toEqual([
      expect.objectContaining({ dimension: 'tone', value: 'dry', direction: 'up', day: days[4] }),
      expect.objectContaining({
        dimension: 'tone',
        value: 'warm',
        direction: 'down',
        day: days[4],
      }),
    ]);
    expect(alarms[0]?.limit).toBeCloseTo(5 + Math.log(3), 12);
    expect(alarms.every(({ dimension }) => dimension === 'tone')).toBe(true);
  });

  it('of values has a limit that grows with the streams, the more the less slack there is', () => {
    const residuals = ['dry', 'warm', 'loud'].flatMap((tone) => posts([[20]], { tone }));
    const limits = (slack: number) => driftAlarms(residuals, { slack }).map(({ limit }) => limit);
    expect(limits(0.5)[1]).toBeCloseTo(5 + Math.log(3), 12);
    expect(limits(0.25)[1]).toBeCloseTo(5 + 2 * Math.log(3), 12);
  });

  it('has the same sum to the last bit in any order of posts', () => {
    const day = [2.1, 3.3, 4.7, 6.9];
    const [forth] = driftAlarms(posts([day]));
    const [back] = driftAlarms(posts([day.toReversed()]));
    expect(forth?.sum).toBeCloseTo(8, 12);
    expect(back?.sum).toBe(forth?.sum);
  });

  it('is the same in any order of posts, and stays when days are added', () => {
    const history = fc.array(
      fc.record({
        day: fc.integer({ min: 1, max: 40 }).map(dayOf),
        residual: fc.double({ min: -4, max: 5, noNaN: true }),
        values: fc.record({ tone: fc.constantFrom('dry', 'warm') }),
      }),
      { maxLength: 150 },
    );
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 40 }).map(dayOf), (residuals, last) => {
        const alarms = driftAlarms(residuals);
        expect(driftAlarms(residuals.toReversed())).toEqual(alarms);
        expect(driftAlarms(residuals.filter(({ day }) => day <= last))).toEqual(
          alarms.filter(({ day }) => day <= last),
        );
      }),
    );
  });
});
