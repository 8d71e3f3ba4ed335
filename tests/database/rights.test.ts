import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../local/stack/migrate.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { claim, hours, only, record } from '../support/scenario.ts';
import { type Owner, playTwoOwners } from '../support/two-owners.ts';
import { FUNCTIONS, type FunctionRights, RELATIONS } from './rights-matrix.ts';

/** Every role that the API knows, and everybody. */
const ROLES = ['anon', 'authenticated', 'scraper', 'service_role', 'public'];
/** SQLSTATE of a missing right. */
const REFUSED = '42501';
const ALLOWED = 'allowed';

const relations = Object.entries(RELATIONS);
const owned = relations.filter(([, { signedIn }]) => signedIn === 'own rows');
const common = relations.filter(([, { signedIn }]) => signedIn === 'all rows');

type Catalogue = {
  relations: Record<string, Record<string, string>>;
  functions: { name: string; execute: string[]; definer: boolean }[];
};

/** All that exists in public and postloop apart from `ignored`, and what each role may do with it. */
async function catalogue(sql: postgres.Sql, ignored: string[] = []): Promise<Catalogue> {
  const rows = await sql<{ name: string; is: string; role: string; rights: string }[]>`
    with relations as (
      select c.oid, n.nspname || '.' || c.relname as name, c.relkind = 'S' as is_sequence,
        case c.relkind when 'r' then 'table' when 'v' then 'view' when 'S' then 'sequence'
          else c.relkind::text end as is,
        acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner) as all_rights
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'postloop') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    )
    select c.name, c.is, r.role,
      coalesce(string_agg(lower(a.privilege_type), ', ' order by p.position, a.privilege_type)
        filter (where case when c.is_sequence
          then has_sequence_privilege(r.role, c.oid, a.privilege_type)
          else has_table_privilege(r.role, c.oid, a.privilege_type) end), '') as rights
    from relations c
    cross join unnest(${ROLES}::text[]) r(role)
    cross join aclexplode(c.all_rights) a
    left join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE'])
      with ordinality p(privilege, position) on p.privilege = a.privilege_type
    group by c.name, c.is, r.role`;
  const found: Catalogue['relations'] = {};
  for (const { name, is, role, rights } of rows) {
    if (ignored.includes(name)) continue;
    found[name] = { is, ...found[name], [role]: rights };
  }
  const functions = await sql<Catalogue['functions']>`
    select n.nspname || '.' || f.proname as name, f.prosecdef as definer,
      array(
        select r.role from unnest(${ROLES}::text[]) r(role)
        where has_function_privilege(r.role, f.oid, 'execute')) as execute
    from pg_proc f join pg_namespace n on n.oid = f.pronamespace
    where n.nspname in ('public', 'postloop')
    order by name`;
  return {
    relations: found,
    functions: functions.filter(({ name }) => !ignored.includes(name)),
  };
}

/** The line of the matrix for a function: its own, or that of its prefix. */
function rightsOf(name: string): FunctionRights | undefined {
  const prefix = Object.keys(FUNCTIONS).find(
    (key) => key.endsWith('*') && name.startsWith(key.slice(0, -1)),
  );
  return FUNCTIONS[name] ?? (prefix === undefined ? undefined : FUNCTIONS[prefix]);
}

type Scene = { database: TestDatabase; admin: postgres.Sql; owners: Owner[] };
type Actor = { role: string; userId?: string };

class RolledBack extends Error {}

/** Runs a statement as a role of the API, with a user's token if one is named; nothing is kept. */
async function act(scene: Scene, { role, userId }: Actor, statement: string) {
  let rows: postgres.Row[] = [];
  const outcome = await scene.admin
    .begin(async (sql) => {
      const claims = JSON.stringify({ role, ...(userId === undefined ? {} : { sub: userId }) });
      await sql`select set_config('request.jwt.claims', ${claims}, true)`;
      await sql`set local role ${sql(role)}`;
      rows = await sql.unsafe(statement);
      throw new RolledBack();
    })
    .catch((error: Error & { code?: string }) => {
      if (error instanceof RolledBack) return ALLOWED;
      return error.code ?? error.message;
    });
  return { outcome, rows };
}

