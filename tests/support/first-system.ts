/** Databases of the system before Postloop, with the dirt that they gathered. */
import { readFileSync } from 'node:fs';
import type postgres from 'postgres';
import { snowflakeId } from '../../shared/snowflake.ts';
import { HOUR_MS } from './scenario.ts';

/** The three shapes that `post_attribution` had. */
export const SHAPES = ['post-id', 'tweet-id', 'uuid-key'] as const;
export type Shape = (typeof SHAPES)[number];

/** What decision ids were. */
export const ID_TYPES = ['text', 'uuid'] as const;
export type IdType = (typeof ID_TYPES)[number];

const folder = new URL('../fixtures/first-system/', import.meta.url);
const fixture = (name: string, ids: IdType) =>
  readFileSync(new URL(name, folder), 'utf8').replaceAll('decision_key', ids);

/** Creates the tables of the old system, with its grants, policies and views. */
export async function createFirstSystem(
  sql: postgres.Sql,
  shape: Shape,
  ids: IdType,
): Promise<void> {
  await sql.unsafe(fixture('tables.sql', ids)).simple();
  await sql.unsafe(fixture(`post-attribution.${shape}.sql`, ids)).simple();
}

/** What the import is to say of a row. */
type Verdict = { result: string; reason: string | null };
type Row = { note: string } & Record<string, unknown>;

/** A thousand rows of each table. `note` names the case of a row, `verdicts` what becomes of it. */
export type History = {
  content_metadata: Row[];
  post_attribution: Row[];
  real_tweet_metrics: Row[];
  verdicts: Record<string, Verdict>;
  /** Posts that learning must find, by tone. */
  finishedByTone: Record<string, number>;
};

const ROWS = 1000;
const POSTS = 200;
const TONES = ['dry', 'warm', 'urgent'];
const BEGIN = new Date('2025-01-06T08:00:00Z');
const FUTURE = new Date('2099-01-01T00:00:00Z');

const verdict = (result: string, reason: string | null = null): Verdict => ({ result, reason });
const RANDOM = 'its numbers were drawn at random and stay in first_system';

const VERDICTS: Record<string, Verdict> = {
  // content_metadata
  'decision: its post names it': verdict('linked'),
  'decision: names its post': verdict('linked'),
  'decision: has the id of its post': verdict('linked'),
  'decision: no post': verdict('kept'),
  'decision: blank and overlong values': verdict(
    'changed',
    'kept; left out of the vocabulary: tone',
  ),
  'decision: free text as hook': verdict(
    'changed',
    'kept; left out of the vocabulary: hook_pattern',
  ),
  'decision: hook used often': verdict('kept'),
  'decision: in the future': verdict('changed', 'kept; no true time of decision'),
  'decision: duplicate': verdict('set_aside', 'duplicate: a newer row of the decision is kept'),
  'decision: no id': verdict('set_aside', 'no decision id'),
  // post_attribution
  'post: names its decision': verdict('linked', RANDOM),
  'post: named by its decision': verdict('linked', RANDOM),
  'post: names a lost decision': verdict('linked', RANDOM),
  'post: no decision, no numbers': verdict('kept'),
  'post: no posting time': verdict('kept'),
  'post: time of queueing': verdict('changed', 'kept; not the posting time'),
  'post: no digits': verdict('set_aside', 'not a post id'),
  'post: blank id': verdict('set_aside', 'no post id'),
  'post: old id without time': verdict('set_aside', 'no posting time'),
  'post: old id of the future': verdict('set_aside', 'posting time in the future'),
  'post: duplicate': verdict('set_aside', 'duplicate: another row of the post is kept'),
  'post: second of a decision': verdict('kept', 'its decision led to an earlier post'),
  // real_tweet_metrics
  'read: good': verdict('kept'),
  'read: estimated': verdict('marked', 'impressions are an estimate: 30 x engagement'),
  'read: negative': verdict('changed', 'a count below 0'),
  'read: impressions unknown': verdict('changed', 'impressions 0 beside engagement'),
  'read: too early': verdict('set_aside', 'read before the post'),
  'read: same moment': verdict('set_aside', 'duplicate: another row of the same reading is kept'),
  'read: farther': verdict('set_aside', 'a read nearer to its phase is kept'),
  'read: in the future': verdict('marked', 'read in the future'),
  'read: no digits': verdict('set_aside', 'not a post id'),
  'read: no id': verdict('set_aside', 'no post id'),
  'read: no time': verdict('set_aside', 'no time of reading'),
  'read: not verified': verdict('marked', 'not verified'),
  'read: too much engagement': verdict('marked', 'more engagement than impressions'),
  'read: only defaults': verdict('marked', 'every count is 0, the old default'),
  'read: another posting time': verdict('changed', 'not the posting time'),
  'read: old id without time': verdict('set_aside', 'no posting time'),
  'read: old id of the future': verdict('set_aside', 'posting time in the future'),
};

