/** What the contracts call possible beside what the database lets in: sets of words, patterns, limits. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { scraperEnvironmentSchema } from '../../shared/contracts/environment.ts';
import {
  dimensionValuesSchema,
  handleSchema,
  postIdSchema,
  postKindSchema,
} from '../../shared/contracts/identifiers.ts';
import {
  invariantStatusSchema,
  jobNameSchema,
  runStatusSchema,
} from '../../shared/contracts/job.ts';
import {
  integrityEventKindSchema,
  outcomeSchema,
  postReadResultSchema,
  qualitySchema,
  sourceSchema,
} from '../../shared/contracts/read.ts';
import { decisionSchema, policySchema } from '../../shared/contracts/recommend.ts';
import { sessionLabelSchema, sessionReportSchema } from '../../shared/contracts/session.ts';
import { scheduledReadSchema } from '../../shared/contracts/track-post.ts';
import { readyInputsSchema } from '../../shared/learning/recommend.ts';
import { learningStatisticsSchema, OUTCOMES } from '../../shared/learning/statistics.ts';
import { type TestDatabase, useDatabase } from '../support/database.ts';
import { only, registerAccount } from '../support/scenario.ts';

const database = useDatabase({ isEmptied: false });

type Vocabulary = {
  /** The words of the contract; null where no contract has them, for the reason given. */
  contract: readonly string[] | null;
  /** Words that only the database knows, and why no contract has them. */
  beside?: Record<string, string>;
  reason?: string;
};

const known = (schema: { options: readonly string[] }): Vocabulary => ({
  contract: schema.options,
});
const internal = (reason: string): Vocabulary => ({ contract: null, reason });
const learned = OUTCOMES.filter((outcome) => outcome !== 'reward');

/** Every check constraint that lists words, by table and name. */
const CONSTRAINTS: Record<string, Vocabulary> = {
  'public.content_metadata.kind_is_known': known(postKindSchema),
  'public.content_metadata.origin_is_known': internal(
    'recommend and track-post each write their own',
  ),
  'public.drift_alarms.direction_is_known': known(
    learningStatisticsSchema.shape.alarms.element.shape.direction,
  ),
  'public.follower_snapshots.source_is_known': known(sourceSchema),
  'public.growth_curve.outcome_is_known': { contract: learned },
  'public.integrity_events.kind_is_known': {
    ...known(integrityEventKindSchema),
    beside: {
      call_failed: 'written by the database, of a call that it did not serve',
      drift: 'written by the database, of what learning found',
    },
  },
  'public.invariant_states.status_is_known': known(invariantStatusSchema),
  'public.learned_models.outcome_is_known': { contract: OUTCOMES },
  'public.metric_collections.state_is_known': known(scheduledReadSchema.shape.state),
  'public.pipeline_alerts.change_is_known': internal('written and told by the database alone'),
  'public.pipeline_alerts.delivery_is_known': internal('written and read by the database alone'),
  'public.pipeline_alerts.previous_status_is_known': known(invariantStatusSchema),
  'public.pipeline_alerts.status_is_known': known(invariantStatusSchema),
  'public.pipeline_runs.status_is_known': known(runStatusSchema),
  'public.post_attribution.credit_note_is_known': internal('written by attribution, for people'),
  'public.post_attribution.kind_is_known': known(postKindSchema),
  'public.post_predictions.kind_is_known': internal('written and settled by the database alone'),
  'public.read_outcomes.consequence_is_known': internal('the database decides what follows'),
  'public.real_tweet_metrics.quality_is_known': {
    ...known(qualitySchema),
    beside: { suspect: 'a verdict of later: no scraper may record what it does not believe' },
  },
  'public.real_tweet_metrics.source_is_known': {
    ...known(sourceSchema),
    beside: { imported: 'no scraper may say that it read what was imported' },
  },
  'public.reward_weights.outcome_is_known': { contract: learned },
  'postloop.upgraded_rows.result_is_known': internal('written by the import, for people'),
};

