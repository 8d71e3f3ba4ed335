/**
 * `npm start`: the whole loop on this machine. Brings the local stack up, plays an account's
 * fortnight in front of a simulated audience, shows what was learned, and goes on serving.
 */
import { recommendReplySchema } from '../../shared/contracts/recommend.ts';
import { LocalError } from '../stack/errors.ts';
import { checkPort, GATEWAY_PORT } from '../stack/gateway.ts';
import { stopOnSignals } from '../stack/guard.ts';
import { type Stack, startStack } from '../stack/stack.ts';
import { runCommandLine } from '../terminal/command-line.ts';
import { flag, moment, seed, wholeNumber } from '../terminal/options.ts';
import { startXSite, type XSite } from '../x-site/server.ts';
import { createAudience } from './audience.ts';
import { callFunction, type Invoke, play, serve } from './play.ts';
import { report } from './report.ts';
import { summarise } from './summary.ts';

const HANDLE = 'postloop_demo';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What a Lambda invocation has on AWS, in milliseconds. */
const INVOCATION_MS = 120_000;

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

/** A port that cannot be had, before Postgres is started for nothing. */
async function checkApiPort(port: number): Promise<void> {
  await checkPort(port).catch((error: unknown) => {
    if (!(error instanceof LocalError)) throw error;
    const free = 'npm start -- --port 0 takes a free one.';
    throw new LocalError(error.code, `${error.message} ${free}`, { cause: error });
  });
}

function addresses(stack: Stack, site: XSite): string {
  const isDefault = stack.apiUrl === `http://127.0.0.1:${GATEWAY_PORT}`;
  return [
    `API       ${stack.apiUrl}  (apikey: ${stack.secretKey})`,
    `Postgres  ${stack.databaseUrl}`,
    `X         ${site.url}/${HANDLE}`,
    `Logs      ${stack.logFolder}`,
    `Doctor    npm run doctor${isDefault ? '' : ` -- --url ${stack.apiUrl}`}`,
  ].join('\n');
}

await runCommandLine({
  name: 'npm start',
  options: {
    once: flag('stop when the play is over'),
    days: wholeNumber({ description: 'how long to play', default: 14, to: 90 }),
    seed: seed('another audience'),
    until: moment('when the play ends, ISO 8601 (default: the last full hour)'),
    port: wholeNumber({
      description: 'port of the API on 127.0.0.1; 0 takes a free one',
      default: GATEWAY_PORT,
      from: 0,
      to: 65_535,
    }),
  },
  async run({ once, days, seed, until: given, port }, { progress, show }) {
    await checkApiPort(port);
    const until = given ?? new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS);
    const startsAt = new Date(until.getTime() - days * DAY_MS);
    const stops: (() => Promise<unknown>)[] = [];
    const serving = new AbortController();
    const stop = async () => {
      serving.abort();
      for (let one = stops.pop(); one; one = stops.pop()) await one();
    };
    stopOnSignals(stop);
    try {
      const audience = createAudience({
        seed,
        handle: HANDLE,
        followers: 2_000,
        organicPerHour: 0.25,
        startsAt,
      });
      const stack = await startStack({
        fresh: true,
        port,
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

      console.error(`\n${addresses(stack, site)}\n`);
      progress.step(`Playing ${days} days of @${HANDLE} until ${until.toISOString()}`);
      await play({
        stack,
        audience,
        invoke,
        handle: HANDLE,
        seed,
        startsAt,
        days,
        onProgress({ day, now, posts, reads }) {
          const moment = now.toISOString().slice(0, 16).replace('T', ' ');
          progress.advance({
            text: `day ${day}/${days}  ${moment}  ${posts} posts  ${reads} reads`,
            group: String(day),
            share: (now.getTime() - startsAt.getTime()) / (days * DAY_MS),
          });
        },
      });

      const { decisions } = recommendReplySchema.parse(
        await callFunction(stack, 'recommend', { account: HANDLE, now: until.toISOString() }),
      );
      const [decision] = decisions;
      if (!decision) throw new LocalError('bot_refused', 'recommend answered no decision.');
      const summary = await summarise(stack.sql, site.served, decision, until);
      show(summary, () => report(summary));

      if (!once) {
        console.error(`\n${addresses(stack, site)}`);
        console.error('The clock goes on from here. Ctrl-C stops everything.');
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
  },
});
