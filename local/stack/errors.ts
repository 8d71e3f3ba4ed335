/** What can go wrong on the local stack; stable, so that a caller may branch on it. */
export type LocalErrorCode =
  | 'binary_missing'
  | 'postgres_folder_unwritable'
  | 'postgres_user_missing'
  | 'data_folder_incompatible'
  | 'data_folder_incomplete'
  | 'data_folder_owner'
  | 'data_folder_in_use'
  | 'data_folder_unreachable'
  | 'port_taken'
  | 'port_forbidden'
  | 'postgres_failed'
  | 'migration_failed'
  | 'function_failed'
  | 'command_failed'
  | 'bot_refused'
  | 'job_failed'
  | 'project_unreachable'
  | 'key_refused'
  | 'page_incomplete'
  | 'drill_stuck'
  | 'usage';

/** The one error of `local/`: `code` is stable, `message` says what to do next. */
export class LocalError extends Error {
  readonly code: LocalErrorCode;

  constructor(code: LocalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LocalError';
    this.code = code;
  }
}
