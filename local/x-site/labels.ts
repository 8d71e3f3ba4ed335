/** The action bar's label as X words it for screen readers, per language. */
import type { PostNumbers } from './payloads.ts';

type Wording = (counts: PostNumbers) => string;

const english: Wording = (counts) => {
  const words: [number | null, string, string][] = [
    [counts.replies, 'reply', 'replies'],
    [counts.retweets, 'repost', 'reposts'],
    [counts.likes, 'like', 'likes'],
    [counts.bookmarks, 'bookmark', 'bookmarks'],
    [counts.impressions, 'view', 'views'],
  ];
  // X omits what is zero.
  const shown = words.filter(([count]) => count !== null && count > 0);
  return shown.map(([count, one, many]) => `${count} ${count === 1 ? one : many}`).join(', ');
};

const japanese: Wording = (counts) => {
  const words: [number | null, string][] = [
    [counts.replies, '返信'],
    [counts.retweets, 'リポスト'],
    [counts.likes, 'いいね'],
    [counts.bookmarks, 'ブックマーク'],
    [counts.impressions, '表示'],
  ];
  const shown = words.filter(([count]) => count !== null && count > 0);
  return shown.map(([count, word]) => `${count} 件の${word}`).join('、');
};

const turkish: Wording = (counts) =>
  `${counts.replies} yanıt, ${counts.retweets} yeniden gönderi, ${counts.likes} beğeni`;

export const LABELS: Record<string, Wording> = { en: english, ja: japanese, tr: turkish };
