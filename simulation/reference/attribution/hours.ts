/**
 * Times: hours are whole numbers counted from 1970-01-01T00:00Z, moments are milliseconds. The change of
 * each hour is a part of `postloop.split_blocks` in SQL, compared with the whole by
 * tests/database/attribution-parity.test.ts.
 */

export const HOUR_MS = 3_600_000;

/** The hour that a moment lies in. */
export const hourOf = (moment: number) => Math.floor(moment / HOUR_MS);

/** One count of an account's followers. */
export type FollowerSnapshot = {
  /** ms */
  capturedAt: number;
  followers: number;
  /** False where X showed a rounded number such as 12.3K: it says nothing about an hour. */
  isExact: boolean;
};

/** An account's follower change by hour, from `firstHour` on without a hole. */
export type HourlyChanges = {
  firstHour: number;
  /** Followers at the end of the hour minus at its start. */
  change: Float64Array;
  /** 1 where the exact counts around the hour are more than 6 h apart. */
  gap: Uint8Array;
};

const LONGEST_SPAN_MS = 6 * HOUR_MS;

/**
 * The hourly changes between the first and the last exact count, linear between two counts; rounded
 * counts are left out, so a series of only rounded ones has no hours at all.
 *
 * @param snapshots in any order
 */
export function hourlyChanges(snapshots: readonly FollowerSnapshot[]): HourlyChanges {
  const exact = snapshots
    .filter(({ isExact }) => isExact)
    .sort((one, other) => one.capturedAt - other.capturedAt);
  const first = exact[0];
  const last = exact.at(-1);
  if (!first || !last) return { firstHour: 0, change: new Float64Array(), gap: new Uint8Array() };
  const firstHour = Math.ceil(first.capturedAt / HOUR_MS);
  const boundaries = Math.max(hourOf(last.capturedAt) - firstHour + 1, 1);
  const change = new Float64Array(boundaries - 1);
  const gap = new Uint8Array(boundaries - 1);

  let span = 0;
  let before = 0;
  let beforeInGap = false;
  for (let i = 0; i < boundaries; i += 1) {
    const moment = (firstHour + i) * HOUR_MS;
    while ((exact[span + 1]?.capturedAt ?? Number.POSITIVE_INFINITY) <= moment) span += 1;
    const from = exact[span] ?? first;
    const to = exact[span + 1];
    const inGap = to !== undefined && to.capturedAt - from.capturedAt > LONGEST_SPAN_MS;
    const followers = to
      ? from.followers +
        (to.followers - from.followers) *
          ((moment - from.capturedAt) / (to.capturedAt - from.capturedAt))
      : from.followers;
    if (i > 0) {
      change[i - 1] = followers - before;
      // a long span that starts at the very end of the hour is the next hour's
      gap[i - 1] = beforeInGap || (inGap && from.capturedAt < moment) ? 1 : 0;
    }
    before = followers;
    beforeInGap = inGap;
  }
  return { firstHour, change, gap };
}
