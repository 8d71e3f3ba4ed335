/** What a page shows when its GraphQL answers do not come, in a real Chromium. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeBrowser } from '../../scraper-lambda/src/browser/browser.ts';
import { createBrowserSource } from '../../scraper-lambda/src/browser/source.ts';

const POST = '2028000000000000001';

const PROFILE = `<!doctype html><html lang="en"><title>X</title>
<a href="/somebot/following">80 Following</a>
<a href="/somebot/verified_followers"><span>1.5K</span> <span>Followers</span></a>`;
const PAGE = `<!doctype html><html lang="en"><title>X</title><article data-testid="tweet">
<a href="/somebot/status/${POST}"><time datetime="2026-03-01T00:00:00Z">1h</time></a>
<div role="group"><button data-testid="reply"><span>3</span></button>
<button data-testid="retweet">2</button><button data-testid="like"><span>1.5K</span></button>
<button data-testid="bookmark"></button></div></article>`;

let server: Server;
let baseUrl: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(request.url?.includes('/status/') ? PAGE : PROFILE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await closeBrowser();
  server.close();
  server.closeAllConnections();
});

describe('a page without GraphQL answers', () => {
  it('of a post with abbreviated counts is read as rounded, with the bounds of each', async () => {
    const source = createBrowserSource({ baseUrl, patienceMs: 4_000 });
    expect(await source.readPost({ id: POST, handle: 'somebot' })).toMatchObject({
      outcome: 'found',
      source: 'dom',
      quality: 'rounded',
      metrics: { likes: 1_500, retweets: 2, replies: 3 },
      evidence: { bounds: { likes: [1_500, 1_599] } },
    });
  });

  it('of a profile gives a follower count that is marked as not exact', async () => {
    const source = createBrowserSource({ baseUrl, patienceMs: 4_000 });
    const ask = { accountId: 1, handle: 'somebot', posts: [], wantsFollowers: true };
    const { profile } = await source.readAccount(ask, () => 60_000);
    expect(profile).toMatchObject({
      outcome: 'found',
      source: 'dom',
      followers: 1_500,
      isExact: false,
    });
  });
});
