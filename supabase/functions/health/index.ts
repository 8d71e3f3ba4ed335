import { withSupabase } from '@supabase/server';
import { type Database, jobRequestSchema } from '../_shared/contracts.ts';
import { jsonEndpoint, SECRET_KEY_ONLY } from '../_shared/http.ts';
import { reportHealth } from './handler.ts';

export default {
  fetch: withSupabase<Database>(SECRET_KEY_ONLY, jsonEndpoint(jobRequestSchema, reportHealth)),
};
