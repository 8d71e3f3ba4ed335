/** The browser itself: reuse, death, blocking, and what it leaves behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startXSite } from '../../local/x-site/server.ts';
import { closeBrowser, openBrowser } from '../../scraper-lambda/src/browser/browser.ts';
import { createBrowserSource } from '../../scraper-lambda/src/browser/source.ts';
import { parkTab, takeTab } from '../../scraper-lambda/src/browser/tabs.ts';
import { PATIENTLY } from '../support/patience.ts';

const SOURCES = new URL('../../scraper-lambda/src/', import.meta.url);
const NOBODY = 65_534;

afterEach(closeBrowser);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const expectGone = (pid: number) => vi.waitFor(() => expect(isAlive(pid)).toBe(false), PATIENTLY);

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const startSite = () =>
  startXSite({
    numbers: {
      post: () => ({
        handle: 'somebot',
        likes: 7,
        retweets: 0,
        replies: 1,
        quotes: 0,
        bookmarks: 0,
        impressions: 140,
      }),
      account: () => ({ followers: 412 }),
    },
  });

describe('the browser', () => {
  it('is started once and then used again', async () => {
    await closeBrowser();
    const first = await openBrowser();
    const second = await openBrowser();
    expect([first.isNew, second.isNew]).toEqual([true, false]);
    expect(second.browser).toBe(first.browser);
  });

  it('is started anew when it has died, in the middle of a source’s life', async () => {
    const site = await startSite();
    const source = createBrowserSource({ baseUrl: site.url });
    const asked = { id: '2028000000000000001', handle: 'somebot' };
    expect((await source.readPost(asked)).outcome).toBe('found');
    const { browser } = await openBrowser();
    const died = new Promise<void>((resolve) => browser.once('disconnected', () => resolve()));
    browser.process()?.kill('SIGKILL');
    await died;
    expect((await source.readPost(asked)).outcome).toBe('found');
    await source.close();
    await site.stop();
  });

  it('is gone after a close, even with pages open', async () => {
    const { browser } = await openBrowser();
    await browser.newPage();
    const pid = browser.process()?.pid ?? 0;
    expect(isAlive(pid)).toBe(true);
    await closeBrowser();
    await expectGone(pid);
  });

  it('keeps its tabs for the next batch, on an empty page', async () => {
    const site = await startSite();
    const { browser } = await openBrowser();
    const page = await takeTab(browser, site.url);
    await page.goto(`${site.url}/somebot`);
    await parkTab(page, site.url);
    const again = await takeTab(browser, site.url);
    expect(again).toBe(page);
    expect(again.url()).toBe('about:blank');
    expect(await takeTab(browser, site.url)).not.toBe(page);
    await site.stop();
  });

  it.skipIf(process.platform !== 'linux')(
    'is not told the secret key (read from /proc)',
    async () => {
      process.env.POSTLOOP_SECRET_KEY = 'sb_secret_of_this_test';
      const { browser } = await openBrowser().finally(() => delete process.env.POSTLOOP_SECRET_KEY);
      const environment = await readFile(`/proc/${browser.process()?.pid}/environ`, 'utf8');
      expect(environment).toContain('PATH=');
      expect(environment).not.toContain('sb_secret_of_this_test');
    },
  );

  it('loads no image, no font and nothing of another host', async () => {
    const asked: string[] = [];
    const elsewhere = createServer((request, response) => {
      asked.push(`elsewhere ${request.url}`);
      response.end();
    });
    const other = await listen(elsewhere);
    const own = createServer((request, response) => {
      asked.push(`own ${request.url}`);
      const isPage = request.url === '/';
      response.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
      response.end(
        isPage
          ? `<style>@font-face { font-family: x; src: url(/font.woff2) } p { font-family: x }</style>
             <p>text</p><img src="/image.png"><video src="/video.mp4"></video>
             <script src="${other}/tracker.js"></script><script src="/own.js"></script>`
          : '',
      );
    });
    const base = await listen(own);
    const { browser } = await openBrowser();
    const page = await takeTab(browser, base);
    await page.goto(base, { waitUntil: 'load' });
    await page.close();
    own.close();
    elsewhere.close();
    expect(asked.filter((url) => url !== 'own /favicon.ico')).toEqual(['own /', 'own /own.js']);
  });

  it('ends when its process is killed', async () => {
    const script = `import { openBrowser } from ${JSON.stringify(new URL('browser/browser.ts', SOURCES).href)};
      const { browser } = await openBrowser();
      console.log(browser.process().pid);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(chunk.toString());
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await expectGone(pid);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'runs as an ordinary user, twice at once, beside a copy of Chromium that belongs to root (skipped unless run as root)',
    async () => {
      const site = await startSite();
      const folder = await mkdtemp(join(tmpdir(), 'postloop-shared-tmp-'));
      await chmod(folder, 0o1777);
      await writeFile(join(folder, 'chromium'), 'not for everyone', { mode: 0o600 });
      const collect = async () => {
        const cli = fileURLToPath(new URL('../collect-cli.ts', SOURCES));
        const child = spawn(
          process.execPath,
          [cli, '2028000000000000001', '--json', '--base-url', site.url],
          {
            uid: NOBODY,
            gid: NOBODY,
            env: { PATH: process.env.PATH, TMPDIR: folder, HOME: '/nonexistent' },
            stdio: ['ignore', 'pipe', 'pipe'],
          },
        );
        const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
        return { out, errors };
      };
      const runs = await Promise.all([collect(), collect()]);
      await site.stop();
      await rm(folder, { recursive: true });
      for (const { out, errors } of runs) {
        // the progress, and no complaint
        expect(errors).toMatch(/^ *\d+ s {2}Reading post 1 of 1\n$/);
        expect(JSON.parse(out)).toMatchObject({ posts: [{ outcome: 'found' }] });
      }
    },
  );
});
