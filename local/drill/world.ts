/** X and its people in a drill: the same numbers at the same tick, whatever happens to Postloop. */
import { type Audience, createAudience } from '../start/audience.ts';
import type { NumbersProvider } from '../x-site/numbers.ts';
import type { PostNumbers } from '../x-site/payloads.ts';
import type { Plan } from './plan.ts';

/** Who the replies of the plan answer: nobody whom the site knows. */
const ANSWERED_ID = '1800000000000000000';

export type World = {
  /** The virtual moment. */
  now(): Date;
  /** Lives until this tick, with what is posted up to it; ticks are entered in order. */
  enter(tick: number): void;
  /** What the stand-in of X serves. */
  numbers: NumbersProvider;
  /** The numbers of a post now, or null when it is gone. */
  post(id: string): PostNumbers | null;
  followers(handle: string): number;
};

export function createWorld(plan: Plan): World {
  const audiences = new Map<string, Audience>(
    plan.handles.map((handle, index) => [
      handle,
      createAudience({
        seed: (plan.seed + index) % 2 ** 32,
        handle,
        followers: 1_000 + 700 * index,
        organicPerHour: 0.5 + index,
        startsAt: plan.startsAt,
      }),
    ]),
  );
  const owners = new Map(plan.posts.map(({ id, handle }) => [id, handle]));
  const replies = new Set(plan.posts.filter(({ kind }) => kind === 'reply').map(({ id }) => id));
  let now = plan.startsAt;

  const numbers: NumbersProvider = {
    post(id) {
      const answer = audiences.get(owners.get(id) ?? '')?.numbers.post(id) ?? null;
      if (answer === null || typeof answer === 'string' || !replies.has(id)) return answer;
      return { ...answer, replyTo: ANSWERED_ID };
    },
    account: (handle) => audiences.get(handle)?.numbers.account(handle) ?? null,
  };

  return {
    now: () => now,
    enter(tick) {
      const { posts, ticks } = plan;
      for (const post of posts.filter((one) => one.tick === tick)) {
        const audience = audiences.get(post.handle);
        audience?.advance(post.postedAt);
        const { deletedAfterHours: hours } = post;
        const fate = hours === null ? {} : { deletedAfterHours: hours };
        audience?.publish(post.id, post.dimensions, fate);
      }
      now = ticks[tick] ?? now;
      for (const audience of audiences.values()) audience.advance(now);
    },
    numbers,
    post(id) {
      const answer = numbers.post(id);
      return answer === null || typeof answer === 'string' ? null : answer;
    },
    followers(handle) {
      const answer = numbers.account(handle);
      return answer === null || typeof answer === 'string' ? 0 : answer.followers;
    },
  };
}
