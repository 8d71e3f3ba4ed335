/** The stand-in of X in a drill, and the trouble that it is in. */
import type { CookieSession } from '../../shared/contracts/session.ts';
import { startXSite, type XSite } from '../x-site/server.ts';
import type { Trouble } from '../x-site/trouble.ts';
import type { World } from './world.ts';

/** The login that the scraper reads with before it reads as a guest. */
export const SESSION: CookieSession = { auth_token: 'd'.repeat(40), ct0: 'c'.repeat(40) };

export type DrillSite = XSite & {
  /** From now on, until so many virtual minutes of the tick have been waited. */
  suffer(trouble: Trouble, untilMinute: number): void;
  /** Ends what is over by this minute; Infinity ends everything. */
  heal(minute: number): void;
};

export async function startDrillSite(world: World): Promise<DrillSite> {
  const suffered: { trouble: Trouble; untilMinute: number }[] = [];
  const site = await startXSite({
    numbers: world.numbers,
    now: world.now,
    sessions: [{ authToken: SESSION.auth_token, ct0: SESSION.ct0 }],
    // The last that struck: two troubles at once are one.
    trouble: () => suffered.at(-1)?.trouble ?? null,
  });
  return Object.assign(site, {
    suffer(trouble: Trouble, untilMinute: number) {
      suffered.push({ trouble, untilMinute });
    },
    heal(minute: number) {
      const lasting = suffered.filter(({ untilMinute }) => untilMinute > minute);
      suffered.splice(0, suffered.length, ...lasting);
    },
  });
}
