import { join, relative } from 'node:path';
import { bundleHandler } from './infra/bundle.ts';
import { buildChromiumLayer } from './infra/chromium-layer.ts';
import { runCommand } from './infra/errors.ts';
import {
  CHROMIUM_LAYER_DIRECTORY,
  HANDLER_DIRECTORY,
  LAMBDA_LAYER_ROOT,
  PACKAGE_DIRECTORY,
} from './infra/paths.ts';

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;

// On stderr, because stdout of `cdk synth` is the template.
await runCommand(async () => {
  const bundle = await bundleHandler({
    entryPoint: join(PACKAGE_DIRECTORY, 'src', 'handler.ts'),
    outputDirectory: HANDLER_DIRECTORY,
    layerRoot: LAMBDA_LAYER_ROOT,
  });
  console.error(`${relative(PACKAGE_DIRECTORY, bundle.file)}  ${megabytes(bundle.bytes)}`);
  for (const [name, bytes] of bundle.bytesByPackage.slice(0, 5)) {
    console.error(`  ${name}  ${megabytes(bytes)}`);
  }

  const layer = await buildChromiumLayer({
    packageDirectory: PACKAGE_DIRECTORY,
    outputDirectory: CHROMIUM_LAYER_DIRECTORY,
  });
  console.error(
    `${relative(PACKAGE_DIRECTORY, CHROMIUM_LAYER_DIRECTORY)}  ${megabytes(layer.bytes)}, ` +
      `${layer.packages.length} packages`,
  );
});
