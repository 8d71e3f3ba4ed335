import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { LocalError } from '../../local/stack/errors.ts';
import { allowsColors } from '../../local/terminal/colors.ts';
import {
  type Command,
  runCommandLine,
  runCommandSet,
  type Terminal,
} from '../../local/terminal/command-line.ts';
import { flag, wholeNumber } from '../../local/terminal/options.ts';
import { createProgress } from '../../local/terminal/progress.ts';
import { commandLineOf, markdown, replaceResults } from '../../local/terminal/results.ts';
import { table } from '../../local/terminal/table.ts';

describe('a command line', () => {
  const argv = [...process.argv];
  let stdout: MockInstance;
  let stderr: MockInstance;
  beforeEach(() => {
    stdout = vi.spyOn(console, 'log').mockImplementation(() => {});
    stderr = vi.spyOn(console, 'error').mockImplementation(() => {});
  });
  afterEach(() => {
    process.argv = [...argv];
    process.exitCode = undefined;
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  const options = {
    once: flag('only once'),
    days: wholeNumber({ description: 'how long', default: 14, to: 90 }),
  };

  /** Runs a command; its exit code, and what it printed in all. */
  async function run(args: string[], more: Partial<Command<typeof options>> = {}) {
    process.argv = ['node', 'command', ...args];
    await runCommandLine({
      name: 'npm run play',
      options,
      async run(values, { show }) {
        show(values, () => 'the report');
      },
      ...more,
    });
    const code = process.exitCode;
    return { code, stdout: stdout.mock.calls.flat(), stderr: stderr.mock.calls.flat() };
  }

  it('shows its report, and with --json the result as one object', async () => {
    expect(await run([])).toEqual({ code: 0, stdout: ['the report'], stderr: [] });
    stdout.mockClear();
    const {
      stdout: [json],
    } = await run(['--json', '--days', '3', '--once']);
    expect(JSON.parse(json)).toMatchObject({ days: 3, once: true });
  });

  it.each([
    [['--days', '0'], '--days takes a whole number from 1 to 90, not 0.'],
    [['--days', '91'], '--days takes a whole number from 1 to 90, not 91.'],
    [['--days', '1.5'], '--days takes a whole number from 1 to 90, not 1.5.'],
    [['--days='], '--days takes a whole number from 1 to 90, not .'],
    [['--days'], "Option '--days <value>' argument missing."],
    [['--days', '-2'], "Option '--days' argument missing."],
    [['2'], 'Unexpected argument "2". Options come after "--", as in npm run play -- --days <n>.'],
  ])('ends with 2 and one sentence for %j', async (args, sentence) => {
    expect(await run(args)).toEqual({
      code: 2,
      stdout: [],
      stderr: [`${sentence} See npm run play -- --help.`],
    });
  });

  it('says so when npm has kept an option for itself', async () => {
    vi.stubEnv('npm_config_once', 'true');
    expect((await run([])).code).toBe(0);
    vi.stubEnv('npm_lifecycle_event', 'play');
    const { code, stderr: said } = await run([]);
    expect(code).toBe(2);
    expect(said).toEqual([
      'npm keeps --once for itself: write npm run play -- --once. See npm run play -- --help.',
    ]);
  });

  it('ends with 1 and the message of an error that says what to do', async () => {
    vi.stubEnv('DEBUG', '');
    const failing = { run: () => Promise.reject(new LocalError('port_taken', 'Take another.')) };
    expect(await run([], failing)).toEqual({ code: 1, stdout: [], stderr: ['Take another.'] });
    expect((await run([], { ...failing, errorCode: 2 })).code).toBe(2);
  });

  it('shows all of an error that nobody foresaw, and of any with DEBUG', async () => {
    const unforeseen = new TypeError('x is not a function');
    expect((await run([], { run: () => Promise.reject(unforeseen) })).stderr).toEqual([unforeseen]);
    stderr.mockClear();
    vi.stubEnv('DEBUG', '1');
    const known = new LocalError('port_taken', 'Take another.');
    expect((await run([], { run: () => Promise.reject(known) })).stderr).toEqual([known]);
  });

  describe('that names one of several', () => {
    const choice = (name: string) => ({
      summary: `all of ${name}`,
      options: { [name]: wholeNumber({ description: 'how many', default: 1, to: 9 }) },
      run: async (values: object, { show }: Terminal) => show(values, () => name),
    });

    async function choose(...args: string[]) {
      process.argv = ['node', 'command', ...args];
      await runCommandSet({
        name: 'npm run judge',
        noun: 'topic',
        choices: { alpha: choice('alpha'), beta: choice('beta') },
        options: { write: flag('write it') },
      });
      const said = stderr.mock.calls.flat().join('\n');
      return { code: process.exitCode, stdout: stdout.mock.calls.flat(), stderr: said };
    }

    it('runs that one with its options, wherever they stand', async () => {
      const { code, stdout: shown } = await choose('--beta', '3', 'beta', '--json', '--write');
      expect(code).toBe(0);
      expect(shown.map((text) => JSON.parse(text))).toMatchObject([{ beta: 3, write: true }]);
    });

    it('is refused with its usage when it names none', async () => {
      const { code, stderr: said } = await choose();
      expect(code).toBe(2);
      expect(said).toMatch(/^Name a topic: alpha or beta\.\n\nUsage: npm run judge -- <topic>/);
    });

    it.each([
      [['gamma'], 'There is no topic gamma.'],
      [['constructor'], 'There is no topic constructor.'],
      [['alpha', '--beta', '3'], "Unknown option '--beta'."],
      [
        ['alpha', '3'],
        'Unexpected argument "3". Options come after "--", as in npm run judge -- alpha --alpha <n>.',
      ],
    ])('is refused with one sentence for %j', async (args, sentence) => {
      expect(await choose(...args)).toEqual({
        code: 2,
        stdout: [],
        stderr: `${sentence} See npm run judge -- --help.`,
      });
    });
  });
});

describe('colours', () => {
  const terminal = { isTTY: true };

  it.each([
    ['on a terminal', terminal, {}, true],
    ['but not in a pipe, whatever else is said', {}, { FORCE_COLOR: '1', CI: '1' }, false],
    ['but not with NO_COLOR', terminal, { NO_COLOR: '1' }, false],
    ['but not with FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, false],
    ['but not where the terminal is dumb', terminal, { TERM: 'dumb' }, false],
  ])('are used %s', (_, stream, env, used) => {
    expect(allowsColors(stream, env)).toBe(used);
  });
});

describe('a table', () => {
  const head = ['posted', 'topic', 'better than average'];
  const rows = [['11-20 19:32', 'building in public, every single day', '+42.2 to +68.8']];
  const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

  it.each([120, 75, 62, 40, 20])('fits into %i columns', (width) => {
    expect(widest(table(head, rows, { width }))).toBeLessThanOrEqual(width);
  });

  it('has rules where they fit, then none, and is then wrapped between words', () => {
    expect(table(head, rows, { width: 76 })).toContain('│');
    const narrower = table(head, rows, { width: 75 });
    expect(narrower).not.toContain('│');
    expect(narrower.split('\n')).toHaveLength(2);
    expect(table(head, rows, { right: [2, 3], width: 50 }).split('\n')).toEqual([
      'posted       topic                     better than',
      '                                           average',
      '11-20 19:32  building in            +42.2 to +68.8',
      '             public, every',
      '             single day',
    ]);
  });

  it('keeps what does not fit between words', () => {
    const address = 'https://project-ref.supabase.co/functions/v1/recommend';
    const lines = table(['', 'found'], [['pg_net', address]], { width: 30 }).split('\n');
    expect(lines.map((line) => line.slice(8)).join('')).toContain('recommend');
  });
});

describe('progress', () => {
  /** What is written on a stream while the clock goes on by hand. */
  function written(
    isTTY: boolean,
    work: (progress: ReturnType<typeof createProgress>, wait: (seconds: number) => void) => void,
  ) {
    let [text, now] = ['', 0];
    const write = (chunk: unknown) => {
      text += chunk;
      return true;
    };
    const wait = (seconds: number) => {
      now += 1_000 * seconds;
    };
    work(
      createProgress({ write, isTTY, columns: 40 } as never, () => now),
      wait,
    );
    return text;
  }

  it('is a line for each group, with the time since the start and an estimate of what is left', () => {
    const text = written(false, (progress, wait) => {
      wait(8);
      progress.step('Playing');
      progress.advance({ text: 'day 1/4', group: '1', share: 0.01 });
      wait(60);
      progress.advance({ text: 'day 1/4', group: '1', share: 0.2 });
      progress.advance({ text: 'day 2/4', group: '2', share: 0.25 });
      wait(170);
      progress.advance({ text: 'day 4/4', group: '4', share: 0.9 });
    });
    expect(text.split('\n')).toEqual([
      '   8 s  Playing',
      '   8 s  day 1/4',
      '  68 s  day 2/4  about 3 min left',
      ' 238 s  day 4/4  less than a minute left',
      '',
    ]);
  });

  it('is one line on a terminal, no longer than that is wide, and closed before the next', () => {
    const text = written(true, (progress) => {
      progress.advance({ text: 'day 1/4', group: '1' });
      progress.advance({ text: 'day 2/4'.padEnd(50, '.'), group: '2' });
      progress.end();
      progress.end();
    });
    expect(text.split('\n')).toHaveLength(2);
    expect(text).toContain('\r   0 s  day 1/4\u001b[K\r   0 s  day 2/4');
    expect(text.split('\r').at(-1)?.replace('\u001b[K\n', '')).toHaveLength(39);
  });
});

describe('results in a page', () => {
  const page = [
    '# Benchmarks',
    '<!-- npm run bench -- scraper: begin -->',
    'old',
    '<!-- npm run bench -- scraper: end -->',
    'Between them.',
    '<!-- npm run bench -- scraper --posts 50: begin -->',
    'old too',
    '<!-- npm run bench -- scraper --posts 50: end -->',
  ].join('\n');

  it('take the place of those of the same command line and leave all else', () => {
    const commandLine = commandLineOf(
      'npm run bench',
      'scraper',
      { posts: 50, latency: 150 },
      { posts: 20, latency: 150 },
    );
    expect(commandLine).toBe('npm run bench -- scraper --posts 50');
    const once = replaceResults(page, 'docs/page.md', commandLine, 'new');
    expect(once).toBe(page.replace('\nold too\n', '\n\nnew\n\n'));
    expect(replaceResults(once, 'docs/page.md', commandLine, 'new')).toBe(once);
  });

  it('are refused with a sentence by a page that has no place for them', () => {
    expect(() => replaceResults(page, 'docs/page.md', 'npm run bench -- learning', '')).toThrow(
      'docs/page.md has no place for these results: put the lines "<!-- npm run bench -- learning: begin -->" and "<!-- npm run bench -- learning: end -->" where they belong.',
    );
  });

  it('are tables whose cells cannot break them', () => {
    expect(markdown({ title: 'Reads', head: ['way', 'ms'], rows: [['a | b', '7']] })).toBe(
      ['Reads:', '', '| way    |  ms |', '| ------ | --: |', '| a \\| b |   7 |'].join('\n'),
    );
  });
});