/** The history of an account in the form of one shape of the old database; the same every time. */
export function firstSystemHistory(shape: Shape, ids: IdType): History {
  const history: History = {
    content_metadata: [],
    post_attribution: [],
    real_tweet_metrics: [],
    verdicts: VERDICTS,
    finishedByTone: {},
  };
  for (let n = 0; n < POSTS; n += 1) addPost(history, n, ids);
  for (let n = 0; history.post_attribution.length < ROWS; n += 1) addLoosePost(history, n, ids);
  for (let n = 0; history.content_metadata.length < ROWS; n += 1) addLooseDecision(history, n, ids);
  history.post_attribution = history.post_attribution.map((row) => inShape(row, shape));
  return history;
}

/** Inserts the rows, in order. */
export async function storeHistory(sql: postgres.Sql, history: History): Promise<void> {
  for (const table of ['content_metadata', 'post_attribution', 'real_tweet_metrics'] as const) {
    const rows = history[table];
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const whole = rows.map((row) =>
      Object.fromEntries(columns.map((column) => [column, row[column] ?? null])),
    );
    await sql`insert into ${sql(`public.${table}`)} ${sql(whole)}`;
  }
}

const postedAt = (n: number) => new Date(BEGIN.getTime() + n * 7 * HOUR_MS);
const postId = (n: number) => snowflakeId(postedAt(n), n);
const decisionId = (n: number, ids: IdType) =>
  ids === 'text' ? `decision-${n}` : `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const tone = (n: number) => TONES[n % TONES.length] as string;

/** A post with its decision, known in one of four ways, and its reads. */
function addPost(history: History, n: number, ids: IdType): void {
  const decision = {
    decision_type: 'single',
    topic_cluster: `topic ${n % 20}`,
    tone: tone(n),
    created_at: new Date(postedAt(n).getTime() - HOUR_MS),
  };
  const post = {
    post: postId(n),
    posted_at: postedAt(n),
    followers_before: 30,
    impressions: 4321 + n,
  };
  const names = [
    ['decision: its post names it', 'post: names its decision'],
    ['decision: names its post', 'post: named by its decision'],
    ['decision: has the id of its post', 'post: named by its decision'],
    [undefined, 'post: names a lost decision'],
  ] as const;
  // a post id is no uuid, so there the third way is the second
  const way = n % 4 === 2 && ids === 'uuid' ? 1 : n % 4;
  const [decisionNote, postNote] = names[way as 0 | 1 | 2 | 3];
  const id = way === 2 ? postId(n) : decisionId(n, ids);
  if (decisionNote !== undefined) {
    const tweetId = way === 1 ? postId(n) : null;
    history.content_metadata.push({
      ...decision,
      decision_id: id,
      tweet_id: tweetId,
      note: decisionNote,
    });
    history.finishedByTone[tone(n)] = (history.finishedByTone[tone(n)] ?? 0) + 1;
  }
  history.post_attribution.push({
    ...post,
    decision_id: way === 0 || way === 3 ? id : null,
    note: postNote,
  });
  addReads(history, n);
}

const PHASES = [
  ['collection_1', 0.7],
  ['collection_2', 3],
  ['checkpoint_24h', 26],
  ['on_demand', 50],
] as const;

/** Four good reads, and a fifth that is one of the dirty ones. */
function addReads(history: History, n: number): void {
  const at = (age: number) => new Date(postedAt(n).getTime() + age * HOUR_MS);
  const read = (age: number, note: string, other: Record<string, unknown> = {}) => ({
    tweet_id: postId(n),
    collection_phase: 'scheduled_job',
    collected_at: at(age),
    posted_at: postedAt(n),
    likes: 10 + (n % 40),
    retweets: 2,
    replies: 1,
    bookmarks: 3,
    // never 30 x engagement, and no round number
    impressions: 30 * (13 + (n % 40)) + 7 + n,
    engagement_rate: 0.03,
    is_verified: true,
    note,
    ...other,
  });
  const dirty = [
    read(200, 'read: estimated', { impressions: 30 * (13 + (n % 40)), engagement_rate: 0.0333 }),
    read(200, 'read: negative', { retweets: -1 }),
    read(200, 'read: impressions unknown', { impressions: 0 }),
    read(-1, 'read: too early'),
    read(50, 'read: same moment'),
    read(60, 'read: farther'),
    read(0, 'read: in the future', { collected_at: FUTURE }),
    read(50, 'read: no digits', { tweet_id: `status-${n}` }),
    read(50, 'read: no id', {
      tweet_id: n % 3 ? null : '',
      collection_phase: `checkpoint_${n}`,
    }),
    read(0, 'read: no time', { collected_at: null }),
    read(200, 'read: not verified', { is_verified: false }),
    read(200, 'read: too much engagement', { bookmarks: 332_741_500 }),
    read(200, 'read: only defaults', {
      likes: 0,
      retweets: 0,
      replies: 0,
      bookmarks: 0,
      impressions: 0,
    }),
    read(200, 'read: another posting time', { posted_at: at(9) }),
    read(50, 'read: old id without time', { tweet_id: `2${n}`, posted_at: null }),
    read(50, 'read: old id of the future', { tweet_id: `3${n}`, posted_at: FUTURE }),
  ];
  history.real_tweet_metrics.push(
    ...PHASES.map(([phase, age]) => read(age, 'read: good', { collection_phase: phase })),
    dirty[n % dirty.length] as Row,
  );
}

/** A row of `post_attribution` without reads. */
function addLoosePost(history: History, n: number, ids: IdType): void {
  const later = POSTS + n;
  const post = (note: string, other: Record<string, unknown>) => ({
    post: postId(later),
    posted_at: postedAt(later),
    note,
    ...other,
  });
  const cases = [
    post('post: no decision, no numbers', {}),
    post('post: no posting time', { posted_at: null }),
    post('post: time of queueing', {
      posted_at: new Date(postedAt(later).getTime() - 2 * HOUR_MS),
    }),
    post('post: no digits', { post: `post-${n}` }),
    post('post: old id without time', { post: `4${n}`, posted_at: null }),
    post('post: old id of the future', { post: `5${n}`, posted_at: FUTURE }),
    post('post: duplicate', {
      post: `${' '.repeat(1 + Math.floor(n / POSTS))}${postId(n % POSTS)}`,
    }),
    // posts 0, 4, 8 … name their decisions
    post('post: second of a decision', { decision_id: decisionId((n % 50) * 4, ids) }),
  ];
  const blank = post('post: blank id', { post: '' });
  history.post_attribution.push(n === 3 ? blank : (cases[n % cases.length] as Row));
}

/** A row of `content_metadata` that led to no post. */
function addLooseDecision(history: History, n: number, ids: IdType): void {
  const decision = (note: string, other: Record<string, unknown> = {}) => ({
    decision_id: decisionId(POSTS + n, ids),
    tweet_id: null,
    decision_type: 'reply',
    topic_cluster: 'topic 1',
    created_at: postedAt(n),
    note,
    ...other,
  });
  const cases = [
    decision('decision: no post'),
    decision('decision: blank and overlong values', { topic_cluster: ' ', tone: 'x'.repeat(201) }),
    decision('decision: free text as hook', { hook_type: `Did you know fact ${n}?` }),
    decision('decision: hook used often', { hook_type: 'question' }),
    decision('decision: in the future', { created_at: FUTURE }),
    decision('decision: duplicate', {
      decision_id: decisionId((n % 50) * 4, ids),
      created_at: new Date('2024-01-01T00:00:00Z'),
    }),
    decision('decision: no id', { decision_id: null }),
  ];
  history.content_metadata.push(cases[n % cases.length] as Row);
}

/** The row with the columns that a shape has. */
function inShape(row: Row, shape: Shape): Row {
  const { post, ...rest } = row;
  return shape === 'tweet-id' ? { tweet_id: post, ...rest } : { post_id: post, ...rest };
}
