/** How long a bot waits for a recommendation. */
import { startServices } from '../local/stack/stack.ts';
import { jobReplySchema } from '../shared/contracts/job.ts';
import { recommendReplySchema } from '../shared/contracts/recommend.ts';
import { benchmark, milliseconds, percentile } from './benchmark.ts';
import { startBenchServer } from './database.ts';
import { NOW } from './generate.ts';

const CALLERS = [1, 8, 32];
const ACCOUNT = 'bench1';
const DAYS = 400;

type Endpoint = { url: string; key: string };

export const recommend = benchmark({
  summary: 'the recommend function in real Deno over HTTP, at 1, 8 and 32 callers at once',
  options: {
    posts: { default: 10_000, description: 'posts, and as many decisions, in the database' },
    accounts: { default: 10, description: 'accounts that posted them' },
    calls: { default: 320, description: 'calls at each number of callers' },
  },
  async run({ posts, accounts, calls }, progress) {
    const server = await startBenchServer();
    const stops: (() => Promise<void>)[] = [server.stop];
    try {
      progress(`Generating ${posts} posts of ${accounts} accounts`);
      await server.fill('fleet', { accounts, posts, days: DAYS });
      const database = await server.copy('fleet');
      stops.unshift(database.drop);
      const services = await startServices(
        { databaseUrl: database.url, adminUrl: database.adminUrl },
        { port: 0, onProgress: progress },
      );
      stops.unshift(services.stop);
      const endpoint = { url: `${services.apiUrl}/functions/v1`, key: services.secretKey };
      progress('Learning the accounts, so that recommendations are drawn from posteriors');
      await learnAll(endpoint);

      const measurements = [];
      await callAtOnce(endpoint, 8, 40);
      for (const callers of CALLERS) {
        progress(`${calls} calls by ${callers} at once`);
        const startedAt = performance.now();
        const times = await callAtOnce(endpoint, callers, calls);
        const seconds = (performance.now() - startedAt) / 1000;
        measurements.push(
          milliseconds(`${callers} at once, p50`, percentile(times, 0.5)),
          milliseconds(`${callers} at once, p99`, percentile(times, 0.99)),
          { name: `${callers} at once, rate`, value: calls / seconds, unit: 'calls/s' },
        );
      }
      return { size: { posts, accounts, calls }, measurements, bars: [] };
    } finally {
      for (const stop of stops) await stop();
    }
  },
});

/** A call of learning takes some accounts and leaves the others for the next. */
async function learnAll(endpoint: Endpoint): Promise<void> {
  for (;;) {
    const run = jobReplySchema.parse(await call(endpoint, 'learning', {}));
    if (run.skipped.deferred === undefined) break;
  }
  const reply = await call(endpoint, 'recommend', { account: ACCOUNT });
  const { decisions } = recommendReplySchema.parse(reply);
  if (decisions[0]?.policy !== 'thompson_joint') {
    throw new Error(`${ACCOUNT} has learned nothing: decisions are ${decisions[0]?.policy}.`);
  }
}

/** `calls` calls by `callers` that each call again as soon as they have an answer; ms of each call. */
async function callAtOnce(endpoint: Endpoint, callers: number, calls: number): Promise<number[]> {
  const times: number[] = [];
  let left = calls;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      const startedAt = performance.now();
      recommendReplySchema.parse(await call(endpoint, 'recommend', { account: ACCOUNT }));
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return times;
}

async function call({ url, key }: Endpoint, name: string, body: object): Promise<unknown> {
  const response = await fetch(`${url}/${name}`, {
    method: 'POST',
    headers: { apikey: key, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, now: NOW.toISOString() }),
  });
  const reply: unknown = await response.json();
  if (!response.ok)
    throw new Error(`${name} answered ${response.status}: ${JSON.stringify(reply)}`);
  return reply;
}
