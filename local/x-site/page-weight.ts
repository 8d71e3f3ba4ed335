/** What makes a page heavy beside its data: scripts, images, fonts, and another company's host. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer } from './variants.ts';

/** How many of each, of how many bytes; none where it is left out. */
export type PageWeight = {
  /** Loaded before the page's own calls, as X's bundles are. */
  scripts?: Assets;
  /** Loaded when the first posts are shown. */
  images?: Assets;
  fonts?: Assets;
  /** A script of a host of its own. */
  thirdPartyBytes?: number;
};

type Assets = { count: number; bytes: number };

/** The addresses that a page loads. */
export type PageAssets = {
  scripts: string[];
  images: string[];
  fonts: string[];
  thirdParty: string | null;
};

type AssetKind = 'script' | 'image' | 'font';

const TYPES: Record<AssetKind, [extension: string, contentType: string]> = {
  script: ['js', 'text/javascript'],
  image: ['png', 'image/png'],
  font: ['woff2', 'font/woff2'],
};

const sized = (bytes: number, start = '', end = '') =>
  start + 'x'.repeat(Math.max(0, bytes - start.length - end.length)) + end;

const scriptOf = (bytes: number) => sized(bytes, '/*', '*/');

/** Browsers may keep what never changes, as X allows too. */
const KEPT = { 'cache-control': 'public, max-age=31536000, immutable' };

const namesOf = (kind: AssetKind, { count }: Assets = { count: 0, bytes: 0 }) =>
  Array.from({ length: count }, (_, index) => `/assets/${kind}-${index}.${TYPES[kind][0]}`);

export function assetsOf(weight: PageWeight, thirdParty: string | null): PageAssets {
  return {
    scripts: namesOf('script', weight.scripts),
    images: namesOf('image', weight.images),
    fonts: namesOf('font', weight.fonts),
    thirdParty,
  };
}

/** The asset of a path; null when the path is not one. */
export function assetAt(
  path: string,
  weight: PageWeight,
): { kind: AssetKind; answer: Answer } | null {
  const kind = /^\/assets\/(script|image|font)-\d+\./.exec(path)?.[1] as AssetKind | undefined;
  if (kind === undefined) return null;
  const bytes = { script: weight.scripts, image: weight.images, font: weight.fonts }[kind]?.bytes;
  const body = kind === 'script' ? scriptOf(bytes ?? 0) : sized(bytes ?? 0);
  const headers = { 'content-type': TYPES[kind][1], ...KEPT };
  return { kind, answer: { status: 200, headers, body } };
}

export type ThirdParty = { url: string; stop(): Promise<void> };

/** Starts the other host: every address of it is one script. */
export async function startThirdParty(
  bytes: number,
  send: (response: ServerResponse, answer: Answer) => void,
): Promise<ThirdParty> {
  const headers = { 'content-type': 'text/javascript' };
  const server = createServer((_request, response) =>
    send(response, { status: 200, headers, body: scriptOf(bytes) }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tag.js`,
    async stop() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}
