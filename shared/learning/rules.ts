/** Which combinations of values are allowed, and the best of these. */
import { z } from 'zod';
import { type DimensionValues, dimensionValuesSchema } from '../contracts/identifiers.ts';

const somePairs = dimensionValuesSchema.refine((values) => Object.keys(values).length > 0, {
  message: 'must name at least one value',
});

/**
 * A rule about combinations. `forbid` refuses combinations that have all of its values; with one
 * value it bans that value. `require` refuses combinations that have all values of `when` but not
 * all of its own; without `when` it always applies. No combination has a value that is not in use.
 */
export const ruleSchema = z.union([
  z.strictObject({ forbid: somePairs }),
  z.strictObject({ require: somePairs, when: dimensionValuesSchema.optional() }),
]);
export type Rule = z.infer<typeof ruleSchema>;

/** Values by index in each dimension; a combination has one for each. */
export type Vocabulary = readonly { dimension: string; values: readonly string[] }[];
export type Combination = readonly number[];

/**
 * After this many partial combinations the search ends with the best found. Rules over a handful of
 * dimensions need a few hundred.
 */
const MOST_STEPS = 200_000;

type Pair = readonly [dimension: number, value: number];
/** A combination with all of `when` must have all of `demanded`; null demands the impossible. */
type Compiled = { when: readonly Pair[]; demanded: readonly Pair[] | null };

/** The rules in terms of indices. */
export class AllowedCombinations {
  readonly #vocabulary: Vocabulary;
  readonly #rules: readonly Compiled[];
  /** Dimensions that a rule names: the others are free. */
  readonly #bound: readonly number[];
  /** By position in `#bound`: the rules whose last dimension is there. */
  readonly #decidedAt: readonly (readonly Compiled[])[];

  constructor(vocabulary: Vocabulary, rules: readonly Rule[]) {
    this.#vocabulary = vocabulary;
    this.#rules = rules.flatMap((rule) => compiled(rule, vocabulary) ?? []);
    const dimensionsOf = ({ when, demanded }: Compiled) =>
      [...when, ...(demanded ?? [])].map(([dimension]) => dimension);
    this.#bound = [...new Set(this.#rules.flatMap(dimensionsOf))].sort((a, b) => a - b);
    this.#decidedAt = this.#bound.map((dimension) =>
      this.#rules.filter((rule) => Math.max(...dimensionsOf(rule)) === dimension),
    );
  }

  allows(combination: Combination): boolean {
    return this.#rules.every((rule) => keeps(rule, combination));
  }

  /**
   * The allowed combination with the highest sum of scores, given a score for each value of each
   * dimension; of values with equal scores the first. Exact, by branch and bound over the dimensions
   * that rules name: ascent by one dimension at a time would stop at the first combination that
   * only two changes at once improve. Undefined when no combination is allowed, or none was
   * found within `MOST_STEPS`.
   */
  best(scores: readonly ArrayLike<number>[]): Combination | undefined {
    if (this.#rules.some((rule) => isHopeless(rule))) return undefined;
    const orders = this.#vocabulary.map(({ values }, dimension) => {
      const score = (value: number) => scores[dimension]?.[value] ?? 0;
      return values.map((_, value) => value).sort((a, b) => score(b) - score(a) || a - b);
    });
    const combination = orders.map(([first = 0]) => first);
    if (this.allows(combination)) return combination;
    const scoreOf = (dimension: number, value: number) => scores[dimension]?.[value] ?? 0;
    const most = this.#bound.map((dimension) => scoreOf(dimension, orders[dimension]?.[0] ?? 0));
    // What the dimensions from a position on can add at most.
    const ahead = most.map((_, position) => most.slice(position).reduce((sum, x) => sum + x, 0));
    let found: Combination | undefined;
    let highest = Number.NEGATIVE_INFINITY;
    let steps = 0;
    const search = (position: number, sum: number): void => {
      const dimension = this.#bound[position];
      if (dimension === undefined) {
        found = [...combination];
        highest = sum;
        return;
      }
      for (const value of orders[dimension] ?? []) {
        steps += 1;
        const score = scoreOf(dimension, value);
        // Values come in falling order, so none of the rest can do better either.
        if (sum + score + (ahead[position + 1] ?? 0) <= highest || steps > MOST_STEPS) return;
        combination[dimension] = value;
        const kept = this.#decidedAt[position]?.every((rule) => keeps(rule, combination));
        if (kept) search(position + 1, sum + score);
      }
    };
    search(0, 0);
    return found;
  }
}

/** Undefined for a rule that every combination keeps. */
function compiled(rule: Rule, vocabulary: Vocabulary): Compiled | undefined {
  const when = 'forbid' in rule ? rule.forbid : (rule.when ?? {});
  const whenPairs = pairs(when, vocabulary);
  if (!whenPairs) return undefined;
  const demanded = 'forbid' in rule ? null : (pairs(rule.require, vocabulary) ?? null);
  return { when: whenPairs, demanded };
}

/** Undefined when a value is not in use. */
function pairs(values: DimensionValues, vocabulary: Vocabulary): Pair[] | undefined {
  const found: Pair[] = [];
  for (const [name, value] of Object.entries(values)) {
    const dimension = vocabulary.findIndex((one) => one.dimension === name);
    const index = vocabulary[dimension]?.values.indexOf(value) ?? -1;
    if (index < 0) return undefined;
    found.push([dimension, index]);
  }
  return found;
}

function keeps({ when, demanded }: Compiled, combination: Combination): boolean {
  const has = ([dimension, value]: Pair) => combination[dimension] === value;
  return !when.every(has) || (demanded?.every(has) ?? false);
}

/** Always asks for a value that is not in use. */
function isHopeless({ when, demanded }: Compiled): boolean {
  return when.length === 0 && demanded === null;
}
