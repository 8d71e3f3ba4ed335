import type { SessionReport } from '../../../shared/contracts/session.ts';

/** Whether X has refused the reader, and not what is read: another reader may be answered. */
export function isReaderRefusal(outcome: string): outcome is SessionReport['outcome'] {
  return ['rate_limited', 'session_invalid', 'login_required'].includes(outcome);
}
