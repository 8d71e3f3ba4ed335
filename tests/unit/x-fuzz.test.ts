/**
 * Damages payloads in thousands of ways and reads them with every reader: each gives a typed
 * outcome, and each number that is given stands in the damaged payload for the same post. The
 * second reading searches the whole tree by key names; it knows no schema, entry or instruction.
 */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { judgeAnswer, readPosts, readUser } from '../../scraper-lambda/src/api/payloads.ts';
import { readAnalyticsPayload } from '../../scraper-lambda/src/x/analytics.ts';
import { isPayloadDegraded } from '../../scraper-lambda/src/x/degraded.ts';
import { readPostPayload, readProfilePayload } from '../../scraper-lambda/src/x/graphql.ts';
import { readFollowerText, readGroupLabel } from '../../scraper-lambda/src/x/labels.ts';
import {
  judgeHttp,
  type PostFound,
  type PostRead,
  type ProfileRead,
} from '../../scraper-lambda/src/x/outcome.ts';
import { payloadShape } from '../../scraper-lambda/src/x/payload-shape.ts';
import { readTimelinePayload } from '../../scraper-lambda/src/x/timeline-posts.ts';
import {
  outcomeSchema,
  payloadShapeSchema,
  postAnalyticsSchema,
  postReadResultSchema,
} from '../../shared/contracts/read.ts';
import { mutate, mutations, nodes } from '../support/mutations.ts';
import { answerPosts, answerUser } from '../support/x-api/answers.ts';

const SEED = 20261123;
const AT = '2026-03-02T10:00:00.000Z';
const EVIDENCE_MAX_BYTES = 5_000;

// biome-ignore lint/suspicious/noExplicitAny: the second reading has no types on purpose
type Any = any;
type Tree = { path: string[]; node: Any }[];
type Base = { operation: string; body: unknown; ids: string[] };

/** Long timelines are cut to so many entries: a damage must have a chance to hit what matters. */
const ENTRIES_KEPT = 6;

function basesIn(folder: URL | string): Base[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.map((name) => {
    const path = typeof folder === 'string' ? `${folder}/${name}` : new URL(name, folder);
    const body = JSON.parse(readFileSync(path, 'utf8'));
    for (const { node } of nodes(body)) {
      for (const key of ['entries', 'items']) node[key]?.splice?.(ENTRIES_KEPT);
    }
    const ids = [...nodes(body)].flatMap(({ node }) =>
      typeof node.rest_id === 'string' && node.legacy ? [node.rest_id] : [],
    );
    return { operation: name.split('.')[0] ?? '', body, ids: [...new Set(ids), '20'] };
  });
}

const ANALYTICS: Base = {
  operation: 'TweetActivity',
  ids: ['1900000000000000001'],
  body: {
    data: {
      tweet_result_by_rest_id: {
        result: {
          __typename: 'Tweet',
          rest_id: '1900000000000000001',
          datapoints_grid: [
            { metric_type: 'Impressions', metric_value: 32_100 },
            { metric_type: 'ProfileVisits', metric_value: '17' },
            { metric_type: 'Follows', metric_value: 2 },
          ],
          organic_metrics_time_series: [8, 9].map((hour) => ({
            timestamp: { iso8601_time: `2026-03-01T0${hour}:00:00.000Z` },
            metric_values: [{ metric_type: 'Impressions', metric_value: 100 + hour }],
          })),
        },
      },
    },
  },
};

const captures = process.env.X_CAPTURES_DIR;
const BASES = [
  ...basesIn(new URL('../fixtures/x/', import.meta.url)),
  ...(captures ? basesIn(captures) : []),
  ANALYTICS,
];

/** The number that a value of the payload states; undefined when it states none. */
function stated(value: unknown): number | undefined {
  if (typeof value === 'string' && /^\d+$/.test(value)) return Number(value);
  return typeof value === 'number' ? value : undefined;
}

