/** Attribution against the loop that it replaces, and against the least that Postgres can do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { LOCAL_SECRET_KEY } from "../local/stack.ts";
import { startRest } from '../local/rest.ts';
import type { Database } from '../shared/database.types.ts';
import { atLeast, atMost, benchmark, elapsed, fastest, milliseconds } from './benchmark.ts';
import { type BenchDatabase, type BenchServer, startBenchServer } from './database.ts';
import { activeSince, daysOf, NEXT_RUN, NOW } from './generate.ts';
