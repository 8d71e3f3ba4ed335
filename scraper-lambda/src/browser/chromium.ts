/** Unpacks the bundled Chromium where this user may run it. */
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where Chromium is, the flags that it needs, and what its environment must add. */
export type Chromium = { executablePath: string; args: string[]; env: Record<string, string> };

/**
 * The bundled Chromium, unpacked (about 210 MB, under two seconds) unless it already is.
 * @param ownPath a Chromium to use in its place; then nothing is unpacked
 */
export async function prepareChromium(ownPath?: string): Promise<Chromium> {
  const { default: chromium } = await import('@sparticuz/chromium');
  chromium.setGraphicsMode = false;
  const { args } = chromium;
  if (ownPath) return { executablePath: ownPath, args, env: {} };
  // In Lambda the sandbox has one user, and the package itself puts everything in its place.
  if (process.env.AWS_LAMBDA_FUNCTION_NAME) {
    return { executablePath: await chromium.executablePath(), args, env: {} };
  }
  const folder = await userFolder();
  if (!(await isOwnFile(join(folder, 'chromium')))) {
    await unpackInto(folder, () => chromium.executablePath());
  }
  return {
    executablePath: join(folder, 'chromium'),
    args,
    env: { FONTCONFIG_FILE: join(folder, 'fonts.conf') },
  };
}

/**
 * A folder per user and version: what another user unpacked can neither be run nor replaced, and
 * what another version unpacked must not be run.
 */
async function userFolder(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const packageJson = await readFile(join(dirname(entry), '../package.json'), 'utf8');
  const { version } = JSON.parse(packageJson) as { version: string };
  return join(tmpdir(), `postloop-chromium-${version}-${process.getuid?.() ?? 'user'}`);
}

async function isOwnFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && (process.getuid === undefined || found.uid === process.getuid());
}

/**
 * Unpacks into a folder of its own and renames it when complete, so that a second process neither
 * sees half a binary nor writes over a running one.
 */
async function unpackInto(folder: string, unpack: () => Promise<string>): Promise<void> {
  const staging = await mkdtemp(`${folder}-`);
  try {
    await withTemporaryFolder(staging, unpack);
    await writeFile(join(staging, 'fonts.conf'), fontsConfig(folder));
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (!(await isOwnFile(join(folder, 'chromium')))) throw error;
  }
}

/** Chromium dies on the first text field when it finds no font, and a server may have none. */
function fontsConfig(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>
`;
}

/** The package takes its target from TMPDIR, and reads it before its first await. */
function withTemporaryFolder(folder: string, unpack: () => Promise<string>): Promise<string> {
  const saved = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  try {
    return unpack();
  } finally {
    if (saved === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = saved;
  }
}
