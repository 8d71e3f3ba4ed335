/** The generated list of what the database holds, against what the code says of it elsewhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { invariantSchema, pipelineStateSchema, tallySchema } from '../../shared/contracts/job.ts';
import {
  claimedFollowerReadSchema,
  claimedReadSchema,
  discoveredPostSchema,
  followerSnapshotSchema,
  integrityEventSchema,
  metricsReadSchema,
  metricsSchema,
  payloadShapeSchema,
  postAnalyticsSchema,
} from '../../shared/contracts/read.ts';
import { decisionSchema } from '../../shared/contracts/recommend.ts';
import { sessionReportSchema } from '../../shared/contracts/session.ts';
import { scheduledReadSchema, trackedPostSchema } from '../../shared/contracts/track-post.ts';
import { DATABASE_SCHEMA } from '../../shared/database/schema.ts';
import type { Column, FunctionSignature } from '../../shared/database/schema-type.ts';
import { learnedValueSchema } from '../../shared/learning/learn.ts';
import { shownEffectSchema, valueEvidenceSchema } from '../../shared/learning/prompt.ts';
import { readyInputsSchema } from '../../shared/learning/recommend.ts';
import {
  learningStatisticsSchema,
  packedMomentsSchema,
  valueStatisticsSchema,
} from '../../shared/learning/statistics.ts';

type Table = keyof typeof DATABASE_SCHEMA.tables;

/** The table whose columns the fields are, and where a field is another column or none of a table. */
type Origin = { table: Table; elsewhere?: Record<string, `${Table}.${string}` | null> };

const CONTRACTS: [string, z.ZodType, Origin][] = [
  ['the post of track-post', trackedPostSchema, { table: 'post_attribution' }],
  ['a scheduled read of track-post', scheduledReadSchema, { table: 'metric_collections' }],
  [
    'a claimed read',
    claimedReadSchema,
    {
      table: 'metric_collections',
      elsewhere: {
        handle: 'x_accounts.handle',
        posted_at: 'post_attribution.posted_at',
        attempt: 'metric_collections.attempts',
        previous: null,
      },
    },
  ],
  [
    'a claimed follower count',
    claimedFollowerReadSchema,
    {
      table: 'follower_collections',
      elsewhere: {
        handle: 'x_accounts.handle',
        due_at: 'follower_collections.next_attempt_at',
        attempt: 'follower_collections.attempts',
      },
    },
  ],
  ['the numbers of a read', metricsSchema, { table: 'real_tweet_metrics' }],
  [
    'an accepted read',
    metricsReadSchema,
    {
      table: 'real_tweet_metrics',
      elsewhere: { captured_at: 'real_tweet_metrics.collected_at', metrics: null },
    },
  ],
  ['a follower count', followerSnapshotSchema, { table: 'follower_snapshots' }],
  ['a discovered post', discoveredPostSchema, { table: 'post_attribution' }],
  [
    'an analytics page',
    postAnalyticsSchema,
    { table: 'x_post_analytics', elsewhere: { hourly: null } },
  ],
  [
    'an hour of an analytics page',
    postAnalyticsSchema.shape.hourly.element,
    { table: 'x_post_hourly_impressions' },
  ],
  ['the shape of a payload', payloadShapeSchema, { table: 'payload_shapes' }],
  ['an integrity event', integrityEventSchema, { table: 'integrity_events' }],
  [
    'the report of a session',
    sessionReportSchema,
    {
      table: 'scraper_sessions',
      elsewhere: {
        operation: 'scraper_session_budgets.operation',
        retry_at: 'scraper_session_budgets.blocked_until',
      },
    },
  ],
  [
    'a decision',
    decisionSchema,
    {
      table: 'content_metadata',
      elsewhere: { dimensions: 'content_metadata.assigned', prompt: null },
    },
  ],
  [
    'the statistics of an account',
    learningStatisticsSchema,
    {
      table: 'account_learning',
      elsewhere: {
        posts: null,
        groups: null,
        uses: null,
        followers: null,
        left_out: null,
        moments: null,
        values: null,
        residuals: null,
        alarms: null,
        alarms_from: null,
      },
    },
  ],
  [
    'the sums of an outcome',
    packedMomentsSchema,
    {
      table: 'learned_models',
      elsewhere: { gram: null, rhs: null, yy: null, n: 'learned_models.effective_n' },
    },
  ],
  [
    'the statistics of a value',
    valueStatisticsSchema,
    {
      table: 'dimension_performance',
      elsewhere: { n: 'dimension_performance.effective_n', s1: null, s2: null },
    },
  ],
  ['what a value has shown', learnedValueSchema, { table: 'dimension_performance' }],
  [
    'the inputs of recommend',
    readyInputsSchema,
    {
      table: 'x_accounts',
      elsewhere: {
        code: null,
        account_id: 'x_accounts.id',
        finished_posts: 'account_learning.finished_posts',
        model: null,
        dimensions: null,
      },
    },
  ],
  [
    'a value that recommend may choose',
    valueEvidenceSchema,
    { table: 'content_dimension_values', elsewhere: { performance: null, posts: null } },
  ],
  ['the evidence of a prompt', shownEffectSchema, { table: 'dimension_performance' }],
  ['the tally of a run', tallySchema, { table: 'pipeline_runs' }],
  [
    'the state of a job',
    pipelineStateSchema.shape.jobs.element,
    {
      table: 'pipeline_runs',
      elsewhere: {
        state: null,
        every_seconds: null,
        last_status: 'pipeline_runs.status',
        last_run_at: 'pipeline_runs.as_of',
        last_success_at: 'pipeline_runs.as_of',
      },
    },
  ],
  [
    'an invariant',
    invariantSchema,
    {
      table: 'invariant_states',
      elsewhere: { threshold: null, what_to_do: null, step: null, part: null },
    },
  ],
];