/** The words of `x = any (array['a', 'b'])`, of constraints that say nothing else. */
async function listed(): Promise<Record<string, string[]>> {
  const rows = await database.sql<{ name: string; definition: string }[]>`
    select format('%s.%s.%s', n.nspname, c.relname, k.conname) as name,
      pg_get_constraintdef(k.oid) as definition
    from pg_constraint k
    join pg_class c on c.oid = k.conrelid
    join pg_namespace n on n.oid = c.relnamespace
    where k.contype = 'c' and n.nspname in ('public', 'postloop')`;
  return Object.fromEntries(
    rows.flatMap(({ name, definition }) => {
      const [, words] = definition.match(/^CHECK \(\(\w+ = ANY \(ARRAY\[(.*)\]\)\)\)$/) ?? [];
      if (words === undefined) return [];
      return [[name, Array.from(words.matchAll(/'([^']*)'::text/g), ([, word = '']) => word)]];
    }),
  );
}

const rowsOf = async (table: string, column: string) => {
  const { sql } = database;
  const rows = await sql`select ${sql(column)} as word from ${sql(table)} order by 1`;
  return rows.map(({ word }) => word);
};

describe('words', () => {
  it('that a constraint lists are those of a contract, each of them or for a reason', async () => {
    const found = await listed();
    expect(Object.keys(found).sort()).toEqual(Object.keys(CONSTRAINTS).sort());
    for (const [name, { contract, beside = {}, reason }] of Object.entries(CONSTRAINTS)) {
      if (contract === null) expect(reason, name).toBeTruthy();
      else {
        expect(found[name]?.toSorted(), name).toEqual([...contract, ...Object.keys(beside)].sort());
      }
    }
  });

  it('for what came back from a read are the rows of read_outcomes', async () => {
    expect(await rowsOf('public.read_outcomes', 'outcome')).toEqual(
      outcomeSchema.options.toSorted(),
    );
  });

  it('for a read with numbers are those that the database accepts, and for one without all others', async () => {
    const accepted = await database.sql`
      select outcome, consequence = 'accept' as has_numbers from public.read_outcomes order by 1`;
    const [withNumbers, without] = postReadResultSchema.options;
    for (const { outcome, has_numbers } of accepted) {
      expect(withNumbers.shape.outcome.safeParse(outcome).success, outcome).toBe(has_numbers);
      expect(without.shape.outcome.safeParse(outcome).success, outcome).toBe(!has_numbers);
    }
  });

  it('for what a session met are refusals that are tried again, and that say when', async () => {
    const retried = await database.sql`
      select outcome from public.read_outcomes where retry_after is not null`;
    expect(retried.map(({ outcome }) => outcome)).toEqual(
      expect.arrayContaining(sessionReportSchema.shape.outcome.options),
    );
  });

  it('for outcomes of a post each have a weight in the reward', async () => {
    expect(await rowsOf('public.reward_weights', 'outcome')).toEqual(learned.toSorted());
  });

  it('for jobs are the rows of the table of jobs, but for those that leave no run', async () => {
    expect(await rowsOf('postloop.jobs', 'job')).toEqual(
      [...jobNameSchema.options, 'early_warning', 'growth'].sort(),
    );
  });

  it('for policies: only that which names its model is known to a constraint', async () => {
    const [row] = await database.sql`
      select pg_get_constraintdef(oid) as definition from pg_constraint
      where conname = 'joint_draws_name_their_model'`;
    const [, policy] = row?.definition.match(/policy <> '(\w+)'/) ?? [];
    expect(policySchema.exclude(['uniform']).options).toEqual([policy]);
  });
});

/** The patterns that a constraint or a function compares text with. */
async function patternsOf(constraint: string): Promise<string[]> {
  const rows = await database.sql`
    select c.conrelid::regclass::text as table, pg_get_constraintdef(c.oid) as definition
    from pg_constraint c where c.conname = ${constraint} order by 1`;
  return rows.flatMap(({ definition }) =>
    Array.from(definition.matchAll(/~ '([^']+)'::text/g), ([, pattern]: string[]) => pattern ?? ''),
  );
}

const patternOf = (schema: z.ZodType) =>
  (z.toJSONSchema(schema) as { pattern?: string }).pattern ?? '';
const dimensionPattern = patternOf(dimensionValuesSchema.keyType);

describe('a pattern', () => {
  it.each([
    ['a handle', 'handle_is_an_x_handle', [patternOf(handleSchema)]],
    ['a post id', 'post_id_is_digits', [patternOf(postIdSchema)]],
    ['a dimension', 'dimension_is_a_name', [dimensionPattern]],
    [
      'a session',
      'session_is_a_label',
      [
        patternOf(sessionLabelSchema),
        // whose cookies were refused: a guest has none
        patternOf(sessionLabelSchema).replace('(guest|[0-9a-f]{16})', '[0-9a-f]{16}'),
      ],
    ],
  ])('of %s is the same in the contract and in the constraint', async (_, constraint, patterns) => {
    expect(patterns[0]).toMatch(/^\^.+\$$/);
    expect(await patternsOf(constraint)).toEqual(patterns);
  });

  it.each([
    ['handles', '[A-Za-z0-9_]', handleSchema, ['register_x_account', 'name_imported_account']],
    ['post ids', '^[0-9]{1,20}$', postIdSchema, ['old_post_id']],
  ])('of %s is the same wherever a function repeats it', async (_, start, schema, functions) => {
    const { sql } = database;
    const rows = await sql`
      select p.proname as name, m.pattern[1] as pattern
      from pg_proc p
      join pg_namespace n on n.oid = p.pronamespace
      cross join lateral regexp_matches(p.prosrc, '!?~ ''([^'']+)''', 'g') m(pattern)
      where n.nspname in ('public', 'postloop') and position(${start} in m.pattern[1]) > 0`;
    expect([...new Set(rows.map(({ name }) => name))].sort()).toEqual(functions.toSorted());
    for (const { name, pattern } of rows) expect(pattern, name).toBe(patternOf(schema));
  });
});

describe('a limit', () => {
  /** Whether the database takes text for what it is to be. */
  const takes = async (
    write: (sql: TestDatabase['sql'], text: string) => Promise<unknown>,
    text: string,
  ) =>
    database.sql
      .begin(async (sql) => {
        await write(sql as unknown as TestDatabase['sql'], text);
        throw new Error('taken');
      })
      .catch(({ message, code }) => {
        if (message !== 'taken' && code !== '23514') throw new Error(message);
        return message === 'taken';
      });

  it('of the length of a value is the same; only the database refuses a blank one, and names the known ones', async () => {
    const account = await registerAccount(database.sql, 'somebot', {});
    const insert = (sql: TestDatabase['sql'], text: string) => sql`
      insert into public.content_dimension_values (account_id, dimension, value)
      values (${account}, 'tone', ${text})`;
    const text = fc
      .tuple(fc.constantFrom(0, 1, 2, 199, 200, 201, 400), fc.constantFrom('a', ' ', 'é', '🙂'))
      .map(([length, letter]) => letter.repeat(length));
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, fc.string()), async (value) => {
        fc.pre(!value.includes('\0'));
        const isBlank = /^ *$/.test(value);
        const contract = dimensionValuesSchema.safeParse({ tone: value }).success;
        expect(await takes(insert, value)).toBe(contract && !isBlank);
      }),
      { seed: 20261128, numRuns: 150 },
    );
  });

  it.each([
    ['a propensity', decisionSchema.shape.propensity, 'propensity_is_a_probability', 'propensity'],
    [
      'a control share',
      readyInputsSchema.shape.control_share,
      'control_share_is_at_most_half',
      'control_share',
    ],
  ])('of %s is the same', async (_, schema, constraint, column) => {
    const { definition } = only(
      await database.sql`
        select distinct pg_get_constraintdef(oid) as definition from pg_constraint
        where conname = ${constraint}`,
    );
    const [, condition] = definition.match(/^CHECK \((.*)\)$/) ?? [];
    const values = [-1, -1e-9, 0, 1e-9, 0.3, 0.5, 0.5 + 1e-9, 0.9, 1, 1 + 1e-9, 2];
    const rows = await database.sql.unsafe(
      `select x.${column} as value, ${condition} as is_taken
       from unnest($1::double precision[]) x(${column})`,
      [values as never],
    );
    expect(rows).toHaveLength(values.length);
    for (const { value, is_taken } of rows) {
      expect(schema.safeParse(value).success, String(value)).toBe(is_taken);
    }
  });

  it('of the reads of a claim is the same where nobody sets it', async () => {
    const { CLAIM_LIMIT } = scraperEnvironmentSchema.parse({
      SUPABASE_URL: 'http://127.0.0.1',
      POSTLOOP_SECRET_KEY: 'key',
    });
    const { signature } = only(
      await database.sql`
        select pg_get_function_arguments('public.claim_reads'::regproc) as signature`,
    );
    expect(signature).toContain(`p_limit integer DEFAULT ${CLAIM_LIMIT},`);
  });
});
