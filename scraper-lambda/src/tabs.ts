/**
 * The browser's tabs: each loads nothing that the numbers do not need. Opening one costs about as
 * much as reading a page, so they are kept between batches, parked on an empty page.
 */
import type { Browser, Page } from 'puppeteer-core';

/** As many as reads can run at the same time. */
const PARKED_AT_MOST = 8;

/** A tab that does not become empty in this time is closed instead of kept, in milliseconds. */
const PARK_PATIENCE_MS = 2_000;

/** X's own hosts that serve its page, scripts and data; images and videos come from others. */
const X_HOSTS = ['x.com', '*.x.com', 'twitter.com', '*.twitter.com', 'abs.twimg.com'];

/** Never needed for the numbers. */
const BLOCKED_TYPES = ['Image', 'Media', 'Font'] as const;

let parked: { baseUrl: string; pages: Page[] } = { baseUrl: '', pages: [] };

/**
 * A tab of this browser, a parked one when there is one.
 * @param baseUrl the site that is read, for example `https://x.com`; images, media, fonts and other
 *   hosts than the site's are not loaded
 */
export async function takeTab(browser: Browser, baseUrl: string): Promise<Page> {
  if (parked.baseUrl === baseUrl) {
    for (let page = parked.pages.pop(); page; page = parked.pages.pop()) {
      if (!page.isClosed() && page.browser() === browser) return page;
    }
  }
  return openTab(browser, baseUrl);
}

/** Empties a tab and keeps it for the next batch; closes it when it cannot be kept. */
export async function parkTab(page: Page, baseUrl: string): Promise<void> {
  try {
    if (parked.baseUrl !== baseUrl) {
      const others = parked.pages;
      parked = { baseUrl, pages: [] };
      await Promise.all(others.map((other) => other.close().catch(() => {})));
    }
    await page.goto('about:blank', { timeout: PARK_PATIENCE_MS });
    if (parked.baseUrl === baseUrl && parked.pages.length < PARKED_AT_MOST) parked.pages.push(page);
    else await page.close();
  } catch {
    // The tab or its browser is gone, or hangs; the next batch opens another one.
    await page.close().catch(() => {});
  }
}

/** A new tab that refuses what the numbers do not need. */
async function openTab(browser: Browser, baseUrl: string): Promise<Page> {
  const page = await browser.newPage();
  const session = await page.createCDPSession();
  const { protocol, host, hostname } = new URL(baseUrl);
  const hosts = hostname === 'x.com' ? X_HOSTS : [host];
  await session.send('Network.enable');
  await session.send('Network.setBlockedURLs', {
    urlPatterns: [
      ...hosts.map((one) => ({ urlPattern: `${protocol}//${one}/*`, block: false })),
      { urlPattern: 'http://*:*/*', block: true },
      { urlPattern: 'https://*:*/*', block: true },
    ],
  });
  session.on('Fetch.requestPaused', ({ requestId }) => {
    // The request may be gone with its page; then there is nothing left to block.
    session
      .send('Fetch.failRequest', { requestId, errorReason: 'BlockedByClient' })
      .catch(() => {});
  });
  await session.send('Fetch.enable', {
    patterns: BLOCKED_TYPES.map((resourceType) => ({ resourceType })),
  });
  return page;
}
