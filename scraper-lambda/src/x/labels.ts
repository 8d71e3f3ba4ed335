/** Reads the words and numbers that X writes on a page, in English and Japanese: pure. */
import type { Metrics } from '../../../shared/contracts/read.ts';
import { type Bounds, type Language, readShownCount, SHOWN_COUNT } from './shown-count.ts';

type ShownMetric = 'likes' | 'retweets' | 'replies' | 'bookmarks' | 'impressions';
type Shown = Map<ShownMetric, Bounds>;

/**
 * The counts of one action bar. `bounds` has those that were abbreviated; their number in
 * `metrics` is the least that they may be.
 */
export type LabelRead = { metrics: Metrics; bounds: Partial<Record<ShownMetric, Bounds>> };

/** One button of the action bar: its `data-testid`, its `aria-label` and its visible text. */
export type ButtonSeen = { testId: string; label: string; text: string };

const ENGLISH_WORDS = new Map<string, ShownMetric>([
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
const JAPANESE_WORDS = new Map<string, ShownMetric>([
  ['返信', 'replies'],
  ['リポスト', 'retweets'],
  ['リツイート', 'retweets'],
  ['いいね', 'likes'],
  ['ブックマーク', 'bookmarks'],
  ['表示', 'impressions'],
]);

type Locale = {
  language: Language;
  part: RegExp;
  separator: RegExp;
  words: Map<string, ShownMetric>;
  followers: RegExp;
};

/** The words prove the language, and so what an abbreviation in the same text means. */
const LOCALES: Locale[] = [
  {
    language: 'en',
    part: new RegExp(`^(${SHOWN_COUNT}) ([A-Za-z]+)$`, 'u'),
    separator: /, (?=\d)/,
    words: ENGLISH_WORDS,
    followers: new RegExp(`^(?<count>${SHOWN_COUNT}) Followers?$`, 'u'),
  },
  {
    language: 'ja',
    part: new RegExp(`^(${SHOWN_COUNT}?) ?件の ?([^\\d\\s]+)$`, 'u'),
    separator: /、/,
    words: JAPANESE_WORDS,
    followers: new RegExp(`^(?<count>${SHOWN_COUNT}?) ?(?:人の)?フォロワー$`, 'u'),
  },
];

/** The metric and its bounds of one part such as `1556 likes`; null when it is not understood. */
function readPart(text: string, { language, part, words }: Locale): [ShownMetric, Bounds] | null {
  const [, number = '', word = ''] = part.exec(text.trim()) ?? [];
  const metric = words.get(word.toLowerCase());
  const bounds = readShownCount(number, language);
  return metric === undefined || bounds === null ? null : [metric, bounds];
}

function readLabelIn(label: string, locale: Locale): Shown | null {
  const shown: Shown = new Map();
  for (const text of label.trim().split(locale.separator)) {
    const read = readPart(text, locale);
    if (read === null || shown.has(read[0])) return null;
    shown.set(...read);
  }
  return shown;
}

/**
 * Reads a label such as `33 replies, 274 reposts, 1556 likes, 22 bookmarks, 27014 views`, English
 * or Japanese. A part that X omits is 0, except the views, which may be unknown: null. Quotes are
 * never in it: null.
 * @returns null when any part is not understood: another language, an unknown suffix, a word that
 *   is not a count
 */
export function readGroupLabel(label: string): LabelRead | null {
  for (const locale of LOCALES) {
    const shown = readLabelIn(label, locale);
    if (shown === null) continue;
    for (const metric of ['likes', 'retweets', 'replies', 'bookmarks'] as const) {
      if (!shown.has(metric)) shown.set(metric, [0, 0]);
    }
    return labelReadOf(shown);
  }
  return null;
}

function labelReadOf(shown: Shown): LabelRead {
  const least = (metric: ShownMetric): number | null => shown.get(metric)?.[0] ?? null;
  return {
    metrics: {
      likes: least('likes'),
      retweets: least('retweets'),
      replies: least('replies'),
      quotes: null,
      bookmarks: least('bookmarks'),
      impressions: least('impressions'),
      profile_clicks: null,
    },
    bounds: Object.fromEntries([...shown].filter(([, [from, to]]) => from !== to)),
  };
}

/** The buttons by their `data-testid`, also as they are after the viewer acted. */
const BUTTONS = new Map<string, ShownMetric>([
  ['reply', 'replies'],
  ['retweet', 'retweets'],
  ['unretweet', 'retweets'],
  ['like', 'likes'],
  ['unlike', 'likes'],
]);

/**
 * Reads the buttons of an action bar without a label. Each tells its count in its own label
 * (`1556 Likes. Like`), else in its text, which may be abbreviated. The bookmark button has no
 * count, and a button without any text has none either: null.
 * @param language of the page; null when it is not known, then an abbreviated text is not read
 * @returns null unless replies, retweets and likes are all there and understood
 */
export function readButtons(buttons: ButtonSeen[], language: Language | null): LabelRead | null {
  const shown: Shown = new Map();
  for (const button of buttons) {
    const metric = BUTTONS.get(button.testId);
    if (metric === undefined) continue;
    const bounds = readButton(button, metric, language);
    if (bounds === null || shown.has(metric)) return null;
    shown.set(metric, bounds);
  }
  return shown.size === 3 ? labelReadOf(shown) : null;
}

function readButton(
  { label, text }: ButtonSeen,
  metric: ShownMetric,
  language: Language | null,
): Bounds | null {
  for (const locale of LOCALES) {
    const read = readPart(label.split(/\. |。/)[0] ?? '', locale);
    if (read?.[0] === metric) return read[1];
  }
  return language === null ? null : readShownCount(text.trim(), language);
}

/**
 * Reads the text of the link to an account's followers, such as `412 Followers`, `683.2K Followers`
 * or `1.5万 フォロワー`; null when it is not understood.
 */
export function readFollowerText(text: string): Bounds | null {
  const shown = text.trim().replace(/\s+/g, ' ');
  for (const { language, followers } of LOCALES) {
    const count = followers.exec(shown)?.groups?.count;
    if (count !== undefined) return readShownCount(count, language);
  }
  return null;
}
