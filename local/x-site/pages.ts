/** The HTML of the stand-in site: small pages that behave as X's do. */
import { PAGE_SCRIPT } from './page-script.ts';
import type { PageAssets } from './page-weight.ts';

/** X puts this into every page; a reader that takes it for the page's content sees only failures. */
const NOSCRIPT = `<noscript><div class="errorContainer"><h1>JavaScript is not available.</h1>
<p>We’ve detected that JavaScript is disabled in this browser.</p></div></noscript>`;

const SCRIPT_FAILURE = `<div id="ScriptLoadFailure"><form><span>Something went wrong, but don’t fret
— let’s give it another shot.</span><input type="submit" value="Try again"></form></div>`;

/** The height of a post, so that a timeline can be scrolled. */
const STYLE = '<style>article{min-height:200px}img{width:40px;height:40px}</style>';

/** The page calls these operations and shows their posts. */
export type PageCall = { operation: string; variables: Record<string, unknown> };

export type PageOptions = {
  language: string;
  /** Prefix of the paths of the page's own calls, for example `/as/deleted`. */
  prefix: string;
  calls?: PageCall[];
  /** The handle of the profile that the page shows, timeline included. */
  profile?: string;
  isLoggedIn?: boolean;
  assets?: PageAssets | undefined;
  /** Articles that the page shows without any GraphQL answer. */
  articles?: ArticleText[];
};

export type ArticleText = { handle: string; id: string; at: string; label: string };

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

function article({ handle, id, at, label }: ArticleText): string {
  return `<article data-testid="tweet"><a href="/${handle}/status/${id}"><time datetime="${at}">
1h</time></a><div lang="en">redacted</div><div role="group" aria-label="${escapeHtml(label)}">
<button data-testid="reply">1</button><button data-testid="like">1.5K</button></div></article>`;
}

/** The page's own calls go there; the hash is of the form of X's rotating query ids. */
const endpointOf = (prefix: string) => `${prefix}/i/api/graphql/xOhkmRac04YFZmOzU9PJHg`;

/** A page that fetches its own data, as every page of X does. */
export function appPage(options: PageOptions): string {
  const { language, assets } = options;
  const page = {
    endpoint: endpointOf(options.prefix),
    calls: options.calls ?? [],
    profile: options.profile ?? null,
    images: assets?.images ?? [],
  };
  const state = { session: { isLoggedIn: options.isLoggedIn ?? false, language } };
  return `<!doctype html><html lang="${language}"><head><title>X</title>${STYLE}${head(assets)}
</head><body>${NOSCRIPT}<div id="react-root">${(options.articles ?? []).map(article).join('')}</div>
${(assets?.scripts ?? []).map((src) => `<script src="${src}"></script>`).join('\n')}
<script>window.__INITIAL_STATE__=${JSON.stringify(state)};
const page = ${JSON.stringify(page).replaceAll('<', '\\u003c')};${PAGE_SCRIPT}</script></body></html>`;
}

function head(assets: PageAssets | undefined): string {
  if (assets === undefined) return '';
  const fonts = assets.fonts.map(
    (href) => `<link rel="preload" as="font" crossorigin href="${href}">`,
  );
  const other = assets.thirdParty ? `<script async src="${assets.thirdParty}"></script>` : '';
  return fonts.join('') + other;
}

export const loginPage = (): string => `<!doctype html><html lang="en"><head>
<title>Log in to X / X</title></head><body>${NOSCRIPT}<div id="react-root">
<input autocomplete="username" name="text"></div>
<script>window.__INITIAL_STATE__={"session":{"isLoggedIn":false}};</script></body></html>`;

export const scriptShellPage = (): string => `<!doctype html><html lang="en"><head><title>X</title>
</head><body>${NOSCRIPT}<div id="react-root">${SCRIPT_FAILURE}</div>
<script>window.__INITIAL_STATE__={"session":{"isLoggedIn":true}};</script></body></html>`;

export const cloudflarePage = (): string => `<!doctype html><html lang="en"><head>
<title>Attention Required! | Cloudflare</title></head><body><h1>Sorry, you have been blocked</h1>
</body></html>`;