/** Whether `post` states `read` for itself: each count is the post's own, or was not read. */
function states(post: Any, { metrics }: PostFound): boolean {
  const { legacy } = post;
  const views = [post.views, post.view_count_info, post.ext_views].map((one) => stated(one?.count));
  const isNullOr = (count: number | null, ...values: unknown[]) =>
    count === null || values.includes(count);
  return (
    legacy.favorite_count === metrics.likes &&
    legacy.retweet_count === metrics.retweets &&
    legacy.reply_count === metrics.replies &&
    isNullOr(metrics.quotes, legacy.quote_count) &&
    isNullOr(metrics.bookmarks, legacy.bookmark_count) &&
    isNullOr(metrics.impressions, ...views) &&
    metrics.profile_clicks === null
  );
}

const isElsewhere = (path: string[]) => path.some((key) => /^(quoted|retweeted)_status/.test(key));

/** Follower counts, and counts of posts that are on the page itself, as the tree states them. */
function expectStated(tree: Tree, read: PostFound): void {
  const own = tree.filter(
    ({ path, node }) => node.rest_id === read.id && node.legacy && !isElsewhere(path),
  );
  expect(own.some(({ node }) => states(node, read))).toBe(true);
  const followers = read.author?.followers ?? null;
  if (followers !== null) expect(followersIn(tree)).toContain(followers);
}

function followersIn(tree: Tree): unknown[] {
  return tree.flatMap(({ node }) => [
    node.legacy?.followers_count,
    node.relationship_counts?.followers,
  ]);
}

/** A typed outcome that fits its contract, with evidence that stays small. */
function expectTyped(read: PostRead | ProfileRead): void {
  expect(outcomeSchema.safeParse(read.outcome).success).toBe(true);
  if (read.outcome === 'found') return;
  const result = { post_id: '1', phase: '2h', ...read };
  expect(postReadResultSchema.safeParse(result).error).toBeUndefined();
  expect(JSON.stringify(read).length).toBeLessThan(EVIDENCE_MAX_BYTES);
}

/** @returns how many posts were found */
function readWithAll({ operation, ids }: Base, body: unknown): number {
  const tree = [...nodes(body)];
  let found = 0;
  for (const id of ids.slice(0, 3)) {
    const read = readPostPayload(operation, body, id);
    expectTyped(read);
    if (read.outcome !== 'found') continue;
    expect(read.id).toBe(id);
    expectStated(tree, read);
    found += 1;
  }
  const timeline = readTimelinePayload(body);
  if ('outcome' in timeline) expectTyped(timeline);
  else {
    for (const post of timeline.posts) expectStated(tree, post);
    found += timeline.posts.length;
    for (const { refusal } of timeline.refused) expectTyped(refusal);
    expect(new Set(timeline.posts.map(({ id }) => id)).size).toBe(timeline.posts.length);
    expect(isPayloadDegraded(timeline.posts)).toBeTypeOf('boolean');
  }
  const profile = readProfilePayload(body, null);
  expectTyped(profile);
  if (profile.outcome === 'found') {
    expect(followersIn(tree)).toContain(profile.followers);
  }
  expectAnalytics(body, tree, ids[0] ?? '');
  expect(payloadShapeSchema.safeParse(payloadShape(operation, body)).success).toBe(true);
  return found;
}

function expectAnalytics(body: unknown, tree: Tree, id: string): void {
  const read = readAnalyticsPayload(body, id, AT);
  if (read === 'absent') return;
  if ('outcome' in read) {
    expectTyped(read);
    return;
  }
  expect(postAnalyticsSchema.safeParse(read).error).toBeUndefined();
  const valuesOf = (type: string) =>
    tree
      .filter(({ node }) => node.metric_type === type)
      .map(({ node }) => stated(node.metric_value));
  const { impressions, profile_visits, follows, hourly } = read;
  if (impressions !== null) expect(valuesOf('Impressions')).toContain(impressions);
  if (profile_visits !== null) expect(valuesOf('ProfileVisits')).toContain(profile_visits);
  if (follows !== null) expect(valuesOf('Follows')).toContain(follows);
  for (const hour of hourly) expect(valuesOf('Impressions')).toContain(hour.impressions);
}

it('5,000 damaged payloads give typed outcomes and no wrong number', () => {
  let found = 0;
  fc.assert(
    fc.property(fc.constantFrom(...BASES), mutations, (base, damage) => {
      found += readWithAll(base, mutate(base.body, damage));
    }),
    { seed: SEED, numRuns: 5_000 },
  );
  // Damage that leaves nothing readable would prove nothing about numbers.
  expect(found).toBeGreaterThan(2_000);
});

