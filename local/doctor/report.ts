/** A diagnosis as tables that a person reads. */
import type { Colors } from '../terminal/colors.ts';
import { heading, table } from '../terminal/table.ts';
import { type DiagnosedStep, type Diagnosis, isOfWholePipeline, type Todo } from './diagnose.ts';

type Level = 'ok' | 'empty' | 'warning' | 'broken';

export function report(diagnosis: Diagnosis, colors: Colors): string {
  const { url, as_of, steps, todo, watch } = diagnosis;
  const pipeline = diagnosis.invariants.filter(isOfWholePipeline);
  const asOf = `${as_of.slice(0, 16).replace('T', ' ')} UTC`;
  return [
    heading('Loop', `${url}, as of ${asOf}`, colors),
    steps.length > 0 ? loopTable(diagnosis, colors) : 'The steps could not be read.',
    heading('Platform', 'what the loop rests on', colors),
    platformTable(diagnosis, colors),
    ...(pipeline.length > 0
      ? [
          heading('Pipeline', 'what concerns all of it', colors),
          table(
            ['', 'invariant', 'found'],
            pipeline.map(({ name, status, measured }) => {
              const level = status === 'failing' ? 'broken' : status;
              return [mark(level, colors), name, paint(level, measured ?? '', colors)];
            }),
            { right: [0, 0], colors },
          ),
        ]
      : []),
    ...list('What to do', todo, colors),
    ...list('Worth a look', watch, colors),
    '',
    closing(diagnosis, colors),
  ].join('\n');
}

function loopTable(diagnosis: Diagnosis, colors: Colors): string {
  return table(
    ['', 'step', 'last 7 days', 'newest', 'found'],
    diagnosis.steps.map((step) => {
      const level = levelOf(step);
      const first = step.step === diagnosis.first_broken;
      const found = paint(level, foundAt(step, diagnosis), colors);
      return [
        mark(level, colors),
        first ? colors.bold(label(step.step)) : label(step.step),
        step.count_7d.toLocaleString('en-US'),
        step.newest_at === null ? '–' : ago(diagnosis.as_of, step.newest_at),
        first ? `${found}  ${colors.bold(colors.red('◀ first broken'))}` : found,
      ];
    }),
    { right: [2, 4], colors },
  );
}

const levelOf = ({ state, warnings }: DiagnosedStep): Level =>
  state !== 'broken' && warnings.length > 0 ? 'warning' : state;

/** What the step says of itself, and of what breaks or troubles it what was measured. */
function foundAt(step: DiagnosedStep, { invariants, functions }: Diagnosis): string {
  const names = step.failing.length > 0 ? step.failing : step.warnings;
  const measured = names.map((name) => {
    const fn = functions.find((one) => one.name === name && one.state !== 'ok');
    if (fn) return `function ${name}: ${fn.measured}`;
    return `${name}: ${invariants.find((one) => one.name === name)?.measured ?? 'failing'}`;
  });
  return [step.detail, ...measured].filter((text) => text !== null).join('; ');
}

function platformTable({ platform, functions }: Diagnosis, colors: Colors): string {
  const parts = platform.map(({ part, status, measured }): [Level, string, string] => [
    status === 'failing' || status === 'unknown' ? 'broken' : status,
    part,
    measured,
  ]);
  const unwell = functions.filter(({ state }) => state !== 'ok');
  const rows: [Level, string, string][] =
    unwell.length === 0
      ? [['ok', 'functions', `all ${functions.length} answer, and to the secret key only`]]
      : unwell.map(({ name, measured }) => ['broken', `function ${name}`, measured]);
  return table(
    ['', 'part', 'found'],
    [...parts, ...rows].map(([level, part, found]) => [
      mark(level, colors),
      part,
      paint(level, found, colors),
    ]),
    { right: [0, 0], colors },
  );
}

function list(title: string, todo: Todo[], colors: Colors): string[] {
  if (todo.length === 0) return [];
  const lines = todo.map(({ step, about, what_to_do }, index) => {
    const name = about === step ? [] : [about];
    const subject = [...(step === null ? [] : [label(step)]), ...name].join(', ');
    return `${index + 1}. ${colors.bold(subject)}: ${what_to_do}`;
  });
  return [`\n${colors.bold(title)}`, ...lines];
}

function closing({ status, first_broken, todo, watch }: Diagnosis, colors: Colors): string {
  if (status === 'broken') {
    const where = first_broken === null ? '' : ` The loop first breaks at: ${label(first_broken)}.`;
    return colors.red(`${count(todo.length, 'thing')} to do.${where}`);
  }
  if (watch.length > 0) {
    return colors.yellow(`The loop runs, with ${count(watch.length, 'warning')}.`);
  }
  return colors.green('The loop runs: nothing is broken.');
}

const label = (name: string) => name.replaceAll('_', ' ');
const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

const MARKS = { ok: '✓', empty: '·', warning: '!', broken: '✗' } as const;

const mark = (level: Level, colors: Colors) => paint(level, MARKS[level], colors, colors.green);

/** In the colour of its level; what is ok is left as it is unless told otherwise. */
function paint(
  level: Level,
  text: string,
  colors: Colors,
  ok: (text: string) => string = (plain) => plain,
): string {
  const paints = { ok, empty: colors.dim, warning: colors.yellow, broken: colors.red };
  return paints[level](text);
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** How long before `now` a moment was, in the largest unit of which there are two. */
export function ago(now: string, moment: string): string {
  const seconds = Math.max(0, (Date.parse(now) - Date.parse(moment)) / 1000);
  const [unit, size] = UNITS.find(([, size]) => seconds >= 2 * size) ?? ['min', 60];
  return seconds < 60 ? 'now' : `${Math.floor(seconds / size)} ${unit} ago`;
}
