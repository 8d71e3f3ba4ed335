/** Who asks: logins by their cookies, guests, and how many calls X allows each of them. */
import type { IncomingMessage } from 'node:http';
import { errors } from './payloads.ts';
import { type Answer, json, limitHeaders } from './variants.ts';

/** X counts calls in windows of this length, from a reader's first call. */
const WINDOW_MS = 15 * 60_000;

/** A login that the site knows. Analytics are for the author, so a session may have a handle. */
export type SiteSession = { authToken: string; ct0: string; handle?: string };

/** Calls of an operation that one reader may make in 15 minutes; not named: any number. */
export type Budgets = {
  session?: Record<string, number>;
  guest?: Record<string, number>;
};

/** Operations that guests are refused. */
const LOGGED_IN_ONLY = ['TweetDetail', 'TweetActivityQuery'];

export type Reader = {
  /** Null for a guest, and for a login that X does not accept. */
  session: SiteSession | null;
  /** What every call of a login that X does not accept is answered. */
  refusal: Answer | null;
};

type Admission = { refusal: Answer | null; headers: Record<string, string> };

export type Readers = {
  of(request: IncomingMessage): Reader;
  /** Books one call. */
  admit(reader: Reader, operation: string): Admission;
  /** Ends a login. */
  revoke(authToken: string): void;
};

export type ReadersOptions = {
  sessions: SiteSession[];
  budgets: Budgets;
  /** Guests may fetch posts with `TweetDetail`. */
  detail: boolean;
  now: () => Date;
};

export function createReaders({ sessions, budgets, detail, now }: ReadersOptions): Readers {
  const known = new Map(sessions.map((session) => [session.authToken, session]));
  const windows = new Map<string, { endsAt: number; used: number }>();

  function windowOf(name: string): { endsAt: number; used: number } {
    const running = windows.get(name);
    if (running && now().getTime() < running.endsAt) return running;
    const fresh = { endsAt: now().getTime() + WINDOW_MS, used: 0 };
    windows.set(name, fresh);
    return fresh;
  }

  return {
    of(request) {
      const cookies = cookiesOf(request);
      const authToken = cookies.get('auth_token');
      if (authToken === undefined) return { session: null, refusal: null };
      const session = known.get(authToken);
      if (!session) return { session: null, refusal: json(errors(32), 401) };
      const csrf = request.headers['x-csrf-token'];
      const isPage = !request.url?.includes('/i/api/graphql/');
      if (isPage || (csrf === session.ct0 && cookies.get('ct0') === csrf)) {
        return { session, refusal: null };
      }
      return { session: null, refusal: json(errors(353), 403) };
    },
    admit({ session, refusal }, operation) {
      if (refusal) return { refusal, headers: {} };
      const isOpenToGuests = detail && operation === 'TweetDetail';
      if (!session && LOGGED_IN_ONLY.includes(operation) && !isOpenToGuests) {
        return { refusal: { status: 404, body: '' }, headers: {} };
      }
      const limit = (session ? budgets.session : budgets.guest)?.[operation];
      if (limit === undefined) return { refusal: null, headers: {} };
      const window = windowOf(`${session?.authToken ?? 'guest'} ${operation}`);
      const reset = Math.ceil(window.endsAt / 1000);
      if (window.used >= limit) {
        const headers = limitHeaders(limit, 0, reset);
        return { refusal: { status: 429, headers, body: 'Rate limit exceeded\n' }, headers };
      }
      window.used += 1;
      return { refusal: null, headers: limitHeaders(limit, limit - window.used, reset) };
    },
    revoke(authToken) {
      known.delete(authToken);
    },
  };
}

function cookiesOf(request: IncomingMessage): Map<string, string> {
  const pairs = (request.headers.cookie ?? '').split(/;\s*/).filter(Boolean);
  return new Map(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [name, value.join('=')];
    }),
  );
}
