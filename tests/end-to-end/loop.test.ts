import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Summary } from '../../local/start/summary.ts';
import { processesOf, type Started, startLocal, temporaryFolder } from '../support/start.ts';

const folder = temporaryFolder();
let run: Started;
let end: Awaited<Started['ended']>;
let summary: Summary;

beforeAll(async () => {
  run = startLocal(folder.path, [
    ...['--once', '--json', '--days', '4', '--until', '2026-06-15T00:00:00Z'],
  ]);
  end = await run.ended;
  if (end.code === 0) summary = JSON.parse(run.stdout());
});
afterAll(() => {
  run?.child.kill('SIGKILL');
  folder.remove();
});

describe('npm start -- --once --json', () => {
  it('ends well, with one JSON object on stdout and its progress on stderr', () => {
    expect(end, run.stderr()).toEqual({ code: 0, signal: null });
    expect(run.stdout().trim().split('\n')).toHaveLength(1);
    expect(run.stderr()).toMatch(/day 4\/4/);
  });

  it('leaves no process and no data behind', () => {
    expect(processesOf(run.child.pid, folder.path)).toEqual([]);
  });

  it('tracks four posts a day', () => {
    expect(summary.posts_tracked).toBe(16);
  });

  it('does every read that fell due but those of a post that is gone', () => {
    const { due, done, by_outcome } = summary.collections;
    const ended = (by_outcome.deleted ?? 0) + (by_outcome.suspended ?? 0);
    expect(due).toBeGreaterThan(50);
    expect(done).toBe(due - ended);
    expect(by_outcome).toEqual({ found: done, deleted: ended });
    expect(ended).toBeGreaterThan(0);
  });

  it('stores the numbers that the pages showed, each read once', () => {
    expect(summary.metrics_exact).toBe(true);
    expect(summary.metrics_rows).toBe(summary.collections.done);
    // one on each full hour at least
    expect(summary.follower_snapshots).toBeGreaterThanOrEqual(4 * 24);
  });

  it('gives every observed follower to a post, to drift or to nobody, and no more than that', () => {
    const { observed, credited, organic, unexplained } = summary.followers;
    expect(observed).toBeGreaterThan(0);
    expect(credited).toBeGreaterThan(0);
    expect(Math.abs(credited + organic + unexplained - observed)).toBeLessThan(1e-6);
  });

  it('attributes every post and learns from every finished one', () => {
    expect(summary.attributed).toBe(16);
    // those of the first two days, which are 48 hours old at the end
    expect(summary.learned).toBe(8);
    expect(summary.posts).toHaveLength(16);
    expect(summary.posts.every((post) => post.impressions !== null)).toBe(true);
  });

  it.each(['topic', 'angle', 'tone', 'format', 'generator', 'hook'] as const)(
    'shows what the values of %s have done',
    (dimension) => {
      const values = summary.performance[dimension];
      expect(values.length).toBeGreaterThan(0);
      expect(values.reduce((sum, { uses }) => sum + uses, 0)).toBe(8);
      for (const one of values) {
        expect(one.effect_low_90).toBeLessThan(one.effect_low_80);
        expect(one.effect_low_80).toBeLessThan(one.effect);
        expect(one.effect_high_90).toBeGreaterThan(one.effect_high_80);
        expect(one.confidence).toBe(one.uses / 30);
      }
    },
  );

  it('ends with the next recommendation and its prompt block', () => {
    const { decision_id, propensity, dimensions, prompt } = summary.recommendation;
    expect(decision_id).toMatch(/^[0-9a-f-]{36}$/);
    expect([1, 2, 3, 4, 5, 6, 7, 8]).toContain(propensity * 8);
    expect(Object.keys(dimensions)).toHaveLength(6);
    for (const value of Object.values(dimensions)) expect(prompt).toContain(value);
  });

  it('ran every job throughout, and none failed but the reads that met trouble', () => {
    const runs = Object.fromEntries(summary.runs.map((one) => [one.job, one]));
    expect(runs.attribution).toMatchObject({ runs: 48, succeeded: 48, failed: 0 });
    // The clock jumps from event to event, an hour at most, and a job fires once a jump.
    expect(runs.health?.succeeded).toBeGreaterThanOrEqual(4 * 24);
    expect(runs.health?.succeeded).toBe(runs.health?.runs);
    expect(runs.cleanup).toMatchObject({ runs: 4, succeeded: 4 });
    expect(runs.learning?.runs).toBeGreaterThanOrEqual(48);
    expect(runs.learning).toMatchObject({ failed: 0, partial: 0 });
    // the posts whose pages show trouble for their first half hour
    expect(runs.scraper?.failed).toBeLessThanOrEqual(4);
    expect(runs.scraper?.succeeded).toBeGreaterThan(90);
  });
});
