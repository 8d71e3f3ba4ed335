/**
 * For `vi.waitFor` on what another process does. A wait ends with what it waits for, so only what
 * hangs takes all of it; a second is too short for a machine that does other work as well.
 */
export const PATIENTLY = { timeout: 240_000, interval: 20 };
