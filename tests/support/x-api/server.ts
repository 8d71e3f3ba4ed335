/**
 * A stand-in of X's API v2 for tests and local runs: `GET /2/tweets` and
 * `GET /2/users/by/username/:handle`, with tokens, budgets of a 15-minute window and partial errors
 * as X has them.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ApiAnswer, type ApiNumbers, answerPosts, answerUser, problem } from './answers.ts';

/** X counts the requests of a token in windows of this length, in milliseconds. */
const WINDOW_MS = 15 * 60_000;

export type XApiOptions = {
  /** 0 or absent: a free port. */
  port?: number;
  numbers: ApiNumbers;
  /** The tokens that are known: the handle of a user's token, null for a token of an app. */
  tokens: Record<string, string | null>;
  /** Requests that a token has in a window at each endpoint; 300 unless said. */
  limit?: number;
  /** The clock of the windows and of the age of posts; the machine's unless said. */
  now?: () => Date;
};

export type XApi = {
  /** For example `http://127.0.0.1:40001`, without a slash at its end. */
  url: string;
  /** The requests so far, with their query, oldest first. */
  requests: { path: string; query: Record<string, string> }[];
  /** Answers the next request with this instead; text is sent as it is. */
  answerNext(answer: ApiAnswer): void;
  stop(): Promise<void>;
};

/**
 * Starts the API on 127.0.0.1.
 * @throws the listen error of node:net (`EADDRINUSE`) when the port is taken
 */
export async function startXApi(options: XApiOptions): Promise<XApi> {
  const { numbers, tokens, limit = 300, now = () => new Date() } = options;
  const requests: XApi['requests'] = [];
  const prepared: ApiAnswer[] = [];
  const used = new Map<string, number>();

  function budget(token: string, endpoint: string) {
    const window = Math.floor(now().getTime() / WINDOW_MS);
    const key = `${token} ${endpoint} ${window}`;
    const count = (used.get(key) ?? 0) + 1;
    used.set(key, count);
    return {
      isSpent: count > limit,
      headers: {
        'x-rate-limit-limit': String(limit),
        'x-rate-limit-remaining': String(Math.max(0, limit - count)),
        'x-rate-limit-reset': String(((window + 1) * WINDOW_MS) / 1000),
      },
    };
  }

  function answer(url: URL, authorization: string): ApiAnswer {
    const token = /^Bearer (.+)$/.exec(authorization)?.[1] ?? '';
    const viewer = tokens[token];
    if (viewer === undefined) return problem(401, 'Unauthorized');
    const handle = /^\/2\/users\/by\/username\/(\w{1,15})$/.exec(url.pathname)?.[1];
    if (url.pathname !== '/2/tweets' && handle === undefined) return problem(404, 'Not Found');
    const { isSpent, headers } = budget(token, handle === undefined ? 'tweets' : 'users');
    if (isSpent) return { ...problem(429, 'Too Many Requests'), headers };
    const given =
      handle === undefined
        ? answerPosts(numbers, url.searchParams, viewer, now())
        : answerUser(numbers, handle, url.searchParams);
    return { ...given, headers };
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://api');
    requests.push({ path: url.pathname, query: Object.fromEntries(url.searchParams) });
    const { status, headers, body } =
      prepared.shift() ?? answer(url, request.headers.authorization ?? '');
    const isText = typeof body === 'string';
    response.writeHead(status, {
      'content-type': isText ? 'text/html' : 'application/json; charset=utf-8',
      ...headers,
    });
    response.end(isText ? body : JSON.stringify(body));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answerNext: (given) => prepared.push(given),
    async stop() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}
