import { afterEach, describe, expect, it, vi } from 'vitest';
import { publishMetrics } from '../../scraper-lambda/src/metrics.ts';

const NUMBERS = { byOutcome: { found: 18, degraded: 2, released: 5 }, pages: 3, readingMs: 4_000 };

/** What is written to stdout, where Lambda picks metrics up, as parsed lines. */
function published(): Record<string, unknown>[] {
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    written.push(String(line));
    return true;
  });
  publishMetrics(NUMBERS);
  write.mockRestore();
  return written.map((line) => JSON.parse(line));
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('metrics', () => {
  it('are reads by outcome, pages, time a read and the degraded share of what was tried', () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'postloop-scraper');
    const lines = published();
    const byOutcome = lines.filter(({ outcome }) => outcome !== undefined);
    expect(byOutcome.map(({ outcome, Reads }) => [outcome, Reads])).toEqual([
      ['found', 18],
      ['degraded', 2],
      ['released', 5],
    ]);
    expect(lines.at(-1)).toMatchObject({
      service: 'scraper',
      Pages: 3,
      ReadDuration: 200,
      DegradedShare: 10,
    });
  });

  it('are published in Lambda only: elsewhere stdout belongs to the command', () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', undefined);
    expect(published()).toEqual([]);
  });
});
