/** Reads accounts and posts from X's pages in the browsers of this process. */
import type { Page } from 'puppeteer-core';
import { localLedger } from '../project/ledger.ts';
import type { MetricsSource } from '../source.ts';
import { refuse } from '../x/outcome.ts';
import { createAccountReader, type Pages, type Patience } from './account-reader.ts';
import { type BrowserLimits, useBrowser } from './browser.ts';
import { readAnalyticsPage, readPostPage } from './post-page.ts';
import { createSessionPool, type Reader, type SessionPool } from './sessions.ts';
import { parkTab, takeTab } from './tabs.ts';
import { readTimelinePages, type TimelinePages } from './timeline-page.ts';

/** How long a page is given to answer, in milliseconds. */
const PAGE_PATIENCE_MS = 15_000;

/** A page that has less time than this is not opened, in milliseconds. */
const SHORTEST_PATIENCE_MS = 3_000;

export type BrowserSourceOptions = {
  /** The site, without a slash at its end: `https://x.com`, or a stand-in. */
  baseUrl: string;
  /** Who may read; the guest alone unless given. */
  sessions?: SessionPool;
  /** Tabs open at the same time. */
  concurrency?: number;
  /** The moment that analytics are stamped with, ISO 8601; the clock's unless given. */
  now?: () => string;
  chromiumPath?: string | undefined;
  limits?: BrowserLimits;
  patienceMs?: number;
};

export type BrowserSource = MetricsSource & {
  startedBrowser(): boolean;
  /** Pages opened so far. */
  pagesOpened(): number;
};

/**
 * A source over the browsers of this process, which it starts when a page needs them.
 * @returns the source; its reads throw ScraperError `browser_failed` when no browser can be
 *   started, and `sessions_failed` when the database shares no budgets
 */
export function createBrowserSource(options: BrowserSourceOptions): BrowserSource {
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const longestMs = options.patienceMs ?? PAGE_PATIENCE_MS;
  const sessions = options.sessions ?? createSessionPool([], localLedger());
  const slots = createSlots(options.concurrency ?? 2);
  let started = false;
  let opened = 0;

  /** Reads one page in a tab of `reader`; null when there is no time left for it. */
  async function inTab<Read>(
    reader: Reader,
    patience: Patience,
    read: (page: Page, patienceMs: number) => Promise<Read>,
    onDeath: (cause: string) => Read,
  ): Promise<Read | null> {
    await slots.take();
    try {
      const patienceMs = patience();
      if (patienceMs === null) return null;
      opened += 1;
      return await useBrowser({ ...options, label: reader.label }, async (browser, isNew) => {
        started ||= isNew;
        try {
          const page = await takeTab(browser, baseUrl, reader.cookies);
          const result = await read(page, patienceMs);
          // Closed on purpose, because this process ends: nothing was tried.
          if (page.isClosed() && patience() === null) return null;
          await parkTab(page, baseUrl);
          return result;
        } catch (error) {
          // A browser or tab that died in the middle; the next read starts a new one.
          return patience() === null ? null : onDeath((error as Error).name);
        }
      });
    } finally {
      slots.give();
    }
  }

  const died = (cause: string) => refuse('transient', { browser: cause });

  const pages: Pages = {
    timeline: (reader, ask, patience) =>
      inTab(
        reader,
        patience,
        (page, patienceMs) =>
          readTimelinePages(page, `${baseUrl}/${ask.handle}`, { ...ask, patienceMs }),
        (cause) => noTimeline(died(cause)),
      ),
    post: (reader, { id, handle }, patience) =>
      inTab(
        reader,
        patience,
        (page, patienceMs) =>
          readPostPage(page, `${baseUrl}/${handle ?? 'i'}/status/${id}`, id, patienceMs),
        (cause) => ({ read: died(cause), shapes: [] }),
      ),
    analytics: (reader, { id, handle, capturedAt }, patience) =>
      inTab(
        reader,
        patience,
        (page, patienceMs) => {
          const url = `${baseUrl}/${handle}/status/${id}/analytics`;
          return readAnalyticsPage(page, url, id, capturedAt, patienceMs);
        },
        (cause) => ({ read: died(cause), shapes: [] }),
      ),
  };
  const reader = createAccountReader({
    pages,
    sessions,
    now: options.now ?? (() => new Date().toISOString()),
  });

  return {
    readAccount: (ask, remainingMs) =>
      reader.readAccount(ask, () => {
        const patienceMs = Math.min(longestMs, remainingMs());
        return patienceMs < SHORTEST_PATIENCE_MS ? null : patienceMs;
      }),
    readPost: (asked, patienceMs = longestMs) => reader.readPost(asked, () => patienceMs),
    async close() {},
    startedBrowser: () => started,
    pagesOpened: () => opened,
  };
}

function noTimeline(refused: ReturnType<typeof refuse>): TimelinePages {
  const nothing = { posts: [], degraded: new Set<string>(), moreRefused: null, shapes: [] };
  return { profile: refused, refused, ...nothing };
}

/** Lets so many through at a time, in the order in which they came. */
function createSlots(count: number) {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    async take() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
    give() {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    },
  };
}
