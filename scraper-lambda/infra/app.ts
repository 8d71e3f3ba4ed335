import { App } from 'aws-cdk-lib';
import recommendedFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { runCommand } from './errors.ts';
import { CHROMIUM_LAYER_DIRECTORY, HANDLER_DIRECTORY } from './paths.ts';
import { readSettings } from './settings.ts';
import { ScraperStack } from './stack.ts';

await runCommand(async () => {
  const app = new App({ context: recommendedFlags });
  new ScraperStack(app, 'PostloopScraper', {
    settings: readSettings((name) => app.node.tryGetContext(name), process.env),
    handlerDirectory: HANDLER_DIRECTORY,
    layerDirectory: CHROMIUM_LAYER_DIRECTORY,
  });
  app.synth();
});
