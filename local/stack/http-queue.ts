/** Sends what the pg_net stand-in has queued and records what came back, as pg_net's worker does. */
import type postgres from 'postgres';

/** One request that was sent. */
export type Sent = {
  id: number;
  url: string;
  /** Null when no answer came: see `error`. */
  status: number | null;
  error: string | null;
};

type Queued = {
  id: number;
  method: string;
  url: string;
  headers: Record<string, string> | null;
  body: string | null;
  timeout_milliseconds: number;
};

type Answer = {
  status: number | null;
  contentType: string | null;
  headers: Record<string, string> | null;
  content: string | null;
  timedOut: boolean | null;
  error: string | null;
};

type ChangeBody = (body: unknown, request: { url: string; now: Date }) => unknown;

/** As many at a time as pg_net takes from its queue. */
const BATCH = 200;

/**
 * Takes requests from the queue until it is empty and writes `net._http_response` for each, dated
 * `now`. `sql` must parse bigint as number.
 */
export async function sendQueued(
  sql: postgres.Sql,
  now: Date,
  abort: AbortSignal,
  changeBody: ChangeBody | undefined,
): Promise<Sent[]> {
  const sent: Sent[] = [];
  while (!abort.aborted) {
    // Taken before sending: a request is sent once, even when this process dies in between.
    const batch = await sql<Queued[]>`
      delete from net.http_request_queue
      where id in (
        select id from net.http_request_queue order by id limit ${BATCH} for update skip locked
      )
      returning id, method, url, headers, convert_from(body, 'UTF8') as body, timeout_milliseconds`;
    if (batch.length === 0) break;
    sent.push(
      ...(await Promise.all(batch.map((row) => sendOne(sql, row, now, abort, changeBody)))),
    );
  }
  return sent;
}

async function sendOne(
  sql: postgres.Sql,
  row: Queued,
  now: Date,
  abort: AbortSignal,
  changeBody: ChangeBody | undefined,
): Promise<Sent> {
  let { body } = row;
  if (changeBody && body !== null) {
    body = JSON.stringify(changeBody(JSON.parse(body), { url: row.url, now }));
  }
  const answer = await fetchAnswer({ ...row, body }, abort);
  await sql`
    insert into net._http_response
      (id, status_code, content_type, headers, content, timed_out, error_msg, created)
    values (${row.id}, ${answer.status}, ${answer.contentType},
      ${answer.headers && sql.json(answer.headers)}, ${answer.content}, ${answer.timedOut},
      ${answer.error}, ${now})`;
  return { id: row.id, url: row.url, status: answer.status, error: answer.error };
}

async function fetchAnswer(row: Queued, abort: AbortSignal): Promise<Answer> {
  const timeout = AbortSignal.timeout(row.timeout_milliseconds);
  try {
    const response = await fetch(row.url, {
      method: row.method.toUpperCase(),
      headers: row.headers ?? {},
      body: row.body,
      redirect: 'manual',
      signal: AbortSignal.any([timeout, abort]),
    });
    return {
      status: response.status,
      contentType: response.headers.get('content-type'),
      headers: Object.fromEntries(response.headers),
      content: await response.text(),
      timedOut: false,
      error: null,
    };
  } catch (error) {
    const reason = error instanceof Error ? ((error.cause as Error)?.message ?? error.message) : '';
    const none = { status: null, contentType: null, headers: null, content: null };
    return timeout.aborted
      ? { ...none, timedOut: true, error: `Timeout of ${row.timeout_milliseconds} ms reached` }
      : { ...none, timedOut: null, error: reason };
  }
}
