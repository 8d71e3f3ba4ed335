import { z } from 'zod';

/** The body of every reply that is not a success. */
export const errorBodySchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  details: z.unknown().optional(),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;

/**
 * An expected failure: `status` is the HTTP status, `code` is stable and safe to branch on, and
 * `message` says what to do next.
 */
export class PostloopError extends Error {
  override readonly name = 'PostloopError';
  readonly status: number;
  readonly code: string;
  readonly details: unknown;

  constructor(status: number, code: string, message: string, details?: unknown) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}
