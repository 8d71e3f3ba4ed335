/**
 * A stand-in of X's site for the local stack, tests and benchmarks: pages whose own script fetches
 * GraphQL payloads of the real shape, and a log of every number that it served.
 *
 * Addresses: `/<handle>/status/<id>`, `/i/status/<id>`, `/<handle>/status/<id>/analytics`,
 * `/<handle>`. Behind `/as/<variant>` each of them refuses in that way, behind
 * `/as/<operation>:<variant>` only that call does; behind `/captures/<file>` each answers with that
 * file's text.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerCall } from './answers.ts';
import type { NumbersProvider, Served, Site } from './numbers.ts';
import {
  assetAt,
  assetsOf,
  type PageAssets,
  type PageWeight,
  startThirdParty,
} from './page-weight.ts';
import type { UserEra } from './payloads.ts';
import {
  type Budgets,
  createReaders,
  type Reader,
  type Readers,
  type SiteSession,
} from './readers.ts';
import { forcedOn, pageOf, type Target, targetOf } from './routes.ts';
import { count, noTraffic, type Traffic } from './traffic.ts';
import { type Trouble, troubledAnswer } from './trouble.ts';
import type { Answer } from './variants.ts';

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
  /** Guests too fetch posts with `TweetDetail` instead of `TweetResultByRestId`. */
  detail?: boolean;
  /** The clock of the log and of the budgets; the machine's unless said. */
  now?: () => Date;
  /** The logins that the site knows; a reader without the cookies of one is a guest. */
  sessions?: SiteSession[];
  /** How many calls each reader may make; any number unless said. */
  budgets?: Budgets;
  /** How long each response takes, in milliseconds. */
  latencyMs?: number;
  /** Trouble of the whole site, asked at every request; none unless said. */
  trouble?: () => Trouble | null;
  /** What the pages load beside their data; nothing unless said. */
  pageWeight?: PageWeight;
};

export type XSite = {
  /** For example `http://127.0.0.1:40001`, without a slash at its end. */
  url: string;
  /** Every number served, oldest first. */
  served: Served[];
  /** Responses and bytes sent since the start or the last `resetTraffic`. */
  readonly traffic: Traffic;
  resetTraffic(): void;
  /** From now on the site no longer accepts this login. */
  revoke(authToken: string): void;
  stop(): Promise<void>;
};

/** What answering a request needs. */
type Server = {
  site: Site;
  readers: Readers;
  captures: string | undefined;
  weight: PageWeight;
  assets: PageAssets;
};

/** An answer and what it counts as; null when it is never given. */
type Reply = { kind: string; answer: Answer } | null;

/**
 * Starts the site on 127.0.0.1.
 * @throws the listen error of node:net (`EADDRINUSE`) when the port is taken
 */
export async function startXSite(options: XSiteOptions): Promise<XSite> {
  const { sessions = [], budgets = {}, detail = false, latencyMs = 0 } = options;
  const { pageWeight: weight = {}, now = () => new Date(), trouble = () => null } = options;
  const served: Served[] = [];
  let traffic = noTraffic();

  async function send(response: ServerResponse, kind: string, answer: Answer): Promise<void> {
    if (latencyMs > 0) await sleep(latencyMs);
    count(traffic, kind, answer.body);
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }

  const thirdParty =
    weight.thirdPartyBytes === undefined
      ? null
      : await startThirdParty(weight.thirdPartyBytes, (response, answer) => {
          void send(response, 'third-party', answer);
        });
  const server: Server = {
    site: {
      numbers: options.numbers,
      era: options.era ?? 'relationship_counts',
      detail,
      handles: new Map(),
      log: (entry) => served.push({ ...entry, at: now().toISOString() }),
    },
    readers: createReaders({ sessions, budgets, detail, now }),
    captures: options.captures,
    weight,
    assets: assetsOf(weight, thirdParty?.url ?? null),
  };
  const http = createServer((request, response) => {
    const suffered = trouble();
    if (suffered?.kind === 'cut') {
      request.socket.destroy();
      return;
    }
    const refused = suffered && troubledAnswer(suffered, request.url ?? '/');
    const slowness = suffered?.kind === 'slow' ? sleep(suffered.latencyMs) : undefined;
    Promise.all([refused ?? replyTo(server, request), slowness])
      .then(([reply]) => reply && send(response, reply.kind, reply.answer))
      .catch((error: Error) => {
        response.writeHead(500, { 'content-type': 'text/plain' });
        response.end(error.message);
      });
  });
  http.listen(options.port ?? 0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    served,
    get traffic() {
      return traffic;
    },
    resetTraffic() {
      traffic = noTraffic();
    },
    revoke: server.readers.revoke,
    async stop() {
      await thirdParty?.stop();
      http.close();
      http.closeAllConnections();
      if (http.listening) await once(http, 'close');
    },
  };
}

async function replyTo(server: Server, request: IncomingMessage): Promise<Reply> {
  const target = targetOf(request.url ?? '/');
  const reader = server.readers.of(request);
  const operation = /^\/i\/api\/graphql\/[^/]+\/(\w+)$/.exec(target.path)?.[1];
  if (operation !== undefined) return replyToCall(server, target, reader, operation);
  const asset = assetAt(target.path, server.weight);
  if (asset) return asset;
  return { kind: 'page', answer: pageOf(server.site, target, reader, server.assets) };
}

async function replyToCall(
  { site, readers, captures }: Server,
  target: Target,
  reader: Reader,
  operation: string,
): Promise<Reply> {
  if (target.capture !== null) {
    if (captures === undefined) throw new Error('the site was started without captures');
    const body = await readFile(join(captures, basename(target.capture)), 'utf8');
    const headers = { 'content-type': 'application/json' };
    return { kind: operation, answer: { status: 200, headers, body } };
  }
  const { refusal, headers } = readers.admit(reader, operation);
  if (refusal) return { kind: operation, answer: refusal };
  const variables = JSON.parse(target.query.get('variables') ?? '{}') as Record<string, unknown>;
  const forced = forcedOn(target, operation);
  const answer = answerCall(site, operation, variables, reader, forced);
  if (answer === null) return null; // The connection ends with the page.
  if (forced === 'slow') await sleep(SLOW_MS);
  return { kind: operation, answer: { ...answer, headers: { ...headers, ...answer.headers } } };
}
