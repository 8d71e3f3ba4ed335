/**
 * The fallback: the exact counts that X writes into the action bar's `aria-label` for screen
 * readers. Used only when the page shows the post but its GraphQL response did not come. The
 * visible text is abbreviated and truncated, so it is never read.
 */
import type { Metrics } from '../../../shared/contracts/read.ts';
import { type PostRead, type Refusal, refuse } from './outcome.ts';

/** One `article[data-testid="tweet"]` as the page holds it. */
export type ArticleSeen = {
  /** `href` of the links around a `time`: the article's own permalinks. */
  permalinks: string[];
  /** `aria-label` of every `div[role="group"]` inside the article. */
  groupLabels: string[];
};

/** What a page shows, taken in one look. Text of the `noscript` is never part of it. */
export type PageSeen = {
  url: string;
  title: string;
  isComplete: boolean;
  /** `isLoggedIn` of the page's own state; null when the page does not say. */
  isLoggedIn: boolean | null;
  hasLoginForm: boolean;
  /** `#ScriptLoadFailure` is shown: X's own scripts did not load. */
  hasScriptFailure: boolean;
  articles: ArticleSeen[];
};

type LabelledCount = 'likes' | 'retweets' | 'replies' | 'bookmarks' | 'impressions';

const ENGLISH_WORDS = new Map<string, LabelledCount>([
  ['reply', 'replies'],
  ['replies', 'replies'],
  ['repost', 'retweets'],
  ['reposts', 'retweets'],
  ['retweet', 'retweets'],
  ['retweets', 'retweets'],
  ['like', 'likes'],
  ['likes', 'likes'],
  ['bookmark', 'bookmarks'],
  ['bookmarks', 'bookmarks'],
  ['view', 'impressions'],
  ['views', 'impressions'],
]);
const JAPANESE_WORDS = new Map<string, LabelledCount>([
  ['返信', 'replies'],
  ['リポスト', 'retweets'],
  ['リツイート', 'retweets'],
  ['いいね', 'likes'],
  ['ブックマーク', 'bookmarks'],
  ['表示', 'impressions'],
]);

/** Whole digits, or groups of three behind commas: an abbreviated number never matches. */
const NUMBER = String.raw`(\d{1,3}(?:,\d{3})+|\d+)`;

const LOCALES = [
  { part: new RegExp(`^${NUMBER} ([A-Za-z]+)$`), separator: /, (?=\d)/, words: ENGLISH_WORDS },
  { part: new RegExp(`^${NUMBER} ?件の ?([^\\d\\s]+)$`), separator: /、/, words: JAPANESE_WORDS },
];

function readLabelIn(
  label: string,
  { part, separator, words }: (typeof LOCALES)[number],
): Map<LabelledCount, number> | null {
  const counts = new Map<LabelledCount, number>();
  for (const text of label.trim().split(separator)) {
    const [, digits, word] = part.exec(text.trim()) ?? [];
    const key = words.get(word?.toLowerCase() ?? '');
    if (digits === undefined || key === undefined || counts.has(key)) return null;
    const value = Number(digits.replaceAll(',', ''));
    if (!Number.isSafeInteger(value)) return null;
    counts.set(key, value);
  }
  return counts;
}

/**
 * Reads a label such as `33 replies, 274 reposts, 1556 likes, 22 bookmarks, 27014 views`, English
 * or Japanese. A part that X omits is 0, except the views, which may be unknown: null. Quotes are
 * never in it: null.
 * @returns null when any part is not understood: another language, an abbreviated number, a word
 *   that is not a count
 */
export function readGroupLabel(label: string): Metrics | null {
  for (const locale of LOCALES) {
    const counts = readLabelIn(label, locale);
    if (counts === null) continue;
    return {
      likes: counts.get('likes') ?? 0,
      retweets: counts.get('retweets') ?? 0,
      replies: counts.get('replies') ?? 0,
      quotes: null,
      bookmarks: counts.get('bookmarks') ?? 0,
      impressions: counts.get('impressions') ?? null,
      profile_clicks: null,
    };
  }
  return null;
}

function statusIdOf(href: string): string | null {
  return /\/status\/(\d+)(?:[/?#]|$)/.exec(href)?.[1] ?? null;
}

/** The article whose own permalink is the post asked for: a reply shows its parent first. */
export function focalArticle(seen: PageSeen, asked: string): ArticleSeen | null {
  return (
    seen.articles.find((article) =>
      article.permalinks.some((href) => statusIdOf(href) === asked),
    ) ?? null
  );
}

/**
 * Reads the post `asked` from its article; null when the page does not show it. A label that is
 * not understood is `shape_changed`: no number is guessed.
 */
export function readPostFromPage(seen: PageSeen, asked: string): PostRead | null {
  const article = focalArticle(seen, asked);
  if (article === null) return null;
  const labels = article.groupLabels.filter((label) => label.trim() !== '');
  if (labels.length === 0) {
    return refuse('shape_changed', { missing: ['article div[role=group][aria-label]'] });
  }
  const read = labels.map(readGroupLabel).filter((metrics) => metrics !== null);
  const metrics = read[0];
  if (metrics === undefined || read.length > 1) {
    return refuse('shape_changed', {
      differing: ['article div[role=group][aria-label]'],
      labels: labels.length,
      understood: read.length,
    });
  }
  return { outcome: 'found', id: asked, source: 'dom', quality: 'exact', metrics, author: null };
}

/**
 * What a page that shows no post means, or null when it may still be loading. "JavaScript is not
 * available." stands in the `noscript` of every page and therefore says nothing.
 */
export function judgePage(seen: PageSeen): Refusal | null {
  if (seen.articles.length > 0) return null;
  const isLoginPage =
    /^Log in to (X|Twitter)/.test(seen.title) || /\/i\/flow\/login/.test(seen.url);
  if (isLoginPage || (seen.hasLoginForm && seen.isLoggedIn === false)) {
    return refuse('login_required', { page: 'login' });
  }
  if (seen.hasScriptFailure && seen.isComplete) {
    return refuse('transient', { page: 'script failure' });
  }
  return null;
}
