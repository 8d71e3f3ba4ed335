/**
 * Who reads: the cookie sessions of X that the secret holds, and the guest. What each has used of
 * X's limits is shared with the other scrapers by `reserve_session`, under a label from which no
 * cookie can be had.
 */
import { createHash } from 'node:crypto';
import {
  type CookieSession,
  GUEST_SESSION,
  type SessionLabel,
} from '../../../shared/contracts/session.ts';
import type { Ledger } from '../project/ledger.ts';
import type { Refusal } from '../x/outcome.ts';
import { isReaderRefusal } from '../x/reader-refusal.ts';

/** One reader: a session with its cookies, or the guest, who has none. */
export type Reader = {
  label: SessionLabel;
  cookies: Pick<CookieSession, 'auth_token' | 'ct0'> | null;
  /** Whose session it is, lower case; null when nobody said. */
  handle: string | null;
};

/** The operations that a page calls for each kind of reader; none: that kind may not read it. */
export type Calls = { session: string[]; guest: string[] };

export type SessionPool = {
  /**
   * Books the calls of one page for a reader that may make them.
   * @param only no other reader than this one
   * @returns the reader, or until when there is none (null: nobody knows)
   */
  reserve(
    calls: Calls,
    only?: SessionLabel,
  ): Promise<{ reader: Reader } | { reader: null; retryAt: string | null }>;
  /**
   * Takes a reader that X has refused out of this invocation, and tells the other scrapers.
   * @returns whether it was not known yet: two pages may be refused at the same time
   */
  refuse(label: SessionLabel, operation: string, refusal: Refusal): Promise<boolean>;
  /** The author's own session, while X accepts it. */
  ownSession(handle: string): SessionLabel | null;
};

/** The first 16 hexadecimal digits of the SHA-256 of the `auth_token`. */
export function sessionLabel(authToken: string): SessionLabel {
  return createHash('sha256').update(authToken).digest('hex').slice(0, 16);
}

export function createSessionPool(sessions: CookieSession[], ledger: Ledger): SessionPool {
  const readers = new Map<SessionLabel, Reader>(
    sessions.map(({ auth_token, ct0, handle }) => {
      const label = sessionLabel(auth_token);
      const owner = handle?.toLowerCase() ?? null;
      return [label, { label, cookies: { auth_token, ct0 }, handle: owner }];
    }),
  );
  readers.set(GUEST_SESSION, { label: GUEST_SESSION, cookies: null, handle: null });
  /** Readers refused in this invocation, with the moment from which X would answer them again. */
  const refused = new Map<SessionLabel, string | null>();

  const isGuest = ({ label }: Reader) => label === GUEST_SESSION;

  async function reserveOf(candidates: Reader[], operations: string[]) {
    const free = candidates.filter(({ label }) => !refused.has(label));
    if (free.length === 0 || operations.length === 0) return { reader: null, retryAt: null };
    const reserved = await ledger.reserve(
      free.map(({ label }) => label),
      operations,
    );
    if (reserved.code === 'exhausted') return { reader: null, retryAt: reserved.retry_at };
    return { reader: readers.get(reserved.session) ?? null, retryAt: null };
  }

  return {
    async reserve(calls, only) {
      const known = [...readers.values()].filter(
        ({ label }) => only === undefined || label === only,
      );
      const shared = calls.session.join() === calls.guest.join();
      const attempts: [Reader[], string[]][] = shared
        ? [[known, calls.guest]]
        : [
            [known.filter((reader) => !isGuest(reader)), calls.session],
            [known.filter(isGuest), calls.guest],
          ];
      const waits = [...refused].filter(([label]) => only === undefined || label === only);
      const retryAts = waits.map(([, retryAt]) => retryAt);
      for (const [candidates, operations] of attempts) {
        const { reader, retryAt } = await reserveOf(candidates, operations);
        if (reader) return { reader };
        retryAts.push(retryAt);
      }
      return { reader: null, retryAt: earliest(retryAts) };
    },

    async refuse(label, operation, { outcome, retry_at }) {
      if (!isReaderRefusal(outcome) || refused.has(label)) return false;
      refused.set(label, retry_at ?? null);
      await ledger.report({
        session: label,
        operation,
        outcome,
        ...(retry_at ? { retry_at } : {}),
      });
      return true;
    },

    ownSession(handle) {
      const own = [...readers.values()].find((reader) => reader.handle === handle.toLowerCase());
      return own && !refused.has(own.label) ? own.label : null;
    },
  };
}

function earliest(moments: (string | null)[]): string | null {
  const known = moments.filter((moment) => moment !== null);
  return known.sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
}
