import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../supabase/functions/_shared/json.ts';

const parse = (text: string) => parseJson(new TextEncoder().encode(text));
const refusal = (code: string) => expect.objectContaining({ status: 400, code });

it('gives back whatever JSON.stringify wrote, however it is spaced', () => {
  const values = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' });
  fc.assert(
    fc.property(values, fc.constantFrom(0, 2), (value, space) => {
      const text = JSON.stringify(value, null, space);
      fc.pre(!text.includes('\\u0000'));
      expect(parse(text)).toEqual(JSON.parse(text));
    }),
  );
});

it('refuses an object of any keys in which one is there twice', () => {
  const keys = fc.uniqueArray(fc.string({ unit: 'grapheme' }), { minLength: 1 });
  fc.assert(
    fc.property(keys, fc.nat(), (names, pick) => {
      fc.pre(!names.join().includes('\0'));
      const again = names[pick % names.length] as string;
      const text = [...names, again].map((name) => `${JSON.stringify(name)}: {"a": [1]}`).join();
      expect(() => parse(`[{"a": 1}, {${text}}]`)).toThrow(refusal('body_invalid'));
    }),
  );
});

describe('text that looks like something else', () => {
  it.each([
    ['the same key in neighbours and in children', '[{"a": {"a": 1}}, {"a": [{"a": 2}]}]'],
    ['strings with brackets, commas and colons', '{"a": "{\\"a\\": [1,", "b": "}],:"}'],
    ['a value that is spelled like a key', '{"a": "a", "b": ["a", "a"], "c": "b"}'],
    ['escaped backslashes before a quote', '{"a": "\\\\", "b": "\\\\\\""}'],
    ['a whole surrogate pair, escaped', '{"a": "\\ud83d\\ude00"}'],
    ['32 levels', `${'['.repeat(32)}${']'.repeat(32)}`],
  ])('is taken: %s', (_, text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['33 levels', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['a key twice after a nested object', '{"a": {"b": [{}]}, "a": 1}'],
    ['a key twice in an object of a list', '[1, {"a": 1, "b": 2, "a": 3}]'],
    ['an empty key twice', '{"": 1, "": 2}'],
    ['U+0000 in a key', '{"\\u0000": 1}'],
    ['the halves of a pair in the wrong order', '{"a": "\\ude00\\ud83d"}'],
  ])('is refused: %s', (_, text) => {
    expect(() => parse(text)).toThrow(refusal('body_invalid'));
  });
});
