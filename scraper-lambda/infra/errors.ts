/** What can go wrong while the Lambda is built or its stack is described; stable. */
export type InfraErrorCode =
  | 'setting_invalid'
  | 'package_missing'
  | 'bundle_failed'
  | 'bundle_too_large'
  | 'build_missing';

/** The one error of the build and the stack: `message` says what to do next. */
export class InfraError extends Error {
  override readonly name = 'InfraError';
  readonly code: InfraErrorCode;

  constructor(code: InfraErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Runs a command's work and turns an InfraError into its message and exit code 1, without a stack
 * trace: the reader can act on the message. Anything else is a defect and keeps its trace.
 */
export async function runCommand(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof InfraError)) throw error;
    console.error(`${error.code}: ${error.message}`);
    process.exitCode = 1;
  }
}
