/**
 * `npm start`: the whole loop on this machine. Brings the local stack up, plays an account's
 * fortnight in front of a simulated audience, shows what was learned, and goes on serving.
 */
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { recommendReplySchema } from '../../shared/contracts/recommend.ts';
import { LocalError } from '../stack/errors.ts';
import { GATEWAY_PORT } from '../stack/gateway.ts';
import { stopOnSignals } from '../stack/guard.ts';
import { type Stack, startStack } from '../stack/stack.ts';
import { startXSite } from '../x-site/server.ts';
import { createAudience } from './audience.ts';
import { callFunction, type Invoke, type Progress, play, serve } from './play.ts';
import { report } from './report.ts';
import { summarise } from './summary.ts';

const USAGE = `npm start -- [options]

  --once          stop when the fortnight has been played
  --json          one JSON object on stdout, progress on stderr
  --days <n>      how long to play (default 14)
  --seed <n>      another audience (default 1)
  --until <time>  the moment, ISO 8601, at which the play ends (default: the last full hour)
  --port <n>      port of the API on 127.0.0.1 (default 54321)
  --help          this text
`;

const HANDLE = 'postloop_demo';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What a Lambda invocation has on AWS, in milliseconds. */
const INVOCATION_MS = 120_000;

type Options = {
  once: boolean;
  json: boolean;
  days: number;
  seed: number;
  until: Date;
  port: number;
};

function parseOptions(): Options | 'help' {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      days: { type: 'string', default: '14' },
      seed: { type: 'string', default: '1' },
      until: { type: 'string' },
      port: { type: 'string', default: '54321' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const until = values.until
    ? new Date(values.until)
    : new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS);
  if (Number.isNaN(until.getTime())) throw usageError(`--until ${values.until} is not a time`);
  return {
    once: values.once,
    json: values.json,
    days: wholeNumber('--days', values.days, 1, 90),
    seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1),
    until,
    port: wholeNumber('--port', values.port, 0, 65_535),
  };
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw usageError(`${name} takes a whole number from ${min} to ${max}, not ${text}`);
}

const usageError = (message: string) =>
  new LocalError('usage', `${message}. See npm start -- --help.`);

/** Progress on stderr: one line that is rewritten on a terminal, a line a day elsewhere. */
function createProgress() {
  const line = process.stderr.isTTY;
  let shownDay = 0;
  return {
    step: (text: string) => console.error(pc.dim(text)),
    day({ day, days, now, posts, reads }: Progress) {
      const text = `day ${day}/${days}  ${now.toISOString().slice(0, 16).replace('T', ' ')}  ${posts} posts  ${reads} reads`;
      if (line) process.stderr.write(`\r${text}\u001b[K`);
      else if (day !== shownDay) console.error(text);
      shownDay = day;
    },
    end: () => line && process.stderr.write('\n'),
  };
}

/** The Lambda's own handler, in this process, pointed at the stack and the stand-in site. */
async function lambda(stack: Stack, xBaseUrl: string): Promise<Invoke> {
  process.env.SUPABASE_URL = stack.apiUrl;
  process.env.POSTLOOP_SECRET_KEY = stack.secretKey;
  process.env.X_BASE_URL = xBaseUrl;
  process.env.AWS_LAMBDA_LOG_LEVEL ??= 'WARN';
  const { handler } = await import('../../scraper-lambda/src/handler.ts');
  return (event) => {
    const endsAt = Date.now() + INVOCATION_MS;
    return handler(event, { getRemainingTimeInMillis: () => endsAt - Date.now() });
  };
}

async function run(options: Options): Promise<void> {
  const progress = createProgress();
  const startsAt = new Date(options.until.getTime() - options.days * DAY_MS);
  const stops: (() => Promise<unknown>)[] = [];
  const serving = new AbortController();
  const stop = async () => {
    serving.abort();
    for (let one = stops.pop(); one; one = stops.pop()) await one();
  };
  stopOnSignals(stop);
  try {
    const audience = createAudience({
      seed: options.seed,
      handle: HANDLE,
      followers: 2_000,
      organicPerHour: 0.25,
      startsAt,
    });
    const stack = await startStack({
      fresh: true,
      port: options.port,
      since: startsAt,
      catchUp: 'last',
      changeBody: (body, { now }) => ({ ...(body as object), now: now.toISOString() }),
      onProgress: progress.step,
    });
    stops.push(stack.stop);
    const site = await startXSite({ numbers: audience.numbers, now: audience.now });
    stops.push(site.stop);
    const invoke = await lambda(stack, site.url);
    const { closeBrowser } = await import('../../scraper-lambda/src/browser/browser.ts');
    stops.push(closeBrowser);

    progress.step(
      `Playing ${options.days} days of @${HANDLE} until ${options.until.toISOString()}`,
    );
    await play({
      stack,
      audience,
      invoke,
      handle: HANDLE,
      seed: options.seed,
      startsAt,
      days: options.days,
      onProgress: progress.day,
    });
    progress.end();

    const { decisions } = recommendReplySchema.parse(
      await callFunction(stack, 'recommend', {
        account: HANDLE,
        now: options.until.toISOString(),
      }),
    );
    const [decision] = decisions;
    if (!decision) throw new LocalError('bot_refused', 'recommend answered no decision.');
    const summary = await summarise(stack.sql, site.served, decision, options.until);
    console.log(options.json ? JSON.stringify(summary) : report(summary));

    if (!options.once) {
      const isDefault = stack.apiUrl === `http://127.0.0.1:${GATEWAY_PORT}`;
      console.error(
        [
          '',
          `API       ${stack.apiUrl}  (apikey: ${stack.secretKey})`,
          `Postgres  ${stack.databaseUrl}`,
          `X         ${site.url}/${HANDLE}`,
          `Logs      ${stack.logFolder}`,
          `Doctor    npm run doctor${isDefault ? '' : ` -- --url ${stack.apiUrl}`}`,
          'The clock goes on from here. Ctrl-C stops everything.',
        ].join('\n'),
      );
      await serve({
        stack,
        audience,
        invoke,
        signal: serving.signal,
        onError: (error) => console.error(error.message),
      });
    }
  } finally {
    await stop();
  }
}

try {
  const options = parseOptions();
  if (options === 'help') console.log(USAGE);
  else await run(options);
} catch (error) {
  console.error(error instanceof LocalError ? error.message : error);
  process.exitCode = 1;
}
