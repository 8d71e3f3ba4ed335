/** Where numbers come from. Reading X's pages in a browser is one source; others can stand beside. */
import type { PostRead, ProfileRead } from './x/outcome.ts';

/** Which post to read. Without a handle X finds the author by itself. */
export type AskedPost = { id: string; handle: string | null };

export interface MetricsSource {
  /** Reads one post. What X refuses is a value; only a source that cannot work at all throws. */
  readPost(asked: AskedPost, patienceMs?: number): Promise<PostRead>;
  /** Reads the follower count of one account. */
  readProfile(handle: string, patienceMs?: number): Promise<ProfileRead>;
  /** Gives back what the source holds for a batch. */
  close(): Promise<void>;
}
