/** The rooms of the repository, and which of them may know which. Circles: see `knip.json`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../local/stack/commands.ts';
import { functionNames } from '../../local/stack/functions.ts';
import { arrows, importsOf, reachedFrom } from '../support/imports.ts';

const FUNCTIONS = 'supabase/functions';
const SCRAPER = 'scraper-lambda/src';

const isFile = (imported: string) => imported.endsWith('.ts');
const isIn = (imported: string, ...rooms: string[]) =>
  rooms.some((room) => imported.startsWith(`${room}/`));

describe('what ships', () => {
  const shared = importsOf('shared');
  const functions = importsOf(FUNCTIONS);
  const scraper = importsOf(SCRAPER);

  it('shared knows nobody, and runs in Deno as in Node', () => {
    const isAllowed = (one: string) => isIn(one, 'shared') || one === 'zod';
    expect(arrows(shared, isAllowed)).toEqual([]);
  });

  it('an edge function knows itself and _shared, and only _shared knows shared', () => {
    const isAllowed = (one: string, file: string) => {
      const [name = ''] = file.slice(FUNCTIONS.length + 1).split('/');
      const rooms = [
        `${FUNCTIONS}/${name}`,
        name === '_shared' ? 'shared' : `${FUNCTIONS}/_shared`,
      ];
      return !isFile(one) || isIn(one, ...rooms);
    };
    expect(arrows(functions, isAllowed)).toEqual([]);
  });

  it('the scraper knows itself and shared', () => {
    expect(arrows(scraper, (one) => !isFile(one) || isIn(one, SCRAPER, 'shared'))).toEqual([]);
  });

  it('each file of shared is reached from an edge function or from the scraper', () => {
    const entries = [
      ...functionNames().map((name) => `${FUNCTIONS}/${name}/index.ts`),
      `${SCRAPER}/handler.ts`,
    ];
    const reached = reachedFrom(new Map([...shared, ...functions, ...scraper]), entries);
    expect([...shared.keys()].filter((file) => !reached.has(file))).toEqual([]);
  });

  it('only health loads the schema, and only what learns or evaluates loads the learner', () => {
    const graph = new Map([...shared, ...functions]);
    const loading = (file: string) =>
      functionNames().filter((name) =>
        reachedFrom(graph, [`${FUNCTIONS}/${name}/index.ts`]).has(file),
      );
    expect(loading('shared/database/schema.ts')).toEqual(['health']);
    expect(loading('shared/learning/learn.ts')).toEqual(['learning', 'recommend']);
    expect(loading('shared/evaluation/off-policy.ts')).toEqual(['policy-evaluation']);
  });
});

describe('the rooms of the scraper', () => {
  const room = (name: string) => importsOf(`${SCRAPER}/${name}`);

  it('x is pure: it knows shared, and neither browser, project nor network', () => {
    const isAllowed = (one: string) =>
      isIn(one, `${SCRAPER}/x`, 'shared') || ['zod', 'node:crypto'].includes(one);
    expect(arrows(room('x'), isAllowed)).toEqual([]);
  });

  it.each([
    ['project', ['api', 'browser', 'x']],
    ['api', ['browser', 'project']],
    ['browser', ['api']],
  ])('%s does not know %j', (name, others) => {
    const unknown = others.map((other) => `${SCRAPER}/${other}`);
    expect(arrows(room(name), (one) => !isIn(one, ...unknown))).toEqual([]);
  });
});

describe('the migrations', () => {
  const FOLDER = join(REPOSITORY, 'supabase/migrations');
  /** Bodies, texts and comments say nothing of what a migration itself does. */
  const INSIDE = /\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|--[^\n]*/g;
  const statements = readdirSync(FOLDER).flatMap((file) =>
    readFileSync(join(FOLDER, file), 'utf8')
      .replace(INSIDE, (inside) => (inside.startsWith('--') ? '' : "''"))
      .split(';')
      .map((statement) => ({ file, sql: statement.trim().replace(/\s+/g, ' ') }))
      .filter(({ sql }) => sql !== ''),
  );
  const named = (pattern: RegExp) =>
    statements.flatMap(({ sql }) => pattern.exec(sql)?.slice(1).join(' ') ?? []);
  const twice = (names: string[]) => names.filter((name, at) => names.indexOf(name) !== at);

  const OBJECT =
    /^create (?:unique )?(table|view|function|index|type|schema|extension)(?: if not exists)? ([\w.]+)/;
  const ON_TABLE = /^create (policy|trigger) (\w+) .*?\bon ([\w.]+)/;
  const RLS = /^alter table ([\w.]+) enable row level security$/;

  it('define each object and its comment once', () => {
    const objects = [...named(OBJECT), ...named(ON_TABLE), ...named(RLS)];
    expect(objects.length).toBeGreaterThan(200);
    expect(twice(objects)).toEqual([]);
    expect(twice(named(/^comment on (\w+ \S+(?: on \S+)?)/))).toEqual([]);
  });

  it('create what is final: nothing is replaced, altered, dropped, emptied or updated', () => {
    const isFinal = (sql: string) =>
      [OBJECT, ON_TABLE, RLS, /^(?:comment on|revoke|grant|insert into) /].some((one) =>
        one.test(sql),
      );
    // What a fresh database has none of: roles of the cluster, tables of the first system, times.
    const allowed = [
      /^do ''$/,
      /^(?:re)?set statement_timeout\b/,
      /^select postloop\.import_first_system\(now\(\)\)$/,
      /^select postloop\.schedule_jobs\(\)$/,
    ];
    const others = statements
      .filter(({ sql }) => !isFinal(sql) && !allowed.some((one) => one.test(sql)))
      .map(({ file, sql }) => `${file}: ${sql.slice(0, 80)}`);
    expect(others).toEqual([]);
  });
});
