/**
 * Reads every real payload of `X_CAPTURES_DIR` and compares with a second, independent reading of
 * the same JSON: a search of the whole tree by key paths, which knows nothing of instructions,
 * entries or schemas.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isPayloadDegraded, judgeDegraded } from '../../scraper-lambda/src/x/degraded.ts';
import { readPostPayload, readProfilePayload } from '../../scraper-lambda/src/x/graphql.ts';
import { payloadShape } from '../../scraper-lambda/src/x/payload-shape.ts';
import { readTimelinePayload } from '../../scraper-lambda/src/x/timeline-posts.ts';

const folder = process.env.X_CAPTURES_DIR;
const SKIPPED = 'skipped: set X_CAPTURES_DIR to a folder of real payloads';

const POST = /^(TweetResultByRestId|TweetResultsByIds)\./;
const TIMELINE =
  /^(TweetDetail|UserTweets|UserTweetsAndReplies|UserMedia|SearchTimeline|ListTimeline)\./;
const PROFILE = /^(UserByScreenName|UserResultByScreenName)\./;

const files = folder ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
const load = (name: string): unknown => JSON.parse(readFileSync(join(folder ?? '', name), 'utf8'));

// biome-ignore lint/suspicious/noExplicitAny: the second reading has no types on purpose
type Any = any;

/** Every object of the tree with the keys that lead to it. */
function* nodes(value: Any, path: string[] = []): Generator<[string[], Any]> {
  if (typeof value !== 'object' || value === null) return;
  yield [path, value];
  for (const [key, inner] of Object.entries(value)) yield* nodes(inner, [...path, key]);
}

const PLACES = new Set(['tweet_results', 'tweetResult', 'tweet_result']);

/** The results that stand on the page itself: not inside a quote or a retweet, and no ads. */
function shownResults(body: Any): Any[] {
  const shown: Any[] = [];
  const ads: string[] = [];
  for (const [path, node] of nodes(body)) {
    if (node.promotedMetadata) ads.push(path.join('/'));
    const place = path.filter((key) => !/^\d+$/.test(key)).at(-2) ?? '';
    if (path.at(-1) !== 'result' || !PLACES.has(place)) continue;
    if (path.some((key) => /^(quoted|retweeted)_status/.test(key))) continue;
    if (ads.some((ad) => path.join('/').startsWith(`${ad}/`))) continue;
    shown.push(node.__typename === 'TweetWithVisibilityResults' ? node.tweet : node);
  }
  return shown;
}

const isPost = (result: Any) => result.legacy && !result.legacy.retweeted_status_result;

function countsOf(result: Any) {
  const { legacy } = result;
  const views = (result.views ?? result.view_count_info ?? result.ext_views)?.count;
  return {
    likes: legacy.favorite_count,
    retweets: legacy.retweet_count,
    replies: legacy.reply_count,
    quotes: legacy.quote_count ?? null,
    bookmarks: legacy.bookmark_count ?? null,
    impressions: views === undefined || views === null ? null : Number.parseInt(views, 10),
    profile_clicks: null,
  };
}

/** Whom a post answers, by the ids in its `legacy` alone. */
function kindOf({ legacy }: Any): string {
  const to = legacy.in_reply_to_user_id_str ?? null;
  if (to === null) return legacy.in_reply_to_status_id_str ? 'reply' : 'single';
  return to === legacy.user_id_str ? 'thread' : 'reply';
}

/** X's own date of a post, to the second: what its id must say too, unless it was edited. */
function secondOf({ rest_id, legacy, edit_control }: Any): string | undefined {
  const isEdited = !((edit_control?.edit_tweet_ids?.length ?? 0) === 1);
  if (isEdited || rest_id.length < 11 || !legacy.created_at) return undefined;
  return new Date(legacy.created_at).toISOString().slice(0, 19);
}

/** What a result without counts means. */
function meaningOf(result: Any): string {
  const text: string = result.tombstone?.text?.text ?? '';
  if (result.reason === 'Suspended' || /suspended|no longer exists/.test(text)) return 'suspended';
  return /deleted by|violated/.test(text) ? 'deleted' : 'restricted';
}

