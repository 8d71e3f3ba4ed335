/**
 * Reads one post from its page. The first GraphQL answer about the post decides; a page that shows
 * the post without one is read from its action bar; a page that shows neither is a refusal.
 */
import type { Page } from 'puppeteer-core';
import type { PayloadShape, PostAnalytics } from '../../../shared/contracts/read.ts';
import { readAnalyticsPayload } from '../x/analytics.ts';
import { judgePage, readPostFromPage } from '../x/dom.ts';
import { isAnalyticsOperation, isPostOperation, readPostPayload } from '../x/graphql.ts';
import { type PostRead, type Refusal, refuse } from '../x/outcome.ts';
import { payloadShape } from '../x/payload-shape.ts';
import { isReaderRefusal } from '../x/reader-refusal.ts';
import { type PageAnswer, type PageEvent, type Visit, visitPage } from './visit.ts';

/** How long a page that already shows the number is given for its GraphQL answer, in milliseconds. */
export const DOM_GRACE_MS = 1_500;

/** How long a page of analytics is waited for, in milliseconds. */
const ANALYTICS_PATIENCE_MS = 6_000;

/** What a page gave, and the shapes of the payloads that it was read from. */
export type PageRead<Read> = { read: Read; shapes: PayloadShape[] };

/**
 * Reads one post.
 * @param url the post's page
 * @param id the post that the page must show
 * @param patienceMs how long to wait for an answer before the page is `transient`
 */
export function readPostPage(
  page: Page,
  url: string,
  id: string,
  patienceMs: number,
): Promise<PageRead<PostRead>> {
  return visitPage(page, url, patienceMs, async (visit) => {
    let shownSince: number | null = null;
    for (let event = await visit.next(); event; event = await visit.next()) {
      if (event.kind === 'refused') return { read: event.refusal, shapes: [] };
      if (event.kind === 'answer') {
        if (!isAboutPost(event, id)) continue;
        const { operation, body, headers, refused } = event;
        const read = refused ?? readPostPayload(operation.name, body, id, headers);
        return { read: withOperation(read, event), shapes: shapesOf(event) };
      }
      const shown: PostRead | null = readPostFromPage(event.seen, id);
      if (shown === null) continue;
      shownSince ??= Date.now();
      if (Date.now() - shownSince >= DOM_GRACE_MS) return { read: shown, shapes: [] };
    }
    return { read: await lastLook(visit, id), shapes: [] };
  });
}

/**
 * Reads what X shows an author about a post of their own; `absent` where it shows nothing. It is
 * worth less waiting than the numbers of a post.
 * @param url the post's page of analytics
 * @param capturedAt the moment of the read, ISO 8601
 */
export function readAnalyticsPage(
  page: Page,
  url: string,
  id: string,
  capturedAt: string,
  patienceMs: number,
): Promise<PageRead<PostAnalytics | Refusal | 'absent'>> {
  return visitPage(page, url, Math.min(patienceMs, ANALYTICS_PATIENCE_MS), async (visit) => {
    for (let event = await visit.next(); event; event = await visit.next()) {
      if (event.kind === 'refused') return { read: event.refusal, shapes: [] };
      if (event.kind !== 'answer' || !isAnalyticsOperation(event.operation.name)) continue;
      const { body, headers, refused } = event;
      const read = refused ?? readAnalyticsPayload(body, id, capturedAt, headers);
      return {
        read: typeof read === 'object' && 'outcome' in read ? withOperation(read, event) : read,
        shapes: shapesOf(event),
      };
    }
    return { read: refuse('transient', { page: 'no answer' }), shapes: [] };
  });
}

function isAboutPost({ operation }: PageAnswer, id: string): boolean {
  const { name, variables } = operation;
  return isPostOperation(name) && String(variables.focalTweetId ?? variables.tweetId ?? id) === id;
}

/** A refusal about the payload or its reader names the operation that was answered so. */
export function withOperation<Read extends { outcome: string }>(
  read: Read | Refusal,
  { operation }: PageAnswer,
): Read | Refusal {
  if (read.outcome !== 'shape_changed' && !isReaderRefusal(read.outcome)) return read;
  const refusal = read as Refusal;
  return { ...refusal, evidence: { ...refusal.evidence, operation: operation.name } };
}

/** The shape of an answer that carried data; a refusal has none worth knowing. */
export function shapesOf(event: PageEvent): PayloadShape[] {
  if (event.kind !== 'answer' || event.refused) return [];
  const shape = payloadShape(event.operation.name, event.body);
  // A tombstone alone, for instance, holds nothing that could change.
  return shape.paths.length === 0 ? [] : [shape];
}

/** What can be said when the patience is over. */
async function lastLook(visit: Visit, id: string): Promise<PostRead> {
  const noAnswer = refuse('transient', { page: 'no answer' });
  const seen = await visit.look();
  if (seen === null) return noAnswer;
  return readPostFromPage(seen, id) ?? judgePage(seen) ?? noAnswer;
}
