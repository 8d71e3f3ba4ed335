import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { snowflakeId } from '../../shared/snowflake.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import {
  attribute,
  hourly,
  hours,
  learn,
  only,
  registerAccount,
  storeFollowers,
  storeRead,
  T0,
  trackPost,
} from '../support/scenario.ts';

let database: TestDatabase;
const owner = randomUUID();
const stranger = randomUUID();

/** A finished, attributed and learned post of each of two accounts that belong to two users. */
beforeAll(async () => {
  database = await createDatabase();
  const { sql } = database;
  for (const [handle, user, at] of [
    ['ownbot', owner, T0],
    ['otherbot', stranger, hours(1)],
  ] as const) {
    await sql`insert into auth.users (id) values (${user})`;
    const accountId = await registerAccount(sql, handle);
    await sql`update public.accounts set owner_id = ${user} where id = ${accountId}`;
    await trackPost(sql, { account: handle, postedAt: at, dimensions: { tone: 'dry' } });
    await storeRead(sql, snowflakeId(at), '48h', hours(48, at), { impressions: 500, likes: 5 });
    await storeFollowers(sql, accountId, hourly(T0, [100, 101, 103, 104]));
    await attribute(sql, hours(60));
    await learn(sql, accountId, hours(60));
  }
});
afterAll(() => database?.drop());

const tables = () => database.sql<{ name: string; rls: boolean }[]>`
  select c.relname as name, c.relrowsecurity as rls
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  order by 1`;

it('has row level security on every table of public', async () => {
  const open = (await tables()).filter(({ rls }) => !rls).map(({ name }) => name);
  expect(open).toEqual([]);
});

it('gives anon no privilege on any table or view of public', async () => {
  const { sql } = database;
  const granted = await sql`
    select c.relname, p.privilege
    from pg_class c
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger'])
      p(privilege)
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and has_table_privilege('anon', c.oid, p.privilege)`;
  expect(granted).toEqual([]);
});

it('lets authenticated read and never write', async () => {
  const { sql } = database;
  const granted = await sql`
    select c.relname, p.privilege
    from pg_class c
    cross join unnest(array['insert', 'update', 'delete', 'truncate']) p(privilege)
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
      and has_table_privilege('authenticated', c.oid, p.privilege)`;
  expect(granted).toEqual([]);
});

it('lets nobody but service_role execute a function of public or postloop', async () => {
  const { sql } = database;
  const granted = await sql`
    select f.oid::regprocedure::text as function, r.role
    from pg_proc f
    cross join unnest(array['anon', 'authenticated']) r(role)
    where f.pronamespace in ('public'::regnamespace, 'postloop'::regnamespace)
      and has_function_privilege(r.role, f.oid, 'execute')
    union all
    select f.oid::regprocedure::text, 'public'
    from pg_proc f
    cross join aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
    where f.pronamespace in ('public'::regnamespace, 'postloop'::regnamespace) and a.grantee = 0`;
  expect(granted).toEqual([]);
});

it('keeps the schema of helpers from the API roles', async () => {
  const { sql } = database;
  const usage = await sql`
    select r.role, has_schema_privilege(r.role, 'postloop', 'usage') as usage
    from unnest(array['anon', 'authenticated', 'service_role']) r(role)`;
  expect(usage).toEqual([
    { role: 'anon', usage: false },
    { role: 'authenticated', usage: false },
    { role: 'service_role', usage: true },
  ]);
});

it('sets an empty search_path on every function', async () => {
  const { sql } = database;
  const without = await sql`
    select f.oid::regprocedure::text as function
    from pg_proc f
    where f.pronamespace in ('public'::regnamespace, 'postloop'::regnamespace)
      and not coalesce(f.proconfig, '{}') @> array['search_path=""']`;
  expect(without).toEqual([]);
});

it('runs every function and view with the rights of its caller, but for the four of the scraper and the list of the schema', async () => {
  const { sql } = database;
  const definers = await sql`
    select f.proname as name from pg_proc f
    where f.pronamespace in ('public'::regnamespace, 'postloop'::regnamespace) and f.prosecdef
    union all
    select c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'
      and not coalesce(c.reloptions, '{}') && array['security_invoker=on', 'security_invoker=true']
    order by name`;
  expect(definers.map(({ name }) => name)).toEqual([
    'claim_reads',
    'live_schema',
    'record_reads',
    'report_session',
    'reserve_session',
  ]);
});

