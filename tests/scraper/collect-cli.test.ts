/** `npm run collect` as a process of its own. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startXSite, type XSite } from '../../local/x-site/server.ts';

const CLI = fileURLToPath(new URL('../../scraper-lambda/collect-cli.ts', import.meta.url));
const POST = '2028000000000000001';
const GONE = '2028000000000000404';
const COUNTS = { likes: 23, retweets: 5, replies: 0, quotes: 1, bookmarks: 0, impressions: 825 };

let site: XSite;
beforeAll(async () => {
  site = await startXSite({
    numbers: {
      post: (id) => (id === GONE ? null : { handle: 'somebot', ...COUNTS }),
      account: () => ({ followers: 412 }),
    },
  });
});
afterAll(() => site.stop());

async function run(...args: string[]) {
  const env = { ...process.env, NO_COLOR: '1' };
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exited,
  ]);
  return { stdout, stderr, code };
}

const runOnSite = (...args: string[]) => run(...args, '--base-url', site.url);

describe('npm run collect', () => {
  it('prints one JSON object with source and quality, and stores nothing', async () => {
    const { stdout, code } = await runOnSite(POST, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      posts: [
        {
          post_id: POST,
          outcome: 'found',
          source: 'graphql',
          quality: 'exact',
          metrics: { ...COUNTS, profile_clicks: null },
          author: { handle: 'somebot', followers: 412 },
        },
      ],
    });
  });

  it('prints a table with one row per number for addresses and ids', async () => {
    const { stdout, code } = await runOnSite(`https://x.com/somebot/status/${POST}?s=20`, GONE);
    expect(code).toBe(0);
    expect(stdout).toMatch(/likes\s+│\s+23 │ graphql │ exact/);
    expect(stdout).toMatch(/views\s+│\s+825 │ graphql │ exact/);
    expect(stdout).toMatch(/followers of author\s+│\s+412 │ graphql │ exact/);
    expect(stdout).toContain('deleted');
  });

  it('ends with 1 and the outcome’s name when nothing was read', async () => {
    const { stderr, code } = await runOnSite(GONE);
    expect(code).toBe(1);
    expect(stderr).toContain('Nothing was read: deleted.');
  });

  it.each([
    [['somebot'], '"somebot" is neither a post id nor the address of a post.'],
    [[], 'Name at least one post.'],
    [['--colour', POST], "Unknown option '--colour'"],
    [[POST, '--base-url', 'nowhere'], '"nowhere" is not an address'],
  ])('ends with 2 and says what is wrong: %j', async (args, message) => {
    const { stdout, stderr, code } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
  });

  it('refuses sessions that it cannot read without telling them', async () => {
    vi.stubEnv('X_SESSIONS', '[{"auth_token": "f00df00df00df00df00d"}');
    const { stdout, stderr, code } = await runOnSite(POST).finally(() => vi.unstubAllEnvs());
    expect(code).toBe(2);
    expect(stderr).toContain('X_SESSIONS must be JSON');
    expect(stdout + stderr).not.toContain('f00d');
  });

  it('explains itself with --help', async () => {
    const { stdout, code } = await run('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: npm run collect');
  });
});
