import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundleHandler } from '../../scraper-lambda/infra/bundle.ts';
import { buildChromiumLayer, type Layer } from '../../scraper-lambda/infra/chromium-layer.ts';
import { PACKAGE_DIRECTORY } from '../../scraper-lambda/infra/paths.ts';

/** The unpacked size of a function with its layers, as Lambda limits it. */
const LAMBDA_LIMIT_BYTES = 250 * 1024 * 1024;

let folder: string;
let layerRoot: string;
let layer: Layer;
let bundle: Bundle;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postloop-build-'));
  layerRoot = join(folder, 'layer');
  layer = await buildChromiumLayer({
    packageDirectory: PACKAGE_DIRECTORY,
    outputDirectory: layerRoot,
  });
  bundle = await bundleHandler({
    entryPoint: join(PACKAGE_DIRECTORY, 'src', 'handler.ts'),
    outputDirectory: join(folder, 'handler'),
    layerRoot,
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What an expression on the module gives in a plain Node process, as in Lambda. */
async function inNode(file: string, expression: string): Promise<unknown> {
  const code = `import * as module from ${JSON.stringify(pathToFileURL(file).href)};
    console.log(JSON.stringify(${expression}));
    process.exit();`;
  const options = ['--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, options, { cwd: folder });
  return JSON.parse(stdout);
}

describe('the chromium layer', () => {
  it('holds all that the package needs: it loads far from any other node_modules', async () => {
    const path = join(layerRoot, 'nodejs/node_modules/@sparticuz/chromium');
    const flags = await inNode(join(path, 'build/index.js'), 'module.default.args');
    expect(flags).toContain('--no-sandbox');
    expect(existsSync(join(path, 'bin/chromium.br'))).toBe(true);
    expect(layer.packages).toEqual(expect.arrayContaining(['@sparticuz/chromium', 'tar-fs']));
  });

  it('fits Lambda together with the bundle', () => {
    expect(layer.bytes + bundle.bytes).toBeLessThan(LAMBDA_LIMIT_BYTES);
  });

  it('is refused when the package is not installed', async () => {
    await expect(
      buildChromiumLayer({ packageDirectory: folder, outputDirectory: join(folder, 'none') }),
    ).rejects.toMatchObject({
      code: 'package_missing',
      message: '@sparticuz/chromium is not installed; run `npm ci`',
    });
  });
});

describe('the bundle', () => {
  it('loads as one file, with nothing beside it but the layer, and exports the handler', async () => {
    expect(await inNode(bundle.file, 'typeof module.handler')).toBe('function');
    expect(existsSync(`${bundle.file}.map`)).toBe(true);
  });

  it('leaves Chromium to the layer', async () => {
    const names = bundle.bytesByPackage.map(([name]) => name);
    expect(names).toContain('puppeteer-core');
    expect(names).not.toContain('@sparticuz/chromium');
    expect(await readFile(bundle.file, 'utf8')).toContain(
      join(layerRoot, 'nodejs/node_modules/@sparticuz/chromium/build/index.js'),
    );
  });

  it('is refused with the place in the source when that does not compile', async () => {
    const entryPoint = join(folder, 'broken.ts');
    await writeFile(entryPoint, 'export const handler = (;\n');
    await expect(
      bundleHandler({ entryPoint, outputDirectory: join(folder, 'broken'), layerRoot }),
    ).rejects.toMatchObject({
      code: 'bundle_failed',
      message: expect.stringContaining('broken.ts:1:'),
    });
  });
});
