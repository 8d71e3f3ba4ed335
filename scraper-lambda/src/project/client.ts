/** The scraper's connection to the project: four RPCs, nothing else. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import type { ScraperSecret } from '../../../shared/contracts/session.ts';
import type { Database } from '../../../shared/database/types.ts';

export type ProjectClient = SupabaseClient<Database>;

const UNAUTHORIZED = 401;

/** What reads the secret; with `isRefused` it is fetched again from where it is kept. */
export type SecretReader = (isRefused: boolean) => Promise<ScraperSecret>;

/**
 * A client that takes its key from `readSecret` at every call, and once more when the project
 * refuses it: a key that was replaced is noticed without a new process.
 */
export function connect(url: string, readSecret: SecretReader): ProjectClient {
  let mayAskAgain = true;
  const authorized: typeof fetch = async (input, init) => {
    const response = await fetch(input, withKey(init, await readSecret(false)));
    if (response.status !== UNAUTHORIZED || !mayAskAgain) return response;
    mayAskAgain = false;
    await response.body?.cancel();
    return fetch(input, withKey(init, await readSecret(true)));
  };
  // The key given here is replaced in every request.
  return createClient<Database>(url, 'set-by-fetch', {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: authorized },
  });
}

/** The least rights win: the JWT of the role `scraper`, where the secret has one. */
function withKey(init: RequestInit | undefined, secret: ScraperSecret): RequestInit {
  const headers = new Headers(init?.headers);
  const { POSTLOOP_SCRAPER_JWT: jwt, SUPABASE_PUBLISHABLE_KEY: publishable } = secret;
  const isJwt = jwt !== undefined && publishable !== undefined;
  const key = (isJwt ? publishable : secret.POSTLOOP_SECRET_KEY) ?? '';
  headers.set('apikey', key);
  headers.set('authorization', `Bearer ${isJwt ? jwt : key}`);
  return { ...init, headers };
}
