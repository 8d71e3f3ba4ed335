/** A database of the first system becomes one of Postloop by the migrations alone, and loses nothing. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, runCommand, tool } from '../../local/stack/commands.ts';
import { migrate } from '../../local/stack/migrate.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import {
  createFirstSystem,
  firstSystemHistory,
  ID_TYPES,
  SHAPES,
  storeHistory,
} from '../support/first-system.ts';
import { attribute, learn, only, registerAccount, trackPost } from '../support/scenario.ts';

const NO_MIGRATIONS = join(import.meta.dirname, 'no-such-folder');
const TABLES = ['content_metadata', 'post_attribution', 'real_tweet_metrics'] as const;
const LOADS = 120_000;

/** A digest of the rows of a table, whatever their order. */
async function digest(database: TestDatabase, table: string): Promise<string> {
  const { digest } = only(
    await database.sql`
      select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as digest
      from ${database.sql(table)} t`,
  );
  return digest;
}

const digests = async (database: TestDatabase, schema: string) =>
  Promise.all(TABLES.map((table) => digest(database, `${schema}.${table}`)));

const report = (database: TestDatabase) =>
  database.sql`select source, result, reason, rows::int, example from public.upgrade_report`;

/** Everything that an import writes. */
const imported = (database: TestDatabase) =>
  Promise.all(
    [
      'public.x_accounts',
      'public.content_dimension_values',
      'public.content_metadata',
      'public.post_attribution',
      'public.real_tweet_metrics',
      'public.metric_collections',
      'public.follower_collections',
      'public.pipeline_runs',
      'postloop.upgraded_rows',
      'postloop.imported_accounts',
    ].map((table) => digest(database, table)),
  );

