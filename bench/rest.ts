/** supabase-js over the local REST layer, as the edge functions reach the database. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { guardFolder } from '../local/stack/guard.ts';
import { startRest } from '../local/stack/rest.ts';
import { LOCAL_SECRET_KEY } from '../local/stack/stack.ts';
import type { Database } from '../shared/database/types.ts';

export type RestClient = {
  client: SupabaseClient<Database>;
  /** What the scraper reads to reach the same database. */
  environment: { SUPABASE_URL: string; POSTLOOP_SECRET_KEY: string };
  stop(): Promise<void>;
};

/** A client with the secret key, on a REST layer of its own. */
export async function startRestClient(database: { adminUrl: string }): Promise<RestClient> {
  const folder = mkdtempSync(join(tmpdir(), 'postloop-bench-'));
  const keepFolder = guardFolder(folder);
  const rest = await startRest({
    adminUrl: database.adminUrl,
    keys: { [LOCAL_SECRET_KEY]: { type: 'secret', role: 'service_role' } },
    logFile: join(folder, 'rest.log'),
  });
  const url = `http://127.0.0.1:${rest.port}`;
  return {
    client: createClient<Database>(url, LOCAL_SECRET_KEY),
    environment: { SUPABASE_URL: url, POSTLOOP_SECRET_KEY: LOCAL_SECRET_KEY },
    stop: async () => {
      await rest.stop();
      rmSync(folder, { recursive: true, force: true });
      keepFolder();
    },
  };
}
