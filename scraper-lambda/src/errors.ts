/** What can go wrong in the scraper itself; stable, so that an alarm may branch on it. */
export type ScraperErrorCode =
  | 'environment_invalid'
  | 'event_invalid'
  | 'secret_unreadable'
  | 'claim_failed'
  | 'record_failed'
  | 'sessions_failed'
  | 'browser_failed';

/** The one error of the scraper: `message` says what to do next and never carries a secret. */
export class ScraperError extends Error {
  override readonly name = 'ScraperError';
  readonly code: ScraperErrorCode;

  constructor(code: ScraperErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
