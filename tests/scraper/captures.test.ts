/**
 * Payload files, served by the stand-in site and read by the real scraper in a real Chromium: the
 * real ones of `X_CAPTURES_DIR` when it is set, else the project's own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startXSite, type XSite } from '../../local/x-site/server.ts';
import { closeBrowser } from '../../scraper-lambda/src/browser/browser.ts';
import { createBrowserSource } from '../../scraper-lambda/src/browser/source.ts';
import { readPostPayload, readProfilePayload } from '../../scraper-lambda/src/x/graphql.ts';

const own = fileURLToPath(new URL('../fixtures/x/', import.meta.url));
const folder = process.env.X_CAPTURES_DIR ?? own;
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

const textOf = (name: string) => readFileSync(join(folder, name), 'utf8');

/** The post that a capture is about: its focal entry, its own id, or the id in its name. */
function postOf(name: string): string {
  const text = textOf(name);
  const focal =
    /"entryId":\s*"tweet-(\d+)"/.exec(text) ?? /"rest_id":\s*"(\d+)",\s*"core"/.exec(text);
  return focal?.[1] ?? name.split('.')[1] ?? '';
}

describe('payload files in a browser', () => {
  let site: XSite;
  beforeAll(async () => {
    site = await startXSite({
      numbers: { post: () => null, account: () => null },
      ...(folder ? { captures: folder } : {}),
    });
  });
  afterAll(async () => {
    await closeBrowser();
    await site.stop();
  });

  it.each(files.filter((name) => /^(TweetDetail|TweetResultByRestId)\./.test(name)))(
    '%s gives in the page what it gives by itself',
    async (name) => {
      const id = postOf(name);
      const source = createBrowserSource({ baseUrl: `${site.url}/captures/${name}` });
      const read = await source.readPost({ id, handle: 'somebot' });
      await source.close();
      const operation = name.split('.')[0] ?? '';
      expect(read).toEqual(readPostPayload(operation, JSON.parse(textOf(name)), id));
      expect(['found', 'suspended', 'deleted', 'restricted', 'degraded']).toContain(read.outcome);
    },
  );

  it.each(files.filter((name) => /^User(Result)?ByScreenName\./.test(name)))(
    '%s gives in the page what it gives by itself',
    async (name) => {
      const source = createBrowserSource({ baseUrl: `${site.url}/captures/${name}` });
      const handle = /"screen_name":\s*"(\w+)"/.exec(textOf(name))?.[1] ?? 'somebot';
      const ask = { accountId: 1, handle, posts: [], wantsFollowers: true };
      const { profile: read } = await source.readAccount(ask, () => 20_000);
      await source.close();
      expect(read).toEqual(readProfilePayload(JSON.parse(textOf(name)), handle));
      expect(['found', 'suspended', 'deleted']).toContain(read?.outcome);
    },
  );
});
