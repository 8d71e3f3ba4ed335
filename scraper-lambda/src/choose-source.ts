/** The source that the configuration chooses. */
import type { ScraperEnvironment } from '../../shared/contracts/environment.ts';
import type { ScraperSecret } from '../../shared/contracts/session.ts';
import { createSessionPool } from './browser/sessions.ts';
import { ScraperError } from './errors.ts';
import type { ProjectClient } from './project/client.ts';
import { databaseLedger } from './project/ledger.ts';
import type { MetricsSource } from './source.ts';

export type RunningSource = MetricsSource & {
  startedBrowser(): boolean;
  /** Pages opened so far. */
  pagesOpened(): number;
};

export type SourceNeeds = {
  env: ScraperEnvironment;
  client: ProjectClient;
  /** The moment that a read is stamped with, ISO 8601. */
  now: () => string;
  secret: () => Promise<ScraperSecret>;
};

/**
 * Opens what `METRICS_SOURCE` names.
 * @throws ScraperError `environment_invalid` when the API is chosen and the secret has no token
 */
export async function openSource({
  env,
  client,
  now,
  secret,
}: SourceNeeds): Promise<RunningSource> {
  const { X_SESSIONS: sessions = [], X_API_TOKEN: token } = await secret();
  if (env.METRICS_SOURCE === 'api') {
    if (!token) {
      throw new ScraperError(
        'environment_invalid',
        'METRICS_SOURCE=api needs X_API_TOKEN in the secret: a bearer or user token of X’s API.',
      );
    }
    const { createApiSource } = await import('./api/source.ts');
    const source = createApiSource({
      baseUrl: env.X_API_BASE_URL,
      token,
      now: () => new Date(now()),
    });
    return { ...source, startedBrowser: () => false, pagesOpened: () => 0 };
  }
  // Imported only now: it brings the browser's driver along.
  const { createBrowserSource } = await import('./browser/source.ts');
  return createBrowserSource({
    baseUrl: env.X_BASE_URL,
    sessions: createSessionPool(sessions, databaseLedger(client, now)),
    concurrency: env.PAGE_CONCURRENCY,
    now,
    chromiumPath: env.CHROMIUM_PATH,
    limits: { pages: env.PAGE_RECYCLE_AFTER, memoryMb: env.BROWSER_MEMORY_LIMIT_MB },
  });
}
