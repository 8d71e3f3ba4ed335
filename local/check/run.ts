/** `npm run check`: everything that can be said without running the pipeline. */
import { join } from 'node:path';
import { REPOSITORY, runCommand, tool } from '../stack/commands.ts';
import { denoBinary, FUNCTIONS, functionNames } from '../stack/functions.ts';
import { colors } from '../terminal/colors.ts';
import { runCommandLine } from '../terminal/command-line.ts';
import { table } from '../terminal/table.ts';
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
    name: 'generated database types and schema',
    run: command(process.execPath, [join(REPOSITORY, 'local', 'check', 'types.ts'), '--check']),
  },
  {
    name: 'exports, files and circles of imports (knip)',
    run: command(tool('knip'), ['--no-progress', '--no-config-hints']),
  },
  {
    name: 'versions pinned by functions',
    run: async () => pinProblems(join(REPOSITORY, 'package.json')).join('\n') || undefined,
  },
];

type Outcome = { name: string; ok: boolean; seconds: number; output?: string };

async function carryOut({ name, run }: Step): Promise<Outcome> {
  const startedAt = performance.now();
  const output = await run().catch((error: Error) => error.message);
  const seconds = (performance.now() - startedAt) / 1000;
  return { name, ok: output === undefined, seconds, ...(output === undefined ? {} : { output }) };
}

const report = (outcomes: Outcome[]) =>
  [
    table(
      ['step', '', 'seconds'],
      outcomes.map(({ name, ok, seconds }) => [
        name,
        ok ? colors.green('ok') : colors.red('failed'),
        seconds.toFixed(1),
      ]),
    ),
    ...outcomes
      .filter(({ ok }) => !ok)
      .map(({ name, output }) => `\n${colors.bold(name)}\n${output}`),
  ].join('\n');

await runCommandLine({
  name: 'npm run check',
  options: {},
  notes: 'Exits 1 when a step failed, and prints what it said.',
  async run(_, { progress, show }) {
    const outcomes: Outcome[] = [];
    for (const step of steps) {
      progress.step(step.name);
      outcomes.push(await carryOut(step));
    }
    show({ steps: outcomes }, () => report(outcomes));
    return outcomes.every(({ ok }) => ok) ? 0 : 1;
  },
});
