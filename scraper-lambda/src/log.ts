/**
 * Structured logs, one line of JSON each, on stderr: Lambda collects both streams, and a command
 * keeps stdout for its result. Callers pass counts, codes and outcomes, never keys or payload text.
 */
import { Logger } from '@aws-lambda-powertools/logger';

type Level = 'info' | 'warn' | 'error';

class StderrLogger extends Logger {
  protected override printLog(...[, item]: Parameters<Logger['printLog']>): void {
    item.prepareForPrint();
    process.stderr.write(`${JSON.stringify(item.getAttributes(), this.getJsonReplacer())}\n`);
  }
}

let logger: Logger | undefined;

/** Writes the event unless `AWS_LAMBDA_LOG_LEVEL`, Lambda's own variable, asks for less. */
export function log(level: Level, message: string, fields: object = {}): void {
  logger ??= new StderrLogger({ serviceName: 'scraper' });
  logger[level](message, { ...fields });
}
