/** How often made up numbers are found out, and real ones suspected. */

import { mulberry32, type Rng } from '../../shared/learning/random.ts';
import {
  fallingPosts,
  falls,
  type JudgedAccount,
  POSTS_JUDGED,
  plausibility,
} from '../reference/plausibility.ts';
import type { CountedRead } from '../worlds/impressions.ts';

/** Accounts of each kind, a seed. */
const ACCOUNTS = 50;

/** Age of the newest post: its first read at 24 h has been made. */
const NEWEST_AGE_H = 30;

/** Shares of accounts that each rule flags. */
export type IntegrityMeasures = {
  /** A check fails. */
  flagged: number;
  /** A check fails or warns. */
  suspected: number;
  uniform: number;
  impossible: number;
  falling: number;
  /** Share of posts with a count that falls. */
  fallingPosts: number;
};

/** Judges accounts of 30 posts each, an hour apart, as the health check would. */
export function measureIntegrity(
  seeds: number,
  drawPost: (rng: Rng) => CountedRead[],
): IntegrityMeasures {
  const total = {
    flagged: 0,
    suspected: 0,
    uniform: 0,
    impossible: 0,
    falling: 0,
    fallingPosts: 0,
  };
  for (let seed = 1; seed <= seeds; seed += 1) {
    const rng = mulberry32(seed);
    for (let n = 0; n < ACCOUNTS; n += 1) {
      const account = drawAccount(() => drawPost(rng));
      const verdict = plausibility(account);
      const { status } = fallingPosts([account]);
      const flags = {
        uniform: verdict?.looksUniform ?? false,
        impossible: verdict?.looksImpossible ?? false,
        falling: status === 'failing',
      };
      const isFlagged = flags.uniform || flags.impossible || flags.falling;
      total.uniform += Number(flags.uniform);
      total.impossible += Number(flags.impossible);
      total.falling += Number(flags.falling);
      total.flagged += Number(isFlagged);
      total.suspected += Number(isFlagged || status === 'warning');
      total.fallingPosts += account.posts.filter(({ reads }) => falls(reads)).length / POSTS_JUDGED;
    }
  }
  const share = (sum: number) => sum / (seeds * ACCOUNTS);
  return {
    flagged: share(total.flagged),
    suspected: share(total.suspected),
    uniform: share(total.uniform),
    impossible: share(total.impossible),
    falling: share(total.falling),
    fallingPosts: share(total.fallingPosts),
  };
}

const drawAccount = (drawPost: () => CountedRead[]): JudgedAccount => ({
  handle: 'somebot',
  posts: Array.from({ length: POSTS_JUDGED }, (_, n) => ({
    id: String(n),
    ageHours: NEWEST_AGE_H + n,
    reads: drawPost().map((read) => ({ ...read, quality: 'exact' as const })),
  })),
});
