/** Tables and headings as the repository's commands print them. */
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import { type Colors, colors as stdoutColors } from './colors.ts';

/** A table before anything is drawn: for the terminal or for a page of the documentation. */
export type TableContent = { title?: string; head: string[]; rows: string[][] };

type TableOptions = {
  /** The columns [from, to) whose text ends on the right. Default: all but the first. */
  right?: [from: number, to: number];
  /** Default: those that the terminal and the environment allow. */
  colors?: Colors;
  /** Columns of the terminal. Default: those of stdout; no limit where it is no terminal. */
  width?: number;
};

export function heading(title: string, explanation: string, colors: Colors = stdoutColors): string {
  return `\n${colors.bold(title)}  ${colors.dim(explanation)}`;
}

/**
 * With rules between the columns where they fit into the terminal's width; without them where that
 * is enough; else the widest columns are wrapped.
 */
export function table(head: string[], rows: string[][], options: TableOptions = {}): string {
  const { right: [from, to] = [1, head.length], colors = stdoutColors } = options;
  const width = options.width ?? terminalWidth();
  const cells = [head, ...rows];
  const natural = head.map((_, column) =>
    Math.max(...cells.map((row) => longestLine(row[column]))),
  );
  const hasRules = sum(natural) + 3 * head.length + 1 <= width;
  const layout = hasRules ? {} : withoutRules(natural, cells, width);
  const view = new Table({
    head: head.map((text) => colors.dim(text)),
    colAligns: head.map((_, index) => (index >= from && index < to ? 'right' : 'left')),
    ...layout,
    style: {
      head: [],
      border: hasRules && colors.isColorSupported ? ['gray'] : [],
      compact: true,
      ...(hasRules ? {} : { 'padding-left': 0, 'padding-right': GAP }),
    },
  });
  view.push(...rows);
  const lines = view.toString();
  return hasRules ? lines : lines.replaceAll(/ +$/gm, '');
}

const GAP = 2;
const NO_RULES = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat('middle')
    .map((name) => [name, '']),
);

function withoutRules(natural: number[], cells: string[][], width: number) {
  const words = natural.map((_, column) =>
    Math.max(...cells.map((row) => Math.max(...plain(row[column]).split(/\s/).map(length)))),
  );
  const available = width - GAP * (natural.length - 1);
  const fits = sum(words) <= available;
  const widths = shrink(natural, fits ? words : natural.map(() => 1), available);
  return {
    chars: NO_RULES,
    colWidths: widths.map((one) => one + GAP),
    wordWrap: true,
    wrapOnWordBoundary: fits,
  };
}

/** The widest columns made narrower, none below its least, until all fit. */
function shrink(natural: number[], least: number[], available: number): number[] {
  const widths = [...natural];
  for (let excess = sum(widths) - available; excess > 0; excess -= 1) {
    const room = widths.map((one, column) => (one > (least[column] ?? 1) ? one : 0));
    const widest = room.indexOf(Math.max(...room));
    if (room[widest] === 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

const terminalWidth = () =>
  process.stdout.isTTY ? (process.stdout.columns ?? 80) : Number.POSITIVE_INFINITY;

const plain = (text = '') => stripVTControlCharacters(text);
const length = (text: string) => text.length;
const longestLine = (text: string | undefined) => Math.max(...plain(text).split('\n').map(length));
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
