/**
 * What the repository's commands have in common: usage, options, progress, `--json` and exit codes.
 * 0 is fine, 1 failed or a bar not met, 2 wrong use.
 */
import { parseArgs } from 'node:util';
import { LocalError } from '../stack/errors.ts';
import { flag, type Options, usageError, type Values } from './options.ts';
import { createProgress, type Progress } from './progress.ts';
import { wrap } from './wrap.ts';

export type Terminal = {
  /** Whether the result is asked for as JSON. */
  json: boolean;
  progress: Progress;
  /** Prints the result on stdout: with `--json` as one object, else as the report. */
  show(result: object, report: () => string): void;
};

type ErrorClass = new (...args: never[]) => Error;

export type Command<O extends Options> = {
  /** As it is typed: `npm run drill`. */
  name: string;
  options: O;
  /** What it does, where its name does not say it. */
  summary?: string;
  /** What it is given beside options; at least one is needed. */
  positionals?: { label: string; description: string; missing: string };
  /** More that the usage says, below the options. */
  notes?: string;
  /** Errors whose message says what to do, beside LocalError; of others the stack is printed too. */
  knownErrors?: ErrorClass[];
  /** Exit code for an error. Default 1. */
  errorCode?: 1 | 2;
  /** Resolves to the exit code; nothing means 0. */
  run(values: Values<O>, terminal: Terminal, positionals: string[]): Promise<ExitCode>;
};

// biome-ignore lint/suspicious/noConfusingVoidType: a command that only succeeds returns nothing.
type ExitCode = 0 | 1 | void;

/** A command that does one of several things, each with options of its own. */
type CommandSet = Omit<Command<Options>, 'run' | 'positionals'> & {
  /** What is chosen: `benchmark`. */
  noun: string;
  /** By name. `options` of the set hold for all. */
  choices: Record<string, Choice>;
};

export type Choice = Pick<Command<Options>, 'options' | 'run'> & { summary: string };

const COMMON = {
  json: flag('one JSON object on stdout, progress on stderr'),
  help: flag('this text'),
};

/** Runs a command with the arguments of this process and sets its exit code. */
export async function runCommandLine<O extends Options>(command: Command<O>): Promise<void> {
  await execute(command, () => {
    const { options, positionals } = command;
    const { values, given } = parse(command.name, options, positionals !== undefined);
    if (values.help) return { help: usage(command) };
    if (positionals && given.length === 0) {
      return { missing: positionals.missing, help: usage(command) };
    }
    return {
      json: values.json,
      run: (terminal) => command.run(values as Values<O>, terminal, given),
    };
  });
}

/** Runs the one of several that the arguments of this process name, and sets its exit code. */
export async function runCommandSet(set: CommandSet): Promise<void> {
  await execute(set, () => {
    const { name: program, noun, choices } = set;
    const everyOption = Object.assign({}, set.options, ...Object.values(choices).map(optionsOf));
    const [name] = parseLoosely(everyOption).positionals;
    if (name === undefined) {
      const help = setUsage(set);
      const { values } = parse(program, everyOption, false);
      if (values.help) return { help };
      return { missing: `Name a ${noun}: ${list(Object.keys(choices))}.`, help };
    }
    const choice = Object.hasOwn(choices, name) ? choices[name] : undefined;
    if (!choice) throw usageError(`There is no ${noun} ${name}.`);
    const options = { ...choice.options, ...set.options };
    const { values, given } = parse(program, options, true);
    if (values.help) return { help: setUsage(set) };
    if (given[1] !== undefined) throw unexpected(given[1], `${program} -- ${name}`, options);
    return { json: values.json, run: (terminal) => choice.run(values, terminal, []) };
  });
}

type Plan =
  | { help: string; missing?: string }
  | { json: boolean; run: (terminal: Terminal) => Promise<ExitCode> };

async function execute(
  command: Pick<Command<Options>, 'name' | 'knownErrors' | 'errorCode'>,
  plan: () => Plan,
): Promise<void> {
  const progress = createProgress();
  try {
    const planned = plan();
    if ('run' in planned) {
      const { json, run } = planned;
      const show: Terminal['show'] = (result, report) => {
        progress.end();
        console.log(json ? JSON.stringify(result) : report());
      };
      process.exitCode = (await run({ json, progress, show })) ?? 0;
    } else if (planned.missing === undefined) {
      console.log(planned.help);
    } else {
      console.error(`${planned.missing}\n\n${planned.help}`);
      process.exitCode = 2;
    }
  } catch (error) {
    progress.end();
    process.exitCode = explain(error, command);
  }
}

/** Says on stderr what went wrong; the exit code. */
function explain(
  error: unknown,
  { name, knownErrors = [], errorCode = 1 }: Parameters<typeof execute>[0],
): number {
  if (error instanceof LocalError && error.code === 'usage') {
    console.error(`${error.message} See ${name} -- --help.`);
    return 2;
  }
  const isKnown = [LocalError, ...knownErrors].some((known) => error instanceof known);
  console.error(isKnown && !process.env.DEBUG ? (error as Error).message : error);
  return errorCode;
}

