/** From a request to a handler's checked input, and from its result to JSON. */
import { LimitedBytesTransformStream } from '@std/streams/limited_bytes_transform_stream';
import { toBytes } from '@std/streams/to_bytes';
import type { SupabaseContext, WithSupabaseConfig } from '@supabase/server';
import { z } from 'zod';
import { type Database, PostloopError } from './contracts.ts';
import { callDatabase, type DatabaseClient } from './database.ts';
import { parseJson } from './json.ts';
import { toPostloopError } from './run.ts';

const MAX_BODY_BYTES = 1_000_000;

/** Server to server only: any of the project's secret keys, in the `apikey` header; no browser. */
export const SECRET_KEY_ONLY = {
  auth: 'secret:*',
  cors: 'disabled',
  errors: { detailed: false },
} as const satisfies WithSupabaseConfig;

export type Reply = { status: number; body: unknown };
type Handler<Body> = (body: Body, database: DatabaseClient) => Promise<Reply>;

/**
 * A request handler that reads a JSON body (an empty one counts as `{}`), validates it and answers
 * JSON. Refusals have the body `{ code, message, details? }`.
 */
export function jsonEndpoint<Schema extends z.ZodType>(
  bodySchema: Schema,
  handle: Handler<z.infer<Schema>>,
): (request: Request, context: SupabaseContext<Database>) => Promise<Response> {
  return async (request, context) => {
    try {
      const body = await readBody(request, bodySchema);
      const reply = await handle(body, context.supabaseAdmin);
      return Response.json(reply.body, { status: reply.status });
    } catch (error) {
      const response = errorResponse(error);
      if (response.status >= 500) await recordFailure(request, context.supabaseAdmin, error);
      return response;
    }
  };
}

async function readBody<Schema extends z.ZodType>(
  request: Request,
  bodySchema: Schema,
): Promise<z.infer<Schema>> {
  if (request.method !== 'POST') {
    throw new PostloopError(405, 'method_not_allowed', 'Send a POST request.');
  }
  const bytes = await readBytes(request);
  const isEmpty = bytes.length === 0;
  if (!isEmpty && !isJson(request.headers.get('content-type'))) {
    throw new PostloopError(
      415,
      'content_type_not_json',
      'Send the body as JSON in UTF-8 with the header content-type: application/json.',
    );
  }
  const result = bodySchema.safeParse(isEmpty ? {} : parseJson(bytes));
  if (!result.success) {
    const issues = result.error.issues.map((issue) => ({
      path: issue.path.join('.'),
      message: issue.message,
    }));
    throw new PostloopError(
      400,
      'body_invalid',
      issues.map((issue) => `${issue.path || 'body'}: ${issue.message}`).join('; '),
      { issues },
    );
  }
  return result.data;
}

async function readBytes(request: Request): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array();
  try {
    return await toBytes(
      request.body.pipeThrough(new LimitedBytesTransformStream(MAX_BODY_BYTES, { error: true })),
    );
  } catch (error) {
    if (error instanceof RangeError) {
      throw new PostloopError(413, 'body_too_large', `Send at most ${MAX_BODY_BYTES} bytes.`);
    }
    throw error;
  }
}

/** JSON is UTF-8: text in another charset would be misread. */
function isJson(contentType: string | null): boolean {
  const [type, ...parameters] = (contentType ?? '').toLowerCase().split(';');
  return (
    type?.trim() === 'application/json' &&
    parameters.every((parameter) => {
      const [name, value = ''] = parameter.split('=').map((part) => part.trim());
      return name !== 'charset' || /^"?utf-?8"?$/.test(value);
    })
  );
}

/** So that health shows it. A failed run has its row already; the log has what cannot be stored. */
async function recordFailure(
  request: Request,
  database: DatabaseClient,
  error: unknown,
): Promise<void> {
  const failure = toPostloopError(error);
  if (failure.details instanceof Object && 'run' in failure.details) return;
  await callDatabase(
    database,
    'record_failed_call',
    {
      p_function: new URL(request.url).pathname.split('/').at(-1) ?? '',
      p_error: { code: failure.code, message: failure.message },
      p_now: new Date().toISOString(),
    },
    z.object({ code: z.literal('recorded') }),
  ).catch((reason: Error) => console.error(reason.message));
}

function errorResponse(error: unknown): Response {
  if (error instanceof PostloopError) {
    if (error.status >= 500) console.error(JSON.stringify(error.toBody()));
    const headers = new Headers(error.status === 405 ? { allow: 'POST' } : {});
    return Response.json(error.toBody(), { status: error.status, headers });
  }
  console.error(error);
  const body = { code: 'internal', message: 'An unexpected error; the function log has it.' };
  return Response.json(body, { status: 500 });
}
