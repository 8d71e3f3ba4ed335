/**
 * A stand-in of X's site for the local stack, tests and benchmarks: pages whose own script fetches
 * GraphQL payloads of the real shape, and a log of every number that it served.
 *
 * Addresses: `/<handle>/status/<id>`, `/i/status/<id>`, `/<handle>`. Behind `/as/<variant>` each of
 * them refuses in that way; behind `/captures/<file>` each answers with that file's text.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { answerCall } from './answers.ts';
import { LABELS } from './labels.ts';
import { countsOf, type NumbersProvider, type Served, type Site, splitAnswer } from './numbers.ts';
import {
  type ArticleText,
  appPage,
  cloudflarePage,
  loginPage,
  type PageCall,
  scriptShellPage,
} from './pages.ts';
import { momentOfId, type SiteAccount, type SitePost, type UserEra } from './payloads.ts';
import { type Answer, isVariant, type Variant } from './variants.ts';

/** How long the variant `slow` keeps a GraphQL call waiting, in milliseconds. */
const SLOW_MS = 1_000;

export type XSiteOptions = {
  /** 0 or absent: a free port. */
  port?: number;
  numbers: NumbersProvider;
  /** A folder of payload files named `<Operation>.<anything>.json`. */
  captures?: string;
  /** Where the user object carries followers; `relationship_counts` unless said. */
  era?: UserEra;
  /** Posts are fetched with `TweetDetail` instead of `TweetResultByRestId`. */
  detail?: boolean;
  /** The clock of the log; the machine's unless said. */
  now?: () => Date;
};

export type XSite = {
  /** For example `http://127.0.0.1:40001`, without a slash at its end. */
  url: string;
  /** Every number served, oldest first. */
  served: Served[];
  stop(): Promise<void>;
};

type Target = {
  variant: Variant | null;
  capture: string | null;
  prefix: string;
  path: string;
  query: URLSearchParams;
};

/**
 * Starts the site on 127.0.0.1.
 * @throws the listen error of node:net (`EADDRINUSE`) when the port is taken
 */
export async function startXSite(options: XSiteOptions): Promise<XSite> {
  const served: Served[] = [];
  const now = options.now ?? (() => new Date());
  const site: Site = {
    numbers: options.numbers,
    era: options.era ?? 'relationship_counts',
    detail: options.detail ?? false,
    log: (entry) => served.push({ ...entry, at: now().toISOString() }),
  };
  const server = createServer((request, response) => {
    respond(site, options.captures, request, response).catch((error: Error) => {
      response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(error.message);
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    served,
    async stop() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

function targetOf(request: IncomingMessage): Target {
  const url = new URL(request.url ?? '/', 'http://site');
  const [, kind, name, rest] = /^\/(as|captures)\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? [];
  const decoded = name === undefined ? '' : decodeURIComponent(name);
  return {
    variant: kind === 'as' && isVariant(decoded) ? decoded : null,
    capture: kind === 'captures' ? basename(decoded) : null,
    prefix: kind ? `/${kind}/${name}` : '',
    path: kind ? (rest ?? '/') : url.pathname,
    query: url.searchParams,
  };
}

async function respond(
  site: Site,
  captures: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = targetOf(request);
  const operation = /^\/i\/api\/graphql\/[^/]+\/(\w+)$/.exec(target.path)?.[1];
  if (operation === undefined) {
    send(response, pageOf(site, target));
    return;
  }
  if (target.capture !== null) {
    if (captures === undefined) throw new Error('the site was started without captures');
    const body = await readFile(join(captures, target.capture), 'utf8');
    send(response, { status: 200, headers: { 'content-type': 'application/json' }, body });
    return;
  }
  const variables = JSON.parse(target.query.get('variables') ?? '{}') as Record<string, unknown>;
  const answer = answerCall(site, operation, variables, target.variant);
  if (answer === null) return; // Never answered: the connection ends with the page.
  if (target.variant === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
  send(response, answer);
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

function html(body: string, status = 200): Answer {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
}

function pageOf(site: Site, target: Target): Answer {
  const { 1: id } = /^\/(?:i|\w{1,15})\/status\/(\d+)$/.exec(target.path) ?? [];
  const { 1: handle } = /^\/(\w{1,15})$/.exec(target.path) ?? [];
  if (target.capture !== null) return capturePage(target, target.capture, id, handle);
  if (id !== undefined) return postPage(site, target, id);
  if (handle !== undefined) return profilePage(site, target, handle);
  return html('<!doctype html><title>X</title>', 404);
}

/** The variants that show in the page itself, before any call. */
function refusedPage(variant: Variant | null): Answer | null {
  if (variant === 'login-wall') return html(loginPage());
  if (variant === 'script-shell') return html(scriptShellPage());
  if (variant === 'cloudflare') return html(cloudflarePage(), 403);
  return null;
}

function postPage(site: Site, target: Target, id: string): Answer {
  const { variant, numbers } = splitAnswer<SitePost>(site.numbers.post(id), target.variant);
  const refused = refusedPage(variant);
  if (refused) return refused;
  const language = variant?.startsWith('dom-only-') ? variant.slice('dom-only-'.length) : 'en';
  const articles =
    variant?.startsWith('dom-only') && numbers ? articlesOf(site, id, numbers, language) : [];
  const call: PageCall = site.detail
    ? { operation: 'TweetDetail', variables: { focalTweetId: id } }
    : { operation: 'TweetResultByRestId', variables: { tweetId: id } };
  return html(appPage({ language, prefix: target.prefix, calls: [call], articles }));
}

/** What the page shows without GraphQL: a reply's parent first, then the post itself. */
function articlesOf(site: Site, id: string, post: SitePost, language: string): ArticleText[] {
  const parentId = post.replyTo;
  const parent = parentId && splitAnswer<SitePost>(site.numbers.post(parentId), null).numbers;
  const shown: [string, SitePost][] = parent
    ? [
        [parentId, parent],
        [id, post],
      ]
    : [[id, post]];
  return shown.map(([shownId, one]) => {
    const counts = countsOf(one);
    site.log({ operation: 'dom', post_id: shownId, handle: one.handle, counts });
    const label = (LABELS[language] ?? LABELS.en)?.(counts) ?? '';
    return { handle: one.handle, id: shownId, at: momentOfId(shownId).toISOString(), label };
  });
}

function profilePage(site: Site, target: Target, handle: string): Answer {
  const { variant } = splitAnswer<SiteAccount>(site.numbers.account(handle), target.variant);
  const refused = refusedPage(variant);
  if (refused) return refused;
  const calls = ['UserByScreenName', 'UserTweets'].map((operation) => ({
    operation,
    variables: { screen_name: handle },
  }));
  return html(appPage({ language: 'en', prefix: target.prefix, calls }));
}

/** A page whose one call is the capture's own operation, about whatever the address names. */
function capturePage(target: Target, file: string, id?: string, handle?: string): Answer {
  const operation = file.split('.')[0] ?? '';
  const about = id === undefined ? { screen_name: handle } : { tweetId: id };
  const variables = operation === 'TweetDetail' ? { focalTweetId: id } : about;
  return html(
    appPage({ language: 'en', prefix: target.prefix, calls: [{ operation, variables }] }),
  );
}
