/** What the site sent, by kind. */

/** Bytes of bodies; headers are not counted. */
type Sent = { requests: number; bytes: number };

/** `byKind` names GraphQL operations, `page`, `script`, `image`, `font` and `third-party`. */
export type Traffic = Sent & { byKind: Record<string, Sent> };

export const noTraffic = (): Traffic => ({ requests: 0, bytes: 0, byKind: {} });

export function count(traffic: Traffic, kind: string, body: string): void {
  const bytes = Buffer.byteLength(body);
  traffic.byKind[kind] ??= { requests: 0, bytes: 0 };
  for (const sent of [traffic, traffic.byKind[kind]]) {
    sent.requests += 1;
    sent.bytes += bytes;
  }
}
