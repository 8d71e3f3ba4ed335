/**
 * Opens a page of X in a browser tab and decides what it gave. The first GraphQL answer about what
 * was asked decides; a page that shows the post without one is read from its action bar; a page
 * that shows neither is a refusal. Nothing waits for the network to be idle.
 */
import type { HTTPResponse, Page } from 'puppeteer-core';
import { judgePage, type PageSeen, readPostFromPage } from './dom.ts';
import {
  isPostOperation,
  isProfileOperation,
  type Operation,
  operationOf,
  readPostPayload,
  readProfilePayload,
} from './graphql.ts';
import {
  type HttpAnswer,
  judgeHttp,
  type PostRead,
  type ProfileRead,
  type Refusal,
  refuse,
} from './outcome.ts';

/** How often the page is looked at while no GraphQL answer has come, in milliseconds. */
const LOOK_EVERY_MS = 400;

/** How long a page that already shows the post is given for its GraphQL answer, in milliseconds. */
const DOM_GRACE_MS = 1_500;

type Reading<Found> = {
  /** Whether a GraphQL call is about what was asked. */
  wants: (operation: Operation) => boolean;
  parse: (operation: string, body: unknown, headers: Record<string, string>) => Found | Refusal;
  /** The reading of a page without its GraphQL answer; null when there is nothing to read. */
  look: (seen: PageSeen) => Found | Refusal | null;
};

/**
 * Reads one post.
 * @param url the post's page
 * @param id the post that the page must show
 * @param patienceMs how long to wait for an answer before the page is `transient`
 */
export function readPostPage(
  page: Page,
  url: string,
  id: string,
  patienceMs: number,
): Promise<PostRead> {
  return readPage<PostRead>(page, url, patienceMs, {
    wants: ({ name, variables }) => {
      const about = variables.focalTweetId ?? variables.tweetId ?? id;
      return isPostOperation(name) && String(about) === id;
    },
    parse: (operation, body, headers) => readPostPayload(operation, body, id, headers),
    look: (seen) => readPostFromPage(seen, id),
  });
}

/** Reads the follower count of one account from its profile page. */
export function readProfilePage(
  page: Page,
  url: string,
  handle: string,
  patienceMs: number,
): Promise<ProfileRead> {
  return readPage<ProfileRead>(page, url, patienceMs, {
    wants: ({ name, variables }) => {
      const about = variables.screen_name ?? handle;
      return isProfileOperation(name) && String(about).toLowerCase() === handle.toLowerCase();
    },
    parse: (_operation, body, headers) => readProfilePayload(body, handle, headers),
    look: () => null,
  });
}

async function readPage<Found>(
  page: Page,
  url: string,
  patienceMs: number,
  reading: Reading<Found>,
): Promise<Found | Refusal> {
  const { promise: answered, resolve: answer } = Promise.withResolvers<Found | Refusal>();
  const onResponse = (response: HTTPResponse): void => {
    void judgeResponse(page, response, reading).then(
      (read) => read && answer(read),
      // A body that cannot be fetched any more counts as an answer that did not come.
      () => {},
    );
  };
  page.on('response', onResponse);
  const stopped = new AbortController();
  const opening = page
    .goto(url, { waitUntil: 'domcontentloaded', timeout: patienceMs })
    .then(() => watchPage(page, reading, stopped.signal))
    .catch((error: Error) => refuse('transient', { navigation: navigationError(error) }))
    .then((read) => {
      if (read) answer(read);
    });
  const patience = setTimeout(() => {
    void lastLook(page, reading).then(answer);
  }, patienceMs);
  try {
    return await answered;
  } finally {
    clearTimeout(patience);
    stopped.abort();
    page.off('response', onResponse);
    void opening;
  }
}

/** `net::ERR_…` of a navigation that failed; never the message, which carries the address. */
function navigationError(error: Error): string {
  return /net::[A-Z_]+/.exec(error.message)?.[0] ?? error.name;
}

async function judgeResponse<Found>(
  page: Page,
  response: HTTPResponse,
  reading: Reading<Found>,
): Promise<Found | Refusal | null> {
  const request = response.request();
  if (request.method() === 'OPTIONS') return null;
  if (request.isNavigationRequest()) {
    if (response.frame() !== page.mainFrame() || response.status() < 400) return null;
    return judgeHttp(await answerOf(response), undefined);
  }
  const operation = operationOf(response.url());
  if (!operation || !reading.wants(operation)) return null;
  const answer = await answerOf(response);
  const body = parseJson(answer.body);
  const refused = judgeHttp(answer, body);
  if (refused) return { ...refused, evidence: { ...refused.evidence, operation: operation.name } };
  if (body === undefined) {
    return refuse('transient', { operation: operation.name, bytes: answer.body.length });
  }
  return reading.parse(operation.name, body, answer.headers);
}

async function answerOf(response: HTTPResponse): Promise<HttpAnswer> {
  const status = response.status();
  // The browser drops the body of some refusals, an empty 404 among them.
  const body = await response.text().catch((error: unknown) => {
    if (status === 200) throw error;
    return '';
  });
  return { status, headers: response.headers(), body };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Looks at a loading page until it decides by itself or `signal` ends the watch (then null). */
async function watchPage<Found>(
  page: Page,
  reading: Reading<Found>,
  signal: AbortSignal,
): Promise<Found | Refusal | null> {
  let shownSince: number | null = null;
  for (;;) {
    if (!(await pause(LOOK_EVERY_MS, signal))) return null;
    const seen = await lookAt(page).catch(() => null);
    if (seen === null || signal.aborted) continue;
    const judged = judgePage(seen);
    if (judged) return judged;
    const read = reading.look(seen);
    if (read === null) continue;
    shownSince ??= Date.now();
    if (Date.now() - shownSince >= DOM_GRACE_MS) return read;
  }
}

/** What can be said when the patience is over. */
async function lastLook<Found>(page: Page, reading: Reading<Found>): Promise<Found | Refusal> {
  const noAnswer = refuse('transient', { page: 'no answer' });
  const seen = await lookAt(page).catch(() => null);
  if (seen === null) return noAnswer;
  return reading.look(seen) ?? judgePage(seen) ?? noAnswer;
}

/** Resolves to true after `ms`, or at once to false when `signal` is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** Takes one look at the page: runs inside the browser, so it closes over nothing. */
function lookAt(page: Page): Promise<PageSeen> {
  return page.evaluate(() => {
    const articles = [...document.querySelectorAll('article[data-testid="tweet"]')].map(
      (article) => ({
        permalinks: [...article.querySelectorAll('a[href*="/status/"]:has(> time)')].map(
          (link) => link.getAttribute('href') ?? '',
        ),
        groupLabels: [...article.querySelectorAll('div[role="group"][aria-label]')]
          .filter((group) => group.closest('article') === article)
          .map((group) => group.getAttribute('aria-label') ?? ''),
      }),
    );
    const state = [...document.scripts].map((script) => script.textContent ?? '').join('\n');
    const login = /"isLoggedIn":\s*(true|false)/.exec(state)?.[1];
    const failure = document.querySelector('#ScriptLoadFailure');
    return {
      url: location.href,
      title: document.title,
      isComplete: document.readyState === 'complete',
      isLoggedIn: login === undefined ? null : login === 'true',
      hasLoginForm: document.querySelector('input[autocomplete="username"]') !== null,
      hasScriptFailure: failure?.checkVisibility() ?? false,
      articles,
    };
  });
}
