/** The HTML of the stand-in site: small pages that behave as X's do. */

/** X puts this into every page; a reader that takes it for the page's content sees only failures. */
const NOSCRIPT = `<noscript><div class="errorContainer"><h1>JavaScript is not available.</h1>
<p>We’ve detected that JavaScript is disabled in this browser.</p></div></noscript>`;

const SCRIPT_FAILURE = `<div id="ScriptLoadFailure"><form><span>Something went wrong, but don’t fret
— let’s give it another shot.</span><input type="submit" value="Try again"></form></div>`;

/** The page calls these operations, then shows what the first one gave. */
export type PageCall = { operation: string; variables: Record<string, unknown> };

export type PageOptions = {
  language: string;
  /** Prefix of the paths of the page's own calls, for example `/as/deleted`. */
  prefix: string;
  calls: PageCall[];
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

// Runs in the page. `tweetOf` finds posts in either operation; the label is X's own wording.
const SCRIPT = `
const root = document.querySelector('#react-root');
const words = [['reply_count', 'reply', 'replies'], ['retweet_count', 'repost', 'reposts'],
  ['favorite_count', 'like', 'likes'], ['bookmark_count', 'bookmark', 'bookmarks']];
function label(tweet) {
  const parts = words.map(([key, one, many]) => [tweet.legacy[key], one, many]);
  parts.push([Number(tweet.views?.count ?? 0), 'view', 'views']);
  return parts.filter(([n]) => n > 0).map(([n, one, many]) => n + ' ' + (n === 1 ? one : many)).join(', ');
}
function tweetsOf(body) {
  const thread = body.data?.threaded_conversation_with_injections_v2?.instructions ?? [];
  const entries = thread.flatMap((step) => step.entries ?? []);
  const results = entries.map((entry) => entry.content?.itemContent?.tweet_results?.result);
  return [body.data?.tweetResult?.result, ...results].filter((result) => result?.legacy);
}
function show(tweet) {
  const user = tweet.core?.user_results?.result;
  const handle = user?.core?.screen_name ?? user?.legacy?.screen_name;
  const article = document.createElement('article');
  article.dataset.testid = 'tweet';
  article.innerHTML = '<a><time></time></a><div role="group"></div>';
  article.querySelector('a').href = '/' + handle + '/status/' + tweet.rest_id;
  article.querySelector('time').dateTime = new Date(tweet.legacy.created_at).toISOString();
  article.querySelector('div').setAttribute('aria-label', label(tweet));
  root.append(article);
}
for (const { url } of calls) {
  fetch(url).then((response) => response.json()).then((body) => tweetsOf(body).forEach(show))
    .catch(() => root.append('Something went wrong. Try reloading.'));
}`;

/** The address of one call; the hash is of the form of X's rotating query ids. */
export function callUrl(prefix: string, { operation, variables }: PageCall): string {
  const hash = 'xOhkmRac04YFZmOzU9PJHg';
  const query = encodeURIComponent(JSON.stringify(variables));
  return `${prefix}/i/api/graphql/${hash}/${operation}?variables=${query}`;
}

/** A page that fetches its own data, as every page of X does. */
export function appPage(options: PageOptions): string {
  const calls = options.calls.map((call) => ({ url: callUrl(options.prefix, call) }));
  return `<!doctype html><html lang="${options.language}"><head><title>X</title></head><body>
${NOSCRIPT}<div id="react-root">${(options.articles ?? []).map(article).join('')}</div>
<script>window.__INITIAL_STATE__={"session":{"isLoggedIn":false,"language":"${options.language}"}};
const calls = ${JSON.stringify(calls).replaceAll('<', '\\u003c')};${SCRIPT}</script></body></html>`;
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
