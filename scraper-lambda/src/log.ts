/**
 * One line of JSON per event, on stderr: Lambda collects both streams, and a command keeps stdout
 * for its result. Callers pass counts, codes and outcomes, never keys or payload text.
 */
const LEVELS = ['info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** Writes the event unless `AWS_LAMBDA_LOG_LEVEL`, Lambda's own variable, asks for less. */
export function log(level: Level, message: string, fields: object = {}): void {
  const lowest = LEVELS.indexOf(
    (process.env.AWS_LAMBDA_LOG_LEVEL ?? 'info').toLowerCase() as Level,
  );
  if (LEVELS.indexOf(level) < lowest) return;
  // Not console.error: Lambda's JSON format would wrap the line and call each one an error.
  process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
}
