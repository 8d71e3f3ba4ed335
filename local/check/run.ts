/**
 * `npm run check`: everything that can be said without running the pipeline. One line a step on
 * stdout, what a failed step printed below them, exit code 1 if one failed.
 */
import { join } from 'node:path';
import pc from 'picocolors';
import { REPOSITORY, runCommand, tool } from '../stack/commands.ts';
import { denoBinary, FUNCTIONS, functionNames } from '../stack/functions.ts';
import { pinProblems } from './pins.ts';

/** What a step printed if it failed, undefined if it is well. */
type Step = { name: string; run: () => Promise<string | undefined> };

const command =
  (program: string, args: string[], cwd = REPOSITORY) =>
  async () => {
    const result = await runCommand(program, args, { cwd, env: { NO_COLOR: '1' } });
    return result.code === 0 ? undefined : `${result.stdout}${result.stderr}`.trim();
  };

const steps: Step[] = [
  { name: 'format and lint', run: command(tool('biome'), ['ci', '--colors=off', '.']) },
  { name: 'types (tsc)', run: command(tool('tsc'), ['--noEmit', '-p', 'tsconfig.json']) },
  ...functionNames().map((name) => {
    const folder = join(FUNCTIONS, name);
    const flags = ['--node-modules-dir=manual', '--no-lock', '--config=deno.json'];
    return {
      name: `types of function ${name} (deno)`,
      run: command(denoBinary(), ['check', ...flags, 'index.ts'], folder),
    };
  }),
  {
    name: 'generated types, schema and health page',
    run: command(process.execPath, [join(REPOSITORY, 'local', 'check', 'types.ts'), '--check']),
  },
  {
    name: 'versions pinned by functions',
    run: async () => pinProblems(join(REPOSITORY, 'package.json')).join('\n') || undefined,
  },
];

const width = Math.max(...steps.map((step) => step.name.length));
const failures: { name: string; output: string }[] = [];
for (const step of steps) {
  const started = performance.now();
  const output = await step.run().catch((error: Error) => error.message);
  const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const verdict = output === undefined ? pc.green('ok    ') : pc.red('failed');
  console.log(`${step.name.padEnd(width)}  ${verdict}  ${seconds.padStart(7)}`);
  if (output !== undefined) failures.push({ name: step.name, output });
}
for (const failure of failures) console.log(`\n${pc.bold(failure.name)}\n${failure.output}`);
process.exitCode = failures.length > 0 ? 1 : 0;
