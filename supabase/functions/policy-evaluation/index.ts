import { withSupabase } from '@supabase/server';
import { type Database, policyEvaluationRequestSchema } from '../_shared/contracts.ts';
import { jsonEndpoint, SECRET_KEY_ONLY } from '../_shared/http.ts';
import { evaluate } from './handler.ts';

export default {
  fetch: withSupabase<Database>(
    SECRET_KEY_ONLY,
    jsonEndpoint(policyEvaluationRequestSchema, evaluate),
  ),
};
