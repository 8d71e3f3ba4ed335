import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { InfraError } from './errors.ts';

export const CHROMIUM_PACKAGE = '@sparticuz/chromium';

/** The files in `bin` that the package unpacks on Amazon Linux 2023; built for x86_64. */
const CHROMIUM_ARCHIVES = ['chromium.br', 'al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br'];

const manifestSchema = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
});

export interface LayerOptions {
  /** Where the search for installed packages begins; its parents are searched too. */
  packageDirectory: string;
  /** Replaced; receives `nodejs/node_modules/…`, the layout that Lambda expects of a layer. */
  outputDirectory: string;
}

export interface Layer {
  packages: string[];
  bytes: number;
}

/**
 * Copies the installed chromium package and everything it depends on into the layer's folder, so
 * that a deploy downloads nothing. The same lock file gives the same content, and so the layer
 * is uploaded again only when the version changes.
 *
 * Throws `package_missing` when a package or one of its archives is not installed.
 */
export async function buildChromiumLayer(options: LayerOptions): Promise<Layer> {
  const folders = await dependencyFolders(CHROMIUM_PACKAGE, options.packageDirectory);
  const [chromiumFolder = ''] = folders;
  for (const archive of CHROMIUM_ARCHIVES) {
    if (!existsSync(join(chromiumFolder, 'bin', archive))) {
      throw missing(`${CHROMIUM_PACKAGE}/bin/${archive}`);
    }
  }

  const target = join(options.outputDirectory, 'nodejs', 'node_modules');
  const names = folders.map((folder) => placeInLayer(folder, dirname(dirname(chromiumFolder))));
  await rm(options.outputDirectory, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  for (const [index, name] of names.entries()) {
    const folder = folders[index] ?? '';
    // Packages nested inside are on the list themselves when they are needed.
    await cp(folder, join(target, name), {
      recursive: true,
      filter: (source) => !relative(folder, source).includes('node_modules'),
    });
  }
  return { packages: names, bytes: await sizeOf(options.outputDirectory) };
}

/**
 * Keeps the nesting below the `node_modules` that holds chromium. npm may install chromium in the
 * workspace and its dependencies at the root; those all go to the top of the layer.
 */
function placeInLayer(folder: string, nodeModules: string): string {
  const path = relative(nodeModules, folder);
  return path.startsWith('..') ? (path.split('node_modules/').at(-1) ?? path) : path;
}

/** The folder of a package and of all that it depends on, the package itself first. */
async function dependencyFolders(name: string, from: string): Promise<string[]> {
  const found = new Set<string>();
  const pending = [{ name, from }];
  for (let next = pending.shift(); next; next = pending.shift()) {
    const folder = installedFolder(next.name, next.from);
    if (found.has(folder)) continue;
    found.add(folder);
    const manifest = await readFile(join(folder, 'package.json'), 'utf8');
    const { dependencies } = manifestSchema.parse(JSON.parse(manifest));
    for (const dependency of Object.keys(dependencies)) {
      pending.push({ name: dependency, from: folder });
    }
  }
  return [...found];
}

/** Node's own lookup: `node_modules` of the folder, then of each parent. */
function installedFolder(name: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === dirname(folder)) throw missing(name);
  }
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function missing(what: string): InfraError {
  return new InfraError('package_missing', `${what} is not installed; run \`npm ci\``);
}
