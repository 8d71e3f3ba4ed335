/**
 * Walks the instructions of X's timelines. Every timeline operation has the same entries under a
 * different path, so the place of `instructions` is searched for, not spelt out.
 */
import { valueAt } from './payload-schemas.ts';

/**
 * One tweet item of a timeline: a top-level entry, or an item of a module such as a thread. Its
 * `place` is the `tweet_results` object.
 */
export type TimelineItem = { entryId: string; place: unknown; isPromoted: boolean };

/** Deeper than any known path to `instructions`, which is 6 keys at most. */
const INSTRUCTIONS_MAX_DEPTH = 8;

/** The first `instructions` array under `root`, nearest first; null when there is none. */
export function findInstructions(root: unknown): unknown[] | null {
  let level: unknown[] = [root];
  for (let depth = 0; depth < INSTRUCTIONS_MAX_DEPTH && level.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const node of level) {
      if (typeof node !== 'object' || node === null || Array.isArray(node)) continue;
      const instructions = (node as { instructions?: unknown }).instructions;
      if (Array.isArray(instructions)) return instructions;
      for (const inner of Object.values(node)) next.push(inner);
    }
    level = next;
  }
  return null;
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function entriesOf(instruction: unknown): unknown[] {
  return [
    ...asArray(valueAt(instruction, ['entries'])),
    ...asArray(valueAt(instruction, ['moduleItems'])),
    ...[valueAt(instruction, ['entry'])].filter((entry) => entry !== undefined),
  ];
}

function itemOf(entryId: string, content: unknown): TimelineItem | null {
  const place = valueAt(content, ['tweet_results']);
  if (typeof place !== 'object' || place === null) return null;
  const promoted =
    valueAt(content, ['promotedMetadata']) ?? valueAt(content, ['promoted_metadata']);
  const isPromoted = (promoted ?? null) !== null || /promoted-/.test(entryId);
  return { entryId, place, isPromoted };
}

/**
 * The tweet items of a timeline in its order: of added, pinned and replaced entries, and of their
 * modules. Cursors, user suggestions and other entries are left out.
 */
export function collectItems(instructions: unknown[] | null): TimelineItem[] {
  const items: TimelineItem[] = [];
  const add = (entry: unknown, holder: string): void => {
    const entryId = valueAt(entry, ['entryId']) ?? valueAt(entry, ['entry_id']);
    const held = valueAt(entry, [holder]);
    // X's web page calls it `itemContent`, its apps `content`.
    const content = valueAt(held, ['itemContent']) ?? valueAt(held, ['content']);
    const item = itemOf(typeof entryId === 'string' ? entryId : '', content);
    if (item) items.push(item);
  };
  for (const entry of (instructions ?? []).flatMap(entriesOf)) {
    add(entry, 'content');
    add(entry, 'item');
    for (const one of asArray(valueAt(entry, ['content', 'items']))) add(one, 'item');
  }
  return items;
}

/** The cursor that asks for older entries; null when the timeline names none. */
export function bottomCursorOf(instructions: unknown[] | null): string | null {
  for (const entry of (instructions ?? []).flatMap(entriesOf)) {
    const content = valueAt(entry, ['content']);
    const cursor = valueAt(content, ['itemContent']) ?? content;
    const type = valueAt(cursor, ['cursorType']) ?? valueAt(cursor, ['cursor_type']);
    if (type !== 'Bottom') continue;
    const value = valueAt(cursor, ['value']);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}