/** One statement for each privilege that the kind of relation knows; none of them needs a row. */
async function statements(sql: postgres.Sql, name: string): Promise<Record<string, string>> {
  const { is, column, updatable } = only(
    await sql`
      select c.relkind as is, a.attname as column,
        pg_relation_is_updatable(c.oid, false) <> 0 as updatable
      from pg_class c
      left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        and a.attidentity = '' and a.attgenerated = ''
      where c.oid = ${name}::regclass
      order by a.attnum limit 1`,
  );
  const read = { select: `select from ${name}` };
  if (is === 'S') return { ...read, usage: `select nextval('${name}')` };
  if (!updatable) return read;
  const write = {
    ...read,
    insert: `insert into ${name} (${column}) select null where false`,
    update: `update ${name} set ${column} = null where false`,
    delete: `delete from ${name} where false`,
  };
  return is === 'r' ? { ...write, truncate: `truncate ${name}` } : write;
}

/** The rows of a relation as one JSON list in a fixed order. */
const rowsOf = (name: string, condition = 'true') =>
  `select coalesce(jsonb_agg(to_jsonb(t) order by to_jsonb(t)::text), '[]') as rows
   from ${name} t where ${condition}`;

/** A client that acts as a role from its first statement on. */
const connect = (url: string, role?: string) =>
  postgres(url, { max: 1, onnotice: () => {}, ...(role ? { connection: { role } } : {}) });

async function openScene(database: TestDatabase): Promise<Scene> {
  const admin = connect(database.adminUrl);
  const service = connect(database.url, 'service_role');
  try {
    return { database, admin, owners: await playTwoOwners(database.sql, service) };
  } finally {
    await service.end();
  }
}

/** What a user has beside Postloop in the schema public of a project. */
const USERS_OWN = [
  'public.notes',
  'public.notes_id_seq',
  'public.recent_notes',
  'public.count_notes',
];

/**
 * A project in which every new table, sequence and function of public is granted to the API roles
 * by default, with things of the user's own, and then the migrations.
 */
async function oldProject(): Promise<TestDatabase> {
  const database = await createDatabase({
    migrations: join(import.meta.dirname, 'no-such-folder'),
  });
  await database.sql.unsafe(`
    alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
    alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
    create table public.notes (id serial primary key, note text);
    create view public.recent_notes as select id from public.notes;
    create function public.count_notes() returns bigint language sql
      as 'select count(*) from public.notes';
  `);
  return database;
}

