/** The scraper's connection to the project: two RPCs, nothing else. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import type { Database } from '../../shared/database.types.ts';

export type ProjectClient = SupabaseClient<Database>;

/** How long one RPC may take, in milliseconds. */
export const RPC_PATIENCE_MS = 10_000;

/** @param key the secret key, or a key of the role `scraper` */
export function connect(url: string, key: string): ProjectClient {
  return createClient<Database>(url, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  });
}
