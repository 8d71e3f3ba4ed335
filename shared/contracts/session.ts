import { z } from 'zod';
import { handleSchema, momentSchema } from './identifiers.ts';
import { outcomeSchema } from './read.ts';

/** A logged-in session of X: the two cookies that authenticate, and whose they are if known. */
export const cookieSessionSchema = z.strictObject({
  auth_token: z.string().regex(/^[0-9a-f]{20,80}$/i, 'must be the value of the cookie auth_token'),
  ct0: z.string().regex(/^[0-9a-f]{20,200}$/i, 'must be the value of the cookie ct0'),
  handle: handleSchema.optional(),
});
export type CookieSession = z.infer<typeof cookieSessionSchema>;

/** Reading without a login. */
export const GUEST_SESSION = 'guest';

/** The database knows a session by this label: a hash, from which no cookie can be had. */
const sessionLabelSchema = z.string().regex(/^(guest|[0-9a-f]{16})$/);
export type SessionLabel = z.infer<typeof sessionLabelSchema>;

/** The reply of `reserve_session`: who may make the calls now, or when somebody may again. */
export const sessionReservationSchema = z.discriminatedUnion('code', [
  z.object({ code: z.literal('reserved'), session: sessionLabelSchema }),
  z.object({ code: z.literal('exhausted'), retry_at: momentSchema }),
]);
export type SessionReservation = z.infer<typeof sessionReservationSchema>;

/** What a session met, told to the other scrapers by `report_session`. */
export const sessionReportSchema = z.strictObject({
  session: sessionLabelSchema,
  operation: z.string().min(1).max(100),
  outcome: outcomeSchema.extract(['rate_limited', 'session_invalid', 'login_required']),
  retry_at: momentSchema.optional(),
});
export type SessionReport = z.infer<typeof sessionReportSchema>;

/**
 * What the scraper's secret holds, as JSON. `POSTLOOP_SECRET_KEY` is a secret key of the project;
 * with least rights it is replaced by `POSTLOOP_SCRAPER_JWT`, a JWT with the role `scraper`, and
 * the publishable key that goes with it.
 */
export const scraperSecretSchema = z
  .strictObject({
    POSTLOOP_SECRET_KEY: z.string().min(1).optional(),
    POSTLOOP_SCRAPER_JWT: z.string().min(1).optional(),
    SUPABASE_PUBLISHABLE_KEY: z.string().min(1).optional(),
    X_SESSIONS: z.array(cookieSessionSchema).max(20).optional(),
    X_API_TOKEN: z.string().min(1).optional(),
  })
  .refine(
    (secret) =>
      secret.POSTLOOP_SECRET_KEY ||
      (secret.POSTLOOP_SCRAPER_JWT && secret.SUPABASE_PUBLISHABLE_KEY),
    {
      message: 'give POSTLOOP_SECRET_KEY, or POSTLOOP_SCRAPER_JWT with SUPABASE_PUBLISHABLE_KEY',
      path: ['POSTLOOP_SECRET_KEY'],
    },
  );
export type ScraperSecret = z.infer<typeof scraperSecretSchema>;