it('lets the role scraper claim, record and share sessions, and nothing else', async () => {
  const { sql } = database;
  const may = await sql`
    select f.proname as name from pg_proc f
    where f.pronamespace in ('public'::regnamespace, 'postloop'::regnamespace)
      and has_function_privilege('scraper', f.oid, 'execute')
    union all
    select c.relname || ' ' || p.privilege from pg_class c
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate']) p(privilege)
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
      and has_table_privilege('scraper', c.oid, p.privilege)
    order by name`;
  expect(may.map(({ name }) => name)).toEqual([
    'claim_reads',
    'record_reads',
    'report_session',
    'reserve_session',
  ]);
});

it('has no foreign key without an index, and no table, function or unit without a comment', async () => {
  const { sql } = database;
  const unindexed = await sql`
    select c.conrelid::regclass::text as table, c.conname
    from pg_constraint c
    where c.contype = 'f' and c.connamespace = 'public'::regnamespace
      and not exists (
        select from pg_index i
        where i.indrelid = c.conrelid
          and (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(c.conkey)] @> c.conkey)`;
  expect(unindexed).toEqual([]);
  const uncommented = await sql`
    select c.relname as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
      and obj_description(c.oid, 'pg_class') is null
    union all
    select f.oid::regprocedure::text from pg_proc f
    where f.pronamespace in ('public'::regnamespace, 'postloop'::regnamespace)
      and obj_description(f.oid, 'pg_proc') is null`;
  expect(uncommented).toEqual([]);
});

describe('a signed-in user', () => {
  /** Runs a query as a user of the API. */
  const as = (user: string, query: string) =>
    database.sql.begin(async (sql) => {
      const claims = JSON.stringify({ sub: user, role: 'authenticated' });
      await sql`select set_config('request.jwt.claims', ${claims}, true)`;
      await sql`set local role authenticated`;
      return sql.unsafe(query);
    });

  const OWNED = [
    'dimension_values',
    'content_metadata',
    'post_attribution',
    'metric_collections',
    'real_tweet_metrics',
    'follower_snapshots',
    'account_rates',
    'follower_hour',
    'post_credit',
    'post_outcomes',
    'dimension_performance',
    'tone_performance',
    'post_tracking',
  ];

  it.each(OWNED)('sees in %s the rows of their own account only', async (table) => {
    const { sql } = database;
    const { id } = only(await sql`select id from public.accounts where owner_id = ${owner}`);
    const seen = await as(owner, `select distinct account_id from public.${table}`);
    expect(seen).toEqual([{ account_id: id }]);
    const { n } = only(
      await sql`select count(distinct account_id)::int as n from ${sql(`public.${table}`)}`,
    );
    expect(n).toBe(2);
  });

  it('sees their own account only, and nothing without an account', async () => {
    expect(await as(owner, 'select handle from public.accounts')).toEqual([{ handle: 'ownbot' }]);
    expect(await as(randomUUID(), 'select from public.post_attribution')).toHaveLength(0);
  });

  it.each(['pipeline_runs', 'learning_state', 'collection_attempts', 'follower_collections'])(
    'has no access to %s',
    async (table) => {
      await expect(as(owner, `select from public.${table}`)).rejects.toMatchObject({
        code: '42501',
      });
    },
  );

  it('cannot write, not even to their own rows', async () => {
    for (const statement of [
      'update public.post_attribution set likes = 1000000',
      'insert into public.follower_snapshots select * from public.follower_snapshots',
      'delete from public.real_tweet_metrics',
      "select public.register_account('mybot')",
    ]) {
      await expect(as(owner, statement)).rejects.toMatchObject({ code: '42501' });
    }
  });
});

it('gives service_role what the functions need, and no more tables than those', async () => {
  const { sql } = database;
  const deletable = await sql`
    select c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      and has_table_privilege('service_role', c.oid, 'delete') order by 1`;
  expect(deletable.map((row) => row.relname)).toEqual([
    'dimension_performance',
    'pipeline_runs',
    'post_outcomes',
  ]);
  const truncatable = await sql`
    select c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      and has_table_privilege('service_role', c.oid, 'truncate')`;
  expect(truncatable).toEqual([]);
});
