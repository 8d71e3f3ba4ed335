/** Every npm script that takes options, as a process of its own. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REPOSITORY, runCommand } from '../../local/stack/commands.ts';

const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const commands = Object.entries(scripts).flatMap(([script, line]) => {
  const [program, file] = line.split(' ');
  return program === 'node' && file ? [{ script, file }] : [];
});

const typed = (script: string) => (script === 'start' ? 'npm start' : `npm run ${script}`);

it('all scripts but the tests are commands of this kind', () => {
  expect(commands.map(({ script }) => script).sort()).toEqual(
    Object.keys(scripts)
      .filter((script) => script !== 'test')
      .sort(),
  );
});

it.concurrent.each(commands)(
  'npm run $script explains itself with --help and refuses --nope with 2 and one sentence',
  async ({ script, file }) => {
    const [help, wrong] = await Promise.all(
      ['--help', '--nope'].map((option) => runCommand(process.execPath, [file, option])),
    );
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help?.stdout).toContain(`Usage: ${typed(script)} -- `);
    expect(help?.stdout).toMatch(/--json +one JSON object on stdout/);
    expect(wrong).toEqual({
      code: 2,
      stdout: '',
      stderr: `Unknown option '--nope'. See ${typed(script)} -- --help.\n`,
    });
  },
  60_000,
);

it.concurrent('npm start refuses a port that is taken before anything is started, and names a way out', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const start = commands.find(({ script }) => script === 'start');
  const args = [start?.file ?? '', '--port', String(port)];
  const { code, stderr } = await runCommand(process.execPath, args);
  other.close();
  expect(code).toBe(1);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toContain(`Port ${port} on 127.0.0.1 is taken by another program.`);
  expect(stderr).toContain('npm start -- --port 0 takes a free one.');
}, 60_000);
