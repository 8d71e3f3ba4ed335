/** Damages JSON in the ways in which a payload of X may differ from what a reader expects. */
import fc from 'fast-check';

// biome-ignore lint/suspicious/noExplicitAny: payloads are damaged without knowing their types
type Any = any;
type Slot = { holder: Any; key: string };

/** One damage: `at` picks the place, `important` prefers keys that bear on the numbers. */
type Mutation = { at: number; important: boolean; kind: Kind; value: unknown; other: number };
const KINDS = ['drop', 'retype', 'deeper', 'repeat', 'copy', 'rename'] as const;
type Kind = (typeof KINDS)[number];

const IMPORTANT =
  /count|views|follow|metric|rest_id|id_str|legacy|result|core|tweet|entry|instruction|typename|data|errors/i;

/** Values of every type, among them some that look like counts and are none. */
const STRANGE_VALUES: unknown[] = [
  null,
  true,
  '',
  'text',
  '12',
  '007',
  '1.5K',
  '-3',
  ' 5 ',
  '9'.repeat(400),
  0,
  7,
  -1,
  1.5,
  2 ** 53,
  1e300,
  [],
  {},
  [[]],
  { count: 3 },
  { result: {} },
  { __typename: 'TweetUnavailable', reason: 'Suspended' },
  { __typename: 'Novelty', rest_id: '5' },
  'x'.repeat(50_000),
];

export const mutations = fc.array(
  fc.record<Mutation>({
    at: fc.nat({ max: 100_000 }),
    important: fc.boolean(),
    kind: fc.constantFrom(...KINDS),
    value: fc.constantFrom(...STRANGE_VALUES),
    other: fc.nat({ max: 100_000 }),
  }),
  { minLength: 1, maxLength: 6 },
);

/** Levels by which `deeper` wraps at most; repeated this often the readers must not overflow. */
const MAX_DEPTH = 400;
const MAX_REPEATS = 300;

/** Every object of the tree, each with the keys that lead to it; nothing of it is recursive. */
export function* nodes(root: unknown): Generator<{ path: string[]; node: Any }> {
  const open: { path: string[]; node: unknown }[] = [{ path: [], node: root }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { path, node } = next;
    if (typeof node !== 'object' || node === null) continue;
    yield { path, node };
    for (const [key, inner] of Object.entries(node))
      open.push({ path: [...path, key], node: inner });
  }
}

function slotsOf(root: unknown): Slot[] {
  const slots: Slot[] = [];
  const open: unknown[] = [root];
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    if (typeof holder !== 'object' || holder === null) continue;
    for (const [key, inner] of Object.entries(holder)) {
      slots.push({ holder, key });
      open.push(inner ?? null);
    }
  }
  return slots;
}

/** A damaged copy of `body`. */
export function mutate(body: unknown, list: Mutation[]): unknown {
  const root = { body: structuredClone(body) };
  for (const mutation of list) apply(root, mutation);
  return root.body;
}

function apply(root: object, { at, important, kind, value, other }: Mutation): void {
  const all = slotsOf(root);
  const preferred = important ? all.filter(({ key }) => IMPORTANT.test(key)) : all;
  const slots = preferred.length > 0 ? preferred : all;
  const slot = slots[at % slots.length];
  const source = all[other % all.length];
  if (!slot || !source) return;
  const { holder, key } = slot;
  const held = holder[key];
  if (kind === 'drop') {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  } else if (kind === 'retype') {
    const isCount = typeof held === 'number' && other % 3 === 0;
    holder[key] = isCount ? String(held) : structuredClone(value);
  } else if (kind === 'deeper') {
    let wrapped = held;
    const levels = other % 4 === 0 ? other % MAX_DEPTH : 1;
    for (let level = 0; level < levels; level += 1) {
      wrapped = level % 2 === 0 ? { result: wrapped } : [wrapped];
    }
    holder[key] = wrapped;
  } else if (kind === 'repeat') {
    const size = JSON.stringify(held)?.length ?? 0;
    const times = size > 200 ? 3 : other % MAX_REPEATS;
    holder[key] = Array.from({ length: times }, () => structuredClone(held));
  } else if (kind === 'copy') {
    holder[key] = structuredClone(source.holder[source.key]);
  } else {
    holder[`${key}_v2`] = held;
    delete holder[key];
  }
}
