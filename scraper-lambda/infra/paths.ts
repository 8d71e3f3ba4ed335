import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PACKAGE_DIRECTORY = dirname(dirname(fileURLToPath(import.meta.url)));

/** What `build.ts` writes and the stack uploads. */
export const HANDLER_DIRECTORY = join(PACKAGE_DIRECTORY, 'dist', 'handler');
export const CHROMIUM_LAYER_DIRECTORY = join(PACKAGE_DIRECTORY, 'dist', 'chromium-layer');

/** Where Lambda unpacks the content of a layer. */
export const LAMBDA_LAYER_ROOT = '/opt';
