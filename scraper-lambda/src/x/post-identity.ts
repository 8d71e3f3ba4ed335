/** Whether the post that was read is the one that its id says. */
import { snowflakeTime } from '../../../shared/snowflake.ts';

/** X writes the time of a post to the second; more than this apart it is not the id's post. */
const SAME_TIME_MS = 60_000;

/** Whether a post says that it was written at another moment than its id. */
export function isOfAnotherTime(id: string, createdAt: string | null | undefined): boolean {
  const minted = snowflakeTime(id);
  const written = Date.parse(createdAt ?? '');
  if (minted === null || Number.isNaN(written)) return false;
  return Math.abs(minted.getTime() - written) > SAME_TIME_MS;
}

/**
 * The id that the newest edit minted; null when the post that was read is the newest.
 * @param ids all ids that the post has had
 */
export function newestEdit(ids: string[], read: string): string | null {
  const newer = ids.filter((id) => BigInt(id) > BigInt(read));
  return newer.reduce<string | null>(
    (newest, id) => (newest === null || BigInt(id) > BigInt(newest) ? id : newest),
    null,
  );
}