describe.each(SHAPES.flatMap((shape) => ID_TYPES.map((ids) => ({ shape, ids }))))(
  'a database whose post_attribution has the shape $shape, with decision ids of type $ids',
  ({ shape, ids }) => {
    const history = firstSystemHistory(shape, ids);
    let database: TestDatabase;
    let before: string[];
    beforeAll(async () => {
      database = await createDatabase({ migrations: NO_MIGRATIONS });
      await createFirstSystem(database.sql, shape, ids);
      await storeHistory(database.sql, history);
      before = await digests(database, 'public');
      await migrate(database.url);
    }, LOADS);
    afterAll(() => database?.drop());

    it('keeps every row as it was', async () => {
      for (const table of TABLES) expect(history[table]).toHaveLength(1000);
      expect(await digests(database, 'first_system')).toEqual(before);
      expect(
        await database.sql`select angle, times_used from first_system.angle_performance order by 1`,
      ).toEqual([
        { angle: 'contrarian', times_used: 1 },
        { angle: 'lesson learned', times_used: 1 },
      ]);
    });

    it.each(TABLES)(
      'says of each row of %s exactly once what became of it, and why',
      async (table) => {
        const { sql } = database;
        const found = await sql`
        select old.note, u.result, u.reason, count(*)::int as rows
        from ${sql(`first_system.${table}`)} old
        left join postloop.upgraded_rows u on u.source = ${table} and u.place = old.ctid
        group by 1, 2, 3 order by 1`;
        const counts = Map.groupBy(history[table], (row) => row.note);
        const expected = [...counts].map(([note, rows]) => ({
          note,
          ...history.verdicts[note],
          rows: rows.length,
        }));
        expect(found).toEqual(expected.sort((a, b) => (a.note < b.note ? -1 : 1)));
        expect(
          only(
            await sql`
        select sum(rows)::int as rows from public.upgrade_report where source = ${table}`,
          ),
        ).toEqual({
          rows: 1000,
        });
      },
    );

    it('stores each kept read once, with its true age, its quality and the run that imported it', async () => {
      const { sql } = database;
      const noted = only(
        await sql`
        select count(*)::int as kept, count(*) filter (where result = 'marked')::int as suspect
        from postloop.upgraded_rows
        where source = 'real_tweet_metrics' and result <> 'set_aside'`,
      );
      const stored = only(
        await sql`
        select count(*)::int as kept,
          count(*) filter (where quality = 'suspect' and attributed_at is not null)::int as suspect,
          count(*) filter (where source <> 'imported' or ph.age > m.collected_at - m.posted_at
            or ph.age + ph.tolerance <= m.collected_at - m.posted_at)::int as misplaced,
          count(*) filter (where r.run_id is null)::int as without_run
        from public.real_tweet_metrics m
        join public.collection_phases ph on ph.phase = m.collection_phase
        left join public.pipeline_runs r on r.run_id = m.run_id and r.job = 'upgrade'`,
      );
      expect(stored).toEqual({ ...noted, misplaced: 0, without_run: 0 });
      expect(noted.kept).toBeGreaterThan(850);
    });

    it('records the import as a run that says what it expected and did', async () => {
      const { sql } = database;
      const setAside = only(
        await sql`
        select count(*)::int as n from postloop.upgraded_rows
        where source in ${sql(TABLES)} and result = 'set_aside'`,
      ).n;
      expect(
        await sql`select status, expected, done, failed, skipped from public.pipeline_runs`,
      ).toEqual([
        {
          status: 'succeeded',
          expected: 3000,
          done: 3000 - setAside,
          failed: 0,
          skipped: { set_aside: setAside },
        },
      ]);
    });

    it('lets the public roles read nothing of it', async () => {
      const { sql } = database;
      const readable = await sql`
        select r.role, c.oid::regclass::text as relation, p.privilege
        from pg_class c
        cross join unnest(array['anon', 'authenticated']) r(role)
        cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p(privilege)
        where c.relkind in ('r', 'v', 'm')
          and (c.relnamespace = 'first_system'::regnamespace
            or c.oid in ('public.best_tweets'::regclass, 'public.upgrade_report'::regclass,
              'postloop.upgraded_rows'::regclass, 'postloop.imported_accounts'::regclass))
          and has_table_privilege(r.role, c.oid, p.privilege)`;
      expect(readable).toEqual([]);
      const { anon, authenticated, without_rls, columns } = only(
        await sql`
        select has_schema_privilege('anon', 'first_system', 'usage') as anon,
          has_schema_privilege('authenticated', 'first_system', 'usage') as authenticated,
          (select count(*)::int from pg_class c where c.relnamespace = 'first_system'::regnamespace
            and c.relkind = 'r' and not c.relrowsecurity) as without_rls,
          (select count(*)::int from pg_class c
            where c.relnamespace = 'first_system'::regnamespace and c.relkind in ('r', 'v', 'm')
              and has_any_column_privilege('anon', c.oid, 'select')) as columns`,
      );
      expect({ anon, authenticated, without_rls, columns }).toEqual({
        anon: false,
        authenticated: false,
        without_rls: 0,
        columns: 0,
      });
      for (const statement of [
        'select from first_system.real_tweet_metrics',
        'select from public.best_tweets',
        'select from public.upgrade_report',
        "select public.name_imported_account('somebot')",
      ]) {
        await expect(
          sql.begin(async (transaction) => {
            await transaction`set local role anon`;
            await transaction.unsafe(statement);
          }),
        ).rejects.toMatchObject({ code: '42501' });
      }
    });

    it('leaves the other tables of the project as they were', async () => {
      const { sql } = database;
      expect(
        await sql`
          select value, has_table_privilege('anon', 'public.bot_settings', 'select') as open
          from public.bot_settings`,
      ).toEqual([{ value: 'somebot', open: true }]);
    });

    it('changes nothing when it is applied or imported again', async () => {
      const { sql } = database;
      const first = await imported(database);
      expect(await migrate(database.url)).toEqual([]);
      const { reply } = only(await sql`select postloop.import_first_system(now()) as reply`);
      expect(reply).toEqual({ code: 'imported_before' });
      expect(await imported(database)).toEqual(first);
    });

    it('fills the performance tables by one run of attribution and learning, from history that is months old', async () => {
      const { sql } = database;
      const now = new Date();
      const { id } = only(await sql`select id from public.x_accounts`);
      const run = await attribute(sql, now);
      const { posts } = only(
        await sql`
        select count(distinct tweet_id)::int as posts from public.real_tweet_metrics
        where quality <> 'suspect'`,
      );
      expect(run).toMatchObject({ expected: posts, done: posts });
      expect(await learn(sql, id, now)).toMatchObject({ code: 'recorded' });

      const tones = await sql`
        select value, uses, total_impressions::int as impressions from public.tone_performance`;
      expect(Object.fromEntries(tones.map((row) => [row.value, row.uses]))).toEqual(
        history.finishedByTone,
      );
      // every post has its own number of impressions: none is an estimate of 30 x engagement
      const { impressions } = only(
        await sql`
        select sum(p.impressions)::int as impressions from public.post_attribution p
        where p.tone is not null and p.post_id in (
          select m.tweet_id from public.real_tweet_metrics m
          where m.collection_phase = '48h' and m.quality <> 'suspect')`,
      );
      expect(tones.reduce((sum, row) => sum + row.impressions, 0)).toBe(impressions);
      expect(
        await sql`
          select dimension, count(*)::int as values from public.dimension_performance
          group by 1 order by 1`,
      ).toEqual([
        { dimension: 'tone', values: 3 },
        { dimension: 'topic', values: expect.any(Number) },
      ]);

      const again = await attribute(sql, now);
      expect(again).toMatchObject({ expected: 0, done: 0, rows_changed: 0 });
    });

    it('uses no read that is not believed', async () => {
      const { sql } = database;
      const { n } = only(
        await sql`
        select count(*)::int as n
        from public.post_attribution p
        join public.real_tweet_metrics m on m.tweet_id = p.post_id
        where m.quality = 'suspect'
          and (p.metrics_phase = m.collection_phase or p.metrics_captured_at = m.collected_at)`,
      );
      expect(n).toBe(0);
    });
  },
);

