import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The tests start some hundred Node processes and threads, most of them the project's own commands.
// With the modules compiled once for all, each starts in about half the time.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL('node_modules/.cache/postloop-compiled', import.meta.url),
);

/** Files at a time, at most: each may have six functions and a Chromium of its own. */
const MOST_WORKERS = 4;

/** Only ends what hangs: no test comes near it, on a slow machine or a busy one. */
const HANGS_AFTER_MS = 900_000;

/** One project a folder; the folder says what its tests need. */
const PROJECTS = ['unit', 'database', 'functions', 'scraper', 'end-to-end'];

export default defineConfig({
  test: {
    environment: 'node',
    globalSetup: 'tests/support/server.ts',
    // Files share the server and no database in it, so they run beside each other. Those of a
    // project share a process, which loads each module once.
    maxWorkers: Math.min(availableParallelism(), MOST_WORKERS),
    isolate: false,
    testTimeout: HANGS_AFTER_MS,
    hookTimeout: HANGS_AFTER_MS,
    projects: PROJECTS.map((name) => ({
      extends: true as const,
      test: { name, include: [`tests/${name}/**/*.test.ts`] },
    })),
  },
});
