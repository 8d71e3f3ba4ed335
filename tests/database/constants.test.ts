/** Numbers that several functions or views need: no SQL function with its search path set is inlined, so they stand in each. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ALARM_DISCOUNT, HALF_LIFE_DAYS } from '../../shared/learning/additive.ts';
import { HALF_90 } from '../../shared/learning/normal.ts';
import { ATTRIBUTION } from '../../simulation/reference/attribution/account.ts';
import { ACTIVE_HOURS } from '../../simulation/reference/attribution/exposure.ts';
import { LONGEST_REACH_H } from '../../simulation/reference/attribution/lag.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let bodies: { name: string; body: string }[];
beforeAll(async () => {
  database = await createDatabase();
  bodies = await database.sql<{ name: string; body: string }[]>`
    select p.proname as name, p.prosrc as body
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('public', 'postloop')
    union all
    select v.viewname, v.definition from pg_views v where v.schemaname in ('public', 'postloop')`;
});
afterAll(() => database?.drop());

/** What a pattern finds, by the name of the function or view, in alphabetical order. */
const found = (pattern: RegExp) =>
  bodies
    .flatMap(({ name, body }) =>
      Array.from(body.matchAll(pattern), ([all, group]): [string, string] => [name, group ?? all]),
    )
    .sort(([one], [other]) => (one < other ? -1 : Number(one > other)));
const places = (pattern: RegExp) => [...new Set(found(pattern).map(([name]) => name))];
const numbers = (pattern: RegExp) => [...new Set(found(pattern).map(([, value]) => Number(value)))];

it('half a 90 % range is as wide in every interval', () => {
  const pattern = /\b1\.6[45]\d*/g;
  expect(places(pattern)).toEqual([
    'credit_calibration',
    'fill_followers',
    'fit_growth',
    'prediction_calibration',
    'prompt_worth',
  ]);
  expect(numbers(pattern)).toEqual([HALF_90]);
});

it('constants of one name have one value', () => {
  const values = new Map<string, Set<string>>();
  for (const [, declaration] of found(/\bc_\w+ constant [^;]+;/g)) {
    const [, name = '', value = ''] = declaration.match(/^(\w+) constant .*?:= (.*);$/s) ?? [];
    values.set(name, (values.get(name) ?? new Set()).add(value));
  }
  expect(values.get('c_half_life_days')).toEqual(new Set([`${HALF_LIFE_DAYS}`]));
  expect(values.get('c_alarm_discount')).toEqual(new Set([`${ALARM_DISCOUNT}`]));
  // how long one waits depends on whom one calls
  values.delete('c_timeout_ms');
  for (const [name, all] of values) expect([...all], name).toHaveLength(1);
});

it('a block settles at one hour wherever that is asked', () => {
  const { blockHours, settleHours, deliveryHours } = ATTRIBUTION;
  const pattern = /floor\(\(extract\(epoch from p_now\) \/ 3600 - .*/g;
  expect(places(pattern)).toEqual(['plan_splits', 'split_blocks']);
  for (const [name, formula] of found(pattern)) {
    expect(formula, name).toContain(
      `3600 - ${settleHours + deliveryHours}) / ${blockHours})::integer * ${blockHours}`,
    );
  }
});

it('a post acts for as many hours wherever its reach is asked', () => {
  const hours = ACTIVE_HOURS + LONGEST_REACH_H;
  const pattern = /(?:posted_at \+ interval '|posted_hour \+ |from_hour - )(18\d)\b/g;
  expect(places(pattern)).toEqual(['fill_followers', 'split_blocks']);
  expect(numbers(pattern)).toEqual([hours]);
});

it('the half-life of impressions is the same clock in every projection', () => {
  const pattern = /\((\d+(?:\.\d+)?)::double precision \/ 60\)/g;
  expect(places(pattern)).toEqual(['growth_segments', 'post_rewards', 'warn_early']);
  expect(numbers(pattern)).toEqual([80]);
});