it('a truncated text is no JSON, and every reader says so', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...BASES),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (base, at) => {
        const text = JSON.stringify(base.body);
        const cut = text.slice(0, Math.floor(at * (text.length - 1)));
        expect(() => JSON.parse(cut)).toThrow();
        const answer = { status: 200, headers: {}, body: cut };
        expect(judgeHttp(answer, undefined)).toBeNull();
        expect(judgeAnswer(answer, undefined)?.outcome).toBe('transient');
        expect(readPostPayload(base.operation, undefined, '1').outcome).toBe('shape_changed');
        readWithAll(base, undefined);
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

it('any JSON at all gives a typed outcome', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (data) => {
      for (const body of [data, { data }, { errors: data }, { data: {}, errors: [data] }]) {
        readWithAll({ operation: 'TweetDetail', body, ids: ['1'] }, body);
        readWithAll({ operation: 'TweetResultByRestId', body, ids: ['1'] }, body);
      }
    }),
    { seed: SEED, numRuns: 500 },
  );
});

it('damaged answers of the API give typed outcomes and no wrong number', () => {
  const ids = ['1900000000000000001', '1900000000000000002', '1900000000000000003'];
  const counts = { likes: 23, retweets: 5, replies: 1, quotes: 2, bookmarks: 3, impressions: 825 };
  const numbers = {
    post: (id: string) =>
      id === ids[2]
        ? ('suspended' as const)
        : { handle: 'somebot', ...counts, profileClicks: 17, linkClicks: 3 },
    account: () => ({ followers: 412 }),
  };
  const query = new URLSearchParams({
    ids: ids.join(','),
    'tweet.fields': 'public_metrics,non_public_metrics,created_at,author_id',
    expansions: 'author_id',
    'user.fields': 'public_metrics',
  });
  const posts = answerPosts(numbers, query, 'somebot', new Date('2025-03-14T00:00:00Z')).body;
  const user = answerUser(numbers, 'somebot', query).body;
  fc.assert(
    fc.property(mutations, (damage) => {
      const body = mutate(posts, damage);
      const tree = [...nodes(body)];
      for (const [id, read] of readPosts(body, ids).posts) {
        expectTyped(read);
        if (read.outcome !== 'found') continue;
        const { likes, impressions, profile_clicks } = read.metrics;
        const own = tree.filter(({ node }) => node.id === id).map(({ node }) => node);
        expect(own.map((node) => node.public_metrics?.like_count)).toContain(likes);
        const views = own.flatMap((node) => [
          node.public_metrics?.impression_count,
          node.non_public_metrics?.impression_count,
        ]);
        if (impressions !== null) expect(views).toContain(impressions);
        const clicks = own.map((node) => node.non_public_metrics?.user_profile_clicks);
        if (profile_clicks !== null) expect(clicks).toContain(profile_clicks);
      }
      const damagedUser = mutate(user, damage);
      const profile = readUser(damagedUser, 'somebot');
      expectTyped(profile);
      if (profile.outcome !== 'found') return;
      const followers = [...nodes(damagedUser)].map(({ node }) => node.followers_count);
      expect(followers).toContain(profile.followers);
    }),
    { seed: SEED, numRuns: 1_000 },
  );
});

it('any label gives nothing, or numbers whose digits stand in it', () => {
  const number = fc.oneof(fc.nat().map(String), fc.constantFrom('1.5K', '1,234', '2万', '3B', 'K'));
  const word = fc.constantFrom(
    'likes',
    'views',
    'replies',
    'beğeni',
    '件のいいね',
    'Followers',
    '',
  );
  const part = fc.tuple(number, fc.constantFrom(' ', '', '  '), word).map((list) => list.join(''));
  const label = fc.array(part, { maxLength: 5 }).map((list) => list.join(', '));
  fc.assert(
    fc.property(fc.oneof(label, fc.string()), (text) => {
      const digits = (text.match(/\d+/g) ?? []).join('');
      const read = readGroupLabel(text);
      const shown = read === null ? [] : Object.values(read.metrics).filter((one) => one !== null);
      for (const count of [...shown, ...(readFollowerText(text) ?? []).slice(0, 1)]) {
        const significant = String(count).replace(/0+$/, '');
        expect(digits).toContain(significant);
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});
