/**
 * Results of a run in a page of the documentation: `-- --write` puts them between two markers that
 * name the command line, with date, commit and machine, so that none is ever kept by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY, runCommand } from '../stack/commands.ts';
import { LocalError } from '../stack/errors.ts';
import { flag, usageError } from './options.ts';
import type { TableContent } from './table.ts';

export const writeOption = (page: string) =>
  flag(`write the results into ${page} too, with date and commit`);

export type Machine = { cpus: number; memory_gb: number; node: string };

export const thisMachine = (): Machine => ({
  cpus: availableParallelism(),
  memory_gb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
});

export const describeMachine = ({ cpus, memory_gb, node }: Machine) =>
  `${cpus} CPUs, ${memory_gb} GB, Node ${node}`;

/** A command line as its place in the page is called: with the options that are not the default. */
export function commandLineOf(
  program: string,
  name: string,
  given: Record<string, number>,
  defaults: Record<string, number>,
): string {
  const options = Object.entries(given)
    .filter(([option, value]) => value !== defaults[option])
    .map(([option, value]) => `--${option} ${value}`);
  return [`${program} -- ${name}`, ...options].join(' ');
}

/**
 * Looks up the place of a command line in a page, before the long work begins. The returned
 * function writes the results there.
 *
 * @param page its path in the repository
 * @throws LocalError usage when the page has no such place, command_failed when git names no commit
 */
export async function openResults(
  page: string,
  commandLine: string,
): Promise<(tables: readonly TableContent[]) => void> {
  const path = join(REPOSITORY, page);
  // Refused now rather than after the run.
  replaceResults(readFileSync(path, 'utf8'), page, commandLine, '');
  const commit = await currentCommit();
  return (tables) => {
    const date = new Date().toISOString().slice(0, 10);
    const origin = `\`${commandLine}\`, ${date}, commit ${commit}, ${describeMachine(thisMachine())}`;
    const content = [origin, ...tables.map(markdown)].join('\n\n');
    // Read anew: another run may have written its results meanwhile.
    writeFileSync(path, replaceResults(readFileSync(path, 'utf8'), page, commandLine, content));
  };
}

/**
 * The text of a page with what stands between the markers of a command line replaced.
 *
 * @throws LocalError usage when the page has no such markers
 */
export function replaceResults(
  text: string,
  page: string,
  commandLine: string,
  content: string,
): string {
  const [begin, end] = [`<!-- ${commandLine}: begin -->`, `<!-- ${commandLine}: end -->`];
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end, from);
  if (from < begin.length || to < 0) {
    throw usageError(
      `${page} has no place for these results: put the lines "${begin}" and "${end}" where they belong.`,
    );
  }
  return `${text.slice(0, from)}\n\n${content}\n\n${text.slice(to)}`;
}

/** The commit that is checked out, and whether the files are still those. */
async function currentCommit(): Promise<string> {
  const commit = await runCommand('git', ['rev-parse', '--short=7', 'HEAD']);
  const changes = await runCommand('git', ['status', '--porcelain', '--', '.', ':!*.md']);
  if (commit.code !== 0 || changes.code !== 0) {
    throw new LocalError(
      'command_failed',
      `--write names the commit, and git does not tell it: ${commit.stderr}${changes.stderr}`.trim(),
    );
  }
  return `${commit.stdout.trim()}${changes.stdout === '' ? '' : ' with changes'}`;
}

/** A table in Markdown, its numbers on the right. */
export function markdown({ title, head, rows }: TableContent): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) =>
    Math.max(3, ...cells.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: string[]) =>
    `| ${widths.map((width, column) => pad(row[column] ?? '', width, column)).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const [first = [], ...others] = cells;
  const lines = [line(first), line(rule), ...others.map(line)];
  return [...(title === undefined ? [] : [`${title}:`, '']), ...lines].join('\n');
}

const pad = (text: string, width: number, column: number) =>
  column === 0 ? text.padEnd(width) : text.padStart(width);
