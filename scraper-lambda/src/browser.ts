/**
 * The one browser of this process: started when it is first needed, kept between invocations, and
 * started again when it has died.
 */
import type { Browser } from 'puppeteer-core';
import { ScraperError } from './errors.ts';

const LAUNCH_PATIENCE_MS = 30_000;

/** A close that takes longer is ended with SIGKILL, in milliseconds. */
const CLOSE_PATIENCE_MS = 3_000;

/** What Chromium needs of this process's environment; the secret key is not among it. */
const PASSED_ENVIRONMENT = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LD_LIBRARY_PATH', 'FONTCONFIG_PATH'];

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
      env: { ...passedEnvironment(), ...chromium.env },
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

function passedEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(PASSED_ENVIRONMENT.map((name) => [name, process.env[name]]));
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
