/** supabase-js over the local REST layer, as the edge functions reach the database. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { startRest } from '../local/rest.ts';
import { LOCAL_SECRET_KEY } from '../local/stack.ts';
import type { Database } from '../shared/database.types.ts';

export type RestClient = {
  client: SupabaseClient<Database>;
  stop(): Promise<void>;
};

/** A client with the secret key, on a REST layer of its own. */
export async function startRestClient(database: { adminUrl: string }): Promise<RestClient> {
  const folder = mkdtempSync(join(tmpdir(), 'postloop-bench-'));
  const rest = await startRest({
    adminUrl: database.adminUrl,
    keys: { [LOCAL_SECRET_KEY]: { type: 'secret', role: 'service_role' } },
    logFile: join(folder, 'rest.log'),
  });
  return {
    client: createClient<Database>(`http://127.0.0.1:${rest.port}`, LOCAL_SECRET_KEY),
    stop: async () => {
      await rest.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
