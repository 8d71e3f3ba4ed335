/** The packages that an edge function pins in its `deno.json`, against those of the repository. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FUNCTIONS, functionNames } from '../stack/functions.ts';

/**
 * What is wrong with the pins, one sentence each: a version that is not exactly the one that
 * `package.json` pins, a package that is not there, a bare name that two functions map differently,
 * a missing `deno.json`. Empty when all is well.
 */
export function pinProblems(packageFile: string, folder = FUNCTIONS): string[] {
  const manifest = readJson(packageFile) as {
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
  const problems: string[] = [];
  const first = new Map<string, { target: string; name: string }>();
  for (const name of functionNames(folder)) {
    const file = join(folder, name, 'deno.json');
    if (!existsSync(file)) {
      problems.push(`${name} has no deno.json.`);
      continue;
    }
    const { imports = {} } = readJson(file) as { imports?: Record<string, string> };
    for (const [specifier, target] of Object.entries(imports)) {
      const problem = pinProblem(target, wanted);
      if (problem) problems.push(`${name}/deno.json: ${specifier} → ${target} ${problem}`);
      const known = first.get(specifier);
      if (known && known.target !== target) {
        problems.push(
          `${name}/deno.json: ${specifier} → ${target}, but ${known.name} has ${known.target}.`,
        );
      }
      first.set(specifier, known ?? { target, name });
    }
  }
  return problems;
}

function pinProblem(target: string, wanted: Record<string, string>): string | undefined {
  if (!target.startsWith('npm:')) return undefined;
  const [, name, version] = /^npm:((?:@[^/@]+\/)?[^/@]+)(?:@([^/]+))?/.exec(target) ?? [];
  const pinned = name === undefined ? undefined : wanted[name];
  if (name === undefined || version === undefined) return 'has no version.';
  if (pinned === undefined) return `is not in package.json: npm i -D -E ${name}@${version}`;
  return pinned === version ? undefined : `differs from package.json, which has ${pinned}.`;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
