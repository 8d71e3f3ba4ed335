/** JSON with one meaning only, and only with text that the database can hold. */
import { PostloopError } from './contracts.ts';

/** Levels of objects and lists within each other; a body of ours has three. */
const MAX_DEPTH = 32;

/**
 * Parses a JSON text in UTF-8.
 *
 * @throws PostloopError 400 body_not_json; 400 body_invalid when it names a key twice (readers
 *   would take either), nests deeper than 32 levels or holds a character that Postgres cannot store
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notJson((error as Error).message);
  }
  const message = problemOf(text);
  if (message !== undefined) {
    const issues = [{ path: '', message }];
    throw new PostloopError(400, 'body_invalid', `body: ${message}`, { issues });
  }
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notJson('it is not UTF-8');
  }
}

const notJson = (reason: string) =>
  new PostloopError(400, 'body_not_json', `The body is not JSON: ${reason}`);

/** The strings of a JSON text, and what opens, closes and separates. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g;

/** Faults that JSON.parse accepts silently, in a text that it has parsed. */
function problemOf(text: string): string | undefined {
  /** The keys so far of each open object; null stands for a list. */
  const open: (Set<string> | null)[] = [];
  let keyNext = false;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') {
      if (open.length === MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels`;
      open.push(token === '{' ? new Set() : null);
      keyNext = token === '{';
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ',') {
      keyNext = open.at(-1) !== null;
    } else if (token === ':') {
      keyNext = false;
    } else {
      const content = JSON.parse(token) as string;
      if (content.includes('\0') || !content.isWellFormed()) {
        return 'holds a character that cannot be stored (U+0000 or half of a surrogate pair)';
      }
      const keys = open.at(-1);
      if (keyNext && keys?.has(content)) return `has the key ${token} twice`;
      if (keyNext) keys?.add(content);
    }
  }
  return undefined;
}
