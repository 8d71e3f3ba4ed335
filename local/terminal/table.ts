/** Tables and headings as the repository's commands print them. */
import Table from 'cli-table3';
import pc from 'picocolors';

export type Colors = ReturnType<typeof pc.createColors>;

export type TableOptions = {
  /** The columns [from, to) whose text ends on the right. Default: all but the first. */
  right?: [from: number, to: number];
  /** Default: those that the terminal and the environment allow. */
  colors?: Colors;
};

export function heading(title: string, explanation: string, colors: Colors = pc): string {
  return `\n${colors.bold(title)}  ${colors.dim(explanation)}`;
}

export function table(head: string[], rows: string[][], options: TableOptions = {}): string {
  const { right: [from, to] = [1, head.length], colors = pc } = options;
  const view = new Table({
    head: head.map((text) => colors.dim(text)),
    colAligns: head.map((_, index) => (index >= from && index < to ? 'right' : 'left')),
    style: { head: [], border: colors.isColorSupported ? ['gray'] : [], compact: true },
  });
  view.push(...rows);
  return view.toString();
}