/** Which columns hold a field of a JSON schema's type. */
const COLUMN_TYPES: Record<string, string[]> = {
  integer: ['bigint', 'integer', 'smallint'],
  number: ['double precision'],
  boolean: ['boolean'],
  string: ['text', 'uuid'],
  moment: ['timestamp with time zone'],
  object: ['jsonb'],
  array: ['jsonb'],
};

type JsonSchema = { type?: string | string[]; format?: string; anyOf?: JsonSchema[] };

/** The type of a field that may also be null. */
function typeOf(schema: JsonSchema): string {
  const known = schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;
  if (known.format === 'date-time') return 'moment';
  const [type = 'unknown'] = [known.type ?? []].flat().filter((one) => one !== 'null');
  return type;
}

describe.each(CONTRACTS)('%s', (_, contract, { table, elsewhere = {} }) => {
  const { properties = {} } = z.toJSONSchema(contract) as {
    properties?: Record<string, JsonSchema>;
  };
  const tables: Record<string, Record<string, Column>> = DATABASE_SCHEMA.tables;

  it('has fields that are columns of their type', () => {
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(elsewhere)));
    for (const [field, schema] of Object.entries(properties)) {
      const place = elsewhere[field] === undefined ? `${table}.${field}` : elsewhere[field];
      if (place === null) continue;
      const [of = '', name = ''] = place.split('.');
      const column = tables[of]?.[name];
      expect(column, `${field} is ${place}`).toBeDefined();
      expect(COLUMN_TYPES[typeOf(schema)], `${field} is ${place}`).toContain(column?.type);
    }
  });
});

type Call = { file: string; name: string; args: string[] };

/** The calls of database functions in a folder, by name. */
function callsIn(folder: string): Call[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      const starts = text.matchAll(/call(?:Database|Project)\(\s*\w+,\s*'(\w+)'/g);
      return Array.from(starts, ({ index, 0: start, 1: name = '' }) => {
        const args = parenthesised(text, index + start.indexOf('('));
        return {
          file,
          name,
          args: Array.from(args.matchAll(/\b(p_\w+):/g), ([, arg = '']) => arg),
        };
      });
    });
}

function parenthesised(text: string, open: number): string {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return text.slice(open, at);
  }
  throw new Error(`No end of the call in: ${text.slice(open, open + 80)}`);
}

const root = join(import.meta.dirname, '../..');
const calls = ['supabase/functions', 'scraper-lambda/src'].flatMap((folder) =>
  callsIn(join(root, folder)),
);

it('finds the calls of the functions and of the scraper', () => {
  expect(calls.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'track_post',
      'store_decisions',
      'attribute_posts',
      'record_performance',
      'schema_drift',
      'claim_reads',
      'record_reads',
      'report_session',
    ]),
  );
});

it.each(calls)('$file calls $name with the arguments that it has', ({ name, args }) => {
  const functions: Record<string, FunctionSignature[]> = DATABASE_SCHEMA.functions;
  const [signature, ...overloads] = functions[name] ?? [];
  expect(signature, `${name} is in the list`).toBeDefined();
  expect(overloads).toEqual([]);
  const known = (signature?.arguments ?? '').split(/, (?=p_)/);
  const names = known.map((one) => one.split(' ')[0]);
  const required = known.filter((one) => one !== '' && !one.includes(' DEFAULT '));
  expect(names).toEqual(expect.arrayContaining(args));
  expect(args).toEqual(expect.arrayContaining(required.map((one) => one.split(' ')[0])));
});
