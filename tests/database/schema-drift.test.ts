import type postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { type SchemaFinding, schemaFindingSchema } from '../../shared/contracts/job.ts';
import { DATABASE_SCHEMA } from '../../shared/database/schema.ts';
import { useDatabase } from '../support/database.ts';
import { hours, json, only, T0 } from '../support/scenario.ts';

const database = useDatabase({ isEmptied: false });

async function drift(sql: postgres.Sql, now = T0): Promise<SchemaFinding[]> {
  const { findings } = only(
    await sql`select public.schema_drift(${json(sql, DATABASE_SCHEMA)}, ${now}) as findings`,
  );
  return schemaFindingSchema.array().parse(findings);
}

async function schemaCheck(sql: postgres.Sql) {
  return only(await sql`select * from postloop.check_schema(${T0})`);
}

class Undo extends Error {}

/** Damages the database, looks at it, and undoes the damage. */
async function damaged<Result>(
  damage: string,
  look: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  let seen: { result: Result } | undefined;
  await database.sql
    .begin(async (sql) => {
      await sql.unsafe(damage).simple();
      seen = { result: await look(sql as unknown as postgres.Sql) };
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  if (!seen) throw new Error('The damaged database was not looked at.');
  return seen.result;
}

const driftAfter = (damage: string) => damaged(damage, (sql) => drift(sql));

describe('a database with all migrations', () => {
  it('does not differ from the generated list', async () => {
    expect(await drift(database.sql)).toEqual([]);
  });

  it('is described by the generated list completely', async () => {
    const { schema } = only(await database.sql`select postloop.live_schema() as schema`);
    expect(DATABASE_SCHEMA).toEqual(schema);
  });

  it('may have more than the code needs', async () => {
    const findings = await driftAfter(`
      create table public.notes (id bigint primary key);
      create view public.newest_note as select max(id) from public.notes;
      alter table public.real_tweet_metrics add column shares bigint;
      create function public.shout(p_text text) returns text language sql return upper(p_text);
      create function public.attribution_backlog(p_account_id bigint) returns bigint
        language sql return p_account_id`);
    expect(findings).toEqual([]);
  });

  it('is compared as service_role, which health calls as', async () => {
    expect(await driftAfter('set local role service_role')).toEqual([]);
  });
});

describe('a column', () => {
  it('that was dropped is named', async () => {
    expect(await driftAfter('alter table public.collection_phases drop column scheduled')).toEqual([
      {
        kind: 'column_missing',
        object: 'public.collection_phases.scheduled',
        expected: 'boolean',
        found: null,
      },
    ]);
  });

  it('that was renamed is named with its likely new name', async () => {
    const damage = 'alter table public.real_tweet_metrics rename column likes to like_count';
    expect(await driftAfter(damage)).toEqual([
      {
        kind: 'column_missing',
        object: 'public.real_tweet_metrics.likes',
        expected: 'bigint',
        found: 'perhaps renamed to like_count',
      },
    ]);
  });

  it('that was dropped is not taken for a new one of another type', async () => {
    const [finding] = await driftAfter(`
      alter table public.collection_phases drop column scheduled, add column schedule text`);
    expect(finding).toMatchObject({ kind: 'column_missing', found: null });
  });

  it('that has another type is named with both', async () => {
    const damage = 'alter table public.follower_snapshots alter column source type varchar(15)';
    expect(await driftAfter(damage)).toEqual([
      {
        kind: 'column_retyped',
        object: 'public.follower_snapshots.source',
        expected: 'text',
        found: 'character varying(15)',
      },
    ]);
  });

  it.each([
    ['may be null where it must not', 'follower_snapshots', 'followers', 'drop', 'not null'],
    ['must not be null where it may', 'content_metadata', 'propensity', 'set', 'nullable'],
  ])('that %s is named', async (_, table, column, verb, expected) => {
    const damage = `alter table public.${table} alter column ${column} ${verb} not null`;
    expect(await driftAfter(damage)).toEqual([
      {
        kind: 'column_nullability',
        object: `public.${table}.${column}`,
        expected,
        found: verb === 'drop' ? 'nullable' : 'not null',
      },
    ]);
  });
});

describe('a table or view', () => {
  it('that was dropped is named once, without its columns', async () => {
    expect(await driftAfter('drop table public.reward_weights')).toEqual([
      {
        kind: 'table_missing',
        object: 'public.reward_weights',
        expected: 'table',
        found: null,
      },
    ]);
  });

  it('that was renamed is named with its likely new name', async () => {
    const [finding] = await driftAfter('alter table public.post_credit rename to credits');
    expect(finding).toMatchObject({
      kind: 'table_missing',
      object: 'public.post_credit',
      found: 'perhaps renamed to credits',
    });
  });

  it('that is a view now is no table', async () => {
    const [finding] = await driftAfter(`
      alter table public.reward_weights rename to weights;
      create view public.reward_weights as select * from public.weights`);
    expect(finding).toMatchObject({ object: 'public.reward_weights', found: 'a view' });
  });

  it('of the schema of helpers, which no deployed code can call, is not looked at', async () => {
    expect(await driftAfter('alter table postloop.checks rename column position to place')).toEqual(
      [],
    );
  });

  it('that is a view and was dropped is named', async () => {
    expect(await driftAfter('drop view public.post_tracking')).toEqual([
      { kind: 'view_missing', object: 'public.post_tracking', expected: 'view', found: null },
    ]);
  });
});

describe('a function', () => {
  it('that was dropped is named', async () => {
    const [finding, ...others] = await driftAfter(
      'drop function public.store_decisions(bigint, jsonb, timestamptz)',
    );
    expect(finding).toMatchObject({
      kind: 'function_missing',
      object: 'public.store_decisions',
      found: null,
    });
    expect(others).toEqual([]);
  });

  it('that was renamed is named with its likely new name', async () => {
    const [finding] = await driftAfter(
      'alter function public.register_x_account(text, jsonb, timestamptz) rename to add_account',
    );
    expect(finding).toMatchObject({
      kind: 'function_missing',
      object: 'public.register_x_account',
      found: 'perhaps renamed to add_account',
    });
  });

  it.each([
    [
      'an argument of another name',
      `drop function public.learning_statistics(bigint, timestamptz);
       create function public.learning_statistics(p_account bigint, p_now timestamptz)
         returns jsonb language sql return null::jsonb`,
      '(p_account bigint, p_now timestamp with time zone) returns jsonb',
    ],
    [
      'an argument of another type',
      `drop function public.learning_statistics(bigint, timestamptz);
       create function public.learning_statistics(p_account_id bigint, p_now text)
         returns jsonb language sql return null::jsonb`,
      '(p_account_id bigint, p_now text) returns jsonb',
    ],
    [
      'another result',
      `drop function public.learning_statistics(bigint, timestamptz);
       create function public.learning_statistics(p_account_id bigint, p_now timestamptz)
         returns text language sql return null::text`,
      '(p_account_id bigint, p_now timestamp with time zone) returns text',
    ],
    [
      'the rights of its owner',
      'alter function public.learning_statistics(bigint, timestamptz) security definer',
      '(p_account_id bigint, p_now timestamp with time zone) returns jsonb security definer',
    ],
  ])('that has %s is named with both signatures', async (_, damage, found) => {
    expect(await driftAfter(damage)).toEqual([
      {
        kind: 'function_changed',
        object: 'public.learning_statistics',
        expected: '(p_account_id bigint, p_now timestamp with time zone) returns jsonb',
        found,
      },
    ]);
  });

  it('whose argument lost its default is named, as calls leave it out', async () => {
    const [finding] = await driftAfter(`
      drop function public.learning_backlog(bigint[]);
      create function public.learning_backlog(p_account_ids bigint[]) returns bigint[]
        language sql return p_account_ids`);
    expect(finding).toMatchObject({
      kind: 'function_changed',
      object: 'public.learning_backlog',
      found: '(p_account_ids bigint[]) returns bigint[]',
    });
  });
});

describe('a cron job', () => {
  it('that runs at another time or not at all is for the checks of the schedules to say', async () => {
    const findings = await driftAfter(`
      select cron.unschedule('postloop-attribution');
      select cron.schedule('postloop-cleanup', '0 4 * * *', 'select postloop.cleanup()')`);
    expect(findings).toEqual([]);
  });
});

describe('many differences', () => {
  it('are told in order: relations, columns, functions', async () => {
    const findings = await driftAfter(`
      drop function public.track_post;
      alter table public.x_accounts drop column created_at;
      drop view public.tone_performance`);
    expect(findings.map(({ object }) => object)).toEqual([
      'public.tone_performance',
      'public.x_accounts.created_at',
      'public.track_post',
    ]);
  });

  it('are found in a database whose tables are nearly all gone', async () => {
    const findings = await driftAfter(`
      drop table public.x_accounts, public.pipeline_runs, public.content_dimensions,
        public.invariant_states, postloop.checks, postloop.schema_findings cascade`);
    const tables = findings.filter(({ kind }) => kind === 'table_missing');
    expect(tables.map(({ object }) => object)).toEqual([
      'public.content_dimensions',
      'public.invariant_states',
      'public.pipeline_runs',
      'public.x_accounts',
    ]);
  });
});

describe('the invariant schema_matches', () => {
  it('is ok before the first comparison, and says so', async () => {
    const check = await damaged('delete from postloop.schema_findings', schemaCheck);
    expect(check).toMatchObject({
      name: 'schema_matches',
      status: 'ok',
      measured: 'not checked yet',
    });
  });

  it('is ok after a comparison that found nothing', async () => {
    await drift(database.sql, hours(1));
    expect(await schemaCheck(database.sql)).toMatchObject({
      status: 'ok',
      measured: '0 differences',
    });
    expect(await database.sql`select checked_at, findings from postloop.schema_findings`).toEqual([
      { checked_at: hours(1), findings: [] },
    ]);
  });

  it('is failing after one that found something, names the first three and counts them', async () => {
    const damage = `
      alter table public.real_tweet_metrics rename column likes to like_count;
      alter table public.follower_snapshots alter column followers drop not null;
      alter table public.follower_snapshots alter column source type varchar(15);
      drop function public.track_post`;
    const check = await damaged(damage, async (sql) => {
      await drift(sql);
      return schemaCheck(sql);
    });
    expect(check).toMatchObject({
      status: 'failing',
      measured:
        '4 differences: public.follower_snapshots.followers may be null, ' +
        'public.follower_snapshots.source is character varying(15), not text, ' +
        'public.real_tweet_metrics.likes is missing (perhaps renamed to like_count), …',
      what_to_do: expect.stringContaining('supabase db push'),
    });
  });

  it('names a changed function as what it is', async () => {
    const damage =
      'alter function public.learning_statistics(bigint, timestamptz) security definer';
    const { measured } = await damaged(damage, async (sql) => {
      await drift(sql);
      return schemaCheck(sql);
    });
    expect(measured).toBe('1 difference: public.learning_statistics has changed');
  });

  it('is ok again after the next comparison once the damage is repaired', async () => {
    const check = await damaged(
      'alter table public.x_accounts rename column handle to name',
      async (sql) => {
        await drift(sql);
        await sql`alter table public.x_accounts rename column name to handle`;
        await drift(sql);
        return schemaCheck(sql);
      },
    );
    expect(check).toMatchObject({ status: 'ok', measured: '0 differences' });
  });

  it('cannot be kept from failing by findings that are not stored: the comparison raises', async () => {
    const refuse = `
      create function pg_temp.refuse() returns trigger language plpgsql as
        $$ begin raise exception 'disk full'; end $$;
      create trigger refuse before insert or update on postloop.schema_findings
        for each row execute function pg_temp.refuse()`;
    await expect(driftAfter(refuse)).rejects.toThrow('disk full');
    const findings = await driftAfter(`${refuse}; drop view public.post_tracking`);
    expect(findings.map(({ kind }) => kind)).toEqual(['view_missing']);
  });
});
