/**
 * One visit of a page of X in a browser tab, as a sequence of what happens: the GraphQL answers
 * that the page's own script gets, looks at the page meanwhile, and a refusal of the page itself.
 * Nothing waits for the network to be idle.
 */
import type { HTTPRequest, HTTPResponse, Page } from 'puppeteer-core';
import { judgePage, type PageSeen } from '../x/dom.ts';
import { type Operation, operationOf } from '../x/graphql.ts';
import { type HttpAnswer, judgeHttp, type Refusal, refuse } from '../x/outcome.ts';
import { lookAt } from './look.ts';

/** How often the page is looked at, in milliseconds. */
const LOOK_EVERY_MS = 400;

/** What happened on the page. An answer that HTTP or its body already refuses has `refused`. */
export type PageEvent =
  | {
      kind: 'answer';
      operation: Operation;
      body: unknown;
      headers: Record<string, string>;
      refused: Refusal | null;
    }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'seen'; seen: PageSeen };

export type PageAnswer = Extract<PageEvent, { kind: 'answer' }>;

export type Visit = {
  /** The next thing that happens, or null when the patience is over. */
  next(): Promise<PageEvent | null>;
  /** Has patience for so long from now on, in milliseconds. */
  waitAnother(patienceMs: number): void;
  /** A last look at the page; null when it cannot be looked at. */
  look(): Promise<PageSeen | null>;
  /** Scrolls to the end of what the page shows, so that X's script makes this call once more. */
  scrollFor(operation: string): Promise<void>;
  /**
   * Does so again where the page has grown without the call. One that is under way, or whose answer
   * the page shows already, is the one that was scrolled for: the next scroll would be one too many.
   */
  scrollOn(operation: string): Promise<void>;
};

/**
 * Opens `url` in the tab and lets `read` follow what happens until it has what it wants.
 * @param patienceMs how long `next` waits from the start on
 */
export async function visitPage<Read>(
  page: Page,
  url: string,
  patienceMs: number,
  read: (visit: Visit) => Promise<Read>,
): Promise<Read> {
  const events: PageEvent[] = [];
  let wake = (): void => {};
  let endsAt = Date.now() + patienceMs;
  const push = (event: PageEvent | null): void => {
    if (event) events.push(event);
    wake();
  };
  const asked = new Set<string>();
  let answered = 0;
  const onRequest = (request: HTTPRequest): void => {
    const operation = request.method() === 'OPTIONS' ? null : operationOf(request.url());
    if (operation) asked.add(operation.name);
  };
  const onResponse = (response: HTTPResponse): void => {
    // A body that cannot be fetched any more counts as an answer that did not come.
    void judgeResponse(page, response).then(push, () => {});
  };
  const onClose = (): void => {
    push({ kind: 'refused', refusal: refuse('transient', { browser: 'closed' }) });
  };
  const browser = page.browser();
  page.on('request', onRequest);
  page.on('response', onResponse);
  page.on('close', onClose);
  browser.on('disconnected', onClose);
  const stopped = new AbortController();
  page
    .goto(url, { waitUntil: 'domcontentloaded', timeout: patienceMs })
    .then(() => watchPage(page, push, stopped.signal))
    .catch((error: Error) => {
      push({ kind: 'refused', refusal: refuse('transient', { navigation: errorName(error) }) });
    });

  const visit: Visit = {
    async next() {
      for (;;) {
        const event = events.shift();
        if (event) return event;
        const restMs = endsAt - Date.now();
        if (restMs <= 0) return null;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, restMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    waitAnother(ms) {
      endsAt = Date.now() + ms;
    },
    look: () => lookAt(page).catch(() => null),
    async scrollFor(operation) {
      asked.delete(operation);
      answered = await page.evaluate(scrollUnlessAnswered, operation, null);
    },
    async scrollOn(operation) {
      if (!asked.has(operation)) await page.evaluate(scrollUnlessAnswered, operation, answered);
    },
  };
  try {
    return await read(visit);
  } finally {
    stopped.abort();
    page.off('request', onRequest);
    page.off('response', onResponse);
    page.off('close', onClose);
    browser.off('disconnected', onClose);
  }
}

/** Runs in the page: scrolls unless more calls were answered than `known`, and counts them. */
function scrollUnlessAnswered(operation: string, known: number | null): number {
  const loaded = performance.getEntriesByType('resource');
  const answered = loaded.filter(({ name }) => name.includes(`/${operation}?`)).length;
  if (known === null || answered === known) {
    window.scrollTo(0, document.documentElement.scrollHeight);
  }
  return answered;
}

/** `net::ERR_…` of a navigation that failed; never the message, which carries the address. */
function errorName(error: Error): string {
  return /net::[A-Z_]+/.exec(error.message)?.[0] ?? error.name;
}

async function judgeResponse(page: Page, response: HTTPResponse): Promise<PageEvent | null> {
  const request = response.request();
  if (request.method() === 'OPTIONS') return null;
  if (request.isNavigationRequest()) {
    if (response.frame() !== page.mainFrame() || response.status() < 400) return null;
    const refusal = judgeHttp(await answerOf(response), undefined);
    return refusal && { kind: 'refused', refusal };
  }
  const operation = operationOf(response.url());
  if (!operation) return null;
  const answer = await answerOf(response);
  const body = parseJson(answer.body);
  const refused =
    judgeHttp(answer, body) ??
    (body === undefined ? refuse('transient', { bytes: answer.body.length }) : null);
  const named = refused && {
    ...refused,
    evidence: { ...refused.evidence, operation: operation.name },
  };
  return { kind: 'answer', operation, body, headers: answer.headers, refused: named };
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

/** Looks at a loaded page until it refuses by itself or `signal` ends the watch. */
async function watchPage(
  page: Page,
  push: (event: PageEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  while (await pause(LOOK_EVERY_MS, signal)) {
    const seen = await lookAt(page).catch(() => null);
    if (seen === null || signal.aborted) continue;
    const refusal = judgePage(seen);
    push(refusal ? { kind: 'refused', refusal } : { kind: 'seen', seen });
    if (refusal) return;
  }
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