describe.skipIf(!folder)(`real payloads (${folder ? 'X_CAPTURES_DIR' : SKIPPED})`, () => {
  it('there are some', () => {
    expect(files.length).toBeGreaterThan(0);
  });

  it.each(files.filter((name) => TIMELINE.test(name)))('%s: every post’s counts', (name) => {
    const body = load(name);
    const read = readTimelinePayload(body);
    const results = shownResults(body);
    if ('outcome' in read) {
      expect(results).toEqual([]);
      return;
    }
    const expected = results.filter(isPost).map((result) => [result.rest_id, countsOf(result)]);
    const actual = read.posts.map(({ id, metrics }) => [id, metrics]);
    expect(new Map(actual as [string, unknown][])).toEqual(new Map(expected as []));
    const kinds = results.filter(isPost).map((result) => [result.rest_id, kindOf(result)]);
    expect(new Map(read.posts.map(({ id, kind }) => [id, kind]))).toEqual(new Map(kinds as []));
    for (const result of results.filter(isPost)) {
      const posted = read.posts.find(({ id }) => id === result.rest_id)?.postedAt;
      expect(posted?.slice(0, 19)).toBe(secondOf(result) ?? posted?.slice(0, 19));
    }
    const cursor = [...nodes(body)].find(([, node]) => node.cursorType === 'Bottom')?.[1];
    expect(read.bottomCursor).toBe(cursor?.value ?? null);
    expect(isPayloadDegraded(read.posts)).toBe(/degraded/.test(name));
    const refusals = results.filter((result) => !result.legacy).map(meaningOf);
    expect(read.refused.map(({ refusal }) => refusal.outcome)).toEqual(refusals);
  });

  it.each(files.filter((name) => name.startsWith('TweetDetail.')))(
    '%s: the focal entries alone',
    (name) => {
      const body = load(name);
      const entries = [...nodes(body)]
        .map(([, node]) => node)
        .filter(
          ({ entryId, content }) => /^tweet-\d+$/.test(entryId ?? '') && content?.itemContent,
        );
      expect(entries.length).toBeGreaterThan(0);
      for (const { entryId, content } of entries) {
        const read = readPostPayload('TweetDetail', body, entryId.slice('tweet-'.length));
        const { result } = content.itemContent.tweet_results;
        const own = result.tweet ?? result;
        if (read.outcome === 'found') expect(read.metrics).toEqual(countsOf(own));
        else if (read.outcome === 'degraded') {
          expect(name).toContain('degraded');
          expect(read.evidence).toMatchObject({ refused: countsOf(own) });
        } else expect(read.outcome).toBe(own.legacy ? 'wrong_post' : meaningOf(own));
      }
    },
  );

  it.each(files.filter((name) => POST.test(name)))('%s: the post’s counts', (name) => {
    const body: Any = load(name);
    const [operation = '', named = ''] = name.split('.');
    const results = shownResults(body);
    if (results.length === 0) {
      expect(readPostPayload(operation, body, named).outcome).toBe('deleted');
    }
    for (const result of results) {
      const read = readPostPayload(operation, body, result.rest_id ?? named);
      if (read.outcome === 'found') expect(read.metrics).toEqual(countsOf(result));
      else if (results.length === 1) expect(read.outcome).toBe(meaningOf(result));
      else expect(result.legacy).toBeUndefined();
    }
  });

  it.each(files.filter((name) => PROFILE.test(name)))('%s: the follower count', (name) => {
    const text = readFileSync(join(folder ?? '', name), 'utf8');
    const read = readProfilePayload(JSON.parse(text), null);
    const shown =
      /"relationship_counts":\s*\{\s*"followers":\s*(\d+)/.exec(text) ??
      /"followers_count":\s*(\d+)/.exec(text);
    if (shown) expect(read).toMatchObject({ outcome: 'found', followers: Number(shown[1]) });
    else expect(read.outcome).toBe(/UserUnavailable/.test(text) ? 'suspended' : 'deleted');
  });

  it.each(files)('%s: its shape has paths and types alone', (name) => {
    const text = readFileSync(join(folder ?? '', name), 'utf8');
    const { paths, operation } = payloadShape(name.split('.')[0] ?? '', JSON.parse(text));
    for (const path of paths) expect(path).toMatch(/^[A-Za-z_0-9.*[\]<>]+: [A-Za-z]+$/);
    const hasCounts = /"(favorite_count|followers_count|followers)":/.test(text);
    expect(paths.some((path) => /^(Tweet|User)\..*: (number|digits)$/.test(path))).toBe(hasCounts);
    expect(operation).toBe(name.split('.')[0]);
  });

  it('payloads of one operation and era share a shape, whatever is on the page', () => {
    const hashOf = (name: string) => payloadShape('TweetDetail', load(name)).hash;
    const legacyEra = files.filter((name) => /^TweetDetail\.2026-0[567]-/.test(name)).map(hashOf);
    const newEra = files.filter((name) => /^TweetDetail\.2026-08-/.test(name)).map(hashOf);
    expect(new Set(legacyEra).size).toBeLessThanOrEqual(1);
    expect(newEra.every((hash) => !legacyEra.includes(hash))).toBe(true);
  });

  it('of three years of one post, the days of false zeros alone are degraded', () => {
    const series = readdirSync(folder ?? '').find((name) => /^tweet-\d+-series\.csv$/.test(name));
    if (series === undefined) return;
    const [, ...lines] = readFileSync(join(folder ?? '', series), 'utf8')
      .trim()
      .split('\n');
    const count = (text: string | undefined) => (text ? Number(text) : null);
    let previous: Parameters<typeof judgeDegraded>[0] = null;
    const refusedDays: string[] = [];
    for (const line of lines) {
      const [, day = '', likes, retweets, replies, quotes, bookmarks, views] = line.split(',');
      const metrics = {
        likes: count(likes),
        retweets: count(retweets),
        replies: count(replies),
        quotes: count(quotes),
        bookmarks: count(bookmarks),
        impressions: count(views),
        profile_clicks: null,
      };
      const read = { outcome: 'found', id: '1', source: 'graphql', quality: 'exact' } as const;
      if (judgeDegraded(previous, { ...read, metrics, author: null })) refusedDays.push(day);
      else previous = { captured_at: `${day}T00:00:00Z`, metrics };
    }
    const zeroDays = lines
      .filter((line) => line.includes(',0,0,'))
      .map((line) => line.slice(8, 18));
    expect(refusedDays).toEqual(zeroDays);
  });
});
