/**
 * The time inside a post id. X mints ids as snowflakes: milliseconds since 2010-11-04T01:42:54.657Z
 * above 22 bits of machine and sequence. Ids are digits in text; a JavaScript number cannot hold them.
 */
const EPOCH_MS = 1_288_834_974_657n;
const SEQUENCE_BITS = 22n;

/** Ids below this were counted up one by one, before snowflakes. */
const FIRST_SNOWFLAKE = 29_700_859_247n;

/** When the post was published, to the millisecond; null for an id from before November 2010. */
export function snowflakeTime(postId: string): Date | null {
  const id = BigInt(postId);
  if (id < FIRST_SNOWFLAKE) return null;
  const ms = Number((id >> SEQUENCE_BITS) + EPOCH_MS);
  return Number.isFinite(new Date(ms).getTime()) ? new Date(ms) : null;
}

/** The smallest id that X could mint at a moment, plus `sequence` (0 to 4194303). */
export function snowflakeId(at: Date, sequence = 0): string {
  return String(((BigInt(at.getTime()) - EPOCH_MS) << SEQUENCE_BITS) + BigInt(sequence));
}
