/**
 * The canary: what a payload of X looks like where the numbers are, as a hash. An unseen hash says
 * that X moved, renamed or retyped something, often before a reader notices.
 */
import { createHash } from 'node:crypto';
import type { PayloadShape } from '../../../shared/contracts/read.ts';

/** Objects of X that carry numbers, and the answers without numbers that the readers know. */
const TYPED = new Set(['Tweet', 'User']);
const WRAPPER = 'TweetWithVisibilityResults';
const KNOWN_REFUSALS = new Set([
  'TweetTombstone',
  'TweetUnavailable',
  'TweetPreviewDisplay',
  'UserUnavailable',
]);

/** Parts of a post or user that are content, another post, or a post's past: not its numbers. */
const LEFT_OUT = new Set([
  'article',
  'birdwatch_pivot',
  'card',
  'community_results',
  'edit_control',
  'entities',
  'extended_entities',
  'note_tweet',
  'place',
  'previous_counts',
  'quotedRefResult',
  'quoted_status_result',
  'retweeted_status_result',
  'tipjar_settings',
  'withheld_in_countries',
]);

/** Numbers that count nothing: ids, times, positions. */
const NO_COUNT = /(^|_)(ids?|id_str|ids_str|at|ms|msecs|time|offset|version|remaining)$/i;

/** The ways from a timeline's instructions to one of its posts, which readers treat as one. */
const TIMELINE_ITEM =
  /\.instructions\[\]\.(?:entries\[\]|entry)\.content\.(?:itemContent|content|items\[\]\.item\.(?:itemContent|content))\.|\.instructions\[\]\.(?:moduleItems|entries)\[\]\.item\.(?:itemContent|content)\./;

/** A key that a programmer wrote; others hold data, such as an id, and are all the same. */
const WRITTEN_KEY = /^[A-Za-z_$][A-Za-z_$0-9]{0,59}$/;

/** Deeper than any known payload; what is nested deeper is cut off. */
const MAX_DEPTH = 40;
const MAX_PATHS = 2_000;
const MAX_PATH_LENGTH = 300;
const HASH_LENGTH = 32;

/** Where the walk is: below an object of a type, whose numbers count, or on the way to one. */
type Place = { path: string; counts: boolean; depth: number };

/**
 * The shape of a payload: the sorted set of
 * - where its posts and users stand: `data.user.result: User`, for each post and user; the ways
 *   through a timeline's entries, modules and pins are one, and an array's indices are `[]`;
 * - which numbers they have and of which type: `Tweet.legacy.favorite_count: number`,
 *   `Tweet.views.count: digits` (digits in text), collected over all objects of the type;
 * - results of a type that no reader knows.
 * Left out is everything that differs from page to page and bears no count: texts, flags, ids,
 * times, media, cards, quoted and retweeted posts, cursors, users to follow, tombstones. So pages
 * of one kind share one hash, whatever is on them; keys that are data, such as ids, become `*`.
 */
export function payloadShape(operation: string, body: unknown): PayloadShape {
  const found = new Set<string>();
  walk(body, { path: '', counts: false, depth: 0 }, found);
  const paths = [...found].sort().slice(0, MAX_PATHS);
  const hash = createHash('sha256').update(paths.join('\n')).digest('hex').slice(0, HASH_LENGTH);
  return { operation: operation.slice(0, 100) || 'unknown', hash, paths };
}

function add(found: Set<string>, path: string, type: string): void {
  const shown = path.replace(TIMELINE_ITEM, '.instructions[].<item>.');
  found.add(`${shown}: ${type}`.slice(0, MAX_PATH_LENGTH));
}

function walk(value: unknown, { path, counts, depth }: Place, found: Set<string>): void {
  if (depth > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object') {
        walk(item, { path: `${path}[]`, counts, depth: depth + 1 }, found);
      }
    }
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const isResult = /(^|\.)(result|tweet)$/.test(path.replaceAll('[]', ''));
  const typename = isResult ? typeOf(value) : null;
  if (typename !== null) {
    if (KNOWN_REFUSALS.has(typename)) return;
    if (typename === WRAPPER) {
      const { tweet } = value as { tweet?: unknown };
      walk(typed(tweet), { path, counts, depth: depth + 1 }, found);
      return;
    }
    const type = WRITTEN_KEY.test(typename) ? typename : '*';
    add(found, path, type);
    if (TYPED.has(type)) {
      walkKeys(value, { path: type, counts: true, depth }, found);
      return;
    }
  }
  walkKeys(value, { path, counts, depth }, found);
}

/** The type of a result as X names it, else as its counts tell it. */
function typeOf(result: object): string | null {
  const { __typename, legacy } = result as { __typename?: unknown; legacy?: unknown };
  if (typeof __typename === 'string') return __typename;
  if (typeof legacy !== 'object' || legacy === null) return null;
  if ('favorite_count' in legacy) return 'Tweet';
  return 'followers_count' in legacy ? 'User' : null;
}

/** The post inside `TweetWithVisibilityResults`, which does not name its type again. */
function typed(tweet: unknown): unknown {
  const isObject = typeof tweet === 'object' && tweet !== null && !Array.isArray(tweet);
  return isObject ? { __typename: 'Tweet', ...tweet } : tweet;
}

function walkKeys(object: object, { path, counts, depth }: Place, found: Set<string>): void {
  for (const [key, value] of Object.entries(object)) {
    const isUserToFollow = key === 'user_results' && path.includes('instructions[]');
    if (LEFT_OUT.has(key) || isUserToFollow) continue;
    const name = WRITTEN_KEY.test(key) ? key : '*';
    const below = path === '' ? name : `${path}.${name}`;
    if (typeof value === 'object') {
      // Entries have positions and cursors of their own; only their posts are looked into.
      const inside = { path: below, counts: counts && key !== 'instructions', depth: depth + 1 };
      walk(value, inside, found);
    } else if (counts && !NO_COUNT.test(key)) {
      const type = countType(value);
      if (type !== null) add(found, below, type);
    }
  }
}

function countType(value: unknown): 'number' | 'digits' | null {
  if (typeof value === 'number') return 'number';
  return typeof value === 'string' && /^\d+$/.test(value) ? 'digits' : null;
}
