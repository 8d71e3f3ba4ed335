/** What each reader has used of X's limits, and which readers X refuses. */
import { z } from 'zod';
import type { FailedCall, UnknownReply } from '../../../shared/contracts/call.ts';
import {
  GUEST_SESSION,
  type SessionLabel,
  type SessionReport,
  type SessionReservation,
  sessionReservationSchema,
} from '../../../shared/contracts/session.ts';
import { ScraperError } from '../errors.ts';
import { callProject, reasonOf } from './call.ts';
import type { ProjectClient } from './client.ts';

/** Where budgets are kept. */
export type Ledger = {
  reserve(labels: SessionLabel[], operations: string[]): Promise<SessionReservation>;
  report(report: SessionReport): Promise<void>;
};

/** Budgets that all scrapers of the project share. */
export function databaseLedger(client: ProjectClient, now: () => string): Ledger {
  return {
    async reserve(labels, operations) {
      const called = await callProject(
        client,
        'reserve_session',
        { p_sessions: labels, p_operations: operations, p_now: now() },
        sessionReservationSchema,
      );
      if (called.code === 'replied') return called.reply;
      throw failed('reserve_session', called);
    },
    async report({ session, operation, outcome, retry_at }) {
      const called = await callProject(
        client,
        'report_session',
        {
          p_session: session,
          p_operation: operation,
          p_outcome: outcome,
          // The generated types take every argument for text; the function accepts null.
          p_retry_at: (retry_at ?? null) as string,
          p_now: now(),
        },
        z.object({ code: z.literal('reported') }),
      );
      if (called.code !== 'replied') throw failed('report_session', called);
    },
  };
}

/** Budgets of one process alone, for reading without a database: sessions first, the guest last. */
export function localLedger(): Ledger {
  return {
    async reserve([label = GUEST_SESSION]) {
      return { code: 'reserved', session: label };
    },
    async report() {},
  };
}

function failed(name: string, called: FailedCall | UnknownReply): ScraperError {
  return new ScraperError(
    'sessions_failed',
    `${name} failed (${reasonOf(called)}). Deploy the migrations and this function from the same ` +
      'version.',
  );
}
