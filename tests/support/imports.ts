/** Which file of the repository imports which, read from the text of the imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from '../../local/stack/commands.ts';

/** Imports and re-exports, types too, and modules that are loaded while the program runs. */
const IMPORT =
  /^(?:import|export)\b[^'";]*?from '([^']+)'|^import '([^']+)'|\bimport\(\s*'([^']+)'/gm;

/** By file, what it imports: paths in the repository, and packages by their specifier. */
export type ImportGraph = Map<string, string[]>;

/** @param folders in the repository, for example `shared` */
export function importsOf(...folders: string[]): ImportGraph {
  const files = folders.flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
      .map((path) => join(folder, path)),
  );
  return new Map(files.map((file) => [file, importsOfFile(file)]));
}

function importsOfFile(file: string): string[] {
  const text = readFileSync(join(REPOSITORY, file), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, from, bare, dynamic]) => {
    const specifier = from ?? bare ?? dynamic ?? '';
    return specifier.startsWith('.') ? join(dirname(file), specifier) : specifier;
  });
}

/** Every file that one of the entries reaches, the entries among them. */
export function reachedFrom(graph: ImportGraph, entries: string[]): Set<string> {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const imported of graph.get(file) ?? []) visit(imported);
  };
  for (const entry of entries) visit(entry);
  return reached;
}

/** "a → b" for each import that is not allowed. */
export function arrows(
  graph: ImportGraph,
  isAllowed: (imported: string, file: string) => boolean,
): string[] {
  return [...graph].flatMap(([file, imported]) =>
    imported.filter((one) => !isAllowed(one, file)).map((one) => `${file} → ${one}`),
  );
}
