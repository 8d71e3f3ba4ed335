/** Reads posts and profiles from X's pages in the browser of this process. */
import type { Page } from 'puppeteer-core';
import { openBrowser } from './browser.ts';
import type { AskedPost, MetricsSource } from './source.ts';
import { parkTab, takeTab } from './tabs.ts';
import { type Refusal, refuse } from './x/outcome.ts';
import { readPostPage, readProfilePage } from './x/page.ts';

/** How long a page is given to answer, in milliseconds. */
export const PAGE_PATIENCE_MS = 15_000;

export type BrowserSourceOptions = {
  /** The site, without a slash at its end: `https://x.com`, or a stand-in. */
  baseUrl: string;
  chromiumPath?: string | undefined;
  patienceMs?: number;
};

export type BrowserSource = MetricsSource & { startedBrowser(): boolean };

/**
 * A source over the shared browser, which it starts at the first read. Tabs are kept and used
 * again, so at most as many are open as reads run at the same time.
 * @returns the source; `readPost` and `readProfile` throw ScraperError `browser_failed` when no
 *   browser can be started
 */
export function createBrowserSource(options: BrowserSourceOptions): BrowserSource {
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const defaultPatience = options.patienceMs ?? PAGE_PATIENCE_MS;
  let idle: Page[] = [];
  let started = false;

  async function inTab<Read>(read: (page: Page) => Promise<Read>): Promise<Read | Refusal> {
    const { browser, isNew } = await openBrowser(options.chromiumPath);
    started ||= isNew;
    // A browser that was started anew knows nothing of the tabs of the one before.
    idle = idle.filter((page) => !page.isClosed() && page.browser() === browser);
    try {
      const page = idle.pop() ?? (await takeTab(browser, baseUrl));
      const result = await read(page);
      idle.push(page);
      return result;
    } catch (error) {
      // A browser or tab that died in the middle; the next read starts a new one.
      return refuse('transient', { browser: (error as Error).name });
    }
  }

  return {
    readPost({ id, handle }: AskedPost, patienceMs = defaultPatience) {
      const url = `${baseUrl}/${handle ?? 'i'}/status/${id}`;
      return inTab((page) => readPostPage(page, url, id, patienceMs));
    },
    readProfile(handle, patienceMs = defaultPatience) {
      return inTab((page) => readProfilePage(page, `${baseUrl}/${handle}`, handle, patienceMs));
    },
    async close() {
      const pages = idle;
      idle = [];
      await Promise.all(pages.map((page) => parkTab(page, baseUrl)));
    },
    startedBrowser: () => started,
  };
}
