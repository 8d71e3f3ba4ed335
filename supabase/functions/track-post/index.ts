import { withSupabase } from '@supabase/server';
import { type Database, trackPostRequestSchema } from '../_shared/contracts.ts';
import { jsonEndpoint, SECRET_KEY_ONLY } from '../_shared/http.ts';
import { trackPost } from './handler.ts';

export default {
  fetch: withSupabase<Database>(SECRET_KEY_ONLY, jsonEndpoint(trackPostRequestSchema, trackPost)),
};
