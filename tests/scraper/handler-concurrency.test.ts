/** Handlers beside each other and handlers that die: nothing lost, nothing twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { closeBrowser } from '../../scraper-lambda/src/browser/browser.ts';
import { DUE_AT, plain, type Scene, startScene } from '../support/scraper.ts';
import { processesOf, stillRunning } from '../support/start.ts';

const HANDLER = new URL('../../scraper-lambda/src/handler.ts', import.meta.url).href;

let scene: Scene;
let children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await scene.stop();
});
afterAll(closeBrowser);

/** One invocation in a process of its own, as in Lambda. */
function startHandler(env: Record<string, string> = {}): ChildProcess {
  const script = `const { handler } = await import(${JSON.stringify(HANDLER)});
    const endsAt = Date.now() + 120_000;
    const context = { getRemainingTimeInMillis: () => endsAt - Date.now() };
    const reply = await handler({ now: ${JSON.stringify(DUE_AT)} }, context);
    console.log(JSON.stringify(reply));
    if (!process.env.STAY) process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

async function replyOf(child: ChildProcess) {
  let out = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  await once(child, 'close');
  return JSON.parse(out);
}

/** Tracks due posts of several accounts, of 20 posts each at most. */
async function trackMany(posts: number): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < posts; from += 20) {
    const handle = `bot${from}`;
    const count = Math.min(20, posts - from);
    const answers = Array.from({ length: count }, () => ({ ...plain(), handle }));
    ids.push(...(await scene.track(handle, answers)));
  }
  return ids;
}

const foundTwice = () => scene.stack.sql`
  select post_id from collection_attempts where outcome = 'found' and post_id is not null
  group by post_id, phase having count(*) > 1`;
const recorded = async () => (await scene.rows()).map(({ tweet_id }) => tweet_id);
const openLeases = () => scene.stack.sql`select from metric_collections where state = 'leased'`;

describe('two handlers at once', () => {
  test('record 500 due reads, each exactly once', async () => {
    scene = await startScene();
    const ids = await trackMany(500);
    const replies = await Promise.all([replyOf(startHandler()), replyOf(startHandler())]);
    expect(replies.map(({ metrics_rows }) => metrics_rows > 0)).toEqual([true, true]);
    expect(replies[0].metrics_rows + replies[1].metrics_rows).toBe(500);
    expect(await recorded()).toEqual([...ids].sort());
    expect(await foundTwice()).toHaveLength(0);
    expect(await openLeases()).toHaveLength(0);
  });
});

describe('a handler that is ended', () => {
  test('by SIGKILL in the middle leaves leases that run out: the next one reads the rest, once', async () => {
    scene = await startScene({ site: { latencyMs: 250 } });
    const ids = await trackMany(60);
    const child = startHandler({ CLAIM_LIMIT: '20' });
    while ((await recorded()).length < 20) await sleep(50);
    while ((await openLeases()).length === 0) await sleep(10);
    const family = processesOf(child.pid, 'no such folder');
    child.kill('SIGKILL');
    await once(child, 'close');
    const before = await recorded();
    expect(before.length).toBeLessThan(60);
    expect((await openLeases()).length).toBeGreaterThan(0);

    expect(await scene.invoke()).not.toMatchObject({ metrics_rows: 60 - before.length });
    vi.stubEnv('CLAIM_LIMIT', '500');
    await scene.invoke('2026-03-02T08:40:00.000Z');
    expect(await recorded()).toEqual([...ids].sort());
    expect(await foundTwice()).toHaveLength(0);
    expect(await openLeases()).toHaveLength(0);
    for (let waited = 0; waited < 5_000 && stillRunning(family).length > 0; waited += 100) {
      await sleep(100);
    }
    expect(stillRunning(family)).toEqual([]);
  });

  test.skipIf(process.platform === 'win32')(
    'by SIGTERM in the middle releases and records what it holds, and closes its browser',
    async () => {
      scene = await startScene({ site: { latencyMs: 600 } });
      await trackMany(40);
      const { prepareChromium } = await import('../../scraper-lambda/src/browser/chromium.ts');
      const { executablePath, env } = await prepareChromium();
      const child = startHandler({
        ...env,
        CHROMIUM_PATH: executablePath,
        AWS_LAMBDA_FUNCTION_NAME: 'postloop-scraper',
      });
      while (!scene.site.traffic.byKind.UserByScreenName) await sleep(20);
      const family = processesOf(child.pid, 'no such folder');
      const started = performance.now();
      child.kill('SIGTERM');
      const [code] = await once(child, 'close');
      expect(code).toBe(0);
      expect(performance.now() - started).toBeLessThan(2_000);
      expect(await openLeases()).toHaveLength(0);
      const [run] = await scene.stack.sql`select status, skipped from pipeline_runs`;
      expect(run?.skipped).toHaveProperty('released');
      expect(stillRunning(family)).toEqual([]);
    },
  );

  test('by SIGTERM between two invocations closes its browser', async () => {
    scene = await startScene();
    await trackMany(1);
    const { prepareChromium } = await import('../../scraper-lambda/src/browser/chromium.ts');
    const { executablePath, env } = await prepareChromium();
    const child = startHandler({
      ...env,
      CHROMIUM_PATH: executablePath,
      AWS_LAMBDA_FUNCTION_NAME: 'postloop-scraper',
      STAY: '1',
    });
    if (child.stdout) await once(child.stdout, 'data');
    const family = processesOf(child.pid, 'no such folder');
    expect(family.length).toBeGreaterThan(1);
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(stillRunning(family)).toEqual([]);
  });
});
