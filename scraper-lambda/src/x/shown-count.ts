/**
 * Counts as X writes them for people: whole, or abbreviated and truncated, never rounded up. 2,675
 * is shown as 2.6K and 11,721 as 11K, so "1.5K" stands for 1,500 to 1,599.
 */

/** The least and the most that a shown count may stand for; equal when it was shown whole. */
export type Bounds = readonly [least: number, most: number];

/** The languages whose suffixes are known. "B" is a billion in English, a thousand in Turkish. */
export type Language = 'en' | 'ja';

const SUFFIXES: Record<Language, Map<string, number>> = {
  en: new Map([
    ['K', 1e3],
    ['M', 1e6],
    ['B', 1e9],
  ]),
  ja: new Map([
    ['万', 1e4],
    ['億', 1e8],
  ]),
};

/** Digits, or groups of three behind commas; at most two decimals; a suffix without digits. */
export const SHOWN_COUNT = String.raw`(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?(?:\p{L}{1,4})?`;
const PARTS = /^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?(\p{L}{1,4})?$/u;

/**
 * Reads one shown count, for example `1,556`, `1.5K` or `1.5万`.
 * @returns null when it is not one, or its suffix is not of the language
 */
export function readShownCount(text: string, language: Language): Bounds | null {
  const [, whole = '', decimals = '', suffix] = PARTS.exec(text) ?? [];
  const unit = suffix === undefined ? 1 : SUFFIXES[language].get(suffix);
  if (whole === '' || unit === undefined || (suffix === undefined && decimals !== '')) return null;
  const step = unit / 10 ** decimals.length;
  const least = Number(whole.replaceAll(',', '') + decimals) * step;
  const most = least + step - 1;
  return Number.isSafeInteger(most) ? [least, most] : null;
}
