/** What the scraper is told from outside: its environment and its event. */
import {
  type LambdaEvent,
  lambdaEventSchema,
  type ScraperEnvironment,
  scraperEnvironmentSchema,
} from '../../shared/contracts/environment.ts';
import { ScraperError } from './errors.ts';

type Issues = { issues: { path: PropertyKey[]; message: string }[] };

function describe({ issues }: Issues): string {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

/** @throws ScraperError `environment_invalid` naming each variable to set, without its value */
export function parseEnvironment(env: Record<string, string | undefined>): ScraperEnvironment {
  const parsed = scraperEnvironmentSchema.safeParse(env);
  if (parsed.success) return parsed.data;
  throw new ScraperError(
    'environment_invalid',
    `Set the function's environment: ${describe(parsed.error)}`,
  );
}

/** @throws ScraperError `event_invalid` when `now` is not a moment with an offset */
export function parseEvent(event: unknown): LambdaEvent {
  const parsed = lambdaEventSchema.safeParse(event ?? {});
  if (parsed.success) return parsed.data;
  throw new ScraperError('event_invalid', `Send a JSON object: ${describe(parsed.error)}`);
}
