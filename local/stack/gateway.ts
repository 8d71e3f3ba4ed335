/**
 * The one address of the local stack, as the API of a hosted project: `/rest/v1/…` goes to the REST
 * layer, `/functions/v1/<name>` to a function. Bodies are streamed, headers passed as they are.
 */
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { LocalError } from './errors.ts';
import { portTaken } from './postgres.ts';

export const GATEWAY_PORT = 54321;

/**
 * Where a path leads: a port on 127.0.0.1, a service that is starting (503), one whose connections
 * are cut, or nowhere (404).
 */
type Target = number | 'starting' | 'cut' | undefined;

export type GatewayTargets = {
  rest: () => Target;
  function: (name: string) => Target;
};

export type Gateway = {
  port: number;
  /** http://127.0.0.1:<port> */
  url: string;
  stop(): Promise<void>;
};

/**
 * Listens on 127.0.0.1; port 0 takes a free one.
 *
 * @throws LocalError port_taken, port_forbidden
 */
export async function startGateway(
  targets: GatewayTargets,
  port: number = GATEWAY_PORT,
): Promise<Gateway> {
  const server = createServer((incoming, outgoing) => route(targets, incoming, outgoing));
  // A job may take longer than the five minutes that Node gives a request.
  server.requestTimeout = 0;
  const bound = await listen(server, port);
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(refusal(error, port));
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

/**
 * Whether the gateway could listen on a port, asked before anything is started.
 *
 * @throws LocalError port_taken, port_forbidden
 */
export async function checkPort(port: number): Promise<void> {
  const server = createServer();
  await listen(server, port);
  await new Promise((resolve) => server.close(resolve));
}

function refusal(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE') return portTaken(port);
  if (error.code !== 'EACCES') return error;
  return new LocalError('port_forbidden', `This user may not listen on port ${port}.`);
}

function route(targets: GatewayTargets, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { pathname, search } = new URL(incoming.url ?? '/', 'http://gateway');
  const [, name, rest = ''] = /^\/functions\/v1\/([^/]+)(\/.*)?$/.exec(pathname) ?? [];
  if (name !== undefined) {
    // Hosted functions see their own name as the first part of the path.
    const target = targets.function(name);
    const path = `/${name}${rest}${search}`;
    const unknown = `There is no function named ${name}.`;
    forward(target, path, incoming, outgoing, `Function ${name}`, unknown);
  } else if (pathname.startsWith('/rest/v1/')) {
    const path = `${pathname}${search}`;
    forward(targets.rest(), path, incoming, outgoing, 'The REST layer', 'There is no REST layer.');
  } else {
    refuse(outgoing, 404, 'not_found', 'Use /rest/v1/<table> or /functions/v1/<name>.');
  }
}

function forward(
  target: Target,
  path: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  subject: string,
  unknown: string,
): void {
  if (target === undefined) {
    refuse(outgoing, 404, 'not_found', unknown);
    return;
  }
  if (target === 'starting') {
    refuse(outgoing, 503, 'starting', `${subject} is starting. Try again in a moment.`);
    return;
  }
  if (target === 'cut') {
    incoming.socket.destroy();
    return;
  }
  const onward = request(
    {
      host: '127.0.0.1',
      port: target,
      method: incoming.method,
      path,
      headers: incoming.rawHeaders,
      setHost: false,
    },
    (response) => {
      outgoing.writeHead(response.statusCode ?? 502, passedOn(response.rawHeaders));
      response.pipe(outgoing);
      response.once('error', () => outgoing.destroy());
      response.once('end', () => {
        // An answer may come before the body is over. The rest is read and dropped: a caller whose
        // connection breaks while it sends does not see its answer.
        incoming.unpipe(onward);
        incoming.resume();
      });
    },
  );
  onward.once('error', (error) => {
    if (outgoing.writableEnded) return;
    if (outgoing.headersSent) outgoing.destroy();
    else refuse(outgoing, 502, 'bad_gateway', `${subject} did not answer: ${error.message}`);
  });
  // A caller that has gone, a timeout for instance, must not leave its request running unread.
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) onward.destroy();
  });
  incoming.pipe(onward);
}

/** Names and values in turn, without what concerns only the connection that they came on. */
function passedOn(rawHeaders: string[]): string[] {
  return rawHeaders.filter((_, index) => {
    const name = rawHeaders[index - (index % 2)];
    return name?.toLowerCase() !== 'connection';
  });
}

function refuse(outgoing: ServerResponse, status: number, code: string, message: string): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify({ code, message }));
}