describe.each([
  ['a new project', () => createDatabase(), []],
  [
    'a project from before 2026-10-30',
    async () => {
      const database = await oldProject();
      await migrate(database.url);
      return database;
    },
    USERS_OWN,
  ],
])('in %s', (_, open, ignored) => {
  let scene: Scene;
  let existing: Catalogue;
  beforeAll(async () => {
    scene = await openScene(await open());
    existing = await catalogue(scene.database.sql, ignored);
  });
  afterAll(async () => {
    await scene?.admin.end();
    await scene?.database.drop();
  });

  it('every relation is in the matrix, and each role has exactly its rights', () => {
    const expected = relations.map(([name, { is, signedIn, service }]) => [
      name,
      {
        is,
        anon: '',
        authenticated: signedIn === 'nothing' ? '' : 'select',
        scraper: '',
        service_role: service,
        public: '',
      },
    ]);
    expect(existing.relations).toEqual(Object.fromEntries(expected));
  });

  it('no relation, column or function is granted to another role, or may be granted on', async () => {
    const others = await scene.database.sql`
      select a.object, a.acl::text
      from (
        select c.oid::regclass::text, c.relowner, c.relacl from pg_class c
        where c.relnamespace in ('public'::regnamespace, 'postloop'::regnamespace)
        union all
        select f.oid::regprocedure::text, f.proowner, f.proacl from pg_proc f
        where f.pronamespace in ('public'::regnamespace, 'postloop'::regnamespace)
      ) a(object, owner, acl)
      cross join aclexplode(a.acl) e
      where e.grantee <> a.owner
        and (e.is_grantable or not exists (
          select from pg_roles r where r.oid = e.grantee and r.rolname = any (${ROLES})))
        and not 'public.' || split_part(a.object, '(', 1) = any (${ignored})
      union all
      select a.attrelid::regclass::text || '.' || a.attname, a.attacl::text
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace in ('public'::regnamespace, 'postloop'::regnamespace)
        and a.attacl is not null`;
    expect(others).toEqual([]);
  });

  it('every function is in the matrix, and who may execute it, as whom, is as it says', () => {
    const names = existing.functions.map(({ name }) => name);
    const named = Object.keys(FUNCTIONS).filter((name) => !name.endsWith('*'));
    expect(names.filter((name) => rightsOf(name) === undefined)).toEqual([]);
    expect(named.filter((name) => !names.includes(name))).toEqual([]);
    expect(names).toEqual([...new Set(names)]);
    expect(existing.functions.map((one) => ({ ...one, execute: [...one.execute] }))).toEqual(
      names.map((name) => ({
        name,
        execute: rightsOf(name)?.execute,
        definer: rightsOf(name)?.definer !== undefined,
      })),
    );
  });

  it('the helpers are out of reach for all but service_role, and nobody creates anything', async () => {
    const schemas = await scene.database.sql`
      select n.schema, r.role, has_schema_privilege(r.role, n.schema, 'usage') as usage,
        has_schema_privilege(r.role, n.schema, 'create') as create
      from unnest(array['postloop', 'public']) n(schema)
      cross join unnest(${ROLES}::text[]) r(role)`;
    expect([...schemas]).toEqual(
      ['postloop', 'public'].flatMap((schema) =>
        ROLES.map((role) => ({
          schema,
          role,
          usage: schema === 'public' || role === 'service_role',
          create: false,
        })),
      ),
    );
  });

  it.each(relations)('each role can do with %s what the matrix says and no more', async (name) => {
    const rights = existing.relations[name] ?? {};
    const tried = await statements(scene.database.sql, name);
    const actors: Actor[] = [
      { role: 'anon' },
      { role: 'scraper' },
      ...scene.owners.map(({ userId }) => ({ role: 'authenticated', userId })),
      { role: 'service_role' },
    ];
    const expected: Record<string, string> = {};
    const outcomes: Record<string, string> = {};
    for (const actor of actors) {
      for (const [privilege, statement] of Object.entries(tried)) {
        const attempt = `${actor.role} ${actor.userId ?? ''} ${privilege}`;
        const held = RELATIONS[name]?.service.split(', ').includes(privilege);
        const reads = privilege === 'select' && RELATIONS[name]?.signedIn !== 'nothing';
        const may = { service_role: held, authenticated: reads }[actor.role] ?? false;
        expected[attempt] = may ? ALLOWED : REFUSED;
        outcomes[attempt] = (await act(scene, actor, statement)).outcome;
      }
    }
    expect(outcomes, JSON.stringify(rights)).toEqual(expected);
  });

  it.each(owned)('%s shows its owner exactly their rows and others none', async (name, { key }) => {
    const all: string[] = [];
    for (const { userId, accountId } of scene.owners) {
      const condition =
        key === 'post_id'
          ? `post_id in (select post_id from public.post_attribution where account_id = ${accountId})`
          : `${key} = ${accountId}`;
      const { rows: theirs } = only(await scene.admin.unsafe(rowsOf(name, condition)));
      expect(theirs).not.toEqual([]);
      const seen = await act(scene, { role: 'authenticated', userId }, rowsOf(name));
      expect(only(seen.rows).rows).toEqual(theirs);
      all.push(...theirs.map((row: unknown) => JSON.stringify(row)));
    }
    expect(new Set(all).size).toBe(all.length);
    for (const actor of [
      { role: 'authenticated', userId: randomUUID() },
      { role: 'authenticated' },
    ]) {
      expect(only((await act(scene, actor, rowsOf(name))).rows).rows).toEqual([]);
    }
  });

  it.each(common)('%s shows every signed-in user all rows', async (name) => {
    const { rows: all } = only(await scene.admin.unsafe(rowsOf(name)));
    expect(all).not.toEqual([]);
    for (const userId of [scene.owners[0]?.userId, randomUUID()]) {
      const seen = await act(scene, { role: 'authenticated', userId: userId ?? '' }, rowsOf(name));
      expect(only(seen.rows).rows).toEqual(all);
    }
  });

  it('a call of a function by a role that may not execute it is refused', async () => {
    const calls = await scene.database.sql<{ name: string; call: string }[]>`
      select n.nspname || '.' || f.proname as name, format('select %I.%I(%s)', n.nspname, f.proname,
        (select string_agg(format('null::%s', format_type(t.type, null)), ', ' order by t.position)
          from unnest(f.proargtypes::oid[]) with ordinality t(type, position))) as call
      from pg_proc f join pg_namespace n on n.oid = f.pronamespace
      where n.nspname in ('public', 'postloop')`;
    const reached: string[] = [];
    for (const { name, call } of calls) {
      if (ignored.includes(name)) continue;
      const execute: string[] = rightsOf(name)?.execute ?? [];
      for (const role of ['anon', 'authenticated', 'scraper', 'service_role']) {
        if (execute.includes(role)) continue;
        const { outcome } = await act(scene, { role }, call);
        if (outcome !== REFUSED) reached.push(`${role} ${call}: ${outcome}`);
      }
    }
    expect(reached).toEqual([]);
  });

  it('the scraper claims, records and shares sessions without a right to any table', async () => {
    const scraper = connect(scene.database.adminUrl, 'scraper');
    try {
      const { run_id, reads } = await claim(scraper, hours(2));
      expect(reads).not.toEqual([]);
      expect(await record(scraper, run_id, {}, hours(2))).toMatchObject({ code: 'recorded' });
      const { reserved } = only(
        await scraper`
          select public.reserve_session(array['guest'], array['UserTweets'], ${hours(2)}) as reserved`,
      );
      expect(reserved).toEqual({ code: 'reserved', session: 'guest' });
      const { reported } = only(
        await scraper`
          select public.report_session('guest', 'UserTweets', 'rate_limited', null, ${hours(2)})
            as reported`,
      );
      expect(reported).toEqual({ code: 'reported' });
    } finally {
      await scraper.end();
    }
  });

  it('service_role can read the state of the pipeline', async () => {
    const at = `timestamptz '${hours(61).toISOString()}'`;
    for (const statement of [
      `select public.pipeline_state(${at})`,
      `select * from public.check_pipeline(${at})`,
      `select public.finish_pipeline_run(public.start_pipeline_run('learning', 0, ${at}), 0)`,
    ]) {
      expect((await act(scene, { role: 'service_role' }, statement)).outcome).toBe(ALLOWED);
    }
  });
});

