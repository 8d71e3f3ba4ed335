/**
 * The browsers of this process, one for each reader: started when first needed, kept between
 * invocations, started again when they have died, and replaced when they are worn out. Chromium
 * runs as a single process, as Lambda demands, and then has one browser context only: sessions
 * that must not see each other's cookies need a browser of their own.
 */
import type { Browser } from 'puppeteer-core';
import { GUEST_SESSION, type SessionLabel } from '../../../shared/contracts/session.ts';
import { ScraperError } from '../errors.ts';
import { treeMemory } from './browser-memory.ts';

const LAUNCH_PATIENCE_MS = 30_000;

/** A close that takes longer is ended with SIGKILL, in milliseconds. */
const CLOSE_PATIENCE_MS = 3_000;

/** What Chromium needs of this process's environment; the secret key is not among it. */
const PASSED_ENVIRONMENT = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LD_LIBRARY_PATH', 'FONTCONFIG_PATH'];

/** How often the memory of the browsers is looked at: every so many pages of one. */
const MEMORY_LOOK_PAGES = 5;

/** When a browser has done enough; Chromium gives little memory back while it runs. */
export type BrowserLimits = {
  /** Pages of one browser. */
  pages: number;
  /** Megabytes of all browsers together. */
  memoryMb: number;
};

export type BrowserOptions = {
  /** Whose browser it is; the guest's unless said. */
  label?: SessionLabel;
  /** A Chromium to use instead of the bundled one. */
  chromiumPath?: string | undefined;
  limits?: BrowserLimits | undefined;
};

/** One reader's browser. `uses` are reads with it that have not ended. */
type Running = {
  opening: Promise<Browser> | undefined;
  opened: Browser | undefined;
  pagesRead: number;
  uses: number;
  retiring: Promise<void> | undefined;
  onIdle: () => void;
};

const running = new Map<SessionLabel, Running>();

function runningOf(label: SessionLabel): Running {
  const known = running.get(label);
  if (known) return known;
  const fresh: Running = {
    opening: undefined,
    opened: undefined,
    pagesRead: 0,
    uses: 0,
    retiring: undefined,
    onIdle: () => {},
  };
  running.set(label, fresh);
  return fresh;
}

/**
 * The running browser of a reader, or a new one when there is none.
 * @returns the browser, and whether this call started it
 * @throws ScraperError `browser_failed` when it cannot be unpacked or started
 */
export async function openBrowser(
  options: BrowserOptions = {},
): Promise<{ browser: Browser; isNew: boolean }> {
  const one = runningOf(options.label ?? GUEST_SESSION);
  if (one.opened?.connected) return { browser: one.opened, isNew: false };
  const isNew = one.opening === undefined;
  one.opening ??= launch(options.chromiumPath).finally(() => {
    one.opening = undefined;
    one.pagesRead = 0;
  });
  one.opened = await one.opening;
  return { browser: one.opened, isNew };
}

/**
 * Reads one page with a reader's browser. What is worn out is replaced first, as soon as nobody
 * reads with it any more.
 */
export async function useBrowser<Result>(
  options: BrowserOptions,
  read: (browser: Browser, isNew: boolean) => Promise<Result>,
): Promise<Result> {
  const one = runningOf(options.label ?? GUEST_SESSION);
  if (options.limits) await retireWornOut(one, options.limits);
  while (one.retiring) await one.retiring;
  one.uses += 1;
  try {
    const { browser, isNew } = await openBrowser(options);
    one.pagesRead += 1;
    return await read(browser, isNew);
  } finally {
    one.uses -= 1;
    if (one.uses === 0) one.onIdle();
  }
}

/** Closes browsers that nobody reads with before the one that is about to read. */
async function retireWornOut(next: Running, limits: BrowserLimits): Promise<void> {
  if (!next.opened?.connected || next.pagesRead === 0) return;
  if (next.pagesRead >= limits.pages) {
    void retire(next);
    return;
  }
  if (next.pagesRead % MEMORY_LOOK_PAGES !== 0) return;
  if ((await memoryOfAll()) <= limits.memoryMb * 1024 * 1024) return;
  const idle = [...running.values()].filter((one) => one !== next && one.uses === 0 && one.opened);
  for (const one of idle.length > 0 ? idle : [next]) void retire(one);
}

async function memoryOfAll(): Promise<number> {
  const pids = [...running.values()].map(({ opened }) => opened?.process()?.pid);
  const sizes = await Promise.all(pids.map((pid) => (pid === undefined ? 0 : treeMemory(pid))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Closes one browser when its last read has ended; until then nobody begins another one. */
function retire(one: Running): Promise<void> {
  one.retiring ??= (async () => {
    if (one.uses > 0) {
      await new Promise<void>((resolve) => {
        one.onIdle = resolve;
      });
    }
    one.onIdle = () => {};
    await close(one);
  })().finally(() => {
    one.retiring = undefined;
  });
  return one.retiring;
}

/** Chromium as a single process sometimes dies while it starts; then it is started once more. */
async function launch(chromiumPath?: string): Promise<Browser> {
  try {
    return await launchOnce(chromiumPath).catch(() => launchOnce(chromiumPath));
  } catch (error) {
    throw new ScraperError(
      'browser_failed',
      `Chromium did not start (${(error as Error).message}). Set CHROMIUM_PATH to a Chromium that ` +
        'runs on this machine, or free 300 MB in its temporary folder.',
      { cause: error },
    );
  }
}

async function launchOnce(chromiumPath?: string): Promise<Browser> {
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
}

function passedEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(PASSED_ENVIRONMENT.map((name) => [name, process.env[name]]));
}

/** Closes all browsers. Nothing to do when none runs. */
export async function closeBrowser(): Promise<void> {
  await Promise.all([...running.values()].map(close));
}

/**
 * Closes a browser, its pages first because a close with open pages can hang; after 3 seconds it
 * is killed.
 */
async function close(one: Running): Promise<void> {
  const browser = one.opened ?? (await one.opening?.catch(() => undefined));
  one.opened = undefined;
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
