import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { healthReplySchema } from '../../shared/contracts/job.ts';
import { PATIENTLY } from '../support/patience.ts';
import {
  type Process,
  processesOf,
  type Started,
  startLocal,
  stillRunning,
  temporaryFolder,
} from '../support/start.ts';

const DAY = ['--days', '1', '--until', '2026-06-15T00:00:00Z'];
const folder = temporaryFolder();
let started: Started | undefined;
afterEach(async () => {
  started?.child.kill('SIGKILL');
  await started?.ended;
});
afterAll(() => folder.remove());

function start(args: string[]): Started {
  started = startLocal(folder.path, args);
  return started;
}

/** The unpacked Chromium stays for the next run, and a killed one cannot clear its profile away. */
const isChromiums = (name: string) =>
  /^(postloop-chromium|puppeteer_dev_chrome_profile)-/.test(name);

/** What a run started and the data that it kept are gone as soon as the watcher has seen its end. */
async function expectNothingLeft(known: Process[], after = '') {
  await vi.waitFor(() => {
    expect(stillRunning(known), after).toEqual([]);
    expect(processesOf(undefined, folder.path)).toEqual([]);
    expect(readdirSync(folder.path).filter((name) => !isChromiums(name))).toEqual([]);
  }, PATIENTLY);
}

it.each([
  ['while its parts start', /Starting the REST layer/, 0],
  ['while the functions start', /Starting the functions/, 50],
  ['at a random moment of the play', /Playing/, Math.floor(Math.random() * 4_000)],
])('leaves no process when it is killed %s', async (_, moment, wait) => {
  const run = start(['--once', ...DAY]);
  await run.says(moment);
  await sleep(wait);
  const known = processesOf(run.child.pid, folder.path);
  expect(known.length).toBeGreaterThan(1);
  run.child.kill('SIGKILL');
  expect((await run.ended).signal).toBe('SIGKILL');
  await expectNothingLeft(known, `killed ${wait} ms after ${moment}`);
});

it('runs after the killed ones, serves until Ctrl-C, and then stops cleanly with 130', async () => {
  const run = start(['--json', ...DAY]);
  await run.says(/Ctrl-C stops everything/);
  const summary = JSON.parse(run.stdout());
  expect(summary).toMatchObject({ posts_tracked: 4, metrics_exact: true });

  const [, apiUrl, key = ''] = await run.says(/API\s+(\S+)\s+\(apikey: (\S+)\)/);
  const response = await fetch(`${apiUrl}/functions/v1/health`, {
    method: 'POST',
    headers: { apikey: key },
  });
  const health = healthReplySchema.parse(await response.json());
  expect(health.jobs?.map(({ job }) => job)).toContain('learning');

  const [, databaseUrl = ''] = await run.says(/Postgres\s+(postgresql:\S+)/);
  const sql = postgres(databaseUrl, { max: 1 });
  const stored = await sql`
    select assigned, propensity, origin
    from public.content_metadata where decision_id = ${summary.recommendation.decision_id}`;
  await sql.end();
  expect(stored).toEqual([
    {
      assigned: summary.recommendation.dimensions,
      propensity: summary.recommendation.propensity,
      origin: 'recommended',
    },
  ]);

  const known = processesOf(run.child.pid, folder.path);
  expect(known.length).toBeGreaterThan(5);
  run.child.kill('SIGINT');
  expect(await run.ended).toEqual({ code: 130, signal: null });
  await expectNothingLeft(known);
});

it('stops cleanly with 130 when Ctrl-C comes in the middle of the play', async () => {
  const run = start(['--once', '--json', ...DAY]);
  await run.says(/day 1\/1/);
  const known = processesOf(run.child.pid, folder.path);
  run.child.kill('SIGINT');
  expect(await run.ended).toEqual({ code: 130, signal: null });
  expect(run.stdout()).toBe('');
  await expectNothingLeft(known);
});
