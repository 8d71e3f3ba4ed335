import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { CHROMIUM_PACKAGE } from './chromium-layer.ts';
import { InfraError } from './errors.ts';

/**
 * Lambda parses the bundle at every cold start (3.0 MB load in 0.2 s), so growth past this points
 * at a package that does not belong in it.
 */
const BUNDLE_LIMIT_BYTES = 4_000_000;

/** CommonJS packages (ws) call `require` for Node's own modules, which an ESM file does not have. */
const REQUIRE_BANNER = [
  "import { createRequire as createRequireForBundle } from 'node:module';",
  'const require = createRequireForBundle(import.meta.url);',
].join('\n');

export interface BundleOptions {
  /** The module that exports `handler`. */
  entryPoint: string;
  /** Replaced; receives `index.mjs` and its source map. */
  outputDirectory: string;
  /** The folder that will hold the chromium layer when the bundle runs. */
  layerRoot: string;
}

export interface Bundle {
  file: string;
  bytes: number;
  /** Bytes that each package adds to the bundle, largest first. */
  bytesByPackage: [name: string, bytes: number][];
}

/**
 * Bundles the Lambda into one ESM file for Node 24. The AWS SDK is bundled although the runtime
 * has one: the version then is that of the lock file, and only what is used is loaded.
 *
 * Throws `bundle_failed` when the source does not compile and `bundle_too_large` past the limit.
 */
export async function bundleHandler(options: BundleOptions): Promise<Bundle> {
  await rm(options.outputDirectory, { recursive: true, force: true });
  await mkdir(options.outputDirectory, { recursive: true });
  const file = join(options.outputDirectory, 'index.mjs');

  const { metafile } = await build({
    entryPoints: [options.entryPoint],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    logLevel: 'silent',
    banner: { js: REQUIRE_BANNER },
    plugins: [chromiumFromLayer(options.layerRoot)],
  }).catch((cause: Error) => {
    throw new InfraError(
      'bundle_failed',
      `esbuild could not bundle ${options.entryPoint}: ${cause.message}`,
      { cause },
    );
  });

  const bundle = measure(metafile, file);
  if (bundle.bytes > BUNDLE_LIMIT_BYTES) {
    const largest = bundle.bytesByPackage.slice(0, 3).map(([name]) => name);
    throw new InfraError(
      'bundle_too_large',
      `the Lambda bundle has ${bundle.bytes} bytes, more than ${BUNDLE_LIMIT_BYTES}; see whether ` +
        `all of its largest packages are needed: ${largest.join(', ')}`,
    );
  }
  return bundle;
}

/**
 * Points imports of the chromium package at the layer by their full path: Node looks up bare
 * names of ES modules beside the importing file (/var/task) and never in NODE_PATH, by which
 * Lambda offers layers.
 */
function chromiumFromLayer(layerRoot: string): Plugin {
  return {
    name: 'chromium-from-layer',
    setup({ onResolve }) {
      onResolve({ filter: /^@sparticuz\/chromium$/ }, () => ({
        path: join(layerRoot, 'nodejs/node_modules', CHROMIUM_PACKAGE, 'build/index.js'),
        external: true,
      }));
    },
  };
}

function measure(metafile: Metafile, file: string): Bundle {
  const [, output] = Object.entries(metafile.outputs).find(([path]) => path.endsWith('.mjs')) ?? [];
  const bytesByPackage = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(output?.inputs ?? {})) {
    const name = packageOf(path);
    bytesByPackage.set(name, (bytesByPackage.get(name) ?? 0) + bytesInOutput);
  }
  return {
    file,
    bytes: output?.bytes ?? 0,
    bytesByPackage: [...bytesByPackage].sort(([, a], [, b]) => b - a),
  };
}

function packageOf(inputPath: string): string {
  const inPackage = inputPath.split('node_modules/').at(-1);
  if (inPackage === undefined || inPackage === inputPath) return '(own source)';
  const [first = '', second = ''] = inPackage.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}
