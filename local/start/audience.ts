/**
 * A simulated audience with known effects: what it would do with each post is decided here, and the
 * pipeline has to find it out from pages. Impressions accrue as a Lomax curve with the 80-minute
 * median half-life that Pfeffer et al. (ICWSM 2023) measured; followers arrive as a Poisson process
 * from organic drift and from impressions.
 */
import type { DimensionValues } from '../../shared/contracts/identifiers.ts';
import { mulberry32, normal, type Rng } from '../../shared/learning/random.ts';
import type { NumbersProvider, PostAnswer } from '../x-site/numbers.ts';
import type { Variant } from '../x-site/variants.ts';

/** How a value shifts what a post does, in log units. */
type Effect = { reach: number; engagement: number; follows: number };

const effect = (reach: number, engagement: number, follows: number): Effect => ({
  reach,
  engagement,
  follows,
});

/** The truth that learning is after: `topic` and `tone` matter most, `generator` hardly. */
const EFFECTS: Record<string, Record<string, Effect>> = {
  topic: {
    'building in public': effect(0.5, 0.2, 0.5),
    pricing: effect(0, 0, 0),
    hiring: effect(-0.5, -0.2, -0.4),
  },
  angle: {
    'lesson learned': effect(0.3, 0.2, 0.3),
    'how to': effect(0.1, 0, 0.2),
    contrarian: effect(-0.3, 0.1, -0.4),
  },
  tone: {
    dry: effect(0.4, 0.3, 0.2),
    warm: effect(0, 0.1, 0.1),
    urgent: effect(-0.4, -0.4, -0.3),
  },
  format: {
    'one liner': effect(0.1, 0, -0.1),
    list: effect(0, 0.1, 0.1),
    story: effect(-0.1, 0, 0.1),
  },
  generator: { human: effect(0.05, 0, 0.05), model: effect(-0.05, 0, -0.05) },
  hook_pattern: {
    question: effect(0.1, 0.2, 0),
    number: effect(0.1, 0, 0),
    confession: effect(-0.1, 0, 0.2),
  },
};

/** The account's vocabulary: every value that has an effect. */
export const VOCABULARY: Record<string, string[]> = Object.fromEntries(
  Object.entries(EFFECTS).map(([dimension, values]) => [dimension, Object.keys(values)]),
);

const MEDIAN_IMPRESSIONS = 900;
const FOLLOWS_PER_IMPRESSION = 0.002;
const LUCK_SD = 0.5;
const RATES = { likes: 0.022, retweets: 0.004, replies: 0.003, quotes: 0.0007, bookmarks: 0.005 };

const LOMAX_SHAPE = 1.1;
const LOMAX_SCALE_H = 80 / 60 / (2 ** (1 / LOMAX_SHAPE) - 1);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The share of its lifetime impressions that a post has at an age in hours. */
function accrued(ageHours: number): number {
  return ageHours <= 0 ? 0 : 1 - (1 + ageHours / LOMAX_SCALE_H) ** -LOMAX_SHAPE;
}

type SimulatedPost = {
  postedAt: number;
  impressions: number;
  followsPerImpression: number;
  rates: Record<keyof typeof RATES, number>;
  deletedAt: number | null;
  trouble: { variant: Variant; until: number } | null;
};

/** What befalls a post beside its audience. */
export type Fate = {
  deletedAfterHours?: number;
  /** Its page shows this instead of the numbers until the post has that age in minutes. */
  trouble?: { variant: Variant; untilMinutes: number };
};

export type AudienceOptions = {
  seed: number;
  handle: string;
  followers: number;
  organicPerHour: number;
  startsAt: Date;
};

export type Audience = {
  /** The moment up to which the audience has lived. */
  now(): Date;
  /** Lets the audience live until then; never backwards. */
  advance(to: Date): void;
  publish(id: string, realised: DimensionValues, fate?: Fate): void;
  /** What the stand-in X site serves. */
  numbers: NumbersProvider;
};

export function createAudience(options: AudienceOptions): Audience {
  const rng = mulberry32(options.seed);
  const posts = new Map<string, SimulatedPost>();
  let now = options.startsAt.getTime();
  let followers = options.followers;

  const seen = (post: SimulatedPost, at: number) =>
    Math.floor(post.impressions * accrued((at - post.postedAt) / HOUR_MS));

  return {
    now: () => new Date(now),
    advance(to) {
      const until = to.getTime();
      if (until <= now) return;
      let expected = (options.organicPerHour * (until - now)) / HOUR_MS;
      for (const post of posts.values()) {
        if (post.deletedAt !== null && post.deletedAt <= now) continue;
        expected += post.followsPerImpression * (seen(post, until) - seen(post, now));
      }
      followers += poisson(rng, expected);
      now = until;
    },
    publish(id, realised, fate = {}) {
      const sum = { reach: 0, engagement: 0, follows: 0 };
      for (const [dimension, value] of Object.entries(realised)) {
        const one = EFFECTS[dimension]?.[value];
        if (!one) throw new Error(`The audience does not know ${dimension} = ${value}.`);
        sum.reach += one.reach;
        sum.engagement += one.engagement;
        sum.follows += one.follows;
      }
      const lift = Math.exp(sum.engagement + 0.2 * normal(rng));
      posts.set(id, {
        postedAt: now,
        impressions: MEDIAN_IMPRESSIONS * Math.exp(sum.reach + LUCK_SD * normal(rng)),
        followsPerImpression: FOLLOWS_PER_IMPRESSION * Math.exp(sum.follows + 0.3 * normal(rng)),
        rates: Object.fromEntries(
          Object.entries(RATES).map(([name, rate]) => [name, rate * lift]),
        ) as SimulatedPost['rates'],
        deletedAt:
          fate.deletedAfterHours === undefined ? null : now + fate.deletedAfterHours * HOUR_MS,
        trouble: fate.trouble
          ? { variant: fate.trouble.variant, until: now + fate.trouble.untilMinutes * MINUTE_MS }
          : null,
      });
    },
    numbers: {
      post(id): PostAnswer {
        const post = posts.get(id);
        if (!post) return null;
        if (post.deletedAt !== null && post.deletedAt <= now) return 'deleted';
        if (post.trouble !== null && now < post.trouble.until) return post.trouble.variant;
        const impressions = seen(post, now);
        const counts = Object.fromEntries(
          Object.entries(post.rates).map(([name, rate]) => [name, Math.floor(impressions * rate)]),
        ) as Record<keyof typeof RATES, number>;
        return { handle: options.handle, impressions, ...counts };
      },
      account: (handle) =>
        handle.toLowerCase() === options.handle.toLowerCase()
          ? { followers, posts: [...posts.keys()].reverse() }
          : null,
    },
  };
}

/** One Poisson draw: Knuth's product for small means, the normal limit above. */
function poisson(rng: Rng, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(rng)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = rng(); product > limit; product *= rng()) count += 1;
  return count;
}