function parse(program: string, options: Options, takesPositionals: boolean) {
  const all = { ...options, ...COMMON };
  const { tokens, positionals } = parseStrictly(all);
  // A flag has no value: that it is there is what it says.
  const found = new Map(
    tokens.flatMap((one) => (one.kind === 'option' ? [[one.name, one.value ?? '']] : [])),
  );
  const kept = Object.keys(all).find((name) => !found.has(name) && isKeptByNpm(program, name));
  if (kept !== undefined) {
    throw usageError(`npm keeps --${kept} for itself: write ${program} -- --${kept}.`);
  }
  const [stray] = positionals;
  if (stray !== undefined && !takesPositionals) throw unexpected(stray, `${program} --`, options);
  const values = Object.fromEntries(
    Object.entries(all).map(([name, option]) => [name, option.read(found.get(name), name)]),
  );
  return {
    values: values as Record<string, unknown> & { json: boolean; help: boolean },
    given: positionals,
  };
}

const argumentTypes = (options: Options) =>
  Object.fromEntries(
    Object.entries(options).map(([name, { placeholder }]) => [
      name,
      {
        type: placeholder === undefined ? ('boolean' as const) : ('string' as const),
        ...(name === 'help' ? { short: 'h' } : {}),
      },
    ]),
  );

const parseLoosely = (options: Options) =>
  parseArgs({
    options: argumentTypes({ ...options, ...COMMON }),
    strict: false,
    allowPositionals: true,
  });

function parseStrictly(options: Options) {
  try {
    return parseArgs({ options: argumentTypes(options), allowPositionals: true, tokens: true });
  } catch (error) {
    // The first sentence says what is wrong; those after it are about other programs.
    const [sentence = ''] = (error as Error).message.split(/\.?(?: To specify|\n|$)/);
    throw usageError(`${sentence.replace(/argument is ambiguous$/, 'argument missing')}.`);
  }
}

/** `npm start --once`, without the `--`: npm takes the option for one of its own. */
function isKeptByNpm(program: string, option: string): boolean {
  const { env } = process;
  const isScript = env.npm_lifecycle_event === program.split(' ').at(-1);
  return isScript && env[`npm_config_${option.replaceAll('-', '_')}`] !== undefined;
}

/** `npm start --days 2`, without the `--`: of it only the 2 arrives. */
function unexpected(argument: string, start: string, options: Options): LocalError {
  const [name, option] = Object.entries(options).find(([, { placeholder }]) => placeholder) ?? [];
  const example = name === undefined ? '--help' : `--${name} ${option?.placeholder}`;
  return usageError(
    `Unexpected argument "${argument}". Options come after "--", as in ${start} ${example}.`,
  );
}

const USAGE_WIDTH = 80;

function usage(command: Omit<Command<Options>, 'run'>): string {
  const { name, summary, options, positionals, notes } = command;
  const given = positionals ? `${positionals.label} [options]` : '[options]';
  return [
    `Usage: ${name} -- ${given}`,
    ...(summary === undefined ? [] : wrap(summary, USAGE_WIDTH)),
    '',
    ...optionLines(
      { ...options, ...COMMON },
      positionals ? [[positionals.label, positionals.description]] : [],
    ),
    ...notesLines(notes),
  ].join('\n');
}

function setUsage({ name, noun, choices, options, notes }: CommandSet): string {
  return [
    `Usage: ${name} -- <${noun}> [options]`,
    ...Object.entries(choices).flatMap(([choice, { summary, options: own }]) => [
      '',
      `  ${choice}`,
      ...wrap(summary, USAGE_WIDTH - 4).map((line) => `    ${line}`),
      ...optionLines(own).map((line) => `  ${line}`),
    ]),
    '',
    ...optionLines({ ...options, ...COMMON }),
    ...notesLines(notes),
  ].join('\n');
}

function optionLines(options: Options, before: [string, string][] = []): string[] {
  const entries = [
    ...before,
    ...Object.entries(options).map(([name, { placeholder, description }]) => [
      `--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`,
      description,
    ]),
  ];
  const width = Math.max(...entries.map(([label = '']) => label.length)) + 2;
  return entries.flatMap(([label = '', description = '']) => {
    const [first = '', ...more] = wrap(description, USAGE_WIDTH - width - 4);
    return [
      `  ${label.padEnd(width)}${first}`,
      ...more.map((line) => `${' '.repeat(width + 2)}${line}`),
    ];
  });
}

const notesLines = (notes: string | undefined) =>
  notes === undefined ? [] : ['', ...wrap(notes, USAGE_WIDTH)];

const optionsOf = ({ options }: Choice) => options;

const list = (names: string[]) => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
