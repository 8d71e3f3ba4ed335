/**
 * The thread that `rest.ts` starts: `@supabase/lite` behind a small HTTP server. A thread of its own
 * because lite writes every refused statement to the console.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { parentPort, workerData } from 'node:worker_threads';
import { App } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import postgres from 'postgres';
import type { ApiKeys } from './rest.ts';

const { adminUrl, keys } = workerData as { adminUrl: string; keys: ApiKeys };

const connection = createPostgresConnection({
  url: adminUrl,
  postgresOptions: {
    max: 10,
    onnotice: () => {},
    types: { jsonb: jsonType(3802), json: jsonType(114) },
  },
});
// Left alone, lite grants everything on every table to the API roles when it meets the first table
// with RLS, and runs the secret key's table requests as the connection's user. In this state it
// takes the roles and grants as they are, and every request runs as the role of its key.
Object.assign(connection, { rlsState: 'active' });

const app = new App({
  connection,
  // With lite's own auth a key would be looked up as a user.
  auth: { enabled: false },
  options: {
    server: {
      disableStudio: true,
      apiKeys: {
        resolver: async (key) => {
          const known = Object.hasOwn(keys, key) ? keys[key] : undefined;
          return known ? { type: known.type, claims: { role: known.role } } : null;
        },
      },
    },
  },
});
await app.init();
// A crash of Postgres leaves lite waiting for a cut connection and this thread without the channel
// below. The first connection notices it; then this thread ends, and `rest.ts` starts another one.
const session = postgres(adminUrl, {
  max: 1,
  max_lifetime: null,
  onnotice: () => {},
  onclose: () => process.exit(1),
});
await session`select 1`;
// As PostgREST does: a change of the schema announces itself on this channel.
await session.listen('pgrst', () => connection.clearSchemaCache());

const server = createServer((incoming, outgoing) => {
  answer(incoming, outgoing).catch((error: unknown) => {
    console.error(error);
    outgoing.destroy();
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  parentPort?.postMessage({ port: typeof address === 'object' ? address?.port : undefined });
});
parentPort?.once('message', async () => {
  server.close();
  server.closeAllConnections();
  await connection.close();
  await session.end();
});

async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const hasBody = incoming.method !== 'GET' && incoming.method !== 'HEAD';
  const request = new Request(`http://${incoming.headers.host ?? '127.0.0.1'}${incoming.url}`, {
    method: incoming.method ?? 'GET',
    headers,
    ...(hasBody ? { body: Readable.toWeb(incoming) as BodyInit, duplex: 'half' } : {}),
  });
  const response = await app.fetch(request);
  if ((response.status === 404 || response.status === 500) && !(await postgresListens())) {
    // lite knows no functions then, or repeats the connection's error; PostgREST says what it is.
    const away = {
      code: 'PGRST000',
      message: 'Database connection error. Postgres is not running.',
    };
    outgoing.writeHead(503, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify({ ...away, details: null, hint: null }));
    return;
  }
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body) {
    await pipeline(Readable.fromWeb(response.body as unknown as ReadableStream), outgoing);
  } else {
    outgoing.end();
  }
}

function postgresListens(): Promise<boolean> {
  const { hostname, port } = new URL(adminUrl);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/**
 * lite hands some JSON over as text and some as values, and its own serializer encodes the text a
 * second time: an rpc argument {"a":1} would arrive as a JSON string.
 */
function jsonType(oid: number) {
  return {
    to: oid,
    from: [oid],
    serialize: (value: unknown) =>
      typeof value === 'string' && isJson(value) ? value : JSON.stringify(value),
    parse: (text: string) => JSON.parse(text),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
