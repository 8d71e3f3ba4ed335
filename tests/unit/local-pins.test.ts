import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pinProblems } from '../../local/check/pins.ts';
import { firstDifferences } from '../../local/check/types.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postloop-test-'));
  const devDependencies = { zod: '4.6.7', '@supabase/server': '1.8.1', 'deno-std': '^1.4.0' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ devDependencies }));
});
afterEach(() => rmSync(folder, { recursive: true }));

function problems(functions: Record<string, Record<string, string> | undefined>): string[] {
  for (const [name, imports] of Object.entries(functions)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'index.ts'), '');
    if (imports) writeFileSync(join(folder, name, 'deno.json'), JSON.stringify({ imports }));
  }
  return pinProblems(join(folder, 'package.json'), folder);
}

it('finds nothing wrong with pins that are those of package.json', () => {
  const imports = {
    zod: 'npm:zod@4.6.7',
    '@supabase/server': 'npm:@supabase/server@1.8.1',
    '@supabase/server/core': 'npm:@supabase/server@1.8.1/core',
    './here': './there.ts',
  };
  expect(problems({ one: imports, two: imports, _shared: { zod: 'npm:zod@1.0.0' } })).toEqual([]);
});

it.each([
  ['npm:zod@4.6.6', 'differs from package.json, which has 4.6.7.'],
  ['npm:zod', 'has no version.'],
  ['npm:deno-std@1.4.0/assert/equals.js', 'differs from package.json, which has ^1.4.0.'],
  ['npm:left-pad@1.3.0', 'is not in package.json: npm i -D -E left-pad@1.3.0'],
])('says what is wrong with %s', (target, what) => {
  expect(problems({ one: { name: target } })).toEqual([`one/deno.json: name → ${target} ${what}`]);
});

it('says which functions differ in a pin, and which has none', () => {
  expect(problems({ one: { std: './a.ts' }, two: { std: './b.ts' }, three: undefined })).toEqual([
    'three has no deno.json.',
    'two/deno.json: std → ./b.ts, but one has ./a.ts.',
  ]);
});

it('shows the first lines in which generated types differ', () => {
  expect(firstDifferences('a\nb\nc', 'a\nB\nc\nd')).toEqual(['2: - b\n2: + B', '4: - \n4: + d']);
  expect(firstDifferences('a\nb', 'a\nb')).toEqual([]);
});
