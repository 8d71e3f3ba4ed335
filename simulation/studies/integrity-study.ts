/** How often made up numbers are found out, and real ones suspected. */

import { mulberry32, type Rng } from '../../shared/learning/random.ts';
import { monotoneViolations, POSTS_JUDGED, plausibility } from '../reference/plausibility.ts';
import type { CountedRead } from '../worlds/impressions.ts';

/** Accounts of each kind, a seed. */
const ACCOUNTS = 50;

/** Share of an account's posts whose counts may fall before it is flagged. */
const MOST_FALLING = 0.2;

/** Shares of accounts that each rule flags. */
export type IntegrityMeasures = {
  flagged: number;
  uniform: number;
  impossible: number;
  falling: number;
  /** Share of posts with a count that falls. */
  fallingPosts: number;
};

/** Judges accounts of 30 posts each by their last reads, and by how their counts rise. */
export function measureIntegrity(
  seeds: number,
  drawPost: (rng: Rng) => CountedRead[],
): IntegrityMeasures {
  const total = { flagged: 0, uniform: 0, impossible: 0, falling: 0, fallingPosts: 0 };
  for (let seed = 1; seed <= seeds; seed += 1) {
    const rng = mulberry32(seed);
    for (let account = 0; account < ACCOUNTS; account += 1) {
      const posts = Array.from({ length: POSTS_JUDGED }, () => drawPost(rng));
      const verdict = plausibility(posts.flatMap((reads) => reads.at(-1) ?? []));
      const falling = posts.filter((reads) => monotoneViolations(reads).length > 0).length;
      const flags = {
        uniform: verdict?.looksUniform ?? false,
        impossible: verdict?.looksImpossible ?? false,
        falling: falling > MOST_FALLING * POSTS_JUDGED,
      };
      total.uniform += Number(flags.uniform);
      total.impossible += Number(flags.impossible);
      total.falling += Number(flags.falling);
      total.flagged += Number(flags.uniform || flags.impossible || flags.falling);
      total.fallingPosts += falling / POSTS_JUDGED;
    }
  }
  const share = (sum: number) => sum / (seeds * ACCOUNTS);
  return {
    flagged: share(total.flagged),
    uniform: share(total.uniform),
    impossible: share(total.impossible),
    falling: share(total.falling),
    fallingPosts: share(total.fallingPosts),
  };
}
