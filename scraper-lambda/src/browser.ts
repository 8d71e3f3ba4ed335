/**
 * The one browser of this process: started when it is first needed, kept between invocations, and
 * started again when it has died.
 */
import type { Browser, Page } from 'puppeteer-core';
import { ScraperError } from './errors.ts';

const LAUNCH_PATIENCE_MS = 30_000;

/** A close that takes longer is ended with SIGKILL, in milliseconds. */
const CLOSE_PATIENCE_MS = 3_000;

/** X's own hosts that serve its page, scripts and data; images and videos come from others. */
const X_HOSTS = ['x.com', '*.x.com', 'twitter.com', '*.twitter.com', 'abs.twimg.com'];

/** Never needed for the numbers. */
const BLOCKED_TYPES = ['Image', 'Media', 'Font'] as const;

let opening: Promise<Browser> | undefined;
let opened: Browser | undefined;

/**
 * The running browser, or a new one when there is none.
 * @param chromiumPath a Chromium to use instead of the bundled one
 * @returns the browser, and whether this call started it
 * @throws ScraperError `browser_failed` when it cannot be unpacked or started
 */
export async function openBrowser(
  chromiumPath?: string,
): Promise<{ browser: Browser; isNew: boolean }> {
  if (opened?.connected) return { browser: opened, isNew: false };
  const isNew = opening === undefined;
  opening ??= launch(chromiumPath).finally(() => {
    opening = undefined;
  });
  opened = await opening;
  return { browser: opened, isNew };
}

async function launch(chromiumPath?: string): Promise<Browser> {
  try {
    // Imported here: an invocation with nothing due must not pay for them.
    const { prepareChromium } = await import('./chromium.ts');
    const { default: puppeteer } = await import('puppeteer-core');
    const chromium = await prepareChromium(chromiumPath);
    return await puppeteer.launch({
      executablePath: chromium.executablePath,
      args: [...chromium.args, '--lang=en-US'],
      env: { ...process.env, ...chromium.env },
      headless: 'shell',
      // Over a pipe the browser ends with this process, however that ends.
      pipe: true,
      timeout: LAUNCH_PATIENCE_MS,
    });
  } catch (error) {
    throw new ScraperError(
      'browser_failed',
      `Chromium did not start (${(error as Error).message}). Set CHROMIUM_PATH to a Chromium that ` +
        'runs on this machine, or free 300 MB in its temporary folder.',
      { cause: error },
    );
  }
}

/**
 * A tab that loads nothing which the numbers do not need: images, media, fonts, other hosts.
 * @param baseUrl the site that is read, for example `https://x.com`
 */
export async function openTab(browser: Browser, baseUrl: string): Promise<Page> {
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

/**
 * Closes the browser, its pages first because a close with open pages can hang; after 3 seconds it
 * is killed. Nothing to do when none runs.
 */
export async function closeBrowser(): Promise<void> {
  const browser = opened ?? (await opening?.catch(() => undefined));
  opened = undefined;
  if (!browser) return;
  const closing = (async () => {
    const pages = await browser.pages();
    await Promise.all(pages.map((page) => page.close()));
    await browser.close();
  })();
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), CLOSE_PATIENCE_MS);
  });
  const ended = await Promise.race([closing.catch(() => 'late' as const), patience]);
  clearTimeout(timer);
  if (ended === 'late') browser.process()?.kill('SIGKILL');
}
