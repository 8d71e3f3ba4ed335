/**
 * The fallback, used only when the page shows the post or profile but its GraphQL response did not
 * come: the action bar's `aria-label` for screen readers, which has exact counts, else what its
 * buttons show, which may be abbreviated.
 */

import {
  type ButtonSeen,
  type LabelRead,
  readButtons,
  readFollowerText,
  readGroupLabel,
} from './labels.ts';
import type { PostRead, ProfileRead, Refusal } from './outcome.ts';
import { refuse } from './outcome.ts';
import type { Language } from './shown-count.ts';

/** One `article[data-testid="tweet"]` as the page holds it. */
export type ArticleSeen = {
  /** `href` of the links around a `time`: the article's own permalinks. */
  permalinks: string[];
  /** `aria-label` of every `div[role="group"]` inside the article. */
  groupLabels: string[];
  /** What stands inside those groups with a `data-testid`, and the link to `/analytics`. */
  buttons?: ButtonSeen[];
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
  /** `lang` of the document, such as `en`; null when it has none. */
  language?: string | null;
  /** Links whose path ends in `/followers` or `/verified_followers`, with their whole text. */
  followerLinks?: { href: string; text: string }[];
};

function statusIdOf(href: string): string | null {
  return /\/status\/(\d+)(?:[/?#]|$)/.exec(href)?.[1] ?? null;
}

/** The article whose own permalink is the post asked for: a reply shows its parent first. */
function focalArticle(seen: PageSeen, asked: string): ArticleSeen | null {
  return (
    seen.articles.find((article) =>
      article.permalinks.some((href) => statusIdOf(href) === asked),
    ) ?? null
  );
}

/**
 * Reads the post `asked` from its article; null when the page does not show it. A label that is
 * not understood is `shape_changed`: no number is guessed. Abbreviated numbers make the read
 * `rounded`: each is the least that it may be, and the evidence has its `bounds`.
 */
export function readPostFromPage(seen: PageSeen, asked: string): PostRead | null {
  const article = focalArticle(seen, asked);
  if (article === null) return null;
  const labels = article.groupLabels.filter((label) => label.trim() !== '');
  const understood = labels.map(readGroupLabel).filter((one) => one !== null);
  const buttons = article.buttons ?? [];
  const read = understood[0] ?? readButtons(buttons, languageOf(seen));
  if (read !== null && understood.length <= 1) return postOf(asked, read);
  if (labels.length === 0 && buttons.length === 0) {
    return refuse('shape_changed', { missing: ['article div[role=group][aria-label]'] });
  }
  return refuse('shape_changed', {
    differing: ['article div[role=group][aria-label]'],
    labels: labels.length,
    understood: understood.length,
  });
}

function postOf(id: string, { metrics, bounds }: LabelRead): PostRead {
  const isExact = Object.keys(bounds).length === 0;
  return {
    outcome: 'found',
    id,
    source: 'dom',
    quality: isExact ? 'exact' : 'rounded',
    metrics,
    author: null,
    ...(isExact ? {} : { evidence: { bounds } }),
  };
}

function languageOf({ language }: PageSeen): Language | null {
  const primary = language?.toLowerCase().split('-')[0];
  return primary === 'en' || primary === 'ja' ? primary : null;
}

/** `/<handle>/followers` or `/<handle>/verified_followers`, on this site or with its host. */
const FOLLOWERS_PATH = /^(?:https?:\/\/[^/]+)?\/([A-Za-z0-9_]{1,15})\/(?:verified_)?followers\/?$/;

/**
 * Reads the follower count of `handle` from the link to its followers; null when the page has none.
 * A number that is not shown whole is not exact: it is the least that it may be.
 */
export function readProfileFromPage(seen: PageSeen, handle: string): ProfileRead | null {
  const own = (seen.followerLinks ?? []).filter(
    ({ href }) => FOLLOWERS_PATH.exec(href)?.[1]?.toLowerCase() === handle.toLowerCase(),
  );
  if (own.length === 0) return null;
  const counts = own.map(({ text }) => readFollowerText(text));
  const [first] = counts;
  const isSame = counts.every((one) => one?.[0] === first?.[0] && one?.[1] === first?.[1]);
  if (!first || !isSame) return refuse('shape_changed', { differing: ['a[href$=followers]'] });
  const isExact = first[0] === first[1];
  return {
    outcome: 'found',
    id: null,
    handle,
    source: 'dom',
    followers: first[0],
    isExact,
    ...(isExact ? {} : { evidence: { bounds: { followers: first } } }),
  };
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
