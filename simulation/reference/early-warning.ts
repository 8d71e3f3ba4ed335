/**
 * Whether a young post is about to be one of the account's best: the thresholds of
 * `postloop.fit_growth` and the probability of `rising_posts`. tests/database/growth.test.ts and
 * early-warning.test.ts compare them.
 */
import { normalCdf } from '../../shared/learning/normal.ts';
import type { Projection } from './growth.ts';
import { quantile } from './quantile.ts';

/** Posts that an account needs before its 95th percentile means anything: two are above it. */
const LEAST_POSTS_OF_A_THRESHOLD = 40;

/**
 * The impressions at 48 h that one post in twenty passes.
 *
 * @param impressions48h of the account's mature posts of the last 90 days
 * @returns null below 40 posts
 */
export function viralThreshold(impressions48h: readonly number[]): number | null {
  return impressions48h.length < LEAST_POSTS_OF_A_THRESHOLD ? null : quantile(impressions48h, 0.95);
}

/**
 * Probability that a post passes `threshold` impressions at 48 h: 1 - Phi((ln(1 + T) - y) / s_h).
 * A projection that is exact (a read at 48 h) gives 0 or 1.
 */
export function probabilityAbove(threshold: number, { y, spread }: Projection): number {
  const missing = Math.log1p(threshold) - y;
  if (spread === 0) return missing < 0 ? 1 : 0;
  return normalCdf(-missing / spread);
}
