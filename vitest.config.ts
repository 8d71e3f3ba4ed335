import { defineConfig } from 'vitest/config';

const SECOND = 1_000;

/** One project a folder; the folder says what its tests need, and so how long they may take. */
const project = (name: string, testTimeout: number, hookTimeout = 60 * SECOND) => ({
  extends: true as const,
  test: { name, include: [`tests/${name}/**/*.test.ts`], testTimeout, hookTimeout },
});

export default defineConfig({
  test: {
    environment: 'node',
    passWithNoTests: true,
    globalSetup: 'tests/support/server.ts',
    projects: [
      project('unit', 10 * SECOND),
      project('database', 30 * SECOND),
      project('functions', 60 * SECOND),
      project('scraper', 120 * SECOND, 120 * SECOND),
      project('end-to-end', 300 * SECOND, 300 * SECOND),
    ],
  },
});
