/** What people do without a model: followers within 48 h by post, in the order of the posts. */
import type { AccountHistory } from '../reference/attribution/account.ts';
import { type FollowerSnapshot, HOUR_MS, hourlyChanges } from '../reference/attribution/hours.ts';

const HORIZON_H = 48;
const DECAY_H = 6;

/** The exact follower count at a moment, linear between two counts and level outside of them. */
export function followersAt(snapshots: readonly FollowerSnapshot[], moment: number): number {
  let low = 0;
  let high = snapshots.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((snapshots[middle]?.capturedAt ?? 0) <= moment) low = middle;
    else high = middle;
  }
  const from = snapshots[low];
  const to = snapshots[high];
  if (!from || !to) return Number.NaN;
  if (moment <= from.capturedAt) return from.followers;
  if (moment >= to.capturedAt) return to.followers;
  const part = (moment - from.capturedAt) / (to.capturedAt - from.capturedAt);
  return from.followers + part * (to.followers - from.followers);
}

/** All that the account gained in the 48 h after each post. */
export const naiveDifference = ({ posts, snapshots }: AccountHistory) =>
  posts.map(
    ({ postedAt }) =>
      followersAt(snapshots, postedAt + HORIZON_H * HOUR_MS) - followersAt(snapshots, postedAt),
  );

/** Each hour's change to the newest post. */
export const lastTouch = (history: AccountHistory) =>
  splitHours(history, 0, (ages) => ages.map((age) => (age === Math.min(...ages) ? 1 : 0)));

/** Each hour's change in equal parts to the posts of the last 48 h. */
export const equalSplit = (history: AccountHistory) =>
  splitHours(history, 0, (ages) => ages.map(() => 1));

/** Each hour's change less the drift to the posts of the last 48 h, by exp(-age / 6 h). */
export const timeDecay = (history: AccountHistory, driftPerHour: number) =>
  splitHours(history, driftPerHour, (ages) => ages.map((age) => Math.exp(-age / DECAY_H)));

/** @param weigh weights of the posts of the last 48 h, of their ages in the middle of the hour */
function splitHours(
  { posts, snapshots }: AccountHistory,
  drift: number,
  weigh: (ages: number[]) => number[],
): number[] {
  const { firstHour, change } = hourlyChanges(snapshots);
  const gained = posts.map(() => 0);
  change.forEach((followers, i) => {
    const middle = (firstHour + i + 0.5) * HOUR_MS;
    const active = posts.flatMap(({ postedAt }, index) => {
      const age = (middle - postedAt) / HOUR_MS;
      return age > -0.5 && age < HORIZON_H ? [{ index, age: Math.max(age, 0) }] : [];
    });
    if (active.length === 0) return;
    const weights = weigh(active.map(({ age }) => age));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    active.forEach(({ index }, k) => {
      gained[index] = (gained[index] ?? 0) + ((followers - drift) * (weights[k] ?? 0)) / total;
    });
  });
  return gained;
}
