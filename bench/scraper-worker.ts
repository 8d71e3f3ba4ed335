/**
 * The process that reads, apart from the site and the database: the Lambda's own handler, and two
 * scripts as people write them. Its only children are browsers.
 */
import type { Browser } from 'puppeteer-core';
import { closeBrowser, openBrowser } from '../scraper-lambda/src/browser/browser.ts';
import { prepareChromium } from '../scraper-lambda/src/browser/chromium.ts';
import { handler } from '../scraper-lambda/src/handler.ts';

/** As long as the Lambda's own timeout. */
const INVOCATION_MS = 120_000;

/** How long a page of the other scripts may take. */
const PAGE_MS = 30_000;

type Pages = { urls: string[] };

/** What the worker can be asked; each answers with what it read and the milliseconds it took. */
const TASKS = {
  /** Unpacks Chromium into the temporary folder of this process. */
  unpack: () => prepareChromium().then(() => null),
  /** Starts the handler's browser, which the next invocation finds running. */
  launch: () => openBrowser().then(() => null),
  /** One invocation as of `now`. */
  invoke({ now }: { now: string }) {
    const endsAt = Date.now() + INVOCATION_MS;
    return handler({ now }, { getRemainingTimeInMillis: () => endsAt - Date.now() });
  },
  close: () => closeBrowser().then(() => null),
  usualScript,
  oneTab,
};

export type Tasks = typeof TASKS;
export type Request<Name extends keyof Tasks = keyof Tasks> = {
  name: Name;
  input: Parameters<Tasks[Name]>;
};
export type Response = { result: unknown; ms: number } | { error: string };

/** A new browser for each post, everything loaded, until the network is idle; the likes shown. */
async function usualScript({ urls }: Pages): Promise<number[]> {
  const likes: number[] = [];
  for (const url of urls) {
    const browser = await startBrowser();
    const page = await browser.newPage();
    await page.goto(url, { waitUntil: 'networkidle2', timeout: PAGE_MS });
    likes.push(await page.$eval('article [role="group"]', likesShown));
    await browser.close();
  }
  return likes;
}

let tabBrowser: Browser | undefined;

/** One browser, one tab, and a page for each post, which is left as soon as it shows the numbers. */
async function oneTab({ urls }: Pages): Promise<number[]> {
  tabBrowser ??= await startBrowser();
  const [page = await tabBrowser.newPage()] = await tabBrowser.pages();
  const likes: number[] = [];
  for (const url of urls) {
    await page.goto(url, { waitUntil: 'domcontentloaded', timeout: PAGE_MS });
    await page.waitForSelector('article [role="group"][aria-label]', { timeout: PAGE_MS });
    likes.push(await page.$eval('article [role="group"]', likesShown));
  }
  return likes;
}

/** Runs in the page. */
const likesShown = (group: Element) =>
  Number(/(\d+) like/.exec(group.getAttribute('aria-label') ?? '')?.[1]);

async function startBrowser(): Promise<Browser> {
  const { default: puppeteer } = await import('puppeteer-core');
  const { executablePath, args, env } = await prepareChromium();
  return puppeteer.launch({
    executablePath,
    args,
    env: { ...process.env, ...env },
    headless: 'shell',
    pipe: true,
  });
}

async function answer({ name, input }: Request): Promise<Response> {
  const startedAt = performance.now();
  try {
    const result = await (TASKS[name] as (...input: unknown[]) => unknown)(...input);
    return { result, ms: performance.now() - startedAt };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', (request: Request) => {
  void answer(request).then((response) => process.send?.(response));
});
process.on('disconnect', () => {
  void Promise.all([closeBrowser(), tabBrowser?.close()]).finally(() => process.exit());
});
