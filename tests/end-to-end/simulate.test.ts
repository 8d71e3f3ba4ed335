import { expect, it } from 'vitest';
import { z } from 'zod';
import { runCommand } from '../../local/stack/commands.ts';
import { atLeast, atMost, barsTable } from '../../local/terminal/bars.ts';
import { formatNumber } from '../../local/terminal/numbers.ts';

const simulate = (...args: string[]) =>
  runCommand(process.execPath, ['simulation/run.ts', ...args]);

it('lists its topics and options', async () => {
  const { code, stdout } = await simulate('--help');
  expect(code).toBe(0);
  expect(stdout).toContain('  attribution');
  expect(stdout).toContain('  evaluation');
  expect(stdout).toContain('--seeds');
});

it.each([
  [['astrology'], 'There is no topic astrology.'],
  [['attribution', '--seeds', '0'], '--seeds takes a whole number from 1 to 10000, not 0.'],
  [['attribution', '--sedes', '3'], "Unknown option '--sedes'"],
])('refuses %j with exit code 2 and says how it is used', async (args, message) => {
  const { code, stderr, stdout } = await simulate(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).toContain('See npm run simulate -- --help.');
});

it.each([
  ['attribution', ['A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'A7', 'A8', 'A9'], 'World: typical'],
  ['evaluation', ['R1', 'V1', 'O1', 'D1', 'CUSUM'], 'Young posts: usual'],
])(
  '%s prints one JSON object with its bars, and exits 1 exactly when one is not met',
  async (topic, names, step) => {
    const { code, stdout, stderr } = await simulate(topic, '--seeds', '1', '--json');
    const { name, bars } = z
      .object({
        name: z.string(),
        seeds: z.literal(1),
        bars: z.array(
          z.object({ name: z.string(), value: z.number(), bar: z.number(), pass: z.boolean() }),
        ),
        tables: z.array(z.object({ title: z.string() })).min(1),
      })
      .parse(JSON.parse(stdout));
    expect(name).toBe(topic);
    for (const bar of names) {
      expect(bars.filter((one) => one.name.startsWith(bar)).length).toBeGreaterThan(0);
    }
    expect(code).toBe(bars.every(({ pass }) => pass) ? 0 : 1);
    expect(stderr).toContain(step);
  },
);

it('a bar that a value meets exactly is met, and one without a value is not', () => {
  expect(atMost('error', 2, 2)).toEqual({ name: 'error, at most', value: 2, bar: 2, pass: true });
  expect(atLeast('share', 1, 2).pass).toBe(false);
  expect(atLeast('share', Number.NaN, 0).pass).toBe(false);
  expect(atMost('share', Number.NaN, 0).pass).toBe(false);
  const missed = barsTable([atLeast('share', 1, 2)]);
  expect(missed).toContain('NOT MET');
  expect(missed).toContain('Bars are set for the defaults');
  expect(barsTable([atLeast('share', 2, 2)])).not.toContain('Bars are set for the defaults');
});

it('numbers are shown with three digits', () => {
  expect([0.012345, 5, 1234.5, Number.NaN].map(formatNumber)).toEqual([
    '0.0123',
    '5',
    '1,235',
    '–',
  ]);
});
