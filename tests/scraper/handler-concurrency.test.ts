/** Handlers beside each other and handlers that die: nothing lost, nothing twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PATIENTLY } from '../support/patience.ts';
import { DUE_AT, plain, type Scene, useScenes } from '../support/scraper.ts';
import { processesOf, stillRunning } from '../support/start.ts';

const HANDLER = new URL('../../scraper-lambda/src/handler.ts', import.meta.url).href;
const SHUTDOWN = new URL('../../scraper-lambda/src/shutdown.ts', import.meta.url).href;

const startScene = useScenes();
let scene: Scene;
let children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await scene?.stop();
});

/** Runs a script in a process of its own. */
function run(script: string, env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

/** One invocation in a process of its own, as in Lambda; it begins with a line on stdin. */
function startHandler(env: Record<string, string> = {}): ChildProcess {
  return run(
    `const { handler } = await import(${JSON.stringify(HANDLER)});
    ${closingPatiently}
    const context = { getRemainingTimeInMillis: () => 120_000 };
    console.log('ready');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.stdin.destroy();
    const reply = await handler({ now: ${JSON.stringify(DUE_AT)} }, context);
    console.log(JSON.stringify(reply));
    if (!process.env.STAY) process.exit(0);`,
    env,
  );
}

/** Lambda ends a process after two seconds; what is proved here may take a busy machine longer. */
const closingPatiently = `
    if (process.env.IN_LAMBDA) {
      const { closeOnSigterm } = await import(${JSON.stringify(SHUTDOWN)});
      process.env.AWS_LAMBDA_FUNCTION_NAME = 'postloop-scraper';
      closeOnSigterm(240_000);
    }`;

/** Begins the invocations of processes at the same time, when all have loaded the handler. */
async function begin(...handlers: ChildProcess[]): Promise<void> {
  await Promise.all(handlers.map(({ stdout }) => stdout && once(stdout, 'data')));
  for (const { stdin } of handlers) stdin?.write('begin\n');
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

/** Longer than anybody waits. */
const HELD = { kind: 'slow', latencyMs: 3_600_000 } as const;
const requests = (operation: string) => scene.site.traffic.byKind[operation]?.requests ?? 0;

const foundTwice = () => scene.stack.sql`
  select post_id from collection_attempts where outcome = 'found' and post_id is not null
  group by post_id, phase having count(*) > 1`;
const recorded = async () => (await scene.rows()).map(({ tweet_id }) => tweet_id);
const openLeases = () => scene.stack.sql`select from metric_collections where state = 'leased'`;

describe('two handlers at once', () => {
  it('record 500 due reads, each exactly once', async () => {
    scene = await startScene();
    const ids = await trackMany(500);
    const handlers = [startHandler(), startHandler()];
    await begin(...handlers);
    const replies = await Promise.all(handlers.map(replyOf));
    expect(replies.map(({ metrics_rows }) => metrics_rows > 0)).toEqual([true, true]);
    expect(replies[0].metrics_rows + replies[1].metrics_rows).toBe(500);
    expect(await recorded()).toEqual([...ids].sort());
    expect(await foundTwice()).toHaveLength(0);
    expect(await openLeases()).toHaveLength(0);
  });
});

describe('a handler that is ended', () => {
  it('by SIGKILL in the middle leaves leases that run out: the next one reads the rest, once', async () => {
    // The first claim has all three accounts in it; nothing that the second one asks for comes.
    let holds = true;
    const isHeld = () => holds && requests('UserTweets') >= 3;
    scene = await startScene({ site: { trouble: () => (isHeld() ? HELD : null) } });
    const ids = await trackMany(60);
    const child = startHandler({ CLAIM_LIMIT: '20', PAGE_CONCURRENCY: '1' });
    await begin(child);
    await vi.waitFor(async () => expect(await recorded()).toHaveLength(20), PATIENTLY);
    await vi.waitFor(async () => expect(await openLeases()).toHaveLength(20), PATIENTLY);
    const family = processesOf(child.pid, 'no such folder');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(await recorded()).toHaveLength(20);
    expect(await openLeases()).toHaveLength(20);

    holds = false;
    expect(await scene.invoke()).toMatchObject({ metrics_rows: 20 });
    vi.stubEnv('CLAIM_LIMIT', '500');
    await scene.invoke('2026-03-02T08:40:00.000Z');
    expect(await recorded()).toEqual([...ids].sort());
    expect(await foundTwice()).toHaveLength(0);
    expect(await openLeases()).toHaveLength(0);
    await vi.waitFor(() => expect(stillRunning(family)).toEqual([]), PATIENTLY);
  });

  it.skipIf(process.platform === 'win32')(
    'by SIGTERM in the middle releases and records what it holds, and closes its browser',
    async () => {
      const isHeld = () => requests('UserByScreenName') > 0;
      scene = await startScene({ site: { trouble: () => (isHeld() ? HELD : null) } });
      await trackMany(40);
      const { prepareChromium } = await import('../../scraper-lambda/src/browser/chromium.ts');
      const { executablePath, env } = await prepareChromium();
      // With one page at a time the second account is not begun while the first one is held.
      const child = startHandler({
        ...env,
        CHROMIUM_PATH: executablePath,
        PAGE_CONCURRENCY: '1',
        IN_LAMBDA: '1',
      });
      await begin(child);
      await vi.waitFor(() => expect(isHeld()).toBe(true), PATIENTLY);
      const family = processesOf(child.pid, 'no such folder');
      child.kill('SIGTERM');
      const [code] = await once(child, 'close');
      expect(code).toBe(0);
      expect(await openLeases()).toHaveLength(0);
      const [run] = await scene.stack.sql`select status, skipped from pipeline_runs`;
      expect(run?.skipped).toHaveProperty('released');
      expect(stillRunning(family)).toEqual([]);
    },
  );

  it('by SIGTERM between two invocations closes its browser', async () => {
    scene = await startScene();
    await trackMany(1);
    const { prepareChromium } = await import('../../scraper-lambda/src/browser/chromium.ts');
    const { executablePath, env } = await prepareChromium();
    const child = startHandler({
      ...env,
      CHROMIUM_PATH: executablePath,
      IN_LAMBDA: '1',
      STAY: '1',
    });
    await begin(child);
    if (child.stdout) await once(child.stdout, 'data');
    const family = processesOf(child.pid, 'no such folder');
    expect(family.length).toBeGreaterThan(1);
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(stillRunning(family)).toEqual([]);
  });

  it('by SIGTERM with work that does not end is over when its patience is', async () => {
    const child = run(`
      process.env.AWS_LAMBDA_FUNCTION_NAME = 'postloop-scraper';
      const { closeOnSigterm, untilShutdown } = await import(${JSON.stringify(SHUTDOWN)});
      closeOnSigterm(50);
      void untilShutdown(() => new Promise((resolve) => setTimeout(resolve, 3_600_000)));
      console.log('ready');`);
    if (child.stdout) await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});
