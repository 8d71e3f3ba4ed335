/**
 * The browser's tabs: each loads nothing that the numbers do not need. Opening one costs about as
 * much as reading a page, so they are kept between reads, parked on an empty page.
 */
import type { Browser, CookieData, Page } from 'puppeteer-core';
import type { Reader } from './sessions.ts';

/** As many as reads can run at the same time. */
const PARKED_AT_MOST = 8;

/** A tab that does not become empty in this time is closed instead of kept, in milliseconds. */
const PARK_PATIENCE_MS = 2_000;

/** X's own hosts that serve its page, scripts and data; images and videos come from others. */
const X_HOSTS = ['x.com', '*.x.com', 'twitter.com', '*.twitter.com', 'abs.twimg.com'];

/** Never needed for the numbers. */
const BLOCKED_TYPES = ['Image', 'Media', 'Font'] as const;

let parked: { baseUrl: string; page: Page }[] = [];

/**
 * A tab of this browser, a parked one when there is one.
 * @param baseUrl the site that is read, for example `https://x.com`; images, media, fonts and other
 *   hosts than the site's are not loaded
 * @param cookies what logs the browser's reader in; null for the guest
 */
export async function takeTab(
  browser: Browser,
  baseUrl: string,
  cookies: Reader['cookies'] = null,
): Promise<Page> {
  parked = parked.filter(({ page }) => !page.isClosed() && page.browser().connected);
  const index = parked.findIndex(
    (one) => one.baseUrl === baseUrl && one.page.browser() === browser,
  );
  const [found] = index < 0 ? [] : parked.splice(index, 1);
  if (found) return found.page;
  // Set for every new tab: the secret may hold a newer ct0 than the one of the tab before.
  if (cookies) await browser.defaultBrowserContext().setCookie(...cookiesFor(baseUrl, cookies));
  return openTab(browser, baseUrl);
}

/** Empties a tab and keeps it for the next read; closes it when it cannot be kept. */
export async function parkTab(page: Page, baseUrl: string): Promise<void> {
  try {
    const others = parked.filter((one) => one.baseUrl !== baseUrl);
    parked = parked.filter((one) => one.baseUrl === baseUrl);
    await Promise.all(others.map((other) => other.page.close().catch(() => {})));
    await page.goto('about:blank', { timeout: PARK_PATIENCE_MS });
    if (parked.length < PARKED_AT_MOST) parked.push({ baseUrl, page });
    else await page.close();
  } catch {
    // The tab or its browser is gone, or hangs; the next read opens another one.
    await page.close().catch(() => {});
  }
}

function cookiesFor(baseUrl: string, cookies: NonNullable<Reader['cookies']>): CookieData[] {
  const { protocol, hostname } = new URL(baseUrl);
  const shared = {
    domain: hostname === 'x.com' ? '.x.com' : hostname,
    path: '/',
    secure: protocol === 'https:',
  };
  return [
    { ...shared, name: 'auth_token', value: cookies.auth_token, httpOnly: true },
    // X's own script copies this one into the header x-csrf-token.
    { ...shared, name: 'ct0', value: cookies.ct0 },
  ];
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
