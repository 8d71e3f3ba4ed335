/** Calls of the edge functions over HTTP, as a bot or pg_net makes them. */
import type postgres from 'postgres';
import type { z } from 'zod';
import type { Stack } from '../../local/stack/stack.ts';
import { errorBodySchema } from '../../shared/contracts/error.ts';
import { only } from './scenario.ts';

export type CallOptions = {
  /** Sent in the apikey header; null sends none. Default: the stack's secret key. */
  key?: string | null;
  method?: string;
  /** null sends none. Default: application/json. */
  contentType?: string | null;
  /** More headers. */
  headers?: Record<string, string>;
};

/**
 * Sends a body to a function: text and bytes as they are, a stream in chunks without a length,
 * anything else as JSON, undefined not at all.
 */
export async function call(
  stack: Stack,
  name: string,
  body?: unknown,
  options: CallOptions = {},
): Promise<{ status: number; body: unknown; headers: Headers }> {
  const { key = stack.secretKey, method = 'POST', contentType = 'application/json' } = options;
  const response = await fetch(`${stack.apiUrl}/functions/v1/${name}`, {
    method,
    headers: {
      ...(key === null ? {} : { apikey: key }),
      ...(contentType === null ? {} : { 'content-type': contentType }),
      ...options.headers,
    },
    ...(body === undefined ? {} : encoded(body)),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

function encoded(body: unknown): RequestInit & { duplex?: 'half' } {
  if (typeof body === 'string') return { body };
  if (body instanceof Uint8Array) return { body: new Uint8Array(body) };
  if (body instanceof ReadableStream) return { body, duplex: 'half' };
  return { body: JSON.stringify(body) };
}

/** The reply to a call that must answer with a status, parsed by its contract. */
export async function reply<Schema extends z.ZodType>(
  stack: Stack,
  name: string,
  body: unknown,
  schema: Schema,
  status = 200,
): Promise<z.infer<Schema>> {
  const answer = await call(stack, name, body);
  if (answer.status !== status) {
    throw new Error(`${name} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return schema.parse(answer.body);
}

/** A refusal: its status beside its `{ code, message, details? }`. */
export async function refusal(
  stack: Stack,
  name: string,
  body?: unknown,
  options: CallOptions = {},
) {
  const answer = await call(stack, name, body, options);
  return { status: answer.status, ...errorBodySchema.parse(answer.body) };
}

/** Does the work while a column is missing, as when a migration was not applied. A table without a schema is in public. */
export async function withoutColumn<Result>(
  sql: postgres.Sql,
  table: string,
  column: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const rename = (from: string, to: string) =>
    sql`alter table ${sql(table.includes('.') ? table : `public.${table}`)} rename column ${sql(from)} to ${sql(to)}`;
  const away = `not_${column}`;
  await rename(column, away);
  try {
    return await work();
  } finally {
    await rename(away, column);
  }
}

/** The newest run of a job. */
export async function lastRun(sql: postgres.Sql, job: string) {
  return only(
    await sql`
      select run_id, status, as_of, expected, done, failed, skipped, error
      from public.pipeline_runs where job = ${job} order by started_at desc limit 1`,
  );
}