describe('what a user of an older project has of their own', () => {
  let database: TestDatabase;
  const rights = () => database.sql`
    select c.oid::regclass::text as name, c.relacl::text as acl from pg_class c
    where c.oid = any (array['public.notes', 'public.notes_id_seq', 'public.recent_notes']::regclass[])
    union all
    select f.oid::regprocedure::text, f.proacl::text from pg_proc f
    where f.oid = 'public.count_notes()'::regprocedure
    union all
    select 'defaults of ' || d.defaclobjtype::text, d.defaclacl::text from pg_default_acl d
    order by name`;
  let before: postgres.Row[];
  beforeAll(async () => {
    database = await oldProject();
    before = await rights();
    await migrate(database.url);
  });
  afterAll(() => database?.drop());

  it('keeps its rights, and so do the defaults for what comes', async () => {
    expect(before).toHaveLength(7);
    expect(await rights()).toEqual(before);
  });
});

describe('in every schema of ours', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database?.drop());

  it('each table has row level security', async () => {
    const open = await database.sql`
      select c.oid::regclass::text as name from pg_class c
      where c.relnamespace in ('public'::regnamespace, 'postloop'::regnamespace)
        and c.relkind in ('r', 'p') and not c.relrowsecurity`;
    expect(open).toEqual([]);
  });

  it('each policy lets authenticated select, and nothing else', async () => {
    const others = await database.sql`
      select schemaname, tablename, policyname from pg_policies
      where schemaname in ('public', 'postloop')
        and not (cmd = 'SELECT' and roles = array['authenticated'::name] and permissive = 'PERMISSIVE')`;
    expect(others).toEqual([]);
  });

  it('each view runs with the rights of its caller', async () => {
    const definers = await database.sql`
      select c.oid::regclass::text as name from pg_class c
      where c.relnamespace in ('public'::regnamespace, 'postloop'::regnamespace) and c.relkind in ('v', 'm')
        and not coalesce(c.reloptions, '{}') && array['security_invoker=on', 'security_invoker=true']`;
    expect(definers).toEqual([]);
  });

  it('each function has an empty search_path', async () => {
    const without = await database.sql`
      select f.oid::regprocedure::text as name from pg_proc f
      where f.pronamespace in ('public'::regnamespace, 'postloop'::regnamespace)
        and not coalesce(f.proconfig, '{}') @> array['search_path=""']`;
    expect(without).toEqual([]);
  });

  it('each foreign key has an index', async () => {
    const unindexed = await database.sql`
      select c.conrelid::regclass::text as name, c.conname
      from pg_constraint c
      where c.contype = 'f'
        and c.connamespace in ('public'::regnamespace, 'postloop'::regnamespace)
        and not exists (
          select from pg_index i
          where i.indrelid = c.conrelid
            and (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(c.conkey)] @> c.conkey)`;
    expect(unindexed).toEqual([]);
  });

  it('each table, view and function has a comment', async () => {
    const uncommented = await database.sql`
      select c.oid::regclass::text as name from pg_class c
      where c.relnamespace in ('public'::regnamespace, 'postloop'::regnamespace)
        and c.relkind in ('r', 'p', 'v', 'm') and obj_description(c.oid, 'pg_class') is null
      union all
      select f.oid::regprocedure::text from pg_proc f
      where f.pronamespace in ('public'::regnamespace, 'postloop'::regnamespace)
        and obj_description(f.oid, 'pg_proc') is null`;
    expect(uncommented).toEqual([]);
  });
});
