/** Reports whether the loop runs: every invariant, every difference of schema, every job and table. */
import { z } from 'zod';
import {
  type HealthReply,
  type Invariant,
  invariantSchema,
  type JobRequest,
  PostloopError,
  pipelineStateSchema,
  type SchemaFinding,
  schemaFindingSchema,
} from '../_shared/contracts.ts';
import { callDatabase, type DatabaseClient } from '../_shared/database.ts';
import type { Reply } from '../_shared/http.ts';
import { closeRun, momentOf, openRun, toPostloopError } from '../_shared/run.ts';
import { DATABASE_SCHEMA } from '../_shared/schema.ts';

const FINDINGS_NAMED = 3;

/** Rows carry Postgres' own text of a time, or ISO 8601 where the REST layer makes JSON of them. */
const invariantRowsSchema = z.array(
  invariantSchema.extend({
    since: z.coerce.date().transform((moment) => moment.toISOString()),
  }),
);

/**
 * 200 while no invariant is failing, else 503 with the same body. A part that cannot be read is
 * null, and fails the run; the others are answered all the same.
 *
 * @throws PostloopError 503 database_unreachable
 */
export async function reportHealth(body: JobRequest, database: DatabaseClient): Promise<Reply> {
  const now = momentOf(body);
  const problems: PostloopError[] = [];
  const read = <Part>(part: Promise<Part>): Promise<Part | null> =>
    part.catch((error: unknown) => {
      problems.push(toPostloopError(error));
      return null;
    });

  const runId = await read(openRun(database, 'health', now, 1));
  if (problems[0]?.code === 'database_unreachable') throw problems[0];
  // First: the check of the schema reads what this call has found.
  const drift = await read(
    callDatabase(
      database,
      'schema_drift',
      { p_expected: DATABASE_SCHEMA, p_now: now },
      z.array(schemaFindingSchema),
    ),
  );
  const checked = await read(
    callDatabase(database, 'check_pipeline', { p_now: now }, invariantRowsSchema),
  );
  const state = await read(
    callDatabase(database, 'pipeline_state', { p_now: now }, pipelineStateSchema),
  );
  if (runId !== null) {
    const error = problems.length > 0 ? unreadable(problems) : undefined;
    await read(
      closeRun(database, runId, error ? { done: 0, failed: 1, error } : { done: 1, failed: 0 }),
    );
  }

  const invariants = withDrift(checked ?? [], drift ?? [], now);
  if (problems.length > 0) invariants.push(stateReadable(problems, now));
  const isFailing = invariants.some(({ status }) => status === 'failing');
  const isWarning = invariants.some(({ status }) => status === 'warning');
  const reply: HealthReply = {
    run_id: runId,
    as_of: now,
    status: isFailing ? 'failing' : isWarning ? 'warning' : 'ok',
    invariants,
    drift,
    jobs: state?.jobs ?? null,
    tables: state?.tables ?? null,
    waiting: state?.waiting ?? null,
  };
  return { status: isFailing ? 503 : 200, body: reply };
}

function unreadable(problems: PostloopError[]): PostloopError {
  const message = problems.map((problem) => problem.message).join(' ');
  return new PostloopError(500, 'state_unreadable', message);
}

function stateReadable(problems: PostloopError[], now: string): Invariant {
  return {
    name: 'state_readable',
    status: 'failing',
    measured: unreadable(problems).message,
    threshold: 'everything can be read',
    since: now,
    what_to_do: 'Run npx supabase db push --remote, and repair what drift names.',
  };
}

/** The damage may keep the database from saying itself that its schema differs. */
function withDrift(checked: Invariant[], drift: SchemaFinding[], now: string): Invariant[] {
  const isSaid = checked.some(
    ({ name, status }) => name === 'schema_matches' && status === 'failing',
  );
  if (drift.length === 0 || isSaid) return [...checked];
  const named = drift.slice(0, FINDINGS_NAMED).map(({ object }) => object);
  const differs: Invariant = {
    name: 'schema_matches',
    status: 'failing',
    measured: `${drift.length} difference${drift.length > 1 ? 's' : ''}: ${named.join(', ')}`,
    threshold: '0 differences',
    since: now,
    what_to_do: 'Run npx supabase db push --remote, and put back what drift names.',
  };
  return [differs, ...checked.filter(({ name }) => name !== 'schema_matches')];
}