describe('supabase db push', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase({ migrations: NO_MIGRATIONS });
    await createFirstSystem(database.sql, 'post-id', 'uuid');
    await storeHistory(database.sql, firstSystemHistory('post-id', 'uuid'));
  }, LOADS);
  afterAll(() => database?.drop());

  const supabase = (...args: string[]): Promise<CommandResult> =>
    runCommand(tool('supabase'), [...args, `--remote=${database.url}`, '--yes']);

  it(
    'upgrades the old database, and a second push has nothing to do',
    async () => {
      const before = await digests(database, 'public');
      const first = await supabase('db', 'push');
      expect(first, first.stderr).toMatchObject({ code: 0 });
      expect(await digests(database, 'first_system')).toEqual(before);
      const rows = await report(database);
      expect(rows.reduce((sum, row) => sum + row.rows, 0)).toBe(3002);

      const written = await imported(database);
      const second = await supabase('db', 'push');
      expect(second, second.stderr).toMatchObject({ code: 0 });
      expect(second.stdout + second.stderr).toContain('up to date');
      expect(await imported(database)).toEqual(written);
    },
    LOADS,
  );

  it(
    'leaves nothing of the old system to advise on at WARN or above',
    async () => {
      const advice = await supabase('db', 'advisors', '--level', 'warn');
      expect(advice, advice.stderr).toMatchObject({ code: 0 });
      // the project's own open table is still its own matter
      expect(advice.stdout).toContain('bot_settings');
      expect(advice.stdout).not.toContain('first_system');
      expect(advice.stdout).not.toContain('upgrade');
    },
    LOADS,
  );
});

it(
  'makes room for every relation that Postloop has',
  async () => {
    const [database, present] = await Promise.all([
      createDatabase({ migrations: NO_MIGRATIONS }),
      createDatabase(),
    ]);
    try {
      const relations = await present.sql<{ name: string }[]>`
      select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'm') order by 1`;
      expect(relations.length).toBeGreaterThan(30);
      for (const { name } of relations)
        await database.sql.unsafe(
          `create table public.${name} (id serial primary key, text text);
         insert into public.${name} (text) values ('old')`,
        );
      await migrate(database.url);
      const { n } = only(
        await database.sql`
      select count(distinct source)::int as n from public.upgrade_report`,
      );
      expect(n).toBe(relations.length);
    } finally {
      await Promise.all([database.drop(), present.drop()]);
    }
  },
  LOADS,
);

it('leaves a new database without a trace of it', async () => {
  const database = await createDatabase();
  try {
    expect(await database.sql`select to_regnamespace('first_system') as schema`).toEqual([
      { schema: null },
    ]);
    expect(await report(database)).toEqual([]);
    expect(await database.sql`select from public.x_accounts`).toHaveLength(0);
    expect(await database.sql`select from public.pipeline_runs`).toHaveLength(0);
    expect(
      await database.sql`select name, status from postloop.check_imported_account(now())`,
    ).toEqual([{ name: 'imported_account_named', status: 'ok' }]);
  } finally {
    await database.drop();
  }
});

it('stops at a table of the same name that is not of the first system, and leaves it alone', async () => {
  const database = await createDatabase({ migrations: NO_MIGRATIONS });
  try {
    await database.sql`create table public.x_accounts (id bigint primary key, balance numeric)`;
    await expect(migrate(database.url)).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('relation "x_accounts" already exists'),
    });
    expect(
      await database.sql`
        select to_regclass('public.x_accounts') is not null as there,
          to_regnamespace('first_system') as schema`,
    ).toEqual([{ there: true, schema: null }]);
  } finally {
    await database.drop();
  }
});

it(
  'takes nothing away from a Postloop whose migrations are pushed again, their history lost',
  async () => {
    const database = await createDatabase();
    try {
      await registerAccount(database.sql);
      await trackPost(database.sql);
      await database.sql`delete from supabase_migrations.schema_migrations`;

      await expect(migrate(database.url)).rejects.toMatchObject({ code: 'migration_failed' });
      expect(
        await database.sql`
        select to_regnamespace('first_system') as schema,
          (select count(*)::int from public.post_attribution) as posts`,
      ).toEqual([{ schema: null, posts: 1 }]);
    } finally {
      await database.drop();
    }
  },
  LOADS,
);

it.each(TABLES)(
  'imports a database that only has %s',
  async (table) => {
    const database = await createDatabase({ migrations: NO_MIGRATIONS });
    try {
      const history = firstSystemHistory('uuid-key', 'text');
      await createFirstSystem(database.sql, 'uuid-key', 'text');
      await storeHistory(database.sql, history);
      for (const other of TABLES)
        if (other !== table) await database.sql`drop table ${database.sql(other)} cascade`;
      await migrate(database.url);
      const rows = await report(database);
      const total = rows
        .filter((row) => row.source === table)
        .reduce((sum, row) => sum + row.rows, 0);
      expect(total).toBe(1000);
      expect(await database.sql`select status from public.pipeline_runs`).toEqual([
        { status: 'succeeded' },
      ]);
    } finally {
      await database.drop();
    }
  },
  LOADS,
);
